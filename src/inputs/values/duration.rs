//! Durations with their units.

use std::time::Duration;

use crate::durations::{LONGEST, SHORTEST_DEADLINE};
use crate::text;

/// The units that a probe is timed in. The library has others; its `M` is a month.
const UNITS: [&str; 18] = [
    "ms", "msec", "millis", "s", "sec", "secs", "second", "seconds", "m", "min", "mins", "minute",
    "minutes", "h", "hr", "hrs", "hour", "hours",
];

/// Why a text is not a duration that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// A bare number; it, cut.
    #[error("has no unit; a duration needs one, for example {0}s or {0}ms")]
    NoUnit(String),
    /// `10M`, and what was probably meant.
    #[error("is not a duration; did you mean {0}")]
    Case(String),
    /// Something else.
    #[error("is not a duration; write it in h, m, s and ms, for example 500ms, 10s or 1m30s")]
    NotOne,
    /// Over [`LONGEST`].
    #[error("is longer than a year; write for example 10s or 1m30s")]
    TooLong,
    /// Nothing.
    #[error("leaves no time at all; write for example 10s")]
    Zero,
    /// A deadline below [`SHORTEST_DEADLINE`].
    #[error("leaves no time to ask and to report; give 100ms or more, for example 60s")]
    TooShort,
}

/// A duration with a unit: `500ms`, `10s`, `1m30s`.
pub fn duration(value: &str) -> Result<Duration, DurationError> {
    let value = value.trim();
    let number = |ch: char| ch.is_ascii_digit() || ch == '.';
    if !value.is_empty() && value.chars().all(number) {
        return Err(DurationError::NoUnit(text::sanitize(value, 20)));
    }
    let parsed = humantime::parse_duration(value)
        .ok()
        .filter(|_| has_our_units(value));
    let Some(parsed) = parsed else {
        // `10M`, `10S`: somebody else's way to write what we take.
        let lower = value.to_lowercase();
        let meant = if lower != value && has_our_units(&lower) {
            humantime::parse_duration(&lower).ok()
        } else {
            None
        };
        return Err(match meant {
            Some(_) => DurationError::Case(text::sanitize(&lower, 20)),
            None => DurationError::NotOne,
        });
    };
    if parsed > LONGEST {
        return Err(DurationError::TooLong);
    }
    Ok(parsed)
}

fn has_our_units(value: &str) -> bool {
    value
        .split(|ch: char| !ch.is_alphabetic())
        .filter(|unit| !unit.is_empty())
        .all(|unit| UNITS.contains(&unit))
}

/// A duration that is more than nothing.
pub fn positive_duration(value: &str) -> Result<Duration, DurationError> {
    match duration(value)? {
        Duration::ZERO => Err(DurationError::Zero),
        parsed => Ok(parsed),
    }
}

/// A deadline: a duration in which something can be asked and reported.
pub(crate) fn deadline(value: &str) -> Result<Duration, DurationError> {
    match positive_duration(value)? {
        parsed if parsed < SHORTEST_DEADLINE => Err(DurationError::TooShort),
        parsed => Ok(parsed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration(" 500ms "), Ok(Duration::from_millis(500)));
        assert!(duration("20").unwrap_err().to_string().contains("20s"));
        assert!(duration("1.5").unwrap_err().to_string().contains("unit"));
        assert!(duration("soon").unwrap_err().to_string().contains("10s"));
        assert!(duration("99999999999999h").is_err());
        assert!(positive_duration("0s").is_err());
    }

    #[test]
    fn a_word_is_not_a_number_without_its_unit() {
        for word in ["inf", "NaN", "infinity", "1e3", "-1", "+5"] {
            let why = duration(word).unwrap_err().to_string();
            assert!(why.starts_with("is not a duration; write"), "{word}: {why}");
        }
    }

    #[test]
    fn units_are_those_that_a_probe_is_timed_in() {
        for unit in UNITS {
            assert!(duration(&format!("2{unit}")).is_ok(), "{unit}");
        }
        assert_eq!(duration("1 hour 2 min"), Ok(Duration::from_secs(3720)));
        for other in ["1d", "1w", "1month", "1y", "1ns", "1us", "1µs", "1m 1d"] {
            assert!(duration(other).is_err(), "{other}");
        }
        assert!(
            duration("10M")
                .unwrap_err()
                .to_string()
                .ends_with("did you mean 10m")
        );
        assert!(
            duration("1M30S")
                .unwrap_err()
                .to_string()
                .ends_with("1m30s")
        );
    }

    #[test]
    fn a_deadline_leaves_time_to_report() {
        assert!(deadline("1ms").unwrap_err().to_string().contains("100ms"));
        assert!(deadline("99ms").is_err());
        assert_eq!(deadline("100ms"), Ok(Duration::from_millis(100)));
        assert!(
            deadline("0s")
                .unwrap_err()
                .to_string()
                .contains("no time at all")
        );
    }
}
