//! Points in time as people and programs write them: RFC 3339 in, UTC out. Pure.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

/// A point in time, to the second.
///
/// As JSON it is `2026-12-01T08:00:00Z`, for people `2026-12-01 08:00 UTC`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(SystemTime);

/// Why a text is not a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotATime {
    /// It could mean any of a day's worth of times.
    #[error("has no time zone; write for example 2026-12-01T08:00Z or 2026-12-01T10:00+02:00")]
    Zone,
    /// It is something else.
    #[error(
        "is not a point in time; write for example 2026-12-01T08:00Z or 2026-12-01T10:00+02:00"
    )]
    Other,
}

impl Timestamp {
    /// That of a clock; what is before 1970 becomes 1970, which no text here means.
    #[must_use]
    pub fn of(time: SystemTime) -> Self {
        let whole = time
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        Self(SystemTime::UNIX_EPOCH + Duration::from_secs(whole.as_secs()))
    }

    /// It as the clock has it.
    #[must_use]
    pub const fn time(self) -> SystemTime {
        self.0
    }

    /// How much later it is than another; nothing where it is earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.duration_since(earlier.0).unwrap_or_default()
    }

    /// It so much later.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        self.0.checked_add(span).map_or(self, Self::of)
    }

    /// It so much earlier.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        self.0.checked_sub(span).map_or(self, Self::of)
    }

    /// The time of day where the day is that of `now`, else both: `12:03 UTC`.
    #[must_use]
    pub fn beside(self, now: Self) -> String {
        let (shown, now) = (self.to_string(), now.to_string());
        match (shown.get(..DAY), shown.get(DAY + 1..)) {
            (day, Some(time)) if day == now.get(..DAY) => time.to_owned(),
            _ => shown,
        }
    }
}

/// The last second of the year 9999: the library has no words for what comes after it.
const LAST: u64 = 253_402_300_799;
/// The length of a day as text.
const DAY: usize = "2026-12-01".len();

/// How long ago something was: `40 s ago`, `8 min ago`, `3 h ago`, `5 days ago`.
#[must_use]
pub(crate) fn ago(span: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    let secs = span.as_secs();
    if secs < MINUTE {
        format!("{secs} s ago")
    } else if secs < HOUR {
        format!("{} min ago", secs / MINUTE)
    } else if secs < 2 * DAY {
        format!("{} h ago", secs / HOUR)
    } else {
        format!("{} days ago", secs / DAY)
    }
}

impl FromStr for Timestamp {
    type Err = NotATime;

    /// Reads RFC 3339. Seconds may be left out, a blank may stand for the `T`; a zone may not be
    /// left out.
    fn from_str(text: &str) -> Result<Self, NotATime> {
        let text = text.trim();
        if !text.is_ascii() {
            return Err(NotATime::Other);
        }
        let (local, behind) = match text.strip_suffix(['Z', 'z']) {
            Some(local) => (local, Some(0)),
            None => match text.len().checked_sub("+02:00".len()) {
                Some(at) => {
                    let (local, zone) = text.split_at(at);
                    match offset(zone) {
                        Some(secs) => (local, Some(secs)),
                        None => (text, None),
                    }
                }
                None => (text, None),
            },
        };
        let local = local.trim_end().replacen([' ', 't'], "T", 1);
        let seconds = if local.len() == "2026-12-01T08:00".len() {
            ":00"
        } else {
            ""
        };
        let read = humantime::parse_rfc3339(&format!("{local}{seconds}Z"));
        let read = read.map_err(|_| NotATime::Other)?;
        let secs = i64::from(behind.ok_or(NotATime::Zone)?);
        let span = Duration::from_secs(secs.unsigned_abs());
        let utc = if secs >= 0 {
            read.checked_sub(span)
        } else {
            read.checked_add(span)
        };
        utc.map(Self::of).ok_or(NotATime::Other)
    }
}

/// How many seconds a zone is ahead of UTC: `+02:00`, `-09:30`.
fn offset(zone: &str) -> Option<i32> {
    let sign = match zone.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let number = |text: &str, most: i32| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        let number: i32 = text.parse().ok().filter(|_| digits)?;
        (number <= most).then_some(number)
    };
    Some(sign * (number(hours, 23)? * 3600 + number(minutes, 59)? * 60))
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Rfc3339(*self).to_string();
        let minute = text.get(..DAY + " 08:00".len()).unwrap_or(&text);
        write!(f, "{} UTC", minute.replace('T', " "))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Rfc3339(*self))
    }
}

/// The form for programs.
struct Rfc3339(Timestamp);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = SystemTime::UNIX_EPOCH + Duration::from_secs(LAST);
        humantime::format_rfc3339_seconds(self.0.0.min(last)).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Result<String, NotATime> {
        text.parse::<Timestamp>()
            .map(|time| serde_json::to_value(time).unwrap())
            .map(|value| value.as_str().unwrap().to_owned())
    }

    #[test]
    fn what_is_read_is_written_in_utc() {
        for (text, utc) in [
            ("2026-12-01T08:00Z", "2026-12-01T08:00:00Z"),
            (" 2026-12-01 08:00z\n", "2026-12-01T08:00:00Z"),
            ("2026-12-01T08:00:59.9Z", "2026-12-01T08:00:59Z"),
            ("2026-12-01T10:00+02:00", "2026-12-01T08:00:00Z"),
            ("2026-12-01 10:00 +02:00", "2026-12-01T08:00:00Z"),
            ("2026-12-01T00:30:00+01:00", "2026-11-30T23:30:00Z"),
            ("2026-11-30t22:30:00-09:30", "2026-12-01T08:00:00Z"),
            ("2024-02-29T12:00-00:00", "2024-02-29T12:00:00Z"),
            ("1970-01-01T00:00+14:00", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(json(text).as_deref(), Ok(utc), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "2026-12-01T08:00",
            "2026-12-01 08:00:00",
            "2026-12-01T08:00:00.5",
        ] {
            assert_eq!(json(text), Err(NotATime::Zone), "{text}");
        }
        for text in [
            "",
            "Z",
            "tomorrow",
            "2026-12-01",
            "2026-12-01Z",
            "2026-13-01T08:00Z",
            "2025-02-29T08:00Z",
            "2026-12-01T25:00Z",
            "2026-12-01T08:00+2:00",
            "2026-12-01T08:00+24:00",
            "2026-12-01T08:00+02:60",
            "2026-12-01T08:00 CET",
            "2026-12-01T08:00\u{ff3a}",
            "+02:00",
            "20261201T0800Z",
            "1764576000",
        ] {
            assert_eq!(json(text), Err(NotATime::Other), "{text}");
        }
    }

    #[test]
    fn times_read_well() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (time, day) = (at("2026-12-01T08:00:31Z"), at("2026-12-01T23:59Z"));
        assert_eq!(time.to_string(), "2026-12-01 08:00 UTC");
        assert_eq!(time.beside(day), "08:00 UTC");
        let next = day.plus(Duration::from_secs(60));
        assert_eq!(time.beside(next), "2026-12-01 08:00 UTC");
        assert_eq!(next.since(day), Duration::from_secs(60));
        assert_eq!(day.since(next), Duration::ZERO);
        let shown =
            [0, 59, 60, 3599, 3600, 172_799, 172_800].map(|secs| ago(Duration::from_secs(secs)));
        assert_eq!(
            shown,
            [
                "0 s ago",
                "59 s ago",
                "1 min ago",
                "59 min ago",
                "1 h ago",
                "47 h ago",
                "2 days ago"
            ]
        );
    }

    /// A clock may stand anywhere.
    #[test]
    fn no_clock_is_too_strange() {
        let old = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(Timestamp::of(old).to_string(), "1970-01-01 00:00 UTC");
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
        assert_eq!(Timestamp::of(far).to_string(), "9999-12-31 23:59 UTC");
    }
}
