//! The verdict's rules, one table each.

use std::time::{Duration, Instant};

use super::*;
use crate::probe::{Attempt, Phases};

fn attempt(cause: Option<Cause>, from: &str) -> Attempt {
    let mut evidence = Evidence::default();
    if cause.is_none_or(Cause::is_evidence) {
        evidence.add(Some(from.parse().unwrap()));
    }
    Attempt {
        started: Instant::now(),
        duration: Duration::from_millis(1),
        address: None,
        cause,
        http_status: None,
        detail: "detail".into(),
        final_url: None,
        phases: Phases::default(),
        retry_after: None,
        cut_short: false,
        through_proxy: false,
        evidence,
    }
}

fn far(causes: &[Option<Cause>]) -> Record {
    Record {
        attempts: causes
            .iter()
            .map(|cause| attempt(*cause, "10.0.0.1:80"))
            .collect(),
        ..Record::default()
    }
}

fn near(causes: &[Option<Cause>]) -> Record {
    Record {
        attempts: causes
            .iter()
            .map(|cause| attempt(*cause, "127.0.0.1:80"))
            .collect(),
        on_this_machine: true,
        ..Record::default()
    }
}

fn control(remote: bool, this_machine: bool) -> Control {
    Control {
        evidence: Evidence {
            remote,
            this_machine,
        },
        cause: None,
        url: "https://forge.example/".into(),
    }
}

const TIMEOUT: Option<Cause> = Some(Cause::ConnectTimeout);
const DNS: Option<Cause> = Some(Cause::Dns);
const REFUSED: Option<Cause> = Some(Cause::Refused);
const PROXY: Option<Cause> = Some(Cause::Proxy);

#[test]
fn the_verdict_of_a_target() {
    use Verdict::{Down, Unknown, Up};
    let dead = control(false, false);
    let alive = control(true, false);
    let near_control = control(false, true);
    for (what, records, control, expected) in [
        ("up", vec![far(&[None])], None, Up),
        ("up after failures", vec![far(&[REFUSED, None])], None, Up),
        ("refused", vec![far(&[REFUSED])], Some(&dead), Down),
        ("proxy", vec![far(&[PROXY])], Some(&alive), Unknown),
        ("local", vec![far(&[Some(Cause::Local)])], None, Unknown),
        (
            "proxy-upstream",
            vec![far(&[Some(Cause::ProxyUpstream)])],
            Some(&dead),
            Down,
        ),
        ("silence, control off", vec![far(&[TIMEOUT])], None, Down),
        (
            "silence, control dead",
            vec![far(&[TIMEOUT, DNS])],
            Some(&dead),
            Unknown,
        ),
        (
            "silence, control alive",
            vec![far(&[DNS])],
            Some(&alive),
            Down,
        ),
        (
            "silence, control on this machine",
            vec![far(&[DNS])],
            Some(&near_control),
            Unknown,
        ),
        (
            "silence on this machine, control there too",
            vec![near(&[TIMEOUT])],
            Some(&near_control),
            Down,
        ),
        (
            "silence, another refused",
            vec![far(&[TIMEOUT]), far(&[REFUSED])],
            Some(&dead),
            Down,
        ),
        (
            "silence, one on this machine up",
            vec![far(&[TIMEOUT]), near(&[None])],
            Some(&dead),
            Unknown,
        ),
        (
            "silence on this machine, another there up",
            vec![near(&[TIMEOUT]), near(&[None])],
            Some(&dead),
            Down,
        ),
        (
            "silence, another waits for an answer",
            vec![far(&[TIMEOUT]), far(&[Some(Cause::ResponseTimeout)])],
            Some(&dead),
            Unknown,
        ),
        (
            "refused once, then silence",
            vec![far(&[REFUSED, TIMEOUT])],
            Some(&dead),
            Down,
        ),
        (
            "proxy once, then silence",
            vec![far(&[PROXY, TIMEOUT])],
            Some(&dead),
            Unknown,
        ),
    ] {
        assert_eq!(judge(&records, control)[0].verdict, expected, "{what}");
    }
}

#[test]
fn what_the_control_address_said_is_told_as_it_was() {
    for (control, expected) in [
        (
            control(false, false),
            "detail; the control address https://forge.example/ did not answer either, so it may be the runner's own network",
        ),
        (
            control(false, true),
            "detail; the control address https://forge.example/ is on this machine, which says nothing about the way out, so it may be the runner's own network",
        ),
    ] {
        let judged = judge(&[far(&[TIMEOUT])], Some(&control)).remove(0);
        assert_eq!(judged.message, expected);
    }
}

#[test]
fn control_is_asked_only_where_a_verdict_hangs_on_it() {
    for (records, needed) in [
        (vec![far(&[None])], false),
        (vec![far(&[TIMEOUT])], true),
        (vec![far(&[TIMEOUT]), far(&[None])], false),
        (vec![far(&[TIMEOUT]), near(&[None])], true),
        (vec![near(&[TIMEOUT]), near(&[None])], false),
        (vec![far(&[PROXY])], false),
    ] {
        assert_eq!(needs_control(&records), needed, "{records:?}");
    }
}

#[test]
fn an_attempt_cut_short_counts_only_alone() {
    let cut = Attempt {
        cut_short: true,
        ..attempt(Some(Cause::ResponseTimeout), "10.0.0.1:80")
    };
    let mut record = far(&[REFUSED]);
    record.attempts.push(cut.clone());
    assert_eq!(judge(&[record], None)[0].cause, REFUSED);
    let alone = Record {
        attempts: vec![cut],
        ..Record::default()
    };
    assert_eq!(judge(&[alone], None)[0].cause, Some(Cause::ResponseTimeout));
}

#[test]
fn the_worst_required_target_decides() {
    let judged = |causes: &[Option<Cause>]| judge(&[far(causes)], None).remove(0);
    let (up, down, unknown) = (judged(&[None]), judged(&[REFUSED]), judged(&[PROXY]));
    assert_eq!(overall([&up, &unknown, &down]), RunResult::Down);
    assert_eq!(overall([&down, &unknown]), RunResult::Down);
    assert_eq!(overall([&up, &unknown]), RunResult::Unknown);
    assert_eq!(overall([&up]), RunResult::Up);
    assert_eq!(overall([]), RunResult::Up);
}

#[test]
fn a_target_without_an_attempt_is_not_up() {
    assert_eq!(
        judge(&[Record::default()], None)[0].verdict,
        Verdict::Unknown
    );
}
