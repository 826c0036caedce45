use crate::kit::run::Run;
use crate::kit::server::{Refusing, Server, redirect};
use crate::kit::step::Preflight;

/// What would command a runner, or a terminal, if it were printed as it is.
/// Runners differ: `##[` counts anywhere in a line on GitHub.
const COMMANDS: [&str; 8] = [
    "\n::set-env name=PATH::/evil",
    "\r\n::add-path::/evil\r\n",
    "\r::set-output name=result::up",
    "  ::stop-commands::x",
    "##[add-path]/evil",
    "\x1b[2J\x1b[31m::error::x\x1b]0;title\x07",
    "%0A::set-env name=PATH::/evil%0A",
    "\u{85}\u{2028}::warning::x\u{202e}\u{0}",
];

/// What a page might do with a summary, which is Markdown.
const MARKUP: &str =
    "| x | <img src=http://evil.example/> </td></table> [y](http://evil.example) `z` @all";

/// The invariants have read the log as runners do. What is left to see is
/// that none of it got into the files, either.
#[track_caller]
fn harmless(run: &Run) {
    let (message, report) = (run.output("message"), run.output("report"));
    for text in [&run.stdout, &run.stderr, &run.summary, message, report] {
        assert!(
            !text.contains(['\u{2028}', '\u{2029}', '\u{202e}', '\u{85}']),
            "{run}"
        );
    }
    // act prints the summary into the log.
    let command = |line: &str| line.trim_start().starts_with("::");
    assert!(!run.summary.lines().any(command), "{}", run.summary);
    let marked_up = without_code(&run.summary);
    for tag in ["<img", "</td>", "</table>", "[y](http", "://"] {
        assert!(
            !marked_up.contains(tag),
            "{tag} in the summary\n{}",
            run.summary
        );
    }
}

/// What a forge reads as Markdown: code is shown as it is. It ends with as many backticks as it
/// began with.
fn without_code(page: &str) -> String {
    let mut out = String::new();
    let mut rest = page;
    while let Some((before, code)) = rest.find('`').map(|start| rest.split_at(start)) {
        out.push_str(before);
        let inside = code.trim_start_matches('`');
        let fence = "`".repeat(code.len() - inside.len());
        let ends = inside.match_indices(&fence).find(|(at, _)| {
            let (text, after) = (&inside[..*at], &inside[at + fence.len()..]);
            !text.ends_with('`') && !after.starts_with('`')
        });
        let (end, _) = ends.unwrap_or_else(|| panic!("code that does not end: {page}"));
        rest = &inside[end + fence.len()..];
    }
    out + rest
}

#[test]
fn bodies_are_harmless() {
    for text in COMMANDS.iter().chain([&MARKUP]) {
        let body = format!("{text}\n{text}");
        for kind in ["text/plain", "application/json"] {
            let server = Server::reply(format!(
                "HTTP/1.1 503 X\r\nContent-Type: {kind}\r\n\r\n{body}"
            ));
            let run = Preflight::probing(server.url()).set("attempts", 2).run();
            run.down("status");
            harmless(&run);
        }
    }
}

/// A reason phrase and a banner: what can stand in a line is printed in none.
#[test]
fn first_lines_are_harmless() {
    for text in COMMANDS.iter().chain([&MARKUP]) {
        for start in ["HTTP/1.1 503 ", "HTTP/1.1 503", "", "220 "] {
            let server = Server::reply(format!("{start}{text}\r\n\r\n"));
            let run = Preflight::probing(server.url()).run();
            assert_eq!(run.output("result"), "down", "{run}");
            harmless(&run);
        }
    }
}

/// Redirects carry text of their own into messages that name the hop.
#[test]
fn locations_are_harmless() {
    let gone = Refusing::new();
    for text in COMMANDS.iter().chain([&MARKUP]) {
        for place in ["/", "/?", "/?a=", "/#"] {
            let server = Server::reply(redirect(format!("http://{}{place}{text}", gone.host())));
            let run = Preflight::probing(server.url()).run();
            harmless(&run);
        }
    }
}

#[test]
fn header_fields_are_harmless() {
    for text in COMMANDS {
        for name in ["Retry-After", "Location", "Content-Type", "Server", "X"] {
            let server = Server::reply(format!("HTTP/1.1 503 X\r\n{name}: {text}\r\n\r\n"));
            harmless(&Preflight::probing(server.url()).run());
        }
    }
}

/// What stands in an input comes from a workflow, or from its caller.
#[test]
fn inputs_are_harmless() {
    for text in COMMANDS.iter().chain([&MARKUP]) {
        for input in [
            "url",
            "name",
            "timeout",
            "config",
            "expect",
            "method",
            "sha",
            "control",
            "report-file",
        ] {
            let gone = Refusing::new();
            // NUL cannot stand in an environment.
            let text = text.replace('\0', "");
            harmless(&Preflight::probing(gone.url()).set(input, text).run());
        }
        let yaml = format!("a: {}\n{:?}: b\n", Refusing::new().url(), text);
        harmless(
            &Preflight::new()
                .set("targets", yaml.replace('\0', ""))
                .run(),
        );
    }
}

/// A path and a query of one's own are printed, too.
#[test]
fn addresses_are_harmless() {
    let gone = Refusing::new();
    for url in [
        format!("http://{}/::set-env%20name=PATH::x", gone.host()),
        format!("http://{}/?::stop-commands::x", gone.host()),
        format!(
            "http://{}/%0A::set-env%20name=PATH::x?a%0A::b=c",
            gone.host(),
        ),
        format!("http://{}/##[add-path]x", gone.host()),
        format!("http://{}/|%7C<b>", gone.host()),
    ] {
        let run = Preflight::probing(url).run();
        run.down("refused");
        harmless(&run);
    }
}

/// Long texts are cut: a description, an annotation, a line has its limits.
#[test]
fn long_texts_are_cut() {
    // A longer address is none for the HTTP library.
    let long = "x".repeat(60_000);
    let gone = Refusing::new();
    for server in [
        Server::reply(format!("HTTP/1.1 503 {long}\r\n\r\n{long}")),
        Server::reply(format!("{long}\r\n")),
        Server::reply(redirect(format!("http://{}/{long}", gone.host()))),
    ] {
        let run = Preflight::probing(server.url()).run();
        assert_eq!(run.output("result"), "down", "{run}");
        for line in run.stdout.lines().chain(run.summary.lines()) {
            assert!(line.len() <= 4096, "a line of {} bytes", line.len());
        }
    }
}
