//! The sentence of a commit status: its writer, and its reader.
//!
//! Runs read what earlier runs wrote, so the sentence is a grammar. Both ends stand in this file,
//! and the test at its end holds them together: a sentence that is changed in one place breaks the
//! build, and not every run that reads it.
//!
//! ```text
//! up       "up: " name ("," name)* more?
//! down     "down: " name " (" cause ")" ("," …)* more? " - environment, not this change"?
//! more     " and " number " more"
//! ```
//!
//! What is read is never shown: only parsed names, causes and times are, put together anew.

use crate::probe::Cause;
use crate::text;
use crate::verdict::Verdict;

/// GitHub refuses longer descriptions, in characters.
pub(crate) const LONGEST: usize = 140;
/// What a status of `down` ends in, unless another run contradicts it.
const ENVIRONMENT: &str = " - environment, not this change";
/// What a status of `unknown` ends in.
const RUNNER: &str = " - runner's network, not this change";

/// A sentence that names targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// These are up.
    Up,
    /// These are down, and nothing contradicts that it is the environment.
    Down,
    /// These are down, and another run reached one of them.
    DownHere,
    /// Of these it is not known.
    Unknown,
    /// These are being waited for.
    Waiting,
}

impl Says {
    const fn start(self) -> &'static str {
        match self {
            Self::Up => "up: ",
            Self::Down | Self::DownHere => "down: ",
            Self::Unknown => "unknown: ",
            Self::Waiting => "waiting for: ",
        }
    }

    const fn end(self) -> &'static str {
        match self {
            Self::Down => ENVIRONMENT,
            Self::Unknown => RUNNER,
            Self::Up | Self::DownHere | Self::Waiting => "",
        }
    }
}

/// A target with why it is not up: `llm (refused)`, `llm (status 503)`; one that is up by its name.
pub(crate) fn named(name: &str, cause: Option<Cause>, status: Option<u16>) -> String {
    match (cause, status) {
        (Some(cause @ Cause::Status), Some(status)) => format!("{name} ({cause} {status})"),
        (Some(cause), _) => format!("{name} ({cause})"),
        (None, _) => name.to_owned(),
    }
}

/// Writes a sentence: as many of the names as fit, and how many of the `count` are left out.
pub(crate) fn write(says: Says, names: impl IntoIterator<Item = String>, count: usize) -> String {
    let (start, end) = (says.start(), says.end());
    let room = LONGEST.saturating_sub(start.chars().count() + end.chars().count());
    let mut best = format!("{count} more");
    let (mut list, mut length) = (String::new(), 0);
    for (index, name) in names.into_iter().enumerate() {
        if index > 0 {
            list.push_str(", ");
            length += 2;
        }
        length += name.chars().count();
        if length > room {
            break;
        }
        list.push_str(&name);
        let more = match count.saturating_sub(index + 1) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        if length + more.len() <= room {
            best = format!("{list}{more}");
        }
    }
    text::truncate(&format!("{start}{best}{end}"), LONGEST)
}

/// What a sentence says of the targets that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen<'a> {
    /// `Up` or `Down`, all of them alike.
    pub verdict: Verdict,
    /// Their names. One that was left out is not known to be either.
    pub names: Vec<&'a str>,
}

/// Reads a sentence. Anything else than what `write` makes of `up` and `down` says nothing.
pub fn read(text: &str) -> Option<Seen<'_>> {
    let (verdict, list) = if let Some(list) = text.strip_prefix(Says::Up.start()) {
        (Verdict::Up, list)
    } else {
        let list = text.strip_prefix(Says::Down.start())?;
        (
            Verdict::Down,
            list.strip_suffix(ENVIRONMENT).unwrap_or(list),
        )
    };
    let names = without_rest(list)
        .split(", ")
        .map(|item| match verdict {
            Verdict::Down => item
                .strip_suffix(')')?
                .split_once(" (")
                .and_then(with_cause),
            Verdict::Up | Verdict::Unknown => Some(item),
        })
        .map(|name| name.filter(|name| is_name(name)))
        .collect::<Option<Vec<_>>>()?;
    Some(Seen { verdict, names })
}

/// A list without ` and 3 more`.
fn without_rest(list: &str) -> &str {
    let rest = || {
        let (list, rest) = list.rsplit_once(" and ")?;
        let number = rest.strip_suffix(" more")?;
        is_number(number).then_some(list)
    };
    rest().unwrap_or(list)
}

/// The name of a target with a cause that there is.
fn with_cause<'a>((name, cause): (&'a str, &str)) -> Option<&'a str> {
    let status = || {
        let digits = cause.strip_prefix("status ")?;
        (is_number(digits) && digits.len() == 3).then_some(())
    };
    let known = Cause::ALL.iter().any(|known| known.as_str() == cause);
    (known || status().is_some()).then_some(name)
}

/// A number as it is written here.
fn is_number(text: &str) -> bool {
    !text.starts_with('0')
        && (1..=9).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a target may have this name; `inputs::values::name` has the rule.
fn is_name(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    text.len() <= 64
        && text.bytes().all(inside)
        && text
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests;
