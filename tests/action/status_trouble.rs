use std::time::Duration;

use serde_json::json;

use crate::forge::{Forge, Kind, Mood};
use crate::harness::{Preflight, SHA};
use crate::peer::Step::Hear;
use crate::run::Run;
use crate::server::{Refusing, Server, response};

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
            let forge = Forge::in_mood(kind, Mood::Refuses(status));
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

/// Answers that are none do not break the deadline.
#[test]
fn a_forge_that_does_not_answer_is_a_warning() {
    let (silent, junk) = (
        Forge::in_mood(Kind::Gitea, Mood::Hangs),
        Server::reply("junk\r\n\r\n"),
    );
    let (gone, closing) = (Refusing::new(), Server::script(&[Hear]));
    let server = Server::status(200);
    let table = [
        (silent.server.url(), "no answer"),
        (junk.url(), "HTTP"),
        (gone.url(), "refused"),
        (closing.url(), "closed"),
    ];
    for (api, cause) in table {
        let step = Preflight::probing(server.url()).on(&silent);
        let run = step.env("GITHUB_API_URL", &api).set("deadline", "3s").run();
        run.up();
        let warnings = warnings(&run);
        assert!(warnings.contains(cause), "{cause} {warnings}\n{run}");
        assert!(run.took < Duration::from_millis(4500), "{api}\n{run}");
    }
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
        ("pull_request_target", event("stranger/shop"), 403, 1),
    ];
    for kind in [Kind::Github, Kind::Gitea] {
        for (name, payload, status, count) in &table {
            let forge = Forge::in_mood(kind, Mood::Refuses(*status));
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

/// While it waits, the commit says what for.
#[test]
fn a_wait_is_pending_until_it_ends() {
    for (last, state) in [(200, "success"), (500, "failure")] {
        let replies = [response(503, "Retry-After: 1\r\n"), response(last, "")];
        let server = Server::replies(replies);
        let forge = Forge::new(Kind::Gitea);
        let run = Preflight::targets(&[("llm", server.url())])
            .set("attempts", 2)
            .on(&forge)
            .run();
        assert_eq!(forge.posted("state"), ["pending", state], "{run}");
        let waiting = &forge.posts()[0].body;
        assert!(
            waiting["description"].as_str().unwrap().contains("llm"),
            "{waiting}"
        );
        assert_eq!(waiting["context"], forge.posts()[1].body["context"]);
        assert_eq!(waiting["target_url"], forge.posts()[1].body["target_url"]);
    }
}

/// Only a wait is pending, and only one post in ten seconds says so.
#[test]
fn a_pending_status_is_rare() {
    let server = Server::status(503);
    for (attempts, most) in [("1", 0), ("40", 1)] {
        let forge = Forge::new(Kind::Github);
        let step = Preflight::probing(server.url())
            .set("attempts", attempts)
            .set("interval", "1ms");
        let run = step.set("deadline", "2500ms").on(&forge).run();
        let states = forge.posted("state");
        let pending = states.iter().filter(|state| *state == "pending").count();
        assert!(pending <= most, "{states:?}\n{run}");
        assert_eq!(
            states.last().map(String::as_str),
            Some("failure"),
            "{states:?}\n{run}"
        );
    }
}

/// Attempts do not wait for a forge that hangs.
#[test]
fn a_hanging_forge_does_not_hold_up_the_targets() {
    let server = Server::replies([response(503, "Retry-After: 1\r\n"), response(200, "")]);
    let forge = Forge::in_mood(Kind::Github, Mood::Hangs);
    let run = Preflight::probing(server.url())
        .set("attempts", 2)
        .set("deadline", "6s")
        .on(&forge)
        .run();
    run.up();
    assert!(run.took < Duration::from_millis(7500), "{run}");
}

/// A pending status that could not be posted is not worth a warning of its
/// own beside the last one's.
#[test]
fn one_refusal_is_one_warning() {
    let server = Server::replies([response(503, "Retry-After: 1\r\n"), response(200, "")]);
    let forge = Forge::in_mood(Kind::Github, Mood::Refuses(404));
    let run = Preflight::probing(server.url())
        .set("attempts", 2)
        .on(&forge)
        .run();
    run.up();
    assert_eq!(warnings(&run).lines().count(), 1, "{run}");
}
