//! What people and programs read, in every sink, of one run in which everything happens.

use super::fixture::{cases, endings, incidents, ms, report, report_of, seen_down, seen_up};
use super::*;
use crate::record::Next;
use crate::verdict::Verdict;

/// Holds a text to the file of the test's name in `snapshots/`.
macro_rules! snapshot {
    ($text:expr $(,)?) => {
        insta::with_settings!(
            {prepend_module_to_snapshot => false, omit_expression => true},
            { insta::assert_snapshot!($text) }
        )
    };
}

fn lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().collect::<Vec<_>>().join("\n")
}

#[test]
fn the_log_of_attempts() {
    let cases = cases();
    let failed = cases.iter().flat_map(|case| {
        let last = case.attempts.len();
        let attempts = (1..)
            .zip(&case.attempts)
            .filter(|(_, attempt)| !attempt.is_up());
        attempts.map(move |(number, attempt)| {
            let next = match case.ended {
                Some(ended) if number == last => ended,
                _ => Next::After(ms(1500)),
            };
            log::attempt(&case.target, number, attempt, next)
        })
    });
    snapshot!(lines(failed));
}

#[test]
fn the_log_of_targets() {
    let report = report(&cases(), None);
    let toned = log::targets(&report).into_iter();
    snapshot!(lines(toned.map(|(tone, line)| format!("{tone:?}: {line}"))));
}

#[test]
fn the_log_of_what_other_runs_saw() {
    let logs = [seen_down(), seen_up()].map(|report| {
        let log = log::targets(&report).into_iter().map(|(_, line)| line);
        lines(log.chain([log::result(&report, true)]))
    });
    snapshot!(logs.join("\n\n"));
}

#[test]
fn the_log_and_the_summary_of_known_incidents() {
    let report = report(&incidents(), None);
    let log = log::targets(&report).into_iter().map(|(_, line)| line);
    snapshot!(format!("{}\n{}", lines(log), summary::render(&report)));
}

/// What a program reads of them.
#[test]
fn known_incidents_in_the_report() {
    let report = serde_json::to_value(report(&incidents(), None)).unwrap();
    let read: Vec<_> = report["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| {
            let known = &target["known"];
            (
                target["required"].as_bool(),
                known["over"].as_bool(),
                known["until"].as_str(),
            )
        })
        .collect();
    let (soon, before) = (Some("2026-02-01T08:00:00Z"), Some("2026-01-31T08:59:00Z"));
    assert_eq!(
        read,
        [
            (Some(false), Some(false), soon),
            (Some(false), Some(false), soon),
            (Some(true), Some(true), before),
        ]
    );
}

#[test]
fn the_last_line_of_the_log() {
    snapshot!(lines(endings().iter().flat_map(|(what, report)| {
        [true, false].map(|fail| format!("{what}: {}", log::result(report, fail)))
    })));
}

#[test]
fn the_annotations() {
    snapshot!(lines(endings().iter().flat_map(|(what, report)| {
        let commands = annotations::render(report, annotations::Reserved::default());
        std::iter::once(format!("{what}:")).chain(commands)
    })));
}

#[test]
fn the_summary() {
    snapshot!(summary::render(&report(&cases(), None)));
}

#[test]
fn the_first_lines_of_the_summary() {
    let first = |report: &Report| {
        let page = summary::render(report);
        page.split("\n\n").take(2).collect::<Vec<_>>().join(" / ")
    };
    snapshot!(lines(
        endings()
            .iter()
            .map(|(what, report)| format!("{what}: {}", first(report)))
    ));
}

#[test]
fn the_outputs() {
    // Nobody guesses the delimiters; here they are the same again and again.
    fastrand::seed(7);
    let report = report(&cases(), None);
    let (mut values, too_large) = outputs::of_report(&report, Some("report.json".as_ref()));
    assert!(!too_large);
    for (name, value) in &mut values {
        if *name == "report" {
            assert_eq!(*value, serde_json::to_string(&report).unwrap());
            "the report in one line".clone_into(value);
        }
    }
    snapshot!(outputs::render(&values));
}

#[test]
fn the_report() {
    snapshot!(serde_json::to_string_pretty(&report(&cases(), None)).unwrap());
}

#[test]
fn the_description_of_the_commit_status() {
    snapshot!(lines(endings().iter().map(|(what, report)| {
        let state = report.exit.result.commit_state();
        format!(
            "{what}: {state:?}: {}",
            commit_status::describe_report(report)
        )
    })));
}

#[test]
fn failures() {
    let problem = |number| format!("url ({number}): is wrong");
    let problems: Vec<_> = (1..=2).map(problem).collect();
    let all = [
        Failure::invalid(&problems[..1], 0),
        Failure::invalid(&problems, 7),
        Failure::internal("no more files"),
        Failure::while_publishing("a panic"),
        Failure::of_outputs(&std::io::Error::other("no room")),
    ];
    snapshot!(lines(all.iter().map(|failure| format!("{failure:#?}"))));
}

/// The target that outputs speak of is the first, in the given order, that made the result.
#[test]
fn the_target_that_decides() {
    use Verdict::{Down, Unknown, Up};
    for (names, expected) in [
        (&["healthy", "llm"][..], Some("healthy")),
        (&["cache", "llm"], Some("llm")),
        (&["queue", "billing", "search"], Some("billing")),
        (&["healthy", "queue"], Some("queue")),
        (&["cache"], None),
    ] {
        let report = report_of(names, None);
        let decisive = report.decisive().map(|target| target.name.as_str());
        assert_eq!(decisive, expected, "{names:?}");
    }
    let verdicts: Vec<_> = report(&cases(), None)
        .targets
        .iter()
        .map(|target| target.verdict)
        .collect();
    assert_eq!(verdicts, [Up, Up, Up, Down, Down, Down, Unknown, Unknown]);
}
