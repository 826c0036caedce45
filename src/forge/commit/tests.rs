use super::*;

const HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const RUN: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn found(
    input: Option<&str>,
    event: Option<&Event>,
    event_name: Option<&str>,
    github_sha: Option<&str>,
) -> Option<String> {
    let sha = |text: Option<&str>| text.map(|text| text.parse().unwrap());
    let (input, github_sha) = (sha(input), sha(github_sha));
    let commit = commit(input.as_ref(), event, event_name, github_sha.as_ref());
    commit.ok().map(|sha| sha.to_string())
}

#[test]
fn a_commit_is_one() {
    let parsed = "A".repeat(40).parse::<Sha>();
    assert_eq!(parsed.unwrap().as_str(), "a".repeat(40));
    assert!("b".repeat(64).parse::<Sha>().is_ok());
    for bad in ["", "abc", &"g".repeat(40), &"0".repeat(40), &"a".repeat(41)] {
        assert!(bad.parse::<Sha>().is_err(), "{bad}");
    }
}

#[test]
fn the_commit_of_each_event() {
    let parse = |text: &str| Event::parse(text.as_bytes()).unwrap();
    let pull = parse(&format!(
        r#"{{"pull_request":{{"head":{{"sha":"{HEAD}"}}}}}}"#
    ));
    let run = parse(&format!(r#"{{"workflow_run":{{"head_sha":"{HEAD}"}}}}"#));
    let none = parse(r#"{"issue":null}"#);
    let comment = parse(r#"{"issue":{"number":7,"pull_request":{}},"comment":{}}"#);
    for (event, name, expected) in [
        (&pull, "pull_request", Some(HEAD)),
        (&pull, "pull_request_target", Some(HEAD)),
        (&pull, "pull_request_sync", Some(HEAD)),
        (&pull, "workflow_call", Some(HEAD)),
        (&run, "workflow_run", Some(HEAD)),
        (&none, "push", Some(RUN)),
        (&none, "schedule", Some(RUN)),
        (&none, "workflow_dispatch", Some(RUN)),
        (&none, "workflow_call", Some(RUN)),
        (&none, "repository_dispatch", Some(RUN)),
        (&none, "merge_group", Some(RUN)),
        (&none, "release", Some(RUN)),
        (&none, "create", Some(RUN)),
        (&none, "deployment", Some(RUN)),
        (&none, "deployment_status", Some(RUN)),
        (&comment, "issue_comment", None),
        (&comment, "workflow_call", None),
        (&comment, "pull_request_comment", None),
        (&none, "pull_request", None),
        (&none, "workflow_run", None),
        (&none, "issue_comment", None),
        (&none, "discussion", None),
        (&none, "check_run", None),
        (&none, "check_suite", None),
        (&none, "status", None),
        (&none, "delete", None),
        (&none, "member", None),
        (&none, "branch_protection_rule", None),
        (&none, "wiki", None),
        (&none, "made-up", None),
    ] {
        assert_eq!(
            found(None, Some(event), Some(name), Some(RUN)).as_deref(),
            expected,
            "{name}"
        );
    }
    assert_eq!(
        found(Some(HEAD), Some(&none), Some("issues"), None).as_deref(),
        Some(HEAD)
    );
    assert_eq!(
        found(None, Some(&none), None, Some(RUN)).as_deref(),
        Some(RUN)
    );
}

/// Where `GITHUB_SHA` is the commit by itself, the file does not matter.
#[test]
fn an_event_that_cannot_be_read_hides_the_head_of_a_pull_request() {
    for (name, expected) in [
        ("push", Some(RUN)),
        ("schedule", Some(RUN)),
        ("pull_request", None),
        ("pull_request_target", None),
        ("pull_request_review", None),
        ("workflow_run", None),
        ("workflow_call", None),
    ] {
        let found = found(None, None, Some(name), Some(RUN));
        assert_eq!(found.as_deref(), expected, "{name}");
    }
}
