//! What the commit status says: the one signal that a pull request shows on every forge.

use super::headline::named_one;
use super::model::Report;
use crate::exit::RunResult;
use crate::forge::sentence::{self, Says};
use crate::text;
use crate::verdict::Verdict;

/// What the status says about a report. Later runs read it: what it names is what was seen,
/// `up` too, and never a target that counts for nothing.
pub fn describe_report(report: &Report) -> String {
    let headline = || text::truncate(&report.headline(), sentence::LONGEST);
    let (verdict, says) = match report.exit.result {
        RunResult::Up => (Verdict::Up, Says::Up),
        RunResult::Down if report.is_contradicted() => (Verdict::Down, Says::DownHere),
        RunResult::Down => (Verdict::Down, Says::Down),
        RunResult::Unknown => (Verdict::Unknown, Says::Unknown),
        RunResult::Invalid | RunResult::Error => return headline(),
    };
    let named = || {
        // An optional one that is up is up all the same.
        report
            .with(verdict)
            .filter(|target| target.required || verdict == Verdict::Up)
    };
    match named().count() {
        // None is required, and none is up.
        0 => headline(),
        count => sentence::write(says, named().map(named_one), count),
    }
}

/// What the status says while it waits for so many.
pub fn describe_waiting(names: impl IntoIterator<Item = String>, count: usize) -> String {
    sentence::write(Says::Waiting, names, count)
}
