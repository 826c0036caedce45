use std::collections::BTreeSet;

use serde_json::Value;

use crate::kit::interface;
use crate::kit::run::Run;
use crate::kit::step::TOKEN;

/// The results with their exit codes.
const RESULTS: [(&str, i32); 5] = [
    ("up", 0),
    ("down", 70),
    ("unknown", 75),
    ("invalid", 78),
    ("error", 1),
];

/// Checks that a run contradicts neither the README nor itself.
pub(crate) fn check(run: &Run) {
    let stray = |line: &str| line.trim_start().starts_with("::") || line.contains("##[");
    let log_on_stderr = run.log() == run.stderr;
    assert!(
        log_on_stderr || !run.stderr.lines().any(stray),
        "a command on stderr\n{run}"
    );
    for text in [&run.stderr, &run.summary] {
        let control = text.chars().find(|&char| char.is_control() && char != '\n');
        assert_eq!(control, None, "a control character\n{run}");
    }
    run.hides(&[TOKEN]);
    for level in ["error", "warning", "notice"] {
        let count = run
            .annotations
            .iter()
            .filter(|one| one.level == level)
            .count();
        assert!(count <= 10, "{count} annotations of one kind\n{run}");
    }
    if !run.outputs.is_empty() {
        check_outputs(run);
    }
    if !run.output("report").is_empty() {
        check_report(run, &run.report());
    }
}

fn check_outputs(run: &Run) {
    let result = run.output("result");
    let code = RESULTS
        .iter()
        .find(|row| row.0 == result)
        .unwrap_or_else(|| panic!("{result:?}\n{run}"))
        .1;
    let lenient = run.lenient && matches!(result, "down" | "unknown");
    let codes = match (run.signalled(), lenient) {
        // After the verdict, a signal changes nothing any more.
        (true, _) => vec![130, 143, code],
        (false, true) => vec![0],
        (false, false) => vec![code],
    };
    assert!(
        run.code.is_some_and(|code| codes.contains(&code)),
        "{codes:?}\n{run}"
    );
    let said = if run.signalled() {
        run.code.unwrap_or_default()
    } else {
        code
    };
    assert_eq!(run.output("exit-code"), said.to_string(), "{run}");
    let message = run.output("message");
    assert!(
        !message.is_empty() && !message.contains(char::is_control),
        "{message:?}\n{run}"
    );

    let names: BTreeSet<&str> = run.outputs.keys().map(String::as_str).collect();
    let known = BTreeSet::from_iter(interface::outputs());
    assert!(names.is_subset(&known), "{names:?}\n{run}");
    if matches!(result, "up" | "down" | "unknown") {
        // The report may have been too large for an output.
        let missing: Vec<_> = known
            .difference(&names)
            .filter(|&&name| name != "report")
            .collect();
        assert!(
            missing.is_empty(),
            "{missing:?} of the outputs is missing\n{run}"
        );
    }
}

fn check_report(run: &Run, report: &Value) {
    let problems = interface::problems(report);
    assert!(
        problems.is_empty(),
        "the report breaks its schema: {problems:#?}\n{run}"
    );
    assert_eq!(report["result"], run.output("result"), "{run}");
    assert_eq!(
        report["exit_code"].to_string(),
        run.output("exit-code"),
        "{run}"
    );

    let targets = report["targets"].as_array().unwrap();
    for verdict in ["up", "down", "unknown"] {
        let names: Vec<&Value> = targets
            .iter()
            .filter(|target| target["verdict"] == verdict)
            .map(|target| &target["name"])
            .collect();
        let output: Vec<Value> = serde_json::from_str(run.output(verdict)).unwrap();
        assert_eq!(names, output.iter().collect::<Vec<_>>(), "{verdict}\n{run}");
    }
    let decisive =
        |target: &&Value| target["required"] == true && target["verdict"] == report["result"];
    if let Some(target) = targets.iter().find(decisive) {
        assert_eq!(
            target["cause"].as_str().unwrap_or_default(),
            run.output("cause"),
            "{run}"
        );
        let status = target["http_status"]
            .as_u64()
            .map(|status| status.to_string());
        assert_eq!(
            status.unwrap_or_default(),
            run.output("http-status"),
            "{run}"
        );
    }
    for target in targets {
        check_target(run, target);
    }
}

fn check_target(run: &Run, target: &Value) {
    let name = target["name"].as_str().unwrap();
    let failed = |attempt: &&Value| !attempt["cause"].is_null();
    let attempts = target["attempts"].as_array().unwrap();
    let failures: Vec<&Value> = attempts.iter().filter(failed).collect();
    let (start, level) = match target["verdict"].as_str().unwrap() {
        "up" => (format!("UP {name}"), None),
        "down" => (format!("DEP-DOWN:{name}"), Some(format!("DEP-DOWN:{name}"))),
        _ => (format!("RUNNER-NET:{name}"), Some("RUNNER-NET".to_owned())),
    };
    let told = !run.lines(&start).is_empty() || run.stdout.is_empty();
    assert!(told, "no line starts with {start:?}\n{run}");
    let up = target["verdict"] == "up";
    assert_eq!(up, target["cause"].is_null(), "{run}");
    assert_eq!(target["recovered"], up && !failures.is_empty(), "{run}");
    // Ten annotations of a kind: beyond them a target has none of its own.
    let room = target["required"] == true && (1..10).contains(&run.annotations.len());
    // Nor has one that the step did not wait for.
    let room = room && !(run.signalled() && target["verdict"] == "unknown");
    if let Some(title) = level.filter(|_| room) {
        assert!(
            !run.annotated("error", &title).is_empty(),
            "no annotation {title:?}\n{run}"
        );
    }
    // One after the other, but for the rounding to whole milliseconds.
    for pair in attempts.windows(2) {
        let [offset, duration, next] = [
            &pair[0]["offset_ms"],
            &pair[0]["duration_ms"],
            &pair[1]["offset_ms"],
        ]
        .map(|ms| ms.as_u64().unwrap());
        assert!(next + 1 >= offset + duration, "two attempts at once\n{run}");
    }
}
