//! What the commit status says: the one signal that a pull request shows on every forge.

use super::headline::named_one;
use super::model::Report;
use crate::exit::RunResult;
use crate::forge::api::DESCRIPTION;
use crate::text;
use crate::verdict::Verdict;

/// What the status says about a report. Later runs read it: what it names is what was seen,
/// `up` too, and never a target that counts for nothing.
pub fn describe_report(report: &Report) -> String {
    let (verdict, end) = match report.exit.result {
        RunResult::Up => (Verdict::Up, ""),
        RunResult::Down => (Verdict::Down, " - environment, not this change"),
        RunResult::Unknown => (Verdict::Unknown, " - runner's network, not this change"),
        RunResult::Invalid | RunResult::Error => {
            return text::truncate(&report.headline(), DESCRIPTION);
        }
    };
    let named = || {
        // An optional one that is up is up all the same.
        report
            .with(verdict)
            .filter(|target| target.required || verdict == Verdict::Up)
    };
    match named().count() {
        // None is required, and none is up.
        0 => text::truncate(&report.headline(), DESCRIPTION),
        count => fit(verdict.as_str(), named().map(named_one), count, end),
    }
}

/// What the status says while it waits for so many.
pub fn describe_waiting(names: impl IntoIterator<Item = String>, count: usize) -> String {
    fit("waiting for", names, count, "")
}

/// As many names as fit, and how many of the `count` are left out.
fn fit(start: &str, names: impl IntoIterator<Item = String>, count: usize, end: &str) -> String {
    let room = DESCRIPTION.saturating_sub(start.chars().count() + ": ".len() + end.chars().count());
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
    text::truncate(&format!("{start}: {best}{end}"), DESCRIPTION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_fit_and_say_what_is_left_out() {
        let names = |count| (0..count).map(|n| format!("target-{n} (refused)"));
        let end = " - environment, not this change";
        let line = fit("down", names(50), 50, end);
        assert!(line.chars().count() <= DESCRIPTION, "{line}");
        assert_eq!(
            line,
            "down: target-0 (refused), target-1 (refused), target-2 (refused), target-3 (refused) and 46 more - environment, not this change"
        );
        assert_eq!(
            fit("down", names(2), 2, end),
            "down: target-0 (refused), target-1 (refused) - environment, not this change"
        );
        assert!(fit("down", ["é".repeat(200)], 1, "").chars().count() <= DESCRIPTION);
        // Exactly as long as it may be, and one character longer.
        let exact = |length: usize| fit("up", ["x".repeat(length), "y".to_owned()], 2, "");
        assert_eq!(exact(133), format!("up: {}, y", "x".repeat(133)));
        assert_eq!(exact(134), "up: 2 more");
    }

    /// The names that do not fit are not even made.
    #[test]
    fn the_length_of_the_list_does_not_matter() {
        let made = std::cell::Cell::new(0);
        let names = (0..usize::MAX).map(|n| {
            made.set(made.get() + 1);
            format!("t{n}")
        });
        let line = fit("down", names, usize::MAX, "");
        assert!(
            line.ends_with(" more") && made.get() < DESCRIPTION,
            "{line}"
        );
    }
}
