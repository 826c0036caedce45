//! Parsers of single values. All are pure; an error says why, and what would be right.

mod address;
mod duration;
mod header;

pub use address::{link, url};
pub(crate) use duration::deadline;
pub use duration::{duration, positive_duration};
pub use header::header;
pub(crate) use header::show_name as show_header_name;

use reqwest::Url;

use crate::probe::http::{Method, StatusSet};
use crate::target::Attempts;

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
        let limit = limit.trim();
        let digits = limit.len() == 3 && limit.bytes().all(|byte| byte.is_ascii_digit());
        let limit: u16 = limit.parse().ok().filter(|_| digits)?;
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
    // Forges write zeros where there is no commit, after a branch was deleted.
    let some = value.bytes().any(|byte| byte != b'0');
    if hex && some && (value.len() == 40 || value.len() == 64) {
        Ok(value.to_ascii_lowercase())
    } else {
        Err("is not a commit; give its full 40 or 64 hex digits".to_owned())
    }
}

/// The name of a target: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
pub fn name(value: &str) -> Result<String, String> {
    let value = value.trim();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_one() {
        assert_eq!(sha(&"A".repeat(40)), Ok("a".repeat(40)));
        assert!(sha(&"b".repeat(64)).is_ok());
        for bad in ["", "abc", &"g".repeat(40), &"0".repeat(40), &"a".repeat(41)] {
            assert!(sha(bad).is_err(), "{bad}");
        }
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
            "", "abc", "300-200", "20", "2x", "<100", "<0501", "<+501", "0xx", "+200", "200,,204",
            "-1", "700",
        ] {
            assert!(status_set(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names() {
        assert!(name("staging-llm.v1_2").is_ok());
        assert_eq!(name(" staging\n").as_deref(), Ok("staging"));
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
}
