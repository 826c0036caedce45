//! Addresses: those that are asked, and those that people follow.

use reqwest::Url;
use rustls::pki_types::ServerName;

use crate::inputs::nearest::nearest;
use crate::text;

/// What a target can be asked in.
const SCHEMES: [&str; 2] = ["http", "https"];
/// The longest address that the HTTP library takes, in bytes.
const LONGEST: usize = 65_534;
const EXAMPLE: &str = "write for example https://staging.example/health";

/// An address to ask: http or https, with a host that can be one, without user info.
pub fn url(value: &str) -> Result<Url, String> {
    let value = value.trim();
    if has_a_second(value) {
        return Err(SECOND.to_owned());
    }
    if value.chars().any(|ch| ch.is_control() || ch == ' ') {
        return Err(format!(
            "is not an address: it has blanks or control characters; {EXAMPLE}"
        ));
    }
    let url = parse(value)?;
    if url.port() == Some(0) {
        return Err("has port 0, which nobody can listen on".to_owned());
    }
    // Two slashes come together where `/./` stood between them.
    if has_a_second(url.as_str()) {
        return Err(SECOND.to_owned());
    }
    // What the HTTP library will make of it; it takes less than the URL standard.
    if url.as_str().parse::<http::Uri>().is_err() {
        return Err("is not an address that HTTP can ask for".to_owned());
    }
    Ok(url)
}

/// A link for people: http or https.
pub fn link(value: &str) -> Result<String, String> {
    parse(value.trim()).map(Into::into)
}

/// What holds for every address.
fn parse(value: &str) -> Result<Url, String> {
    if value.len() > LONGEST {
        return Err("is too long for an address".to_owned());
    }
    if value.starts_with(['"', '\'', '<', '\u{2018}', '\u{201c}', '\u{2039}']) {
        return Err("is in quotes or brackets; leave them out".to_owned());
    }
    let rest = after_the_scheme(value)?;
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Err(format!(
            "has no host: a variable in it is probably empty; {EXAMPLE}"
        ));
    }
    if host.ends_with(':') {
        return Err(
            "has no port behind the colon: a variable in it is probably empty; give one, or take out the colon"
                .to_owned(),
        );
    }
    let url = Url::parse(value).map_err(|error| {
        let hint = if host.contains(['$', '{', '<']) {
            "a variable in its host that was not replaced?"
        } else {
            EXAMPLE
        };
        format!("is not an address ({error}); {hint}")
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "has user info; write {} instead; no login is needed",
            text::show_url(&url, text::PIECE)
        ));
    }
    // A number or brackets are an address, and the parser has seen to those.
    if let Some(name) = url.domain() {
        check_name(name)?;
        if url.scheme() == "https" && ServerName::try_from(name).is_err() {
            return Err(
                "cannot be asked over https: no certificate can be for a host with a part that ends in a dash"
                    .to_owned(),
            );
        }
    }
    Ok(url)
}

/// What stands behind `http://` or `https://`.
fn after_the_scheme(value: &str) -> Result<&str, String> {
    let plain = |ch: char| ch.is_ascii_alphanumeric() || "+.-".contains(ch);
    match value.split_once("://") {
        Some((scheme, rest)) if !scheme.is_empty() && scheme.chars().all(plain) => {
            let scheme = scheme.to_ascii_lowercase();
            if SCHEMES.contains(&scheme.as_str()) {
                return Ok(rest);
            }
            let meant = nearest(&scheme, SCHEMES)
                .map_or_else(String::new, |meant| format!("; did you mean {meant}://…?"));
            Err(format!(
                "has a scheme other than {}{meant}",
                SCHEMES.join(" and ")
            ))
        }
        _ if starts_with_a_scheme(value) => Err(format!(
            "is not an address: no :// after the scheme; {EXAMPLE}"
        )),
        _ => Err(match with_a_scheme(value) {
            Some(meant) => format!("has no scheme; did you mean {meant} ?"),
            None => format!("is not an address: it has no scheme; {EXAMPLE}"),
        }),
    }
}

fn starts_with_a_scheme(value: &str) -> bool {
    let start: String = value.chars().take(7).collect::<String>().to_lowercase();
    SCHEMES
        .iter()
        .any(|scheme| start.starts_with(&format!("{scheme}:")))
        || start.starts_with("http//")
        || start.starts_with("https//")
}

/// The address that was probably meant where a scheme is missing. With a port of its own it is
/// rarely https.
fn with_a_scheme(value: &str) -> Option<String> {
    // What stands before an `@` is nothing to show, and a path alone has no host.
    if value.contains('@') || !value.starts_with(|ch: char| ch.is_alphanumeric() || ch == '[') {
        return None;
    }
    let https = url(&format!("https://{value}")).ok()?;
    let host = https.host_str().unwrap_or_default();
    let near = host == "localhost" || host.ends_with(".localhost") || https.domain().is_none();
    let meant = if near || https.port().is_some() {
        url(&format!("http://{value}")).ok()?
    } else {
        https
    };
    let shown = text::show_url(&meant, text::PIECE);
    Some(if value.contains(['/', '?']) {
        shown
    } else {
        shown.trim_end_matches('/').to_owned()
    })
}

/// What to say about it.
const SECOND: &str = "holds a second address; several go into targets, a name for each (within a path, :// is written %3A//)";

/// Whether a second address stands in front of the query: a list where one is wanted. In the
/// query an address is a value like any other.
fn has_a_second(value: &str) -> bool {
    let front = value.split(['?', '#']).next().unwrap_or_default();
    match front.split_once("://") {
        Some((scheme, rest)) => rest.contains("://") || scheme.contains([',', ';', ' ', '\n']),
        None => false,
    }
}

/// Refuses what can be a name neither for a name server nor in a hosts file. Underscores can:
/// containers have them.
fn check_name(name: &str) -> Result<(), String> {
    const WRONG: &str = "has a host that cannot be one";
    let name = name.strip_suffix('.').unwrap_or(name);
    let fine = |ch: &char| ch.is_ascii_alphanumeric() || "-_.".contains(*ch);
    if let Some(ch) = name.chars().find(|ch| !fine(ch)) {
        let hint = match ch {
            '$' | '{' | '}' | '%' => "; a variable that was not replaced?",
            ',' | ';' => "; several addresses go into targets, a name for each",
            _ => "",
        };
        return Err(format!("{WRONG}: there is no \"{ch}\" in a name{hint}"));
    }
    if name.split('.').any(str::is_empty) {
        return Err(format!(
            "{WRONG}: nothing stands before a dot; a variable in it is probably empty"
        ));
    }
    if name.split('.').any(|label| label.starts_with('-')) {
        return Err(format!("{WRONG}: no part of a name begins with a dash"));
    }
    if name.len() > 253 || name.split('.').any(|label| label.len() > 63) {
        return Err(format!(
            "{WRONG}: a name has at most 253 letters, and 63 between two dots"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(value: &str, words: &[&str]) {
        let why = url(value).expect_err(value);
        for word in words {
            assert!(why.contains(word), "{word:?} is not in {why:?} of {value}");
        }
    }

    #[test]
    fn addresses() {
        for good in [
            "https://h.example/p?q=1",
            " http://h \n",
            "HTTP://H/",
            "http://h/?next=http://i/",
            "http://h/#http://i/",
            "http://h/$PATH/{id}",
            "http://[::1]:80/",
            "http://bücher.example/",
        ] {
            assert!(url(good).is_ok(), "{good}: {:?}", url(good));
        }
        for bad in [
            "h.example",
            "h:80",
            "ftp://h",
            "http://u:p@h",
            "http://u@h",
            "http://",
            "http://h:0",
            "http:/h",
            "https:h",
            "https//h",
            "http://h /x",
            "http://[::1",
            "http://h:99999",
            "/health",
            "://h",
            "",
        ] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_empty_variable_is_not_another_host() {
        for empty in [
            "https:///health",
            "https://",
            "https://?x",
            "https://:8080/",
            "https:///h.example/",
            "https://\\h/",
            "http://h:/health",
            "http://.h.example/",
        ] {
            refused(empty, &["variable", "empty"]);
        }
        assert!(link("https:///x").is_err());
    }

    #[test]
    fn a_list_of_addresses_is_not_one() {
        for list in [
            "http://a/x,http://b/y",
            "http://a,http://b",
            "http://a http://b",
            "http://a\nhttp://b",
            "a.example,http://b",
            "http://a,b",
            "http://a;b/",
            "http://a/http:/.//b",
        ] {
            refused(list, &["targets"]);
        }
    }

    #[test]
    fn a_host_that_cannot_be_one_is_refused() {
        for (host, word) in [
            ("$HOST", "variable"),
            ("${HOST}", "variable"),
            ("{{HOST}}", "variable"),
            ("<host>", "variable"),
            ("h:$PORT", "variable"),
            ("*.example", "\"*\""),
            ("a,b", "targets"),
            ("a..b", "dot"),
            (".", "dot"),
            ("-x", "dash"),
            ("a.-x.test", "dash"),
            (&"a".repeat(64), "63"),
            (&["a"; 128].join("."), "253"),
        ] {
            refused(&format!("http://{host}/"), &[word]);
        }
        for host in [
            "my_api",
            "_svc.test",
            "svc_.test",
            "x-",
            "x-.test",
            "h.example.",
            &"a".repeat(63),
            &["a"; 127].join("."),
        ] {
            assert!(url(&format!("http://{host}/")).is_ok(), "{host}");
        }
    }

    #[test]
    fn https_is_for_hosts_that_a_certificate_can_name() {
        for host in ["x-", "feature-branch-.stage.test", "a.b-"] {
            refused(&format!("https://{host}/"), &["https", "certificate"]);
        }
        for host in [
            "my_api",
            "_svc.test",
            "svc_.test",
            "h.example.",
            "xn--bcher-kva.test",
        ] {
            assert!(url(&format!("https://{host}/")).is_ok(), "{host}");
        }
    }

    #[test]
    fn a_missing_scheme_is_offered() {
        for (value, meant) in [
            ("example.com", "did you mean https://example.com ?"),
            ("localhost:8080", "did you mean http://localhost:8080 ?"),
            ("localhost/health", "did you mean http://localhost/health ?"),
            ("127.0.0.1", "did you mean http://127.0.0.1 ?"),
            (
                "api:8080/x?key=v",
                "did you mean http://api:8080/x?key=*** ?",
            ),
            ("api:443", "did you mean https://api ?"),
        ] {
            refused(value, &["no scheme", meant]);
        }
        for value in ["u:p@h", "/health", "://h", "h:port"] {
            let why = url(value).unwrap_err();
            assert!(!why.contains("did you mean"), "{value}: {why}");
        }
    }

    #[test]
    fn quotes_are_not_a_part_of_it() {
        for value in [
            "\"http://h/\"",
            "'http://h/'",
            "<http://h/>",
            "\u{201c}http://h/\u{201d}",
        ] {
            refused(value, &["quotes", "leave them out"]);
        }
    }

    #[test]
    fn an_unknown_scheme_is_told_which_there_are() {
        refused("htps://h/", &["http and https", "did you mean https://"]);
        refused("htpp://h/", &["http and https", "did you mean http://"]);
        let why = url("ftp://h/").unwrap_err();
        assert_eq!(why, "has a scheme other than http and https");
    }

    #[test]
    fn an_address_with_user_info_is_shown_without() {
        refused(
            "https://u:p@db.example:5432/app?k=v#f",
            &[
                "write https://db.example:5432/app?k=*** instead",
                "no login",
            ],
        );
        assert!(link("https://u:p@h/x").unwrap_err().contains("https://h/x"));
    }

    #[test]
    fn an_address_of_a_megabyte_is_refused_at_once() {
        for start in ["http://h/", "http://", "http://ü.", "h"] {
            assert!(url(&format!("{start}{}", "ü".repeat(1 << 19))).is_err());
        }
    }
}
