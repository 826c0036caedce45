//! Parsers of single values. All are pure; an error says why, and what would be right.

mod duration;
mod header;

pub(crate) use duration::DurationError;
pub(crate) use duration::deadline;
pub use duration::{duration, positive_duration};
pub use header::header;
pub(super) use header::show_name as show_header_name;

use reqwest::Url;

use super::files::FileError;
use crate::address::{self, AddressError};
use crate::forge::NotASha;
use crate::probe::http::{Method, StatusSet};
use crate::target::Attempts;

/// Why a text is not what an option takes, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum ValueError {
    /// A boolean is something else.
    #[error("is neither true nor false")]
    Boolean,
    /// No attempt at all.
    #[error("leaves no attempt; give 1 or more, or unlimited")]
    NoAttempt,
    /// A number of attempts is something else.
    #[error("is not a number of attempts; give 1 or more, or unlimited")]
    Attempts,
    /// A number of redirects is something else.
    #[error("is not a number of redirects; give 0 or more")]
    Redirects,
    /// A method that changes things, or that there is not.
    #[error("is not a method that a probe may use; give GET, HEAD or OPTIONS")]
    Method,
    /// A set of statuses is something else.
    #[error(
        "is not a set of statuses from 100 to 599; write for example <500, 2xx, 200-399 or 200,204,3xx"
    )]
    Statuses,
    /// A name has what a name cannot have.
    #[error(
        "is not a name; use 1 to 64 letters, digits, dots, dashes and underscores, the first a letter or digit"
    )]
    Name,
    /// A duration is something else.
    #[error(transparent)]
    Duration(#[from] DurationError),
    /// An address is something else.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The control address is something else.
    #[error("{0}; or off")]
    Control(AddressError),
    /// A commit is something else.
    #[error(transparent)]
    Sha(#[from] NotASha),
    /// The file that it names cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
}

impl ValueError {
    /// Whether nothing of the value may be shown.
    pub(super) const fn hides_value(&self) -> bool {
        matches!(self, Self::Address(error) if error.hides_value())
    }
}

/// The address that tells the runner's network from the dependency, or `off`.
pub(super) fn control(value: &str) -> Result<Option<Url>, ValueError> {
    if value.trim().eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    address::url(value).map(Some).map_err(ValueError::Control)
}

/// `true` or `false` in any case.
pub fn boolean(value: &str) -> Result<bool, ValueError> {
    match value.trim().to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ValueError::Boolean),
    }
}

/// A number of attempts, or `unlimited`.
pub fn attempts(value: &str) -> Result<Attempts, ValueError> {
    let value = value.trim();
    if value.eq_ignore_ascii_case("unlimited") {
        return Ok(Attempts::Unlimited);
    }
    match value.parse() {
        Ok(0) => Err(ValueError::NoAttempt),
        Ok(number) => Ok(Attempts::AtMost(number)),
        Err(_) => Err(ValueError::Attempts),
    }
}

/// How many redirects to follow.
pub fn redirects(value: &str) -> Result<u32, ValueError> {
    value.trim().parse().map_err(|_| ValueError::Redirects)
}

/// `GET`, `HEAD` or `OPTIONS`.
pub fn method(value: &str) -> Result<Method, ValueError> {
    match value.trim().to_ascii_uppercase().as_str() {
        "GET" => Ok(Method::Get),
        "HEAD" => Ok(Method::Head),
        "OPTIONS" => Ok(Method::Options),
        _ => Err(ValueError::Method),
    }
}

/// A set of statuses: `<500`, `2xx`, `200-399`, `200,204,3xx`.
pub fn status_set(value: &str) -> Result<StatusSet, ValueError> {
    value
        .split(',')
        .map(|part| status_range(part.trim()))
        .collect::<Option<Vec<_>>>()
        .map(StatusSet::new)
        .ok_or(ValueError::Statuses)
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

/// The name of a target: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
pub fn name(value: &str) -> Result<String, ValueError> {
    let value = value.trim();
    let first = value
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphanumeric());
    if first && value.len() <= 64 && value.bytes().all(is_name_byte) {
        Ok(value.to_owned())
    } else {
        Err(ValueError::Name)
    }
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// The name of a target that was given none: its host, with `-` for what a name may not have.
pub fn name_of(host: &str) -> String {
    let host: String = host
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
        assert_eq!(name(" staging\n").unwrap(), "staging");
        for bad in ["", "-a", "a b", "é", &"a".repeat(65), "a:b"] {
            assert!(name(bad).is_err(), "{bad}");
        }
        assert_eq!(name_of("llm.example"), "llm.example");
        assert_eq!(name_of("::1"), "1");
        assert_eq!(name_of("fe80::1"), "fe80--1");
        assert_eq!(name_of(&"a".repeat(70)), "a".repeat(64));
    }
}
