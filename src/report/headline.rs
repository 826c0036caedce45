//! What a report comes to: the target that decides, and one line for people.

use super::model::{KnownReport, Report, TargetReport};
use crate::exit::RunResult;
use crate::forge::sentence;
use crate::text;
use crate::verdict::Verdict;

impl Report {
    /// The targets with a verdict.
    pub fn with(&self, verdict: Verdict) -> impl Iterator<Item = &TargetReport> {
        self.targets
            .iter()
            .filter(move |target| target.verdict == verdict)
    }

    /// The first required target, in the given order, that made the result; where all are up, the
    /// first.
    pub fn decisive(&self) -> Option<&TargetReport> {
        let wanted = match self.exit.result {
            RunResult::Down => Verdict::Down,
            RunResult::Unknown => Verdict::Unknown,
            RunResult::Up
                if self
                    .targets
                    .iter()
                    .all(|target| target.verdict == Verdict::Up) =>
            {
                return self.targets.first();
            }
            RunResult::Up => return self.with(Verdict::Up).find(|target| target.required),
            RunResult::Invalid | RunResult::Error => return None,
        };
        self.with(wanted).find(|target| target.required)
    }

    /// The targets that are not up and do not count, because an incident is known.
    pub(super) fn excused(&self) -> impl Iterator<Item = (&TargetReport, &KnownReport)> {
        let known = self.targets.iter();
        let known = known.filter(|target| target.verdict != Verdict::Up);
        known.filter_map(|target| Some((target, target.excuse()?)))
    }

    /// Whether another run found a required target up after it had failed here: then nobody says
    /// that it is not the change.
    pub(super) fn is_contradicted(&self) -> bool {
        self.with(Verdict::Down)
            .any(|target| target.required && target.is_contradicted())
    }

    /// Whether a signal ended the run before every target had a verdict.
    pub(crate) const fn was_interrupted(&self) -> bool {
        self.exit.interrupt.is_some()
    }

    /// One line for people: what was found.
    pub fn headline(&self) -> String {
        let required = |verdict| {
            self.with(verdict)
                .filter(|target| target.required)
                .collect::<Vec<_>>()
        };
        match self.exit.result {
            RunResult::Up => {
                let up = self.with(Verdict::Up).count();
                let rest = self.targets.len() - up;
                let mut line = format!(
                    "up: {} reachable",
                    text::pluralize(up, "dependency").replace("dependencys", "dependencies")
                );
                let known = self.excused().count();
                match (rest - known, known) {
                    (0, 0) => {}
                    (optional, 0) => line.push_str(&format!(" ({optional} optional not)")),
                    (0, known) => line.push_str(&format!(" ({known} not, as is known)")),
                    (optional, known) => line.push_str(&format!(
                        " ({optional} optional not; {known} not, as is known)"
                    )),
                }
                line
            }
            RunResult::Down => format!("down: {}", named(&required(Verdict::Down))),
            RunResult::Unknown => format!(
                "unknown: {}; it may be the runner's own network",
                named(&required(Verdict::Unknown))
            ),
            RunResult::Invalid => "invalid configuration".to_owned(),
            RunResult::Error if self.was_interrupted() => {
                "no verdict: the step was interrupted".to_owned()
            }
            RunResult::Error => "error: dep-preflight itself failed".to_owned(),
        }
    }
}

/// `llm (refused), billing (tls-expired) and 3 more`.
fn named(targets: &[&TargetReport]) -> String {
    const MOST: usize = 10;
    let mut names: Vec<_> = targets
        .iter()
        .take(MOST)
        .map(|target| named_one(target))
        .collect();
    if targets.len() > MOST {
        names.push(format!("{} more", targets.len() - MOST));
    }
    names.join(", ")
}

/// `llm (refused)`, `llm (status 503)`.
pub(crate) fn named_one(target: &TargetReport) -> String {
    sentence::named(&target.name, target.cause, target.http_status)
}
