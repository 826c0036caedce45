use crate::inputs::refused;
use crate::kit::server::Server;
use crate::kit::step::Preflight;

/// Each wrong in one way, with a word about what that is.
#[test]
fn targets_are_checked() {
    let table = [
        ("", "targets"),
        ("{}", "targets"),
        ("- http://127.0.0.1/", "targets"),
        ("just words", "targets"),
        ("a: [", "targets"),
        ("a: 'http://x:1/'\na: 'http://x:2/'", "a"),
        ("a b: 'http://x:1/'", "a b"),
        ("a: {timeout: 1s}", "url"),
        ("a: !2xx 'http://x:1/'", "line 1, column 4"),
        ("targets: {a: 'http://x:1/'}", "take out one of the two"),
        ("timeout: 5s\na: 'http://x:1/'", "of the whole step"),
    ];
    for (yaml, word) in table {
        refused(Preflight::new().set("targets", yaml), &[word]);
    }
    let options = [
        ("timeuot: 1s", "timeuot"),
        ("timeuot: 1s", "did you mean timeout?"),
        ("retries: 3", "attempts, interval"),
        ("expect: [200, 401]", "\"200,401\""),
        ("expect: [fine]", "is a list"),
        ("timeout: 1", "timeout"),
        ("timeout: 1s, timeout: 2s", "timeout"),
        ("optional: perhaps", "optional"),
        ("attempts: 0", "attempts"),
        ("method: POST", "method"),
        ("expect: fine", "expect"),
        ("deadline: 5s", "deadline"),
        ("deadline: 5s", "of the whole step"),
        ("headers: [x]", "headers"),
        ("headers: {'a b': c}", "a b"),
        ("headers: {a: \"b\\nc\"}", "headers"),
    ];
    for (option, word) in options {
        let yaml = format!("llm: {{url: 'http://127.0.0.1:1/', {option}}}");
        refused(Preflight::new().set("targets", yaml), &["llm", word]);
    }
}

#[test]
fn a_config_file_is_checked() {
    let with = |option: &str| format!("targets: {{a: 'http://127.0.0.1:1/'}}\n{option}");
    let table = [
        (String::new(), "targets"),
        ("targets: {}".to_owned(), "targets"),
        ("timeout: 5s".to_owned(), "targets"),
        (with("timeuot: 5s"), "timeuot"),
        (with("timeuot: 5s"), "did you mean timeout?"),
        (with("target: 5s"), "did you mean targets?"),
        (with("expect: [200, 401]"), "\"200,401\""),
        (with("report-file: '-'"), "standard output"),
        (with("timeout: 5"), "timeout"),
        (with("token: abc"), "token"),
        (with("url: 'http://127.0.0.1:1/'"), "url"),
        (with("fail-on-down: 7"), "fail-on-down"),
        (with("method: GET\nmethod: HEAD"), "method"),
    ];
    for (yaml, word) in table {
        let step = Preflight::new().file("preflight.yml", yaml);
        refused(step.set("config", "preflight.yml"), &[word]);
    }
    // A small file that would fill the stack.
    let deep = "targets: ".to_owned() + &"[".repeat(100_000);
    let step = Preflight::new().file("preflight.yml", deep);
    refused(step.set("config", "preflight.yml"), &["config"]);
    let step = Preflight::new().file("preflight.yml", b"targets: {a: '\xff'}");
    refused(step.set("config", "preflight.yml"), &["UTF-8"]);
    refused(Preflight::new().set("config", "."), &["config"]);
    let missing = Preflight::new().set("config", "missing.yml");
    refused(missing, &["config", "missing.yml"]);
}

/// Anchors and comments are YAML as well; a byte order mark comes with
/// editors.
#[test]
fn yaml_may_be_written_as_people_do() {
    let server = Server::status(204);
    let file = format!(
        "\u{feff}# Ours\n---\ntargets:\n  a: &own\n    url: \"{}\"\n    expect: '204'\n  b: *own\n...\n",
        server.url()
    );
    let run = Preflight::new()
        .file("preflight.yml", file.replace('\n', "\r\n"))
        .set("config", "preflight.yml")
        .run();
    run.up();
    assert_eq!(server.requests(), 2);
}

/// More than any server takes.
#[test]
fn a_target_has_256_headers_at_most() {
    let headers = (0..30_000).map(|number| format!("      X-{number}: a\n"));
    let headers = headers.collect::<Vec<_>>().concat();
    let config = format!("targets:\n  a:\n    url: http://127.0.0.1:1/\n    headers:\n{headers}");
    let run = Preflight::new()
        .file("preflight.yml", config)
        .set("config", "preflight.yml")
        .run();
    assert_eq!(run.code, Some(78), "{run}");
    assert!(
        run.annotated("error", "CONFIG").contains("more than 256"),
        "{run}"
    );
}
