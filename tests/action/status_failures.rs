use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::kit::certificates::Certified;
use crate::kit::environment::SHA;
use crate::kit::forge::{Behaviour, Forge, Kind};
use crate::kit::log::Request;
use crate::kit::peer::Action::{Hear, Reset, Say};
use crate::kit::run::Run;
use crate::kit::server::{Refusing, Server, response};
use crate::kit::step::Preflight;
use crate::kit::tls::Tls;

fn warnings(run: &Run) -> String {
    let warnings = run.annotations.iter().filter(|one| one.level == "warning");
    warnings
        .flat_map(|one| [&one.title, ": ", &one.text, "\n"])
        .collect()
}

/// What the forge says changes neither result nor exit code.
#[test]
fn a_refused_status_is_a_warning() {
    let table = [
        (Kind::Github, 401, "401"),
        (Kind::Github, 403, "statuses: write"),
        (Kind::GithubServer, 403, "statuses: write"),
        (Kind::Gitea, 403, "contents: write"),
        (Kind::Github, 404, "404"),
        (Kind::Gitea, 404, "404"),
        (Kind::Github, 422, "422"),
        (Kind::Gitea, 423, "423"),
        (Kind::Github, 429, "429"),
        (Kind::Gitea, 500, "500"),
        (Kind::Github, 502, "502"),
    ];
    for (kind, status, word) in table {
        for (answer, result) in [(200, "up"), (503, "down")] {
            let forge = Forge::behaving(kind, Behaviour::Refuses(status));
            let server = Server::status(answer);
            let run = Preflight::probing(server.url()).on(&forge).run();
            assert_eq!(run.output("result"), result, "{run}");
            let warnings = warnings(&run);
            assert!(
                warnings.contains(word),
                "{word:?} is not in {warnings:?}\n{run}"
            );
            assert_eq!(warnings.lines().count(), 1, "{warnings}");
        }
    }
}

/// A way to get no answer from the forge, and the word that the warning has for it.
struct Trouble {
    word: &'static str,
    api: String,
    env: Vec<(&'static str, String)>,
    /// Who plays it.
    players: Vec<Box<dyn std::any::Any + Send + Sync>>,
}

impl Trouble {
    fn new(word: &'static str, api: String, player: impl std::any::Any + Send + Sync) -> Self {
        Self {
            word,
            api,
            env: Vec::new(),
            players: vec![Box::new(player)],
        }
    }

    fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    fn keeping(mut self, player: impl std::any::Any + Send + Sync) -> Self {
        self.players.push(Box::new(player));
        self
    }

    fn befall(&self, step: Preflight) -> Preflight {
        let step = step
            .trusting()
            .env("GITHUB_API_URL", &self.api)
            .set("control", "off");
        self.env
            .iter()
            .fold(step, |step, (name, value)| step.env(name, value))
    }
}

/// Servers are dropped after the run, and have been hit by then.
fn troubles() -> Vec<Trouble> {
    let of = |word, server: Server| Trouble::new(word, server.at("/api/v1"), server);
    let secure = |word, certified| of(word, Tls::new(certified).healthy());
    let (gone, proxy) = (Refusing::new(), Refusing::new());
    vec![
        Trouble::new("refused", gone.url() + "api/v1", gone),
        of("reset", Server::script(&[Hear, Reset])),
        of("reset", Server::script(&[Reset])),
        of("closed", Server::script(&[Hear])),
        of("HTTP", Server::reply("junk\r\n\r\n")),
        of("closed", Server::script(&[Hear, Say(b"HTTP/1.1 201 Cre")])),
        of(
            "closed",
            Server::script(&[Hear, Say(b"HTTP/1.1 201 Created\r\nX: y\r\n")]),
        ),
        of("no answer", Server::silent()),
        // A special name: it is answered with "no such name" on this machine.
        Trouble::new(
            "forge.invalid",
            "http://forge.invalid/api/v1".to_owned(),
            (),
        ),
        secure("expired", Certified::Expired),
        secure("for another name", Certified::OtherName),
        secure("not signed by a trusted root", Certified::UnknownIssuer),
        Trouble::new(
            "through the proxy",
            "http://forge.invalid/api/v1".to_owned(),
            (),
        )
        .env("http_proxy", proxy.url())
        .env("no_proxy", "127.0.0.1")
        .keeping(proxy),
    ]
}

/// Whatever keeps the forge from answering: result, exit code and outputs are what they would
/// have been, and one warning says why.
fn is_worth_one_warning(run: &Run, word: &str) {
    let warnings = warnings(run);
    assert_eq!(warnings.lines().count(), 1, "{word}\n{run}");
    let warned = run.annotated("warning", "COMMIT-STATUS");
    assert!(
        warned.contains(word),
        "{word:?} is not in {warned:?}\n{run}"
    );
    for output in ["exit-code", "message", "report", "duration-ms"] {
        assert!(!run.output(output).is_empty(), "{output}\n{run}");
    }
    assert!(run.summary.contains("dep-preflight"), "{run}");
    let last = run.stdout.lines().last().unwrap_or_default();
    assert!(
        last.contains("exit code"),
        "the last line is the result\n{run}"
    );
}

#[test]
fn a_forge_that_does_not_answer_is_a_warning() {
    for kind in [Kind::Github, Kind::Gitea] {
        for trouble in troubles() {
            for (status, result) in [(200, "up"), (503, "down")] {
                let server = Server::status(status);
                let forge = Forge::new(kind).maybe();
                let step = Preflight::probing(server.url())
                    .on(&forge)
                    .set("deadline", "3s");
                let run = trouble.befall(step).run();
                assert_eq!(run.output("result"), result, "{}\n{run}", trouble.word);
                is_worth_one_warning(&run, trouble.word);
                assert!(run.took < Duration::from_millis(4500), "{run}");
            }
        }
    }
}

/// The pending status meets the same, and is not worth a warning of its own; nothing of it
/// keeps the target from its next attempt.
#[test]
fn a_forge_that_does_not_answer_while_it_waits_is_the_same_warning() {
    thread::scope(|scope| {
        for trouble in troubles() {
            scope.spawn(move || {
                let server = long_wait(200);
                let forge = Forge::new(Kind::Gitea).maybe();
                let step = Preflight::probing(server.url())
                    .on(&forge)
                    .set("attempts", 2);
                let run = trouble.befall(step).run();
                run.up();
                assert_eq!(run.target(0)["recovered"], true, "{run}");
                is_worth_one_warning(&run, trouble.word);
            });
        }
    });
}

/// A server that has people wait for longer than ten seconds, and then answers this.
fn long_wait(status: u16) -> Server {
    Server::replies([response(503, "Retry-After: 11\r\n"), response(status, "")])
}

/// Even when the targets use up all the time there is.
#[test]
fn the_deadline_leaves_time_to_report() {
    let target = Server::silent();
    let forge = Forge::new(Kind::Github);
    let step = Preflight::probing(target.url())
        .on(&forge)
        .set("attempts", "unlimited");
    let run = step.set("timeout", "30s").set("deadline", "3s").run();
    run.down("response-timeout");
    assert_eq!(
        forge.posted("state").last().map(String::as_str),
        Some("failure"),
        "{run}"
    );
    assert!(run.took < Duration::from_millis(4500), "{run}");
}

/// An answer that is cut short or not JSON is still a 201.
#[test]
fn the_body_of_the_answer_does_not_matter() {
    for body in ["", "{", "\"x\"", "<html>"] {
        let server = Server::status(200);
        let fields = format!("Content-Length: {}\r\n", body.len());
        let api = Server::reply(response(201, &fields) + body);
        let forge = Forge::new(Kind::Github).unhit();
        let run = Preflight::probing(server.url())
            .on(&forge)
            .env("GITHUB_API_URL", api.at(""))
            .run();
        run.up();
        assert_eq!(warnings(&run), "", "{run}");
    }
}

/// Read-only by design: no warning on every contributor's run.
#[test]
fn a_fork_s_token_is_not_worth_a_warning() {
    let event = |head: &str| {
        json!({
            "pull_request": {
                "head": {"sha": SHA, "repo": {"full_name": head, "fork": head != "acme/shop"}},
                "base": {"repo": {"full_name": "acme/shop"}},
            },
            "repository": {"full_name": "acme/shop"},
        })
    };
    let deleted = json!({"pull_request": {"head": {"sha": SHA, "repo": null}, "base": {"repo": {"full_name": "acme/shop"}}}});
    let table = [
        ("pull_request", event("stranger/shop"), 403, 0),
        ("pull_request", deleted, 403, 0),
        ("pull_request", event("stranger/shop"), 500, 1),
        ("pull_request", event("acme/shop"), 403, 1),
        ("pull_request_review", event("stranger/shop"), 403, 0),
        (
            "pull_request_review_comment",
            event("stranger/shop"),
            403,
            0,
        ),
        ("workflow_call", event("stranger/shop"), 403, 0),
        ("workflow_call", event("acme/shop"), 403, 1),
        ("pull_request_target", event("acme/shop"), 403, 1),
        // May write on GitHub, and there alone.
        ("pull_request_target", event("stranger/shop"), 403, 2),
    ];
    for kind in [Kind::Github, Kind::Gitea] {
        for (name, payload, status, count) in &table {
            let count = &match count {
                2 => usize::from(kind == Kind::Github),
                count => *count,
            };
            let forge = Forge::behaving(kind, Behaviour::Refuses(*status));
            let server = Server::status(200);
            let run = Preflight::probing(server.url())
                .on(&forge)
                .event(name, payload)
                .run();
            run.up();
            assert_eq!(
                warnings(&run).lines().count(),
                *count,
                "{name} {payload}\n{run}"
            );
            assert!(
                run.stdout.contains("commit status"),
                "said at least once\n{run}"
            );
        }
    }
}

/// How a target is written.
type Place = fn(&Server) -> String;

/// While it waits, the commit says what for: after ten seconds, and never for what does not
/// count.
#[test]
fn a_long_wait_is_pending_until_it_ends() {
    let optional = |server: &Server| format!("{{url: '{}', optional: true}}", server.url());
    let waits = |server: &Server| server.url();
    let table: [(Server, Place, &[&str], &str); 4] = [
        (
            long_wait(200),
            waits,
            &["pending", "success"],
            "waiting for: llm (status)",
        ),
        (
            long_wait(500),
            waits,
            &["pending", "failure"],
            "waiting for: llm (status)",
        ),
        // An attempt that hangs is waited for as well.
        (
            Server::silent(),
            waits,
            &["pending", "failure"],
            "waiting for: llm",
        ),
        (long_wait(200), optional, &["success"], "up: llm, other"),
    ];
    thread::scope(|scope| {
        for (server, place, states, description) in table {
            scope.spawn(move || {
                let (forge, other) = (Forge::new(Kind::Gitea), Server::status(200));
                let targets = format!("llm: {}\nother: {}", place(&server), other.url());
                let step = Preflight::new().set("targets", targets).on(&forge);
                let attempts = if description.ends_with("llm") { 1 } else { 2 };
                let run = step.set("attempts", attempts).set("timeout", "11s").run();
                assert_eq!(forge.posted("state"), states, "{run}");
                let posts = forge.posts();
                let first = posts[0].json();
                assert_eq!(first["description"], description, "{run}");
                for post in posts.iter().map(Request::json) {
                    assert_eq!(post["context"], first["context"]);
                    assert_eq!(post["target_url"], first["target_url"]);
                }
            });
        }
    });
}

/// A job that is killed meanwhile would leave it there.
#[test]
fn a_short_wait_is_not_pending() {
    let server = Server::status(503);
    for attempts in ["1", "20"] {
        let forge = Forge::new(Kind::Github);
        let step = Preflight::probing(server.url())
            .set("attempts", attempts)
            .set("interval", "1ms");
        let run = step.set("deadline", "4s").on(&forge).run();
        assert_eq!(forge.posted("state"), ["failure"], "{run}");
    }
}

/// Attempts do not wait for a forge that hangs, or that refuses.
#[test]
fn an_unwilling_forge_does_not_hold_up_the_targets() {
    thread::scope(|scope| {
        for (behaviour, word) in [
            (Behaviour::Hangs, "no answer"),
            (Behaviour::Refuses(404), "404"),
        ] {
            scope.spawn(move || {
                let server = long_wait(200);
                let forge = Forge::behaving(Kind::Github, behaviour);
                let step = Preflight::probing(server.url()).set("attempts", 2);
                let run = step.set("deadline", "20s").on(&forge).run();
                run.up();
                is_worth_one_warning(&run, word);
                assert_eq!(forge.posted("state"), ["pending", "success"], "{run}");
                assert!(run.took < Duration::from_millis(21_500), "{run}");
            });
        }
    });
}
