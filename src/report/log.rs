//! The log: one line per failed attempt while it happens, then one line per target. Pure.
//!
//! Not every forge shows summaries or annotations, so the log has it all. No line begins
//! with a byte that somebody else chose.

use std::time::Duration;

use super::model::{PhasesReport, Report, TargetReport};
use crate::exit::RunResult;
use crate::inputs::problem::at_least;
use crate::probe::Attempt;
use crate::record::Next;
use crate::screen::Tone;
use crate::target::{Attempts, Target};
use crate::text;
use crate::verdict::Verdict;

/// The first line: what is about to happen.
pub fn opening(targets: &[Target], deadline: Duration) -> String {
    format!(
        "dep-preflight {}: asking {}, at most {}",
        env!("CARGO_PKG_VERSION"),
        text::pluralize(targets.len(), "target"),
        text::show_duration(deadline)
    )
}

/// A failed attempt, while it happens.
pub fn attempt(target: &Target, number: usize, attempt: &Attempt, next: Next) -> String {
    let of = match target.policy.attempts {
        Attempts::AtMost(most) => format!(" of {most}"),
        Attempts::Unlimited => String::new(),
    };
    let then = match next {
        Next::After(wait) => format!("; next try in {}", text::show_duration(wait)),
        Next::UsedUp => String::new(),
        Next::OutOfTime => "; no time for another try".to_owned(),
        Next::ToldToWait(asked) => format!(
            "; the target asks to be retried only after {}, which is past the deadline",
            text::show_duration(asked)
        ),
    };
    let cause = attempt.cause.map_or("", |cause| cause.as_str());
    format!(
        "  {}: attempt {number}{of}: {cause}: {} ({}{}){then}",
        target.name,
        attempt.detail,
        text::show_duration(attempt.duration),
        spans(&PhasesReport::from(attempt.phases))
    )
}

/// Where the time went, as far as it is worth a word: `: name 12 ms, TLS 1.2 s`.
fn spans(phases: &PhasesReport) -> String {
    let spans = [
        ("name", phases.dns_ms),
        ("connect", phases.connect_ms),
        ("TLS", phases.tls_ms),
        ("answer", phases.response_ms),
    ];
    let shown: Vec<_> = spans
        .into_iter()
        .filter_map(|(what, ms)| {
            let span = Duration::try_from_secs_f64(ms? / 1000.0).ok()?;
            let worth = span >= Duration::from_millis(1);
            worth.then(|| format!("{what} {}", text::show_duration(span)))
        })
        .collect();
    if shown.is_empty() {
        return String::new();
    }
    format!(": {}", shown.join(", "))
}

/// One line per target with its colour, the worst last: that is where people look. Below it stands
/// what other runs saw of it, if anything.
pub fn targets(report: &Report) -> Vec<(Tone, String)> {
    let order = [
        (Verdict::Up, None, Tone::Good),
        (Verdict::Unknown, Some(false), Tone::Doubtful),
        (Verdict::Down, Some(false), Tone::Doubtful),
        (Verdict::Unknown, Some(true), Tone::Doubtful),
        (Verdict::Down, Some(true), Tone::Bad),
    ];
    order
        .into_iter()
        .flat_map(|(verdict, required, tone)| {
            report
                .with(verdict)
                .filter(move |target| required.is_none_or(|required| target.required == required))
                .flat_map(move |target| {
                    let lines = std::iter::once(target_line(target)).chain(elsewhere(target));
                    lines.map(move |line| (tone, line))
                })
        })
        .collect()
}

/// What other runs saw of a target.
fn elsewhere(target: &TargetReport) -> Option<String> {
    let words = target.elsewhere.as_ref()?.words();
    Some(format!("  {}: {words}", target.name))
}

fn target_line(target: &TargetReport) -> String {
    let time = text::show_duration(Duration::from_millis(target.duration_ms));
    let tries = text::pluralize(target.attempts.len(), "attempt");
    let url = text::truncate(&target.url, text::PIECE);
    let optional = match target.excuse() {
        Some(known) if target.verdict != Verdict::Up => format!(" ({})", known.words()),
        Some(_) => String::new(),
        None if target.required => String::new(),
        None => " (optional)".to_owned(),
    };
    let cause = target
        .cause
        .map_or_else(String::new, |cause| format!(" {cause}:"));
    match target.verdict {
        Verdict::Up => {
            let status = target
                .code
                .as_ref()
                .map_or_else(String::new, |code| format!(" {code}"));
            let last = target.attempts.last();
            let spans = last.map_or_else(String::new, |attempt| spans(&attempt.phases));
            let mut line = format!("UP {}{status} in {time}{spans}{optional}", target.name);
            if target.recovered {
                line.push_str(&format!(
                    ", recovered after {}",
                    text::pluralize(target.attempts.len() - 1, "failed attempt")
                ));
            }
            if let Some(url) = &target.final_url {
                line.push_str(&format!(
                    ", redirected to {}",
                    text::truncate(url, text::PIECE)
                ));
            }
            if let Some(note) = &target.note {
                line.push_str(&format!(" ({note})"));
            }
            if let Some(known) = target.excuse() {
                line.push_str(&format!(
                    "; its incident, {}, seems to be over",
                    known.words()
                ));
            }
            line
        }
        Verdict::Down => format!(
            "DEP-DOWN:{}{cause} {} ({tries} in {time}, {url}){optional}",
            target.name, target.message
        ),
        Verdict::Unknown => format!(
            "RUNNER-NET:{}{cause} {} ({tries} in {time}, {url}){optional}",
            target.name, target.message
        ),
    }
}

/// The last line: the result, and what it means.
pub fn result(report: &Report, fail_on_down: bool) -> String {
    let exit = report.exit;
    let meaning = match exit.result {
        RunResult::Up | RunResult::Invalid | RunResult::Error => "",
        RunResult::Down if report.is_contradicted() => {
            " - another run reached it meanwhile: look also at this runner and at the change"
        }
        RunResult::Down => " - this is the environment, not the change under test",
        RunResult::Unknown => {
            " - this is the runner's side, neither the dependency nor the change under test"
        }
    };
    let code = exit.code();
    let end = match (exit.interrupt, exit.status(fail_on_down)) {
        (Some(interrupt), _) => format!("interrupted by {} (exit code {code})", interrupt.as_str()),
        (None, status) if status == code => format!("exit code {code}"),
        _ => format!("exit code {code}, not failed: fail-on-down is false"),
    };
    format!("{}{meaning} ({end})", report.headline())
}

/// A configuration that cannot be used: every problem on a line of its own, and in the last one
/// how many `more` there are.
pub fn invalid(problems: &[String], more: usize) -> Vec<String> {
    let all = problems.len() + more;
    let noun = if all == 1 { "problem" } else { "problems" };
    let mut lines = vec![format!(
        "dep-preflight: the configuration has {} {noun}; nothing was probed (exit code {})",
        at_least(all, all),
        RunResult::Invalid.code()
    )];
    lines.extend(problems.iter().map(|problem| format!("  - {problem}")));
    if more > 0 {
        lines.push(format!("  - and {} more", at_least(more, all)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_time_went_is_told_but_for_the_moments() {
        let phases = PhasesReport {
            dns_ms: Some(0.4),
            connect_ms: Some(12.3),
            tls_ms: None,
            response_ms: Some(1500.0),
        };
        assert_eq!(spans(&phases), ": connect 12 ms, answer 1.5 s");
        let none = PhasesReport {
            connect_ms: None,
            response_ms: None,
            ..phases
        };
        assert_eq!(spans(&none), "");
    }
}
