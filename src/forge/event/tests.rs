use super::*;

const HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const RUN: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn pull_request(head_repo: &str) -> String {
    format!(
        r#"{{"pull_request":{{"head":{{"sha":"{HEAD}","repo":{head_repo}}},"base":{{"repo":{{"full_name":"acme/shop"}}}}}}}}"#
    )
}

#[test]
fn forks_are_recognised() {
    for (repo, fork) in [
        (r#"{"full_name":"acme/shop"}"#, false),
        (r#"{"full_name":"eve/shop"}"#, true),
        ("null", true),
    ] {
        let event = Event::parse(pull_request(repo).as_bytes()).unwrap();
        assert_eq!(
            (event.from_fork, event.head_sha.as_deref()),
            (fork, Some(HEAD)),
            "{repo}"
        );
    }
}

#[test]
fn a_fork_s_token_is_read_only_but_for_one_event_on_github() {
    let fork = Event::parse(pull_request("null").as_bytes()).unwrap();
    for (name, kind, read_only) in [
        ("pull_request", ForgeKind::GitHub, true),
        ("pull_request_review", ForgeKind::GitHub, true),
        ("pull_request_target", ForgeKind::GitHub, false),
        ("pull_request_target", ForgeKind::Gitea, true),
        ("pull_request_target", ForgeKind::Forgejo, true),
        ("workflow_call", ForgeKind::Gitea, true),
    ] {
        assert_eq!(fork.is_read_only(Some(name), kind), read_only, "{name}");
        assert!(!Event::default().is_read_only(Some(name), kind), "{name}");
    }
}

#[test]
fn the_commit_of_each_event() {
    let parse = |text: &str| Event::parse(text.as_bytes()).unwrap();
    let pull = parse(&pull_request("null"));
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
            commit(None, Some(event), Some(name), Some(RUN))
                .ok()
                .as_deref(),
            expected,
            "{name}"
        );
    }
    assert_eq!(
        commit(Some(HEAD), Some(&none), Some("issues"), None).as_deref(),
        Ok(HEAD)
    );
    assert_eq!(
        commit(None, Some(&none), None, Some(RUN)).as_deref(),
        Ok(RUN)
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
        let found = commit(None, None, Some(name), Some(RUN));
        assert_eq!(found.ok().as_deref(), expected, "{name}");
    }
}

#[test]
fn text_that_other_parsers_take_is_taken() {
    let whole = pull_request("null");
    let with = |title: &str| whole.replacen('{', &format!(r#"{{"title":"{title}","#), 1);
    let mut odd: Vec<Vec<u8>> = [
        r"cut \ud83d",
        r"cut \ud83d\u0041 \udc00",
        r"\\ud83d \\\ud83d \ud83d\ude00",
        r"\ud83d\\",
        r"\ud83dé",
    ]
    .map(|title| with(title).into_bytes())
    .into();
    odd.push([b"\xef\xbb\xbf", whole.as_bytes()].concat());
    odd.push(with("Latin-1: X").replace('X', "\u{1}").into_bytes());
    if let Some(byte) = odd
        .last_mut()
        .and_then(|text| text.iter_mut().find(|byte| **byte == 1))
    {
        *byte = 0xfc;
    }
    for text in odd {
        let event = Event::parse(&text);
        let shown = String::from_utf8_lossy(&text);
        assert_eq!(event.unwrap().head_sha.as_deref(), Some(HEAD), "{shown}");
    }
}

#[test]
fn what_is_not_shaped_as_expected_is_not_believed() {
    let odd =
        Event::parse(br#"{"pull_request":{"head":{"sha":"../../x"}},"workflow_run":[]}"#).unwrap();
    assert_eq!(odd, Event::default());
    for text in ["{", "", "\\", r#"{"a":"\u12"}"#, r#"{"a":"\uD8"#] {
        assert!(Event::parse(text.as_bytes()).is_err(), "{text}");
    }
    assert_eq!(Event::parse(b"[]").unwrap(), Event::default());
}
