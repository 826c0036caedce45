//! Parsers of single values. All are pure; an error says why, and what would be right.

use std::time::Duration;

use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};

use crate::target::{Attempts, Method, StatusSet};

/// The longest duration that is accepted: beyond it, somebody mistook the unit.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// A duration with a unit: `500ms`, `10s`, `1m30s`.
pub fn duration(value: &str) -> Result<Duration, String> {
    let value = value.trim();
    if value.parse::<f64>().is_ok() {
        return Err(format!(
            "has no unit; a duration needs one, for example {}s or {}ms",
            crate::text::clean(value, 20),
            crate::text::clean(value, 20)
        ));
    }
    let parsed = humantime::parse_duration(value)
        .map_err(|_| "is not a duration; write for example 500ms, 10s or 1m30s".to_owned())?;
    if parsed > LONGEST {
        return Err("is longer than a year; write for example 10s or 1m30s".to_owned());
    }
    Ok(parsed)
}

/// A duration that is more than nothing.
pub fn positive_duration(value: &str) -> Result<Duration, String> {
    match duration(value)? {
        Duration::ZERO => Err("leaves no time at all; write for example 10s".to_owned()),
        parsed => Ok(parsed),
    }
}

/// `true` or `false` in any case.
pub fn boolean(value: &str) -> Result<bool, String> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("is neither true nor false".to_owned()),
    }
}

/// A number of attempts, or `unlimited`.
pub fn attempts(value: &str) -> Result<Attempts, String> {
    let value = value.trim();
    if value.eq_ignore_ascii_case("unlimited") {
        return Ok(Attempts::Unlimited);
    }
    match value.parse() {
        Ok(0) => Err("leaves no attempt; give 1 or more, or unlimited".to_owned()),
        Ok(number) => Ok(Attempts::AtMost(number)),
        Err(_) => Err("is not a number of attempts; give 1 or more, or unlimited".to_owned()),
    }
}

/// How many redirects to follow.
pub fn redirects(value: &str) -> Result<u32, String> {
    value
        .trim()
        .parse()
        .map_err(|_| "is not a number of redirects; give 0 or more".to_owned())
}

/// `GET`, `HEAD` or `OPTIONS`.
pub fn method(value: &str) -> Result<Method, String> {
    match value.trim().to_ascii_uppercase().as_str() {
        "GET" => Ok(Method::Get),
        "HEAD" => Ok(Method::Head),
        "OPTIONS" => Ok(Method::Options),
        _ => Err("is not a method that a probe may use; give GET, HEAD or OPTIONS".to_owned()),
    }
}

/// A set of statuses: `<500`, `2xx`, `200-399`, `200,204,3xx`.
pub fn status_set(value: &str) -> Result<StatusSet, String> {
    value
        .split(',')
        .map(|part| status_range(part.trim()))
        .collect::<Option<Vec<_>>>()
        .map(StatusSet::new)
        .ok_or_else(|| {
            "is not a set of statuses from 100 to 599; write for example <500, 2xx, 200-399 or 200,204,3xx"
                .to_owned()
        })
}

fn status_range(part: &str) -> Option<(u16, u16)> {
    if let Some(limit) = part.strip_prefix('<') {
        let limit: u16 = limit.trim().parse().ok()?;
        return (101..=600).contains(&limit).then(|| (100, limit - 1));
    }
    if let Some(class) = part.strip_suffix("xx").or_else(|| part.strip_suffix("XX")) {
        let class: u16 = class.parse().ok().filter(|class| (1..=5).contains(class))?;
        return (part.len() == 3).then_some((class * 100, class * 100 + 99));
    }
    if let Some((from, to)) = part.split_once('-') {
        let (from, to) = (status(from.trim())?, status(to.trim())?);
        return (from <= to).then_some((from, to));
    }
    let single = status(part)?;
    Some((single, single))
}

fn status(text: &str) -> Option<u16> {
    let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    let status = text.parse().ok().filter(|_| digits)?;
    (100..=599).contains(&status).then_some(status)
}

/// A commit: 40 or 64 hex digits.
pub fn sha(value: &str) -> Result<String, String> {
    let value = value.trim();
    let hex = value.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex && (value.len() == 40 || value.len() == 64) {
        Ok(value.to_ascii_lowercase())
    } else {
        Err("is not a commit; give its full 40 or 64 hex digits".to_owned())
    }
}

/// The name of a target: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
pub fn name(value: &str) -> Result<String, String> {
    let first = value
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    if first && value.len() <= 64 && value.bytes().all(is_name_byte) {
        Ok(value.to_owned())
    } else {
        Err("is not a name; use 1 to 64 letters, digits, dots, dashes and underscores, the first a letter or digit"
            .to_owned())
    }
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// The name of a target that was given none: its host, with `-` for what a name may not have.
#[must_use]
pub fn name_of(url: &Url) -> String {
    let host: String = url
        .host_str()
        .unwrap_or_default()
        .bytes()
        .map(|byte| if is_name_byte(byte) { byte.into() } else { '-' })
        .skip_while(|ch: &char| !ch.is_ascii_alphanumeric())
        .take(64)
        .collect();
    let host = host.trim_end_matches('-');
    if host.is_empty() {
        "target".to_owned()
    } else {
        host.to_owned()
    }
}

/// An address to ask: http or https, with a host, without user info.
pub fn url(value: &str) -> Result<Url, String> {
    const EXAMPLE: &str = "write for example https://staging.example/health";
    let value = value.trim();
    if value.chars().any(|ch| ch.is_control() || ch == ' ') {
        return Err(format!(
            "is not an address: it has blanks or control characters; {EXAMPLE}"
        ));
    }
    let url =
        Url::parse(value).map_err(|error| format!("is not an address ({error}); {EXAMPLE}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("has a scheme other than http and https; {EXAMPLE}"));
    }
    if !value
        .get(url.scheme().len()..)
        .is_some_and(|rest| rest.starts_with("://"))
    {
        return Err(format!(
            "is not an address: no // after the scheme; {EXAMPLE}"
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "has user info; reachability needs no credential, and none is sent: take it out"
                .to_owned(),
        );
    }
    if url.port() == Some(0) {
        return Err("has port 0, which nobody can listen on".to_owned());
    }
    // What the HTTP library will make of it; it takes less than the URL standard.
    if url.as_str().parse::<http::Uri>().is_err() {
        return Err("is not an address that HTTP can ask for; it may be too long".to_owned());
    }
    Ok(url)
}

/// A link for people: http or https.
pub fn link(value: &str) -> Result<String, String> {
    let url = Url::parse(value.trim()).map_err(|error| format!("is not a link ({error})"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("is not a link; it must begin with https:// or http://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has user info, which everybody would see: take it out".to_owned());
    }
    Ok(url.into())
}

/// A header that a probe may send. The value is never shown.
pub fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    const CREDENTIALS: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];
    const SECRET_WORDS: [&str; 6] = [
        "api-key",
        "apikey",
        "token",
        "secret",
        "password",
        "credential",
    ];
    const SCHEMES: [&str; 4] = ["bearer ", "basic ", "digest ", "token "];
    // They decide where a message ends and which connection it takes; a wrong one makes a
    // healthy service look dead.
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
    let lower = name.trim().to_ascii_lowercase();
    if CREDENTIALS.contains(&lower.as_str()) || SECRET_WORDS.iter().any(|word| lower.contains(word))
    {
        return Err(
            "carries a credential; reachability needs none, and none is sent: take it out"
                .to_owned(),
        );
    }
    if FRAMING.contains(&lower.as_str()) {
        return Err("is set by HTTP itself; take it out".to_owned());
    }
    let start = value.trim_start().to_ascii_lowercase();
    if SCHEMES.iter().any(|scheme| start.starts_with(scheme)) {
        return Err(
            "looks like a credential; reachability needs none, and none is sent: take it out"
                .to_owned(),
        );
    }
    let name = HeaderName::from_bytes(lower.as_bytes())
        .map_err(|_| "is not a header name; use letters, digits and dashes".to_owned())?;
    let value = HeaderValue::from_str(value.trim())
        .map_err(|_| "has a value with control characters or letters outside ASCII".to_owned())?;
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration(" 500ms "), Ok(Duration::from_millis(500)));
        assert!(duration("20").unwrap_err().contains("20s"));
        assert!(duration("1.5").unwrap_err().contains("unit"));
        assert!(duration("soon").unwrap_err().contains("10s"));
        assert!(duration("99999999999999y").is_err());
        assert!(positive_duration("0s").is_err());
    }

    #[test]
    fn status_sets() {
        for (text, inside, outside) in [
            ("<500", vec![100, 401, 499], vec![500, 503, 600, 999]),
            ("2xx", vec![200, 299], vec![199, 300]),
            ("200-399", vec![200, 399], vec![400]),
            ("200, 204,3xx", vec![200, 204, 301], vec![201, 404]),
        ] {
            let set = status_set(text).unwrap();
            assert!(inside.iter().all(|status| set.contains(*status)), "{text}");
            assert!(
                !outside.iter().any(|status| set.contains(*status)),
                "{text}"
            );
        }
        for bad in [
            "", "abc", "300-200", "20", "2x", "<100", "0xx", "+200", "200,,204", "-1", "700",
        ] {
            assert!(status_set(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names() {
        assert!(name("staging-llm.v1_2").is_ok());
        for bad in ["", "-a", "a b", "é", &"a".repeat(65), "a:b"] {
            assert!(name(bad).is_err(), "{bad}");
        }
        let named = |text: &str| name_of(&Url::parse(text).unwrap());
        assert_eq!(named("http://llm.example:8080/x"), "llm.example");
        assert_eq!(named("http://[::1]:80/"), "1");
        assert_eq!(named("http://[fe80::1]/"), "fe80--1");
        assert_eq!(
            named(&format!("http://{}/", "a".repeat(70))),
            "a".repeat(64)
        );
    }

    #[test]
    fn addresses() {
        assert!(url("https://h.example/p?q=1").is_ok());
        for bad in [
            "h.example",
            "h:80",
            "ftp://h",
            "http://u:p@h",
            "http://u@h",
            "http://",
            "http://h:0",
            "http:/h",
            "http://h /x",
            "http://[::1",
            "http://h:99999",
        ] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn headers_without_credentials() {
        assert!(header("X-Env", "staging").is_ok());
        for (name, value) in [
            ("Authorization", "x"),
            ("COOKIE", "x"),
            ("X-Api-Key", "x"),
            ("x-my-token", "x"),
            ("X-Auth", "Bearer abc"),
            ("Content-Length", "4"),
            ("a b", "x"),
            ("X", "a\nb"),
        ] {
            assert!(header(name, value).is_err(), "{name}");
        }
    }
}
