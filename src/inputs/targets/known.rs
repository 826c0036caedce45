//! A known incident among the options of a target: until when, why, and where one reads more.

use std::collections::HashSet;
use std::time::SystemTime;

use super::super::origin::Place;
use super::super::problem::Problems;
use super::super::yaml::{Entry, Node};
use crate::durations::KNOWN_AHEAD;
use crate::nearest::nearest;
use crate::target::Known;
use crate::timestamp::Timestamp;
use crate::{address, text};

/// Its keys.
const KEYS: [&str; 3] = ["until", "reason", "url"];

/// Reads the mapping that stands in a place. `now` is the time by which its end is far or near.
pub(super) fn read(
    node: &Node,
    place: &Place<'_>,
    now: SystemTime,
    problems: &mut Problems,
) -> Option<Known> {
    let entries = match node {
        Node::Map(entries) => entries,
        // An option without a value is one that is not given.
        Node::Null => return None,
        Node::Scalar(_) | Node::List(_) => {
            let what = node.kind();
            problems.general(
                place,
                format!("is {what}, not a mapping with until and reason"),
            );
            return None;
        }
    };
    let (mut until, mut reason, mut url) = (None, None, None);
    let mut seen = HashSet::new();
    for Entry { key, line, node } in entries {
        if problems.are_enough() {
            break;
        }
        let at = place.under(key, *line);
        if !seen.insert(key.as_str()) {
            problems.general(&at, "is given a second time");
        }
        let value = match node {
            Node::Scalar(value) if KEYS.contains(&key.as_str()) => value.trim(),
            // Whoever leaves it empty is told that it is missing.
            Node::Null if KEYS.contains(&key.as_str()) => {
                seen.remove(key.as_str());
                continue;
            }
            _ if KEYS.contains(&key.as_str()) => {
                problems.general(&at, format!("is {}, not a single value", node.kind()));
                continue;
            }
            _ => {
                problems.explained(&at, || unknown(key));
                continue;
            }
        };
        match key.as_str() {
            "until" => {
                until = problems.take(&at, value, value.parse::<Timestamp>());
                if until.is_some_and(|until| until > Timestamp::of(now).plus(KNOWN_AHEAD)) {
                    problems.value(
                        &at,
                        value,
                        "is more than 30 days ahead; give a time by which somebody looks again",
                    );
                }
            }
            "reason" if value.is_empty() => {
                seen.remove("reason");
            }
            "reason" => reason = Some(text::sanitize(value, text::PIECE)),
            _ => url = problems.take_value(&at, value, address::link(value).map_err(Into::into)),
        }
    }
    for key in ["until", "reason"] {
        if !seen.contains(key) {
            problems.general(place, format!("has no {key}"));
        }
    }
    Some(Known {
        until: until?,
        reason: reason?,
        url: url.map(|url| text::show_url(&url, text::LONG)),
    })
}

fn unknown(key: &str) -> String {
    match nearest(key, KEYS) {
        Some(meant) => format!("is not a key of a known incident; did you mean {meant}?"),
        None => format!(
            "is not a key of a known incident; there are {}",
            KEYS.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::origin::Origin;
    use crate::inputs::yaml;

    fn read_one(text: &str) -> Result<Option<Known>, Vec<String>> {
        let now: Timestamp = "2026-11-01T08:00Z".parse().unwrap();
        let origin = Origin::document("f.yml");
        let targets = Place::of("targets", &origin);
        let place = targets.under("billing", 3);
        let mut problems = Problems::default();
        let read = read(
            &yaml::parse(text).unwrap(),
            &place.under("known", 4),
            now.time(),
            &mut problems,
        );
        let found: Vec<_> = problems.kept.iter().map(ToString::to_string).collect();
        if found.is_empty() {
            Ok(read)
        } else {
            Err(found)
        }
    }

    #[test]
    fn until_and_reason_are_enough() {
        let text = "{until: 2026-12-01T08:00Z, reason: \"migration, INC-4711\"}";
        let known = read_one(text).unwrap().unwrap();
        assert_eq!(known.until.to_string(), "2026-12-01 08:00 UTC");
        assert_eq!(
            (known.reason.as_str(), known.url),
            ("migration, INC-4711", None)
        );
        let text =
            "{until: 2026-11-02 10:00+02:00, reason: r, url: 'https://u:p@h.example/?t=s#f'}";
        assert!(read_one(text).is_err());
        let text = "{until: 2026-11-02 10:00+02:00, reason: r, url: 'https://h.example/?t=s#f'}";
        let url = read_one(text).unwrap().unwrap().url;
        assert_eq!(url.as_deref(), Some("https://h.example/?t=***"));
        assert_eq!(read_one("~"), Ok(None));
    }

    /// What is over is no mistake: somebody forgot to take it out.
    #[test]
    fn it_ends_within_thirty_days() {
        for (until, fine) in [
            ("2020-01-01T00:00Z", true),
            ("2026-11-01T08:00Z", true),
            ("2026-12-01T08:00:00Z", true),
            ("2026-12-01T10:00:00+02:00", true),
            ("2026-12-01T08:00:01Z", false),
            ("2026-12-01T08:00:00-00:01", false),
            ("9999-12-31T23:59Z", false),
        ] {
            let read = read_one(&format!("{{until: {until}, reason: r}}"));
            assert_eq!(read.is_ok(), fine, "{until}: {read:?}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told() {
        for (text, wrong) in [
            (
                "{}",
                &[
                    "targets.billing.known (f.yml:4): has no until",
                    "has no reason",
                ][..],
            ),
            ("{until: , reason: ' '}", &["has no until", "has no reason"]),
            (
                "soon",
                &["is a single value, not a mapping with until and reason"],
            ),
            ("[]", &["is a list, not a mapping"]),
            (
                "{until: 2026-11-02T08:00, reason: r}",
                &["known.until (f.yml:1): \"2026-11-02T08:00\" has no time zone"],
            ),
            ("{until: friday, reason: r}", &["is not a point in time"]),
            (
                "{until: 2027-01-01T08:00Z, reason: r}",
                &["is more than 30 days ahead"],
            ),
            (
                "{until: 2026-11-02T08:00Z, reason: [r]}",
                &["reason (f.yml:1): is a list, not a single value"],
            ),
            (
                "{until: 2026-11-02T08:00Z, reason: r, reason: s}",
                &["is given a second time"],
            ),
            (
                "{unti: 2026-11-02T08:00Z, reason: r}",
                &["did you mean until?", "has no until"],
            ),
            (
                "{until: 2026-11-02T08:00Z, reason: r, owner: me}",
                &["there are until, reason, url"],
            ),
            (
                "{until: 2026-11-02T08:00Z, reason: r, url: ticket}",
                &["known.url"],
            ),
            ("{until: x, url: y}", &["until", "url", "has no reason"]),
        ] {
            let found = read_one(text).unwrap_err();
            assert_eq!(found.len(), wrong.len(), "{text}: {found:#?}");
            for (found, words) in found.iter().zip(wrong) {
                assert!(found.contains(words), "{text}: {found}");
            }
        }
    }
}
