//! The job summary, for a reader who has ten seconds: what happened and what it means first,
//! then a row per target, then where the time went. Pure; Markdown that reads as plain text.

use super::model::{AttemptReport, Report, TargetReport};
use crate::exit::RunResult;
use crate::text;
use crate::verdict::Verdict;

/// Forges take 1 MiB per step; the rest is room for what others write.
const LIMIT: usize = 900 * 1024;
/// Rows of the waterfall: beyond it nobody reads.
const ROWS: usize = 60;
/// Columns of the waterfall.
const COLUMNS: usize = 48;

/// Renders the summary.
pub fn render(report: &Report) -> String {
    let mut out = format!(
        "### dep-preflight: {}\n\n{}\n\n",
        report.exit.result.as_str(),
        meaning(report)
    );
    out.push_str("| target | verdict | cause | answer | attempts | time | what happened |\n");
    out.push_str("|---|---|---|---|---|---|---|\n");
    let mut left_out = 0;
    let order = [Verdict::Down, Verdict::Unknown, Verdict::Up];
    for target in order.into_iter().flat_map(|verdict| report.with(verdict)) {
        let row = row(target);
        if out.len() + row.len() > LIMIT {
            left_out += 1;
        } else {
            out.push_str(&row);
        }
    }
    if left_out > 0 {
        out.push_str(&format!(
            "\nand {} more; the log has them all.\n",
            text::pluralize(left_out, "target")
        ));
    }
    let waterfall = waterfall(report);
    if !waterfall.is_empty() && out.len() + waterfall.len() < LIMIT {
        out.push_str(&waterfall);
    }
    out
}

fn meaning(report: &Report) -> String {
    let named = |verdict| {
        report
            .with(verdict)
            .filter(|target| target.required)
            .take(10)
            .map(|target| format!("**{}**", code(&target.name)))
            .collect::<Vec<_>>()
            .join(", ")
    };
    match report.exit.result {
        RunResult::Up if report.with(Verdict::Up).count() < report.targets.len() => {
            let known: Vec<_> = report.excused().collect();
            let count = report.targets.len() - report.with(Verdict::Up).count() - known.len();
            let required = report.targets.iter().any(|target| target.required);
            let mut sentences = vec![
                if required { "Every required dependency answered." } else { "No dependency is required." }.to_owned(),
            ];
            match count {
                0 => {}
                1 => sentences.push("One optional dependency could not be reached, which does not count.".to_owned()),
                more => sentences.push(format!("{more} optional dependencies could not be reached, which does not count.")),
            }
            sentences.extend(known.iter().take(10).map(|(target, known)| {
                format!(
                    "**{}** could not be reached, as is known until {}, and does not count before that: {}.",
                    code(&target.name), known.until, code(&known.reason)
                )
            }));
            sentences.push("If the run fails, it is not because a required dependency could not be reached at its start.".to_owned());
            sentences.join(" ")
        }
        RunResult::Up => "Every dependency answered. If the run fails, it is not because one of them could not be reached at its start.".to_owned(),
        RunResult::Down if report.is_contradicted() => format!(
            "{} could not be reached here, and another run reached it meanwhile. **Whether it is the environment or your change is open.**{}",
            named(Verdict::Down),
            elsewhere(report)
        ),
        RunResult::Down => format!(
            "{} could not be reached. **This is the environment, not your change:** the run would have failed whatever the change is. Try again once it is back, or ask whoever runs it.{}",
            named(Verdict::Down),
            elsewhere(report)
        ),
        RunResult::Unknown => format!(
            "{} could not be reached, and it may be the runner's own network. **Neither the dependency nor your change is to blame** as far as can be seen from here: try another runner, or look at this one's network and proxy.",
            named(Verdict::Unknown)
        ),
        RunResult::Invalid => "The configuration cannot be used; nothing was probed.".to_owned(),
        RunResult::Error if report.was_interrupted() => "The step was interrupted before every target had a verdict; this is what is known.".to_owned(),
        RunResult::Error => "dep-preflight itself failed, as the log says; later steps cannot go by its outputs. This is what it found about the targets.".to_owned(),
    }
}

/// What other runs saw of the first targets that are down.
fn elsewhere(report: &Report) -> String {
    let down = report.with(Verdict::Down).filter(|target| target.required);
    let seen = down.filter_map(|target| Some((target, target.elsewhere.as_ref()?)));
    let mut sentences = String::new();
    for (target, elsewhere) in seen.take(10) {
        let said = elsewhere.told(code, link);
        sentences.push_str(&format!(" {}: {said}.", code(&target.name)));
    }
    sentences
}

/// A link to a page of the forge, whose address was made here.
fn link(text: &str, url: &str) -> String {
    format!("[{text}]({url})")
}

fn row(target: &TargetReport) -> String {
    let verdict = match (target.verdict, target.required) {
        (Verdict::Down, false) if target.excuse().is_some() => "down (known)",
        (Verdict::Unknown, false) if target.excuse().is_some() => "unknown (known)",
        (Verdict::Down, true) => "**down**",
        (Verdict::Down, false) => "down (optional)",
        (Verdict::Unknown, true) => "**unknown**",
        (Verdict::Unknown, false) => "unknown (optional)",
        (Verdict::Up, _) => "up",
    };
    let mut what = code(&target.message);
    if target.recovered {
        what.push_str(", recovered after failures");
    }
    if let Some(note) = &target.note {
        what.push_str(&format!(" ({note})"));
    }
    if let Some(known) = target.excuse() {
        what.push_str(&format!(
            " (known until {}: {}{})",
            known.until,
            code(&known.reason),
            if target.verdict == Verdict::Up {
                "; it seems to be over"
            } else {
                ""
            }
        ));
    }
    format!(
        "| {} | {verdict} | {} | {} | {} | {} | {what} |\n",
        code(&target.name),
        target.cause.map_or("", |cause| cause.as_str()),
        match &target.code {
            Some(status) if target.http_status.is_some() => status.clone(),
            answer => answer.as_deref().map_or_else(String::new, code),
        },
        target.attempts.len(),
        text::show_duration(std::time::Duration::from_millis(target.duration_ms)),
    )
}

/// A bar per attempt on one scale: when it was made, and what it waited for.
fn waterfall(report: &Report) -> String {
    let attempts = || {
        report.targets.iter().flat_map(|target| {
            target
                .attempts
                .iter()
                .enumerate()
                .map(move |(index, attempt)| (target, index + 1, attempt))
        })
    };
    let total = attempts()
        .map(|(_, _, attempt)| attempt.offset_ms + attempt.duration_ms)
        .max()
        .unwrap_or(0);
    if total == 0 {
        return String::new();
    }
    let width = report
        .targets
        .iter()
        .map(|target| target.name.len())
        .max()
        .unwrap_or(0)
        .min(32);
    let mut out = format!(
        "\nWhere the time went, over {}: `n` name, `c` connect, `t` TLS, `r` waiting for the answer, `x` failed.\n\n```text\n",
        text::show_duration(std::time::Duration::from_millis(total))
    );
    let count = attempts().count();
    for (target, number, attempt) in attempts().take(ROWS) {
        let name = text::truncate(&target.name, width);
        // Only the last attempt can be up, and the target's code is its.
        // In a fence of backticks, which a code may have.
        let end = match attempt.cause {
            Some(cause) => cause.as_str().to_owned(),
            None => target.code.as_deref().unwrap_or("up").replace('`', "'"),
        };
        out.push_str(&format!(
            "{name:width$} {number:>3} |{}| {:>6} ms  {end}\n",
            bar(attempt, total),
            attempt.duration_ms
        ));
    }
    out.push_str("```\n");
    if count > ROWS {
        out.push_str(&format!("\nand {} more attempts.\n", count - ROWS));
    }
    out
}

fn bar(attempt: &AttemptReport, total: u64) -> String {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "columns of a drawing, clamped below"
    )]
    let column = |ms: f64| ((ms / total as f64 * COLUMNS as f64) as usize).min(COLUMNS);
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of a run are small"
    )]
    let (from, to) = (
        attempt.offset_ms as f64,
        (attempt.offset_ms + attempt.duration_ms) as f64,
    );
    let start = column(from).min(COLUMNS - 1);
    let end = column(to).max(start + 1);
    let mut bar = vec![' '; COLUMNS];
    let phases = attempt.phases;
    let mut at = from;
    let spans = [
        ('n', phases.dns_ms),
        ('c', phases.connect_ms),
        ('t', phases.tls_ms),
        ('r', phases.response_ms),
    ];
    // What no completed phase explains was the wait that failed.
    bar.iter_mut()
        .take(end)
        .skip(start)
        .for_each(|cell| *cell = 'x');
    for (letter, span) in spans {
        let Some(span) = span else { continue };
        let first = column(at).max(start);
        at += span;
        let last = column(at).min(end);
        let last = if attempt.cause.is_none() && letter == 'r' {
            end
        } else {
            last
        };
        bar.iter_mut()
            .take(last)
            .skip(first)
            .for_each(|cell| *cell = letter);
    }
    if attempt.cause.is_some()
        && let Some(cell) = bar.get_mut(end - 1)
    {
        *cell = 'x';
    }
    bar.into_iter().collect()
}

/// Text as code: nothing in it is markup, a link, a mention or an issue number. The forge would
/// make one of `www.…`, `a@b` and `#1`, and escapes do not keep it from that.
fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    if text.trim().is_empty() {
        return String::new();
    }
    let mut fence = String::from("`");
    while text.contains(&fence) {
        fence.push('`');
    }
    // A table splits its cells before it looks for code.
    let text = text.replace("\\|", "\\ |").replace('|', "\\|");
    // One blank on each side is taken away again; elsewhere they would be shown.
    let edge = |ch| ch == '`' || ch == ' ';
    let pad = if text.starts_with(edge) || text.ends_with(edge) {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_foreign_is_more_than_text() {
        for (text, cell) in [
            (
                "a <img> @me #1 [x](http://y) www.evil.example a@evil.example",
                "`a <img> @me #1 [x](http://y) www.evil.example a@evil.example`",
            ),
            ("a|b\\|c", "`a\\|b\\ \\|c`"),
            ("a `b` c", "``a `b` c``"),
            ("`` ` ```", "```` `` ` ``` ````"),
            ("ends in a blank ", "` ends in a blank  `"),
            ("two\nlines", "`two lines`"),
            (" ", ""),
        ] {
            assert_eq!(code(text), cell);
        }
    }
}
