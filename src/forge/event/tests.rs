use super::*;

const HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

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
            (event.from_fork, event.head_sha.as_ref().map(Sha::as_str)),
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
        assert_eq!(
            event.unwrap().head_sha.as_ref().map(Sha::as_str),
            Some(HEAD),
            "{shown}"
        );
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
