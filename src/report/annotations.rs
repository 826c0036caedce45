//! Annotations: workflow commands that forges show beside a run.
//!
//! Runners of the act family split a command at the last `::`, GitHub at the first, so none
//! may stand in a text. GitHub shows ten of a kind per step.

use super::model::{Report, TargetReport};
use crate::forge::history::Elsewhere;
use crate::text;
use crate::verdict::Verdict;

/// How many of a kind a forge shows.
const MOST: usize = 10;
/// GitHub cuts a message at 4096; people stop reading long before.
const LONGEST: usize = 2000;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Fails something.
    Error,
    /// Does not.
    Warning,
    /// Is good news.
    Notice,
}

/// One workflow command.
pub fn command(level: Level, title: &str, message: &str) -> String {
    let level = match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
    };
    // No more than can be shown is worked on, with room for what collapses.
    let end = message.char_indices().nth(4 * LONGEST);
    let message = message.get(..end.map_or(message.len(), |(at, _)| at));
    let message = text::without_double_colon(message.unwrap_or_default());
    let message = text::sanitize(&message, LONGEST);
    // Cleaning may bring colons together that something harmless stood between.
    let message = without_escapes(&text::without_double_colon(&message));
    // A colon right behind the separator would move it for those who look for the last one.
    let gap = if message.starts_with(':') { " " } else { "" };
    format!(
        "::{level} title={}::{gap}{}",
        property(title),
        data(&message)
    )
}

/// Text in which nothing looks like an escape of the toolkit's: nektos/act undoes them in any
/// order, so that an escaped `%0A` may come out as a line end. The sign becomes a wide one.
fn without_escapes(text: &str) -> String {
    const ESCAPES: [&str; 5] = ["25", "0A", "0D", "3A", "2C"];
    let mut out = String::with_capacity(text.len());
    for (at, ch) in text.char_indices() {
        let next = text.get(at + 1..at + 3).unwrap_or_default();
        if ch == '%'
            && ESCAPES
                .iter()
                .any(|escape| next.eq_ignore_ascii_case(escape))
        {
            out.push('\u{ff05}');
        } else {
            out.push(ch);
        }
    }
    out
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

/// How many of the annotations that a forge shows are not for the report.
#[derive(Debug, Default, Clone, Copy)]
pub struct Reserved {
    /// For what failed already.
    pub errors: usize,
    /// For what went wrong, or still may.
    pub warnings: usize,
}

/// All annotations of a report.
pub fn render(report: &Report, reserved: Reserved) -> Vec<String> {
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    for target in report.with(Verdict::Down) {
        let title = match target.excuse() {
            Some(_) => format!("DEP-KNOWN:{}", target.name),
            None => format!("DEP-DOWN:{}", target.name),
        };
        let entry = (title, sentence(target));
        if target.required {
            &mut errors
        } else {
            &mut warnings
        }
        .push(entry);
    }
    // A run that was interrupted has not looked long enough to say anything about the network.
    let interrupted = report.was_interrupted();
    let unknown = report.with(Verdict::Unknown).count();
    if let Some(first) = report.with(Verdict::Unknown).next().filter(|_| interrupted) {
        let message = format!("{}{}: {}", first.name, rest(unknown), first.message);
        warnings.push(("INTERRUPTED".to_owned(), message));
    }
    for required in [true, false].into_iter().filter(|_| !interrupted) {
        let unknown: Vec<_> = report
            .with(Verdict::Unknown)
            .filter(|target| target.required == required)
            .collect();
        if let Some(first) = unknown.first() {
            let rest = rest(unknown.len());
            let entry = (
                "RUNNER-NET".to_owned(),
                format!("{}{rest}: {}", first.name, first.message),
            );
            if required { &mut errors } else { &mut warnings }.push(entry);
        }
    }
    let mut lines = within(Level::Error, errors, MOST - reserved.errors);
    lines.extend(within(Level::Warning, warnings, MOST - reserved.warnings));
    lines.extend(within(Level::Notice, seemingly_over(report), MOST));
    lines
}

/// The known incidents of targets that are up.
fn seemingly_over(report: &Report) -> Vec<(String, String)> {
    let up = report.with(Verdict::Up);
    let known = up.filter_map(|target| Some((target, target.excuse()?)));
    known
        .map(|(target, known)| {
            let message = format!(
                "It is up. Its incident, {}, seems to be over: take it out of the configuration.",
                known.words()
            );
            (format!("DEP-KNOWN:{}", target.name), message)
        })
        .collect()
}

/// How many there are beside the one that is named.
fn rest(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        more => format!(" (and {} more)", more - 1),
    }
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
    let tries = text::pluralize(target.attempts.len(), "attempt");
    let end = match target.excuse() {
        Some(known) => {
            let link = known.url.as_ref();
            let link = link.map_or_else(String::new, |url| format!(" ({url})"));
            format!(
                "It is {}{link}. It does not fail the step before that.",
                known.words()
            )
        }
        None if target.is_contradicted() => String::new(),
        None if target.required => "This is the environment, not the change under test.".to_owned(),
        None => "It is optional and does not fail the step.".to_owned(),
    };
    let elsewhere = target.elsewhere.as_ref().map(Elsewhere::words);
    let elsewhere = elsewhere.map(|words| text::capitalize(&words) + ".");
    let said = format!("{cause}{} ({tries}).", target.message);
    let sentences = [said].into_iter().chain([end]).chain(elsewhere);
    let sentences: Vec<_> = sentences.filter(|one| !one.is_empty()).collect();
    sentences.join(" ")
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
    fn nothing_comes_out_as_an_escape() {
        let line = command(Level::Warning, "T", "a%0Ab %250a 5%2 %20");
        assert_eq!(
            line,
            "::warning title=T::a\u{ff05}0Ab \u{ff05}250a 5%252 %2520"
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
