//! Known incidents: until when a target that is down does not count. Pure.

use std::time::SystemTime;

use super::{Finding, Verdict};
use crate::target::{Known, Target};
use crate::timestamp::{Timestamp, ago};

/// A known incident, at the time of a run.
#[derive(Debug, Clone, Copy)]
pub struct Incident<'a> {
    /// What is known.
    pub known: &'a Known,
    /// Whether its time is over.
    pub over: bool,
}

impl<'a> Incident<'a> {
    /// That of a target, if it has one. Its time is over from the second on that it names.
    pub(super) fn of(target: &'a Target, now: SystemTime) -> Option<Self> {
        let known = target.known.as_ref()?;
        Some(Self {
            known,
            over: known.until.time() <= now,
        })
    }
}

/// Whether the verdict of a target counts for the result at this time.
pub(crate) fn counts(target: &Target, now: SystemTime) -> bool {
    target.required && Incident::of(target, now).is_none_or(|incident| incident.over)
}

/// Says with a target that is not up that somebody thought it would be by now.
pub(super) fn tell_of_its_end(finding: &mut Finding<'_>, now: SystemTime) {
    if let Some(Incident { known, over: true }) = finding.incident
        && finding.verdict != Verdict::Up
    {
        let since = Timestamp::of(now).since(known.until);
        finding
            .message
            .push_str(&format!("; known until {}, {}", known.until, ago(since)));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The second before, the second itself, and the one after.
    #[test]
    fn it_counts_again_from_the_second_on_that_was_named() {
        let until: Timestamp = "2026-12-01T09:00+01:00".parse().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap().time();
        for required in [true, false] {
            let mut target = Target::example("billing");
            target.required = required;
            target.known = Some(Known {
                until,
                reason: "migration".to_owned(),
                url: None,
            });
            for (now, over) in [
                (at("2026-11-01T00:00Z"), false),
                (at("2026-12-01T07:59:59Z"), false),
                (at("2026-12-01T08:00:00Z") - Duration::from_nanos(1), false),
                (at("2026-12-01T08:00:00Z"), true),
                (at("2026-12-01T08:00:01Z"), true),
                (at("2027-01-01T00:00Z"), true),
            ] {
                assert_eq!(Incident::of(&target, now).unwrap().over, over, "{now:?}");
                assert_eq!(counts(&target, now), required && over, "{now:?}");
            }
        }
        let plain = Target::example("billing");
        assert!(counts(&plain, SystemTime::UNIX_EPOCH));
    }
}
