//! Annotations: workflow commands that forges show beside a run.
//!
//! Runners of the act family split a command at the last `::`, GitHub at the first, so none
//! may stand in a text. GitHub shows ten of a kind per step.

use super::model::{Report, TargetReport};
use crate::exit::RunResult;
use crate::text;
use crate::verdict::Verdict;

/// How many of a kind a forge shows.
const MOST: usize = 10;
/// GitHub cuts a message at 4096; people stop reading long before.
const LONGEST: usize = 1000;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Fails something.
    Error,
    /// Does not.
    Warning,
}

/// One workflow command.
#[must_use]
pub fn command(level: Level, title: &str, message: &str) -> String {
    let level = match level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let message = text::clean(&text::without_double_colon(message), LONGEST);
    // Cleaning may bring colons together that something harmless stood between.
    let message = text::without_double_colon(&message);
    format!("::{level} title={}::{}", property(title), data(&message))
}

/// The toolkit's escapes for the text of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The toolkit's escapes for a property; `=` would end it on the act family.
fn property(text: &str) -> String {
    data(text)
        .replace(':', "%3A")
        .replace(',', "%2C")
        .replace('=', "-")
}

/// All annotations of a report. One warning is left for a commit status that cannot be posted.
#[must_use]
pub fn render(report: &Report) -> Vec<String> {
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    for target in report.with(Verdict::Down) {
        let entry = (format!("DEP-DOWN:{}", target.name), sentence(target));
        if target.required {
            &mut errors
        } else {
            &mut warnings
        }
        .push(entry);
    }
    for required in [true, false] {
        let unknown: Vec<_> = report
            .with(Verdict::Unknown)
            .filter(|target| target.required == required)
            .collect();
        if let Some(first) = unknown.first() {
            let rest = match unknown.len() {
                1 => String::new(),
                more => format!(" (and {} more)", more - 1),
            };
            let entry = (
                "RUNNER-NET".to_owned(),
                format!("{}{rest}: {}", first.name, first.message),
            );
            if required { &mut errors } else { &mut warnings }.push(entry);
        }
    }
    let mut lines = within(Level::Error, errors, MOST);
    lines.extend(within(Level::Warning, warnings, MOST - 1));
    lines
}

/// The commands for `entries`, the last of which says how many do not fit.
fn within(level: Level, entries: Vec<(String, String)>, most: usize) -> Vec<String> {
    let more = entries.len().saturating_sub(most);
    entries
        .into_iter()
        .take(most)
        .enumerate()
        .map(|(index, (title, message))| {
            if more > 0 && index + 1 == most {
                command(level, &title, &format!("{message} (and {more} more)"))
            } else {
                command(level, &title, &message)
            }
        })
        .collect()
}

fn sentence(target: &TargetReport) -> String {
    let cause = target
        .cause
        .map_or_else(String::new, |cause| format!("{cause}: "));
    let tries = text::count(target.attempts.len(), "attempt");
    let end = if target.required {
        "This is the environment, not the change under test."
    } else {
        "It is optional and does not fail the step."
    };
    format!("{cause}{} ({tries}). {end}", target.message)
}

/// The annotation of a configuration that cannot be used.
#[must_use]
pub fn invalid(problems: &str) -> String {
    command(Level::Error, "CONFIG", problems)
}

/// The annotation of a failure of the tool itself.
#[must_use]
pub fn internal(message: &str) -> String {
    debug_assert_eq!(RunResult::Error.code(), 1);
    command(Level::Error, "INTERNAL", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_double_colon_but_our_own() {
        let line = command(
            Level::Error,
            "DEP-DOWN:llm",
            "refused by [::1]:80, fd::b, x::y, 50%\r\n::set-env name=PATH::x :\u{0}:",
        );
        assert_eq!(
            line,
            "::error title=DEP-DOWN%3Allm::refused by [0:0:0:0:0:0:0:1]:80, fd:0:0:0:0:0:0:b, x: :y, 50%25 : :set-env name=PATH: :x : :"
        );
    }

    #[test]
    fn the_tenth_says_how_many_more() {
        let entries = |n: usize| (0..n).map(|n| (format!("T{n}"), "m".to_owned())).collect();
        let lines = within(Level::Error, entries(12), MOST);
        assert_eq!(lines.len(), 10);
        assert_eq!(lines[9], "::error title=T9::m (and 2 more)");
        assert_eq!(
            within(Level::Error, entries(10), MOST)[9],
            "::error title=T9::m"
        );
    }
}
