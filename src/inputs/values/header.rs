//! Headers that a probe may send: nothing that carries a credential.

use reqwest::header::{HeaderName, HeaderValue};

use crate::text;

/// What the name of a header that carries a credential contains, dashes and underscores left
/// out. `Authorization`, `Proxy-Authorization` and `Cookie` are among them.
const SECRET_WORDS: [&str; 9] = [
    "apikey",
    "authorization",
    "authkey",
    "subscriptionkey",
    "token",
    "secret",
    "passw",
    "credential",
    "cookie",
];
/// Authentication schemes, each with what follows it. A value that begins so is a credential.
const SCHEMES: [&str; 6] = [
    "basic ",
    "bearer ",
    "negotiate ",
    "digest ",
    "token ",
    "aws4-",
];
/// They decide where a message ends and which connection it takes; a wrong one makes a healthy
/// service look dead.
const FRAMING: [&str; 8] = [
    "connection",
    "content-length",
    "transfer-encoding",
    "expect",
    "upgrade",
    "te",
    "trailer",
    "keep-alive",
];

/// Why a header is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Its name announces a credential.
    #[error("carries a credential; reachability needs none, and none is sent: take it out")]
    Credential,
    /// Its value begins like one.
    #[error("looks like a credential; reachability needs none, and none is sent: take it out")]
    Scheme,
    /// It is one of [`FRAMING`].
    #[error("is set by HTTP itself; take it out")]
    Framing,
    /// Its name has what a name cannot have.
    #[error("is not a header name; use letters, digits and dashes")]
    Name,
    /// Its value has what a value cannot have.
    #[error("has a value with control characters or letters outside ASCII")]
    Value,
}

/// A header that a probe may send. The value is never shown.
pub fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), HeaderError> {
    let lower = name.trim().to_ascii_lowercase();
    if names_a_credential(&lower) {
        return Err(HeaderError::Credential);
    }
    if FRAMING.contains(&lower.as_str()) {
        return Err(HeaderError::Framing);
    }
    if is_a_credential(value) {
        return Err(HeaderError::Scheme);
    }
    let name = HeaderName::from_bytes(lower.as_bytes()).map_err(|_| HeaderError::Name)?;
    let value = HeaderValue::from_str(value.trim()).map_err(|_| HeaderError::Value)?;
    Ok((name, value))
}

fn names_a_credential(lower: &str) -> bool {
    let plain: String = lower.chars().filter(|ch| !"-_".contains(*ch)).collect();
    SECRET_WORDS.iter().any(|word| plain.contains(word))
}

/// Whether a value begins with an authentication scheme, in any case and with any blank.
fn is_a_credential(value: &str) -> bool {
    let start: String = value
        .trim_start()
        .chars()
        .take(16)
        .map(|ch| {
            if ch.is_whitespace() {
                ' '
            } else {
                ch.to_ascii_lowercase()
            }
        })
        .collect();
    SCHEMES.iter().any(|scheme| start.starts_with(scheme))
}

/// The name of a header as somebody wrote it. One that a whole header was quoted as shows no
/// value: nothing behind a colon, and nothing behind a word that announces a credential.
pub(crate) fn show_name(name: &str) -> String {
    if let Some((name, _)) = name.split_once(':') {
        return format!("{}: ***", text::show_key(name));
    }
    match name.trim().split_once(char::is_whitespace) {
        Some((word, _))
            if names_a_credential(&word.to_ascii_lowercase()) || is_a_credential(name) =>
        {
            format!("{} ***", text::show_key(word))
        }
        _ => text::show_key(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_without_credentials() {
        for (name, value) in [("X-Env", "staging"), ("X-Auth", "off"), ("Accept", "*/*")] {
            assert!(header(name, value).is_ok(), "{name}");
        }
        for (name, value) in [
            ("Authorization", "x"),
            ("X-Authorization", "x"),
            ("Proxy-Authorization", "x"),
            ("COOKIE", "x"),
            ("Set-Cookie2", "x"),
            ("X-Api-Key", "x"),
            ("X-Api_Key", "x"),
            ("Ocp-Apim-Subscription-Key", "x"),
            ("X-Auth-Key", "x"),
            ("X-Passwd", "x"),
            ("x-my-to-ken", "x"),
            ("X-Auth", "Bearer abc"),
            ("X-Auth", "Negotiate abc"),
            ("X-Auth", "BASIC\tabc"),
            ("X-Auth", " digest abc"),
            ("X-Auth", "token abc"),
            ("X-Amz", "AWS4-HMAC-SHA256 Credential=abc"),
            ("Content-Length", "4"),
            ("a b", "x"),
            ("X", "a\nb"),
        ] {
            assert!(header(name, value).is_err(), "{name}");
        }
    }

    #[test]
    fn a_header_that_was_quoted_as_a_name_shows_no_value() {
        for (name, shown) in [
            ("Authorization: Bearer SECRETabc", "Authorization: ***"),
            ("X-Env:SECRETabc", "X-Env: ***"),
            ("Authorization Bearer SECRETabc", "Authorization ***"),
            ("Bearer SECRETabc", "Bearer ***"),
            ("X-Env=SECRETabc", "X-Env=***"),
            ("a b", "a b"),
            ("X-Env", "X-Env"),
        ] {
            assert_eq!(show_name(name), shown, "{name}");
        }
    }
}
