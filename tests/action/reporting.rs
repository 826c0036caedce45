use crate::harness::{Preflight, eventually};
use crate::server::{Refusing, Server, response};

/// A target of each kind, as people will see them.
fn mixed() -> (Preflight, [Server; 2], Refusing) {
    let (healthy, failing, gone) = (Server::status(401), Server::status(503), Refusing::new());
    let targets = format!(
        "llm: {}\nbilling: {}\nidp: {}\nextra: {{url: '{}', optional: true}}\n",
        healthy.url(),
        failing.url(),
        gone.url(),
        gone.url(),
    );
    (
        Preflight::new().set("targets", targets),
        [healthy, failing],
        gone,
    )
}

#[test]
fn every_target_has_a_last_line() {
    let (step, _servers, gone) = mixed();
    let run = step.run();
    run.down("status");
    let table: [(&str, &[&str]); 4] = [
        ("UP llm", &["401", "ms"]),
        ("DEP-DOWN:billing", &["503"]),
        ("DEP-DOWN:idp", &["refused", &gone.host()]),
        ("DEP-DOWN:extra", &["refused"]),
    ];
    for (start, words) in table {
        let lines = run.lines(start);
        assert_eq!(lines.len(), 1, "{start}\n{run}");
        assert!(
            words.iter().all(|word| lines[0].contains(word)),
            "{words:?} in {lines:?}\n{run}"
        );
    }
}

/// The form is a contract with runners: to the letter.
#[test]
fn annotations_have_one_form() {
    let (step, _servers, _gone) = mixed();
    let run = step.run();
    let raw: Vec<_> = run
        .annotations
        .iter()
        .map(|annotation| annotation.raw.as_str())
        .collect();
    for (place, start) in [
        (1, "::error title=DEP-DOWN%3Abilling::"),
        (2, "::error title=DEP-DOWN%3Aidp::"),
        (3, "::warning title=DEP-DOWN%3Aextra::"),
    ] {
        let message = run.target(place)["message"].as_str().unwrap().to_owned();
        let matching: Vec<_> = raw.iter().filter(|line| line.starts_with(start)).collect();
        assert_eq!(matching.len(), 1, "{start}\n{run}");
        assert!(matching[0].contains(&message), "{message}\n{run}");
    }
    assert_eq!(raw.len(), 3, "{run}");
}

/// Runners take ten of a kind, and say nothing about the rest.
#[test]
fn the_tenth_annotation_counts_the_rest() {
    let gone = Refusing::new();
    for (option, level) in [("", "error"), (", optional: true", "warning")] {
        let target = |number| format!("t{number}: {{url: '{}'{option}}}\n", gone.url());
        for count in [8, 13, 40] {
            let targets: String = (0..count).map(target).collect();
            let run = Preflight::new().set("targets", targets).run();
            let mut texts: Vec<_> = run.annotations.iter().collect();
            texts.retain(|one| one.level == level);
            let last = texts.last().map_or("", |one| one.text.as_str());
            // One place may be kept for something else that is worth it.
            assert!(texts.len() >= 8 && texts.len() <= 10, "{run}");
            let rest = count - texts.len();
            let counted = last.contains(&format!("{rest} more"));
            assert_eq!(counted, rest > 0, "{last}\n{run}");
        }
    }
}

/// In an annotation, `::` cannot stand: an address is written in full there.
#[test]
fn ipv6_addresses_are_written_in_full() {
    let run = Preflight::probing("http://[::1]:1/health").run();
    let text: String = run
        .annotations
        .iter()
        .map(|annotation| annotation.text.as_str())
        .collect();
    assert!(text.contains("0:0:0:0:0:0:0:1"), "{text}\n{run}");
}

/// Ten seconds: what happened, what it means, then the rows, the worst first. Where the time went
/// comes after them, if there is anything to draw: a fast machine takes no millisecond.
#[test]
fn the_summary_says_what_it_means_first() {
    let (step, _servers, _gone) = mixed();
    let run = step.run();
    let summary = &run.summary;
    let (meaning, table) = summary.split_once("\n| target |").unwrap();
    for text in ["environment, not your change", "billing", "idp"] {
        assert!(meaning.contains(text), "{text:?} is not in {meaning}");
    }
    let rows: Vec<_> = table
        .lines()
        .filter(|line| line.starts_with("| "))
        .collect();
    let expected: [(&str, &[&str]); 4] = [
        ("billing", &["down", "status", "503"]),
        ("idp", &["down", "refused"]),
        ("extra", &["down", "optional", "refused"]),
        ("llm", &["up", "401"]),
    ];
    assert_eq!(rows.len(), expected.len(), "{summary}");
    for (row, (name, words)) in rows.iter().zip(expected) {
        let (first, rest) = row[2..].split_once('|').unwrap();
        assert!(
            first.contains(name),
            "{name} is not in its place\n{summary}"
        );
        for word in words {
            assert!(rest.contains(word), "{word:?} is not in {row}");
        }
    }
    assert!(
        summary.ends_with('\n'),
        "the next step's summary begins on a line of its own"
    );
}

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
    // The outputs that the harness read are what came after.
    run.down("status");
    assert!(run.read("outputs").starts_with("earlier=1\n"), "{run}");
    assert!(
        run.summary.starts_with("# Earlier\n") && run.summary.len() > 20,
        "{run}"
    );
}

#[test]
fn a_failure_can_be_left_to_others() {
    let (step, _servers, _gone) = mixed();
    let run = step.set("fail-on-down", "false").lenient().run();
    run.down("status");
    assert_eq!(
        (run.code, run.output("exit-code")),
        (Some(0), "70"),
        "{run}"
    );
    let run = Preflight::probing("http://127.0.0.1:1/x")
        .set("fail-on-down", "FALSE")
        .set("timeout", "5")
        .run();
    assert_eq!(
        run.code,
        Some(78),
        "bad configuration fails all the same\n{run}"
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

/// The summary does not claim more than was found.
#[test]
fn an_optional_target_that_is_down_is_not_passed_over() {
    let (server, gone) = (Server::status(200), Refusing::new());
    for (down, sentence) in [
        (0, "Every dependency answered."),
        (
            1,
            "Every required dependency answered. One optional dependency did not",
        ),
        (
            2,
            "Every required dependency answered. 2 optional dependencies did not",
        ),
    ] {
        let optional =
            |number| format!("extra{number}: {{url: '{}', optional: true}}\n", gone.url());
        let targets: String = (0..down).map(optional).collect();
        let targets = format!("llm: {}\n{targets}", server.url());
        let run = Preflight::new().set("targets", targets).run();
        run.up();
        assert!(run.summary.contains(sentence), "{}\n{run}", run.summary);
    }
}

/// What a server says is shown as what it is: the forge makes no link of it.
#[test]
fn the_summary_makes_nothing_of_what_a_server_says() {
    let body = "see www.evil.example/phish or mail a@evil.example, `x` | y";
    let fields = format!(
        "Content-Type: text/plain\r\nContent-Length: {}\r\n",
        body.len()
    );
    let server = Server::reply(response(503, &fields) + body);
    let run = Preflight::probing(server.url()).run();
    run.down("status");
    let row = run
        .summary
        .lines()
        .find(|line| line.contains("evil"))
        .unwrap();
    let cell = row.rsplit(" | ").next().unwrap();
    assert!(cell.starts_with("``") && cell.ends_with("`` |"), "{row}");
    assert!(
        cell.contains("www.evil.example/phish or mail a@evil.example"),
        "{row}"
    );
    assert!(cell.contains("`x` \\| y"), "{row}");
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
    let run = Preflight::targets(&targets).hasty().run();
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

/// The log shows each failure while it happens, with its cause.
#[test]
fn failed_attempts_are_logged() {
    let server = Server::replies([
        response(503, ""),
        "junk\r\n\r\n".to_owned(),
        response(502, ""),
    ]);
    let run = Preflight::probing(server.url()).set("attempts", 3).run();
    let last = run.stdout.find("DEP-DOWN:127.0.0.1").unwrap();
    let earlier = &run.stdout[..last];
    let places: Vec<_> = ["503", "HTTP", "502"]
        .iter()
        .filter_map(|word| earlier.find(word))
        .collect();
    assert_eq!(places.len(), 3, "{run}");
}
