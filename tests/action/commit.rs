use serde_json::json;

use crate::forge::{Forge, Kind};
use crate::harness::{Preflight, SHA};
use crate::server::Server;

const HEAD: &str = "1111111111111111111111111111111111111111";
const OTHER: &str = "2222222222222222222222222222222222222222";

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
        ("pull_request_target", pull("stranger/shop"), Some(HEAD)),
        ("pull_request_review", pull("acme/shop"), Some(HEAD)),
        (
            "workflow_run",
            json!({"workflow_run": {"head_sha": HEAD}}).to_string(),
            Some(HEAD),
        ),
        (
            "schedule",
            json!({"schedule": "0 5 * * *"}).to_string(),
            Some(SHA),
        ),
        (
            "workflow_dispatch",
            json!({"inputs": {}}).to_string(),
            Some(SHA),
        ),
        (
            "workflow_dispatch",
            json!({"inputs": null, "pull_request": null}).to_string(),
            Some(SHA),
        ),
        (
            "release",
            json!({"release": {"tag_name": "v1"}}).to_string(),
            Some(SHA),
        ),
        (
            "issue_comment",
            json!({"issue": {"number": 7}}).to_string(),
            None,
        ),
        ("issues", json!({"issue": {"number": 7}}).to_string(), None),
        ("discussion", "{}".to_owned(), None),
        ("discussion_comment", "{}".to_owned(), None),
        // Not what was promised: the run's commit is still the run's commit.
        ("push", "not JSON".to_owned(), Some(SHA)),
        ("push", String::new(), Some(SHA)),
        ("push", "[1, 2]".to_owned(), Some(SHA)),
    ];
    for (event, payload, sha) in table {
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
                .event(event, &payload);
            let run = given
                .into_iter()
                .fold(step, |step, given| step.set("sha", given))
                .run();
            run.up();
            let paths: Vec<_> = forge
                .posts()
                .iter()
                .map(|post| post.head.word(1).to_owned())
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
}

/// A pull request whose event cannot be read: `GITHUB_SHA` may be a merge that
/// nobody sees, but it is what is known. A commit that is none is not posted.
#[test]
fn a_broken_event_breaks_nothing() {
    let odd = json!({"pull_request": {"head": {"sha": "../../../evil?x=y"}}}).to_string();
    for payload in ["{\"pull_request\": 7}", "{", &odd] {
        let forge = Forge::new(Kind::Github).maybe();
        let server = Server::status(200);
        Preflight::probing(server.url())
            .on(&forge)
            .event("pull_request", payload)
            .run()
            .up();
        for post in forge.posts() {
            assert_eq!(
                post.head.word(1),
                format!("/repos/acme/shop/statuses/{SHA}")
            );
        }
    }
    let forge = Forge::new(Kind::Github);
    let server = Server::status(200);
    Preflight::probing(server.url())
        .on(&forge)
        .env("GITHUB_EVENT_PATH", "missing.json")
        .run()
        .up();
    assert_eq!(forge.posts().len(), 1);
}
