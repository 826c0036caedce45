use crate::kit::interface;
use crate::kit::run::Run;
use crate::kit::server::{Refusing, Server};
use crate::kit::step::Preflight;

/// As a person would type it.
fn typed(args: &[&str]) -> Run {
    Preflight::bare().args(args).run()
}

#[test]
fn addresses_are_arguments() {
    let (healthy, failing, gone) = (Server::status(404), Server::status(503), Refusing::new());
    let table: [(&[&str], i32, &[&str]); 4] = [
        (&[&healthy.url()], 0, &["UP 127.0.0.1", "404"]),
        (
            &["--attempts", "1", &gone.url()],
            70,
            &["DEP-DOWN:127.0.0.1", "refused"],
        ),
        (
            &["--attempts=1", "--expect", "404", &failing.url()],
            70,
            &["DEP-DOWN:127.0.0.1", "503"],
        ),
        (
            &[&healthy.url(), "--fail-on-down", "false", "--attempts", "1"],
            0,
            &["UP"],
        ),
    ];
    for (args, code, words) in table {
        let run = typed(args);
        assert_eq!(run.code, Some(code), "{args:?}\n{run}");
        run.shows(words);
    }
}

#[test]
fn several_addresses_on_one_host_are_numbered() {
    let servers: [Server; 3] = std::array::from_fn(|_| Server::status(200));
    let urls = servers.each_ref().map(Server::url);
    let run = typed(&[&urls[0], &urls[1], &urls[2], "--report-file", "report.json"]);
    assert_eq!(run.code, Some(0), "{run}");
    let report: serde_json::Value = serde_json::from_str(&run.read("report.json")).unwrap();
    let names: Vec<_> = (0..3)
        .map(|place| report["targets"][place]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["127.0.0.1", "127.0.0.1-2", "127.0.0.1-3"], "{run}");
    for (place, url) in urls.iter().enumerate() {
        assert_eq!(
            report["targets"][place]["url"], *url,
            "in the given order\n{run}"
        );
    }
}

#[test]
fn a_config_file_is_an_option() {
    let server = Server::status(503);
    let config = format!(
        "attempts: 5\ninterval: 1ms\ntargets:\n  llm: {}\n",
        server.url()
    );
    for (args, attempts) in [
        (&["--config", "c.yml"][..], 5),
        (&["--config=c.yml", "--attempts=2"], 2),
    ] {
        let before = server.requests();
        let run = Preflight::bare().file("c.yml", &config).args(args).run();
        assert_eq!(run.code, Some(70), "{run}");
        assert_eq!(server.requests() - before, attempts, "{run}");
        assert_eq!(run.lines("DEP-DOWN:llm").len(), 1, "{run}");
    }
}

#[test]
fn what_cannot_be_understood_is_invalid() {
    let table: [(&[&str], &str); 7] = [
        (&[], "url"),
        (&["--config", "c.yml", "http://127.0.0.1:1/"], "config"),
        (&["--no-such-option"], "--no-such-option"),
        (&["--timeout"], "timeout"),
        (&["--timeout", "5", "http://127.0.0.1:1/"], "5s"),
        (&["not an address"], "not an address"),
        (&["http://carl:hunter2@127.0.0.1:1/"], "url"),
    ];
    for (args, word) in table {
        let run = typed(args);
        assert_eq!(run.code, Some(78), "{args:?}\n{run}");
        assert!(run.all().to_lowercase().contains(word), "{word:?}\n{run}");
        run.hides(&["hunter2"]);
    }
    // On a runner, a mistyped option is an annotation like every other mistake.
    let run = Preflight::new().args(["--no-such-option"]).run();
    assert!(
        run.annotated("error", "CONFIG")
            .contains("--no-such-option"),
        "{run}"
    );
    assert_eq!(run.output("result"), "invalid", "{run}");
}

/// What is told about a slip is what was meant.
#[test]
fn a_slip_is_answered_with_what_was_meant() {
    let table: [(&[&str], &str); 4] = [
        (&[], "--help"),
        (&["--tiemout", "5s"], "did you mean --timeout?"),
        (
            &["localhost:8080"],
            "did you mean http://localhost:8080 or tcp://localhost:8080 ?",
        ),
        (&["redsi://localhost"], "did you mean redis://…?"),
    ];
    for (args, words) in table {
        let run = typed(args);
        assert_eq!(run.code, Some(78), "{args:?}\n{run}");
        run.shows(&[words]);
    }
    // In a job nobody can ask for help.
    let run = Preflight::new().run();
    assert!(!run.stdout.contains("--help"), "{run}");
}

/// A program reads the report, a person the log.
#[test]
fn the_report_can_go_to_standard_output() {
    let server = Server::status(200);
    let ways: [&[&str]; 4] = [
        &["--json"],
        &["--report-file", "-"],
        &["--report-file=/dev/stdout"],
        &["--report-file", "/proc/self/fd/1"],
    ];
    for way in ways {
        for step in [Preflight::bare(), Preflight::new()] {
            let run = step.args(way).args([server.url()]).run();
            assert_eq!(run.code, Some(0), "{run}");
            let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
            assert_eq!(report["targets"][0]["verdict"], "up", "{run}");
            assert!(run.stderr.contains("UP 127.0.0.1"), "{run}");
            assert_eq!(run.output("report-file"), "", "{run}");
            assert!(run.read("-").is_empty(), "{run}");
        }
    }
    // Commands go where the log goes; a runner reads both.
    let gone = Refusing::new();
    let run = Preflight::probing(gone.url()).args(["--json"]).run();
    run.down("refused");
    assert!(
        !run.annotated("error", "DEP-DOWN:127.0.0.1").is_empty(),
        "{run}"
    );
    // By an input as well, and where the log would go into the same file.
    let run = Preflight::probing(server.url())
        .set("report-file", "-")
        .run();
    assert!(run.stdout.starts_with('{'), "{run}");
    let step = Preflight::bare()
        .shell("exec >both")
        .args(["--report-file", "both"]);
    let run = step.args([server.url()]).run();
    serde_json::from_str::<serde_json::Value>(&run.read("both")).unwrap();
    assert!(run.stderr.contains("UP 127.0.0.1"), "{run}");
    // What is wrong is for the person.
    for args in [&["--json", "http://"][..], &["--json", "--no-such-option"]] {
        let run = typed(args);
        assert_eq!((run.code, run.stdout.as_str()), (Some(78), ""), "{run}");
        assert!(run.stderr.contains("1 problem"), "{run}");
    }
}

#[test]
fn a_config_file_can_come_by_standard_input() {
    let server = Server::status(200);
    let config = format!("targets: {{llm: '{}'}}", server.url());
    for step in [
        Preflight::bare().args(["--config", "-"]),
        Preflight::new().set("config", "-"),
    ] {
        let run = step.file("c.yml", &config).shell("exec <c.yml").run();
        assert_eq!(run.code, Some(0), "{run}");
        assert_eq!(run.lines("UP llm").len(), 1, "{run}");
    }
}

#[test]
fn help_and_version_are_told() {
    let run = typed(&["--help"]);
    assert_eq!(run.code, Some(0), "{run}");
    for option in interface::options() {
        assert!(
            run.stdout.contains(&format!("--{option}")),
            "{option}\n{run}"
        );
    }
    assert!(
        run.stdout.contains("demo") && run.stdout.to_lowercase().contains("url"),
        "{run}"
    );

    let run = typed(&["--version"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stdout.contains(env!("CARGO_PKG_VERSION")), "{run}");
    let sources = run.stdout.split(|char: char| !char.is_ascii_hexdigit());
    assert!(
        sources.map(str::len).max() >= Some(12),
        "a digest of the sources\n{run}"
    );
}

/// A person sees what a step would say, without a service of their own.
#[test]
fn the_demo_shows_every_verdict() {
    for step in [Preflight::bare(), Preflight::bare().env("CI", "true")] {
        let run = step.args(["demo"]).run();
        assert_eq!(run.code, Some(0), "{run}");
        let (up, down) = (run.lines("UP ").len(), run.lines("DEP-DOWN:").len());
        assert_eq!((up, down), (2, 4), "{run}");
        for word in [
            "-NOAUTH",
            "the login was not checked",
            "57P03",
            "the database system is starting up",
            "not-serving",
            "503",
            "refused",
            "response-timeout",
            "70",
        ] {
            assert!(run.stdout.contains(word), "{word:?}\n{run}");
        }
        let timeline = |line: &str| line.contains("wants-a-login") && line.ends_with("ms  -NOAUTH");
        assert!(run.stdout.lines().any(timeline), "{run}");
    }
}

/// A person's own machine is no runner: nothing is written that was not
/// asked for, and commands mean nothing there.
#[test]
fn outside_a_runner_the_log_is_for_people() {
    let gone = Refusing::new();
    let run = typed(&[&gone.url(), "--attempts", "1"]);
    assert_eq!(run.lines("DEP-DOWN:127.0.0.1").len(), 1, "{run}");
    assert!(
        run.read("report.json").is_empty() && run.outputs.is_empty(),
        "{run}"
    );
}
