use serde_json::json;

use crate::kit::environment::SHA;
use crate::kit::forge::{Forge, Kind};
use crate::kit::server::Server;
use crate::kit::step::Preflight;

const HEAD: &str = "1111111111111111111111111111111111111111";
const OTHER: &str = "2222222222222222222222222222222222222222";

/// Every event is in the unit tests of `src/forge/commit`; here is one of each kind.
#[test]
fn the_event_says_which_commit() {
    let from =
        |name: &str| json!({"sha": HEAD, "repo": {"full_name": name, "fork": name != "acme/shop"}});
    let base = json!({"sha": OTHER, "repo": {"full_name": "acme/shop"}});
    let pull = |name: &str| {
        json!({"pull_request": {"number": 7, "head": from(name), "base": base}}).to_string()
    };
    let table = [
        (
            "push",
            json!({"after": OTHER, "head_commit": {"id": OTHER}}).to_string(),
            Some(SHA),
        ),
        ("pull_request", pull("acme/shop"), Some(HEAD)),
        ("pull_request", pull("stranger/shop"), Some(HEAD)),
        ("pull_request_review", pull("acme/shop"), Some(HEAD)),
        (
            "workflow_run",
            json!({"workflow_run": {"head_sha": HEAD}}).to_string(),
            Some(HEAD),
        ),
        (
            "workflow_dispatch",
            json!({"inputs": null, "pull_request": null}).to_string(),
            Some(SHA),
        ),
        ("issues", json!({"issue": {"number": 7}}).to_string(), None),
        // Other parsers of JSON take this.
        (
            "pull_request",
            format!("\u{feff}{}", pull("acme/shop")),
            Some(HEAD),
        ),
        ("discussion_comment", "{}".to_owned(), None),
        // Not what was promised: the run's commit is still the run's commit.
        ("push", "not JSON".to_owned(), Some(SHA)),
    ];
    for (event, payload, sha) in table {
        goes_to(event, &payload, sha);
    }
}

/// The status goes to this commit, or to none, and to a given one whatever the event is.
fn goes_to(event: &str, payload: &str, sha: Option<&str>) {
    for given in [None, Some(OTHER)] {
        let forge = Forge::new(Kind::Github);
        let forge = if sha.or(given).is_none() {
            forge.unhit()
        } else {
            forge
        };
        let server = Server::status(200);
        let step = Preflight::probing(server.url())
            .on(&forge)
            .event(event, payload);
        let run = given
            .into_iter()
            .fold(step, |step, given| step.set("sha", given))
            .run();
        run.up();
        let paths: Vec<_> = forge
            .posts()
            .iter()
            .map(|post| post.word(1).to_owned())
            .collect();
        let wanted = given
            .or(sha)
            .map(|sha| format!("/repos/acme/shop/statuses/{sha}"));
        assert_eq!(
            paths,
            wanted.into_iter().collect::<Vec<_>>(),
            "{event} {payload}\n{run}"
        );
    }
}

/// A pull request whose event cannot be read: `GITHUB_SHA` may be a merge that nobody sees.
#[test]
fn a_head_that_is_not_known_has_no_status() {
    let odd = json!({"pull_request": {"head": {"sha": "../../../evil?x=y"}}}).to_string();
    let server = Server::status(200);
    for event in ["pull_request", "pull_request_target", "workflow_run"] {
        for payload in ["{\"pull_request\": 7}", "{", "", &odd] {
            let forge = Forge::new(Kind::Github).unhit();
            let step = Preflight::probing(server.url())
                .on(&forge)
                .set("control", "off");
            let run = step.event(event, payload).run();
            run.up();
            let told = run.lines("dep-preflight: no commit status: the event file ");
            assert_eq!(told.len(), 1, "{event} {payload}\n{run}");
            assert!(run.annotations.is_empty(), "{run}");
        }
    }
}

/// Where `GITHUB_SHA` is the commit, it does not matter whether there is a file.
#[test]
fn a_missing_event_breaks_nothing() {
    let forge = Forge::new(Kind::Github);
    let server = Server::status(200);
    Preflight::probing(server.url())
        .on(&forge)
        .env("GITHUB_EVENT_PATH", "missing.json")
        .run()
        .up();
    assert_eq!(forge.posts().len(), 1);
}
