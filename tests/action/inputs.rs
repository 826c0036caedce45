use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::kit::forge::{Forge, Kind};
use crate::kit::interface;
use crate::kit::run::Run;
use crate::kit::server::Server;
use crate::kit::step::Preflight;

/// Asserts that the configuration is refused, with words about it.
#[track_caller]
pub(crate) fn refused(step: Preflight, words: &[&str]) -> Run {
    let run = step.run();
    assert_eq!(
        (run.output("result"), run.output("exit-code"), run.code),
        ("invalid", "78", Some(78)),
        "{run}"
    );
    let told = run.annotated("error", "CONFIG");
    for word in words {
        assert!(told.contains(word), "{word:?} is not in {told:?}\n{run}");
    }
    run
}

/// One wrong input beside a good target, which nobody may come to. The rules of each kind of value
/// are proven beside their parsers, in `src/inputs/values`: here is that each input has its parser.
#[test]
fn values_are_checked() {
    let table = [
        ("timeout", "10", "10s"),
        ("timeout", "-1s", "-1s"),
        ("timeout", "0s", "0s"),
        ("timeout", "10 parsecs", "parsecs"),
        ("interval", "1", "1s"),
        ("interval", "1.5.2s", "1.5.2s"),
        ("deadline", "60", "60s"),
        ("deadline", "1ms", "100ms or more"),
        ("attempts", "0", "unlimited"),
        ("attempts", "-1", "-1"),
        ("attempts", "many", "many"),
        ("attempts", "1.5", "1.5"),
        ("expect", "ok", "ok"),
        ("expect", "<", "<"),
        ("expect", "9xx,x", "9xx"),
        ("method", "POST", "HEAD"),
        ("method", "get out", "get out"),
        ("redirects", "-1", "-1"),
        ("redirects", "few", "few"),
        ("control", "ftp://forge.example", "ftp"),
        ("control", "no", "no"),
        ("fail-on-down", "yes", "yes"),
        ("fail-on-down", "0", "false"),
        ("commit-status", "sometimes", "sometimes"),
        ("summary", "1", "true"),
        ("sha", "main", "main"),
        ("sha", "0123456789abcdef0123456789abcdef0123456", "hex"),
        ("name", "two words", "two words"),
        ("target-url", "javascript:alert(1)", "http"),
        ("ca-certificates", "missing.pem", "missing.pem"),
        ("ca-certificates", "junk.pem", "junk.pem"),
        ("report-file", "missing/report.json", "missing/report.json"),
        ("report-file", ".", "report-file"),
    ];
    for (input, value, word) in table {
        let server = Server::status(200).unhit();
        let step = Preflight::probing(server.url())
            .file("junk.pem", "junk")
            .set(input, value);
        refused(step, &[input, word]);
    }
}

/// The rules are proven in `src/address`.
#[test]
fn addresses_are_checked() {
    let table = [
        ("not an address", "not an address"),
        ("/health", "/health"),
        ("gopher://127.0.0.1/", "unknown scheme; there are http,"),
        ("tcp://127.0.0.1", "tcp://HOST:PORT"),
        ("redis://127.0.0.1?db=1", "options behind a ?"),
        ("kafka://127.0.0.1:1,127.0.0.1:2", "several hosts"),
        (
            "postgres://carl:hunter2@127.0.0.1/db",
            "write postgres://HOST:5432",
        ),
        ("http://", "http://"),
        ("http://127.0.0.1:99999/", "99999"),
        ("http://127.0.0.1:x/", ":x"),
        ("http://$HOST/", "variable that was not replaced"),
        ("localhost:8080", "did you mean http://localhost:8080"),
        (
            "http://carl@127.0.0.1:1/x",
            "write http://127.0.0.1:1/x instead",
        ),
    ];
    for (url, word) in table {
        let run = refused(Preflight::probing(url), &["url", word]);
        run.hides(&["hunter2"]);
        // The same in YAML, where the target has a name.
        let run = refused(
            Preflight::targets(&[("llm", format!("'{url}'"))]),
            &["llm", word],
        );
        run.hides(&["hunter2"]);
    }
}

/// Whoever has to mend a value is told where it stands: by option, variable, or file and line.
#[test]
fn a_problem_says_where_its_value_came_from() {
    let target = "http://127.0.0.1:1/";
    let step = Preflight::new().set("timeout", "5").set(
        "targets",
        format!("a: {target}\nb:\n  url: {target}\n  expect: fine\nc: x y\n"),
    );
    let words = [
        "timeout (PREFLIGHT_TIMEOUT): \"5\" has no unit",
        "targets.b.expect (PREFLIGHT_TARGETS:4): \"fine\"",
        "targets.c (PREFLIGHT_TARGETS:5): \"x y\"",
    ];
    refused(step, &words);

    let file = format!(
        "# Ours\ntargets:\n  a: &a {{url: '{target}',\n    size: 3}}\n  b: *a\n\ntimeout: 5\ntimeuot: 5s\n"
    );
    let step = Preflight::new()
        .file("preflight.yml", &file)
        .set("config", "./preflight.yml")
        .args(["--method", "POST", "--timeout=soon"]);
    let words = [
        "timeout (--timeout): \"soon\"",
        "method (--method): \"POST\"",
        "timeuot (./preflight.yml:8): ",
        "targets.a.size (./preflight.yml:4): ",
        // What an alias stands for is where it was written.
        "targets.b.size (./preflight.yml:4): ",
    ];
    let run = refused(step, &words);
    // A value that does not count is nobody's problem.
    assert!(!run.stdout.contains("preflight.yml:7"), "{run}");

    let step = Preflight::bare().args(["--config", "-"]);
    let run = step.file("c.yml", &file).shell("exec <c.yml").run();
    run.shows(&["timeout (standard input:7): \"5\" has no unit"]);
    let run = Preflight::bare().args([target, "x y"]).run();
    run.shows(&["url (command line): \"x y\" is not an address"]);
}

#[test]
fn exactly_one_source_of_targets_is_wanted() {
    let server = Server::status(200).unhit();
    let config = format!("targets: {{a: '{}'}}", server.url());
    let all = ["url", "targets", "config"];
    refused(Preflight::new(), &all);
    let given = |inputs: &[&str]| {
        let step = Preflight::new().file("preflight.yml", &config);
        inputs.iter().fold(step, |step, &input| match input {
            "url" => step.set("url", server.url()),
            "targets" => step.set("targets", format!("a: '{}'", server.url())),
            _ => step.set("config", "preflight.yml"),
        })
    };
    for pair in [["url", "targets"], ["url", "config"], ["targets", "config"]] {
        refused(given(&pair), &pair);
    }
    refused(given(&all), &all);
}

/// One run is enough to find every mistake.
#[test]
fn all_problems_are_reported_at_once() {
    let forge = Forge::new(Kind::Github).unhit();
    let targets = "a: 'gopher://x/'\nb b: 'http://127.0.0.1:1/'\nc: {url: 'http://127.0.0.1:1/', expect: fine, size: 3}";
    let step = Preflight::new()
        .set("targets", targets)
        .set("timeout", "10")
        .set("deadline", "soon");
    let step = step
        .set("method", "POST")
        .set("summary", "perhaps")
        .set("sha", "main")
        .set("attempts", 0)
        .on(&forge);
    let words = [
        "ftp", "b b", "fine", "size", "timeout", "soon", "POST", "perhaps", "main", "attempts",
    ];
    let run = refused(step, &words);
    assert_eq!(run.outputs.len(), 3, "{run}");
    assert!(run.lines("DEP-DOWN").is_empty(), "{run}");
}

/// Twelve problems, ten annotations: the log has them all.
#[test]
fn no_problem_is_lost() {
    let targets: Vec<_> = (0..14)
        .map(|number| (format!("t{number}"), format!("gopher://host-{number}/")))
        .collect();
    let run = Preflight::targets(&targets).run();
    for (name, _) in targets {
        assert!(run.stdout.contains(&name), "{name}\n{run}");
    }
}

/// A block scalar of YAML ends every value in a line feed.
#[test]
fn values_are_trimmed() {
    let server = Server::status(200);
    let config = format!("targets: {{llm: '{}'}}", server.url());
    Preflight::new()
        .file("preflight.yml", config)
        .set("config", "preflight.yml\n")
        .run()
        .up();
    let run = Preflight::probing(format!("{}\n", server.url()))
        .set("name", " llm\n")
        .set("report-file", "report.json\n")
        .run();
    run.up();
    assert_eq!(run.target(0)["name"], "llm", "{run}");
    assert_eq!(run.output("report-file"), "report.json", "{run}");
    assert!(!run.read("report.json").is_empty(), "{run}");
    let step = Preflight::probing(server.url()).file("junk.pem", "junk");
    let run = refused(step.set("ca-certificates", "junk.pem\n"), &["junk.pem"]);
    assert!(!run.stdout.contains("cannot be read"), "{run}");
}

/// A file that is something else altogether: all that anybody reads, and in a moment.
#[test]
fn thousands_of_problems_are_cut_and_counted() {
    let colons = "a:".repeat(100);
    let lines = (0..3000).map(|number| format!("t{number}: '{colons}'\n"));
    let step = Preflight::new().file(
        "preflight.yml",
        lines.fold("targets:\n".to_owned(), |file, line| file + "  " + &line),
    );
    let run = refused(step.set("config", "preflight.yml"), &["t0", "more"]);
    let told = run.lines("  - config").len() + run.lines("  - targets.t").len();
    assert_eq!(told, 1000, "{run}");
    assert_eq!(run.lines("  - and 2000 more").len(), 1, "{run}");
    assert!(run.stdout.contains("has 3000 problems"), "{run}");
}

/// On a forge, an input that is left out arrives as an empty variable.
#[test]
fn empty_values_are_not_given() {
    let server = Server::replies(["HTTP/1.1 503 X\r\n\r\n", "HTTP/1.1 200 X\r\n\r\n"]);
    let step = Preflight::new();
    let step = interface::inputs()
        .iter()
        .fold(step, |step, input| step.set(input, ""));
    let step = step.set("url", server.url()).set("interval", "1ms");
    let run = step
        .env("GITHUB_API_URL", "")
        .env("GITHUB_SHA", "")
        .env("GITHUB_EVENT_PATH", "")
        .run();
    run.up();
    assert_eq!(run.target(0)["name"], "127.0.0.1", "{run}");
    assert!(!run.summary.is_empty(), "{run}");
}

#[test]
fn what_is_right_is_taken() {
    let table = [
        ("timeout", "1m30s"),
        ("deadline", "1h"),
        ("interval", "100ms"),
        ("attempts", "100"),
        ("attempts", "unlimited"),
        ("redirects", "0"),
        ("control", "off"),
        ("control", "https://forge.invalid/api"),
        ("fail-on-down", "FALSE"),
        ("summary", "True"),
        ("commit-status", "false"),
        (
            "sha",
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ),
        ("name", "a"),
        ("name", "9.a_b-C"),
        (
            "name",
            "n23456789012345678901234567890123456789012345678901234567890123x",
        ),
        ("status-context", "Übersicht / 1"),
        ("target-url", "https://forge.example/x?y=z"),
        ("report-file", "report.json"),
    ];
    for (input, value) in table {
        let server = Server::status(200);
        Preflight::probing(server.url())
            .set(input, value)
            .run()
            .up();
    }
}

/// The name that is made from a host is always a good one.
#[test]
fn a_name_is_made_from_the_host() {
    let port = crate::kit::server::Refusing::new();
    let number = port.host().split(':').nth(1).unwrap().to_owned();
    let run = Preflight::probing(format!("http://[::1]:{number}/")).run();
    let name = run.target(0)["name"].as_str().unwrap().to_owned();
    assert!(name.contains('1') && !name.contains(':'), "{name}\n{run}");

    let long = format!(
        "http://{}.localhost:{number}/",
        ["long-label-1234567890"; 5].join(".")
    );
    let run = Preflight::probing(long).env("http_proxy", port.url()).run();
    assert_eq!(run.target(0)["name"].as_str().unwrap().len(), 64, "{run}");
}

/// Bytes that are no text neither panic nor pass for something else.
#[test]
fn bytes_that_are_no_text_do_not_panic() {
    let junk = OsStr::from_bytes(b"http://127.0.0.1/\xff");
    for variable in ["PREFLIGHT_URL", "PREFLIGHT_TIMEOUT", "PREFLIGHT_NAME"] {
        let server = Server::status(200).unhit();
        let run = refused(Preflight::probing(server.url()).env(variable, junk), &[]);
        assert!(!run.stderr.contains("panicked"), "{run}");
    }
    let server = Server::status(200);
    for variable in [
        "ANYTHING",
        "GITHUB_REPOSITORY",
        "GITHUB_SHA",
        "GITHUB_API_URL",
        "GITHUB_EVENT_PATH",
        "no_proxy",
    ] {
        Preflight::probing(server.url())
            .env(variable, junk)
            .run()
            .up();
    }
    let run = Preflight::new().args([junk]).run();
    assert_eq!(run.code, Some(78), "{run}");
}
