use crate::kit::running::eventually;
use crate::kit::server::{Refusing, Server};
use crate::kit::step::Preflight;
use crate::reporting::mixed;

#[test]
fn a_summary_that_is_not_wanted_is_not_written() {
    let (step, _servers, _gone) = mixed();
    assert_eq!(step.set("summary", "false").run().summary, "");
}

/// All steps of a job may share the files: what is there stays.
#[test]
fn files_of_the_runner_are_appended_to() {
    let (step, _servers, _gone) = mixed();
    let run = step
        .file("outputs", "earlier=1\n")
        .file("summary", "# Earlier\n")
        .run();
    // The outputs that were read are what came after.
    run.down("status");
    assert!(run.read("outputs").starts_with("earlier=1\n"), "{run}");
    assert!(
        run.summary.starts_with("# Earlier\n") && run.summary.len() > 20,
        "{run}"
    );
}

/// A step of its own may have left a line without its end there.
#[test]
fn what_is_appended_begins_a_line() {
    for (outputs, summary) in [("earlier=1", "# Earlier"), ("earlier=1\n", "# Earlier\n")] {
        let (step, _servers, _gone) = mixed();
        let run = step.file("outputs", outputs).file("summary", summary).run();
        run.down("status");
        assert!(
            run.read("outputs").starts_with("earlier=1\nresult<<"),
            "{run}"
        );
        assert!(run.summary.starts_with("# Earlier\n###"), "{run}");
    }
}

/// The file is the same report, whole.
#[test]
fn the_report_is_written_where_asked() {
    for file in ["report.json", "./report.json"] {
        let (step, _servers, _gone) = mixed();
        let run = step
            .file("report.json", "x".repeat(100_000))
            .set("report-file", file)
            .run();
        let report: serde_json::Value = serde_json::from_str(&run.read("report.json")).unwrap();
        assert_eq!(report["targets"], run.report()["targets"], "{run}");
        assert_eq!(report["result"], "down", "{run}");
        assert!(run.output("report-file").ends_with("report.json"), "{run}");
    }
}

/// The reader of a pipe may be slower than a pipe is long.
#[test]
fn a_report_is_written_to_a_slow_reader() {
    let gone = Refusing::new();
    let targets: Vec<_> = (0..1000)
        .map(|number| (format!("t{number}"), gone.url()))
        .collect();
    let step = Preflight::targets(&targets)
        .set("report-file", "pipe")
        .shell(
            "mkfifo pipe; exec 7<>pipe; { sleep 1; exec cat; } <pipe >copy 2>/dev/null 7>&- & true",
        );
    let run = step.run();
    run.down("refused");
    assert!(run.annotated("warning", "REPORT-FILE").is_empty(), "{run}");
    assert_eq!(run.output("report-file"), "pipe", "{run}");
    eventually("the whole report", || {
        serde_json::from_str::<serde_json::Value>(&run.read("copy")).is_ok()
    });
}

/// Nor is a log cut where standard output does not wait for its reader.
#[test]
fn a_log_is_written_to_a_slow_reader() {
    let gone = Refusing::new();
    let targets: Vec<_> = (0..2000)
        .map(|number| (format!("t{number}"), gone.url()))
        .collect();
    let run = Preflight::targets(&targets).nonblocking_stdout().run();
    run.down("refused");
    assert!(run.stdout.len() > 128 * 1024, "more than a pipe holds");
    assert_eq!(run.lines("DEP-DOWN:").len(), 2000, "{run}");
    assert_eq!(
        run.annotations
            .iter()
            .filter(|one| one.level == "error")
            .count(),
        10
    );
    let last = run.stdout.lines().last().unwrap_or_default();
    assert!(last.contains("exit code 70"), "{last}");
}

/// A report over 512 KiB is for the file; names over 60 KiB need many lines.
#[test]
fn a_large_report_is_left_out_of_the_outputs() {
    let gone = Refusing::new();
    let pad = "x".repeat(50);
    let targets: Vec<_> = (0..1500)
        .map(|number| (format!("t{number}-{pad}"), gone.url()))
        .collect();
    let run = Preflight::targets(&targets)
        .set("report-file", "report.json")
        .run();
    run.down("refused");
    assert_eq!(
        run.output("report"),
        "",
        "{} bytes",
        run.output("report").len()
    );
    let down: Vec<String> = serde_json::from_str(run.output("down")).unwrap();
    assert_eq!(down.len(), 1500);
    assert!(
        run.annotations
            .iter()
            .any(|one| one.level == "warning" && one.text.contains("report")),
        "not told"
    );
    let whole = run.read("report.json");
    let report: serde_json::Value = serde_json::from_str(&whole).unwrap();
    assert!(whole.len() > 512 * 1024, "{} bytes", whole.len());
    assert_eq!(report["targets"].as_array().unwrap().len(), 1500);
    assert!(
        run.summary.len() < 1024 * 1024,
        "GitHub would drop the summary"
    );
}

/// What decides is what later steps read: without it, the step has failed.
#[test]
fn outputs_that_cannot_be_written_are_an_error() {
    for path in ["/dev/full", "missing/outputs", "."] {
        let server = Server::status(200);
        let run = Preflight::probing(server.url())
            .env("GITHUB_OUTPUT", path)
            .set("fail-on-down", "false")
            .run();
        assert_eq!(run.code, Some(1), "{path}\n{run}");
        assert!(
            !run.annotated("error", "INTERNAL").is_empty(),
            "{path}\n{run}"
        );
    }
}

/// And nothing that was written says otherwise.
#[test]
fn a_report_says_that_the_outputs_could_not_be_written() {
    let server = Server::status(200);
    let run = Preflight::probing(server.url())
        .set("report-file", "report.json")
        .env("GITHUB_OUTPUT", "/dev/full")
        .run();
    assert_eq!(run.code, Some(1), "{run}");
    let report: serde_json::Value = serde_json::from_str(&run.read("report.json")).unwrap();
    assert_eq!(
        (&report["result"], &report["exit_code"]),
        (&"error".into(), &1.into()),
        "{run}"
    );
    // Nor does anything say that the target had no verdict.
    let last = run.stdout.lines().last().unwrap_or_default();
    assert!(last.starts_with("error: dep-preflight"), "{last}\n{run}");
    assert!(run.summary.contains("dep-preflight itself failed"), "{run}");
    assert!(!run.stdout.contains("interrupted"), "{run}");
}

/// A limit of the file's size is an error, too, and leaves no half of an entry.
#[test]
fn outputs_that_become_too_long_are_an_error() {
    let gone = Refusing::new();
    let targets: Vec<_> = (0..200)
        .map(|number| (format!("t{number}"), gone.url()))
        .collect();
    let step = Preflight::targets(&targets).file("outputs", "earlier=1\n");
    let run = step.shell("ulimit -f 8").run();
    assert_eq!(run.code, Some(1), "{run}");
    assert_eq!(run.output("result"), "error", "{run}");
    assert_eq!(run.output("exit-code"), "1", "{run}");
    assert!(
        run.annotated("error", "INTERNAL").contains("outputs"),
        "{run}"
    );
}

/// Also where nothing is probed.
#[test]
fn outputs_that_are_full_do_not_kill_a_step_that_is_refused() {
    let step =
        Preflight::probing("nonsense").file("outputs", "a=".to_owned() + &"x".repeat(1021) + "\n");
    let run = step.shell("ulimit -f 1").run();
    assert_eq!(run.code, Some(78), "{run}");
    assert!(!run.annotated("error", "CONFIG").is_empty(), "{run}");
}

/// A link of the user's is not taken back with the file that was never made.
#[cfg(unix)]
#[test]
fn a_link_in_place_of_the_report_stays() {
    let step = Preflight::probing("nonsense").set("report-file", "link");
    let link = step.path("link");
    std::os::unix::fs::symlink("target.json", &link).unwrap();
    let run = step.run();
    assert_eq!(run.code, Some(78), "{run}");
    assert!(link.symlink_metadata().is_ok(), "{run}");
}

/// The main thread's stack is not for the program to choose.
#[test]
fn a_small_stack_is_enough() {
    let server = Server::status(200);
    Preflight::probing(server.url())
        .shell("ulimit -s 64")
        .run()
        .up();
}

/// A summary is for people: without it, the verdict stands.
#[test]
fn a_summary_that_cannot_be_written_changes_no_verdict() {
    for path in ["/dev/full", "missing/summary", "."] {
        let server = Server::status(200);
        let step = Preflight::probing(server.url()).env("GITHUB_STEP_SUMMARY", path);
        let run = step.run();
        run.up();
        assert!(run.stdout.contains("summary"), "{path}\n{run}");
    }
}

/// Nobody may be listening: what later steps read is written all the same.
#[test]
fn a_log_that_nobody_reads_changes_no_verdict() {
    let gone = Refusing::new();
    for shell in ["exec >&-", "exec >/dev/full", "exec 2>&-", "exec <&-"] {
        let run = Preflight::probing(gone.url()).shell(shell).run();
        run.down("refused");
    }
}

/// Outside a runner there are no files, and nothing is missing.
#[test]
fn files_that_no_runner_wants_are_not_written() {
    let server = Server::status(503);
    let run = Preflight::probing(server.url())
        .without("GITHUB_OUTPUT")
        .without("GITHUB_STEP_SUMMARY")
        .run();
    assert_eq!(run.code, Some(70), "{run}");
    assert!(run.outputs.is_empty() && run.summary.is_empty(), "{run}");
}
