//! What is wrong with a configuration, in words that say how to mend it.

use std::fmt::{self, Display};

use super::origin::Place;
use super::values::ValueError;
use crate::address::{self, Address};
use crate::text;

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The input, or the path of the key, and where it was given: `timeout (PREFLIGHT_TIMEOUT)`,
    /// `targets.llm.expect (preflight.yml:4)`.
    pub place: String,
    /// What was given, masked; `None` where it says nothing or must not be shown.
    pub value: Option<String>,
    /// Why it cannot be used, and what would be right.
    pub reason: String,
}

impl Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}: \"{value}\" {}", self.place, self.reason),
            None => write!(f, "{}: {}", self.place, self.reason),
        }
    }
}

/// How many problems are kept; the others are counted. Nobody reads more, and a file that is no
/// configuration at all may have a million.
const KEPT: usize = 1000;
/// How many are counted before the rest of a mapping is left unread.
const COUNTED: usize = 10_000;

/// How much of them one line for people has, in bytes, beside how many more there are. Outputs
/// and annotations are cut not far behind it.
const LINE: usize = 1900;

/// A number of problems in words; from so many on the rest was left unread.
pub(crate) fn at_least(number: usize, all: usize) -> String {
    if all < COUNTED {
        number.to_string()
    } else {
        format!("at least {number}")
    }
}

/// Everything that is wrong, in the order it was found.
#[derive(Debug, Default, thiserror::Error)]
#[error("the configuration has {}", text::pluralize(self.count(), "problem"))]
pub struct Problems {
    /// The first of them, as many as anybody would read.
    pub kept: Vec<Problem>,
    /// How many there are beside those.
    pub more: usize,
}

impl Problems {
    /// Notes a value that cannot be used. The value is masked here, so no caller can forget.
    pub fn value(&mut self, place: &Place<'_>, value: &str, reason: impl Display) {
        self.note(
            place,
            || Some(text::show_value(value)),
            || reason.to_string(),
        );
    }

    /// Notes a key that cannot be used, masked as such.
    pub(super) fn key(&mut self, place: &Place<'_>, key: &str, reason: impl Display) {
        self.note(place, || Some(text::show_key(key)), || reason.to_string());
    }

    /// Notes a problem that no single value shows.
    pub(super) fn general(&mut self, place: &Place<'_>, reason: impl Display) {
        self.note(place, || None, || reason.to_string());
    }

    /// The same, where the reason takes a search that only a problem that is kept is worth.
    pub(super) fn explained(&mut self, place: &Place<'_>, reason: impl FnOnce() -> String) {
        self.note(place, || None, reason);
    }

    fn note(
        &mut self,
        place: &Place<'_>,
        value: impl FnOnce() -> Option<String>,
        reason: impl FnOnce() -> String,
    ) {
        if self.kept.len() < KEPT {
            self.kept.push(Problem {
                place: place.to_string(),
                value: value(),
                reason: reason(),
            });
        } else {
            self.more += 1;
        }
    }

    /// Unwraps a parsed value, or notes why there is none.
    pub(super) fn take<T>(
        &mut self,
        place: &Place<'_>,
        value: &str,
        parsed: Result<T, impl Display>,
    ) -> Option<T> {
        parsed
            .map_err(|reason| self.value(place, value, reason))
            .ok()
    }

    /// The address of a target, or a note why it is none.
    pub(super) fn take_address(&mut self, place: &Place<'_>, text: &str) -> Option<Address> {
        self.take_value(place, text, address::target(text).map_err(Into::into))
    }

    /// As [`Self::take`]; a value that may be secret is not shown.
    pub(super) fn take_value<T>(
        &mut self,
        place: &Place<'_>,
        value: &str,
        parsed: Result<T, ValueError>,
    ) -> Option<T> {
        match parsed {
            Err(reason) if reason.hides_value() => {
                self.general(place, reason);
                None
            }
            parsed => self.take(place, value, parsed),
        }
    }

    /// Whether nothing is wrong.
    pub const fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Whether there are so many that looking for more helps nobody.
    pub const fn are_enough(&self) -> bool {
        self.count() >= COUNTED
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.kept.len() + self.more
    }
}

/// All problems in one line, as far as anybody reads.
pub fn in_one_line(problems: &[String], more: usize) -> String {
    let mut line = String::new();
    let mut told = 0;
    for problem in problems {
        if !line.is_empty() {
            if line.len() + problem.len() > LINE {
                break;
            }
            line.push_str("; ");
        }
        line.push_str(problem);
        told += 1;
    }
    match problems.len() - told + more {
        0 => line,
        more => {
            let more = at_least(more, told + more);
            format!("{line}; and {more} more")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::origin::Origin;

    #[test]
    fn a_thousand_problems_are_kept_and_the_others_counted() {
        let mut problems = Problems::default();
        let url = Place::of("url", &Origin::Unknown);
        for number in 0..1500 {
            problems.value(&url, "h", format!("is wrong in way {number}"));
        }
        assert_eq!((problems.kept.len(), problems.more), (1000, 500));
        assert!(!problems.are_enough());
        let texts: Vec<_> = problems.kept.iter().map(ToString::to_string).collect();
        let line = in_one_line(&texts, problems.more);
        assert!(line.len() < 2000, "{line}");
        let told = line.matches("in way").count();
        assert!(
            line.ends_with(&format!("; and {} more", 1500 - told)),
            "{line}"
        );
        assert_eq!(in_one_line(&texts[..1], 0), texts[0]);
        for _ in 0..8500 {
            problems.general(&url, "is wrong");
        }
        assert!(problems.are_enough());
        let line = in_one_line(&texts, problems.more);
        assert!(line.contains("; and at least 99"), "{line}");
    }
}
