//! The verdict's rules, one table each.

use std::time::{Duration, Instant, SystemTime};

use super::*;
use crate::probe::Phases;

/// No rule but that of known incidents looks at it.
const NOW: SystemTime = SystemTime::UNIX_EPOCH;

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
        code: None,
        detail: "detail".into(),
        final_url: None,
        phases: Phases::default(),
        retry_after: None,
        note: None,
        cut_short: false,
        through_proxy: false,
        evidence,
    }
}

fn target() -> &'static Target {
    static TARGET: std::sync::LazyLock<Target> = std::sync::LazyLock::new(|| Target::example("t"));
    &TARGET
}

fn record(causes: &[Option<Cause>], from: &str) -> Record<'static> {
    Record {
        attempts: causes.iter().map(|cause| attempt(*cause, from)).collect(),
        ended: Some(Next::UsedUp),
        ..Record::of(target())
    }
}

fn far(causes: &[Option<Cause>]) -> Record<'static> {
    record(causes, "10.0.0.1:80")
}

fn near(causes: &[Option<Cause>]) -> Record<'static> {
    Record {
        on_this_machine: true,
        ..record(causes, "127.0.0.1:80")
    }
}

fn control(remote: bool, this_machine: bool) -> Control {
    Control::Answered(ControlAnswer {
        evidence: Evidence {
            remote,
            this_machine,
        },
        cause: None,
        url: "https://forge.example/".into(),
    })
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
    let off = Control::Off;
    for (what, records, control, expected) in [
        ("up", vec![far(&[None])], &off, Up),
        ("up after failures", vec![far(&[REFUSED, None])], &off, Up),
        ("refused", vec![far(&[REFUSED])], &dead, Down),
        ("proxy", vec![far(&[PROXY])], &alive, Unknown),
        ("local", vec![far(&[Some(Cause::Local)])], &off, Unknown),
        (
            "proxy-upstream",
            vec![far(&[Some(Cause::ProxyUpstream)])],
            &dead,
            Down,
        ),
        ("silence, control off", vec![far(&[TIMEOUT])], &off, Down),
        (
            "silence, control dead",
            vec![far(&[TIMEOUT, DNS])],
            &dead,
            Unknown,
        ),
        ("silence, control alive", vec![far(&[DNS])], &alive, Down),
        (
            "silence, control on this machine",
            vec![far(&[DNS])],
            &near_control,
            Unknown,
        ),
        (
            "silence on this machine, control there too",
            vec![near(&[TIMEOUT])],
            &near_control,
            Down,
        ),
        (
            "silence, another refused",
            vec![far(&[TIMEOUT]), far(&[REFUSED])],
            &dead,
            Down,
        ),
        (
            "silence, one on this machine up",
            vec![far(&[TIMEOUT]), near(&[None])],
            &dead,
            Unknown,
        ),
        (
            "silence on this machine, another there up",
            vec![near(&[TIMEOUT]), near(&[None])],
            &dead,
            Down,
        ),
        (
            "silence, another waits for an answer",
            vec![far(&[TIMEOUT]), far(&[Some(Cause::ResponseTimeout)])],
            &dead,
            Unknown,
        ),
        (
            "refused once, then silence",
            vec![far(&[REFUSED, TIMEOUT])],
            &dead,
            Down,
        ),
        (
            "proxy once, then silence",
            vec![far(&[PROXY, TIMEOUT])],
            &dead,
            Unknown,
        ),
    ] {
        let outcome = conclude(&records, control.clone(), None, NOW);
        assert_eq!(outcome.targets[0].verdict, expected, "{what}");
    }
}

#[test]
fn what_the_control_address_said_is_reported_as_it_was() {
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
        let records = [far(&[TIMEOUT])];
        let outcome = conclude(&records, control, None, NOW);
        assert_eq!(outcome.targets[0].message, expected);
    }
}

#[test]
fn control_is_asked_only_where_a_verdict_depends_on_it() {
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
    let cause = |record| conclude(&[record], Control::Off, None, NOW).targets[0].cause;
    let mut record = far(&[REFUSED]);
    record.attempts.push(cut.clone());
    assert_eq!(cause(record), REFUSED);
    let alone = Record {
        attempts: vec![cut],
        ..far(&[])
    };
    assert_eq!(cause(alone), Some(Cause::ResponseTimeout));
}

#[test]
fn the_worst_required_target_decides() {
    let optional = Target {
        required: false,
        ..Target::example("optional")
    };
    let (up, down, unknown) = (far(&[None]), far(&[REFUSED]), far(&[PROXY]));
    let spared = Record {
        target: &optional,
        ..down.clone()
    };
    for (records, expected) in [
        (vec![&up, &unknown, &down], RunResult::Down),
        (vec![&down, &unknown], RunResult::Down),
        (vec![&up, &unknown, &spared], RunResult::Unknown),
        (vec![&up, &spared], RunResult::Up),
        (vec![&spared], RunResult::Up),
        (vec![], RunResult::Up),
    ] {
        let records: Vec<_> = records.into_iter().cloned().collect();
        let outcome = conclude(&records, Control::Off, None, NOW);
        assert_eq!(outcome.exit, Exit::of(expected));
    }
}

#[test]
fn a_target_without_an_attempt_is_not_up() {
    let records = [Record::of(target())];
    let outcome = conclude(&records, Control::Off, None, NOW);
    assert_eq!(outcome.targets[0].verdict, Verdict::Unknown);
}

/// A signal leaves those without a verdict that were still being tried, and those whose verdict
/// depends on a control address that was not asked any more.
#[test]
fn an_interrupted_run_blames_nobody_it_had_not_finished_with() {
    use Verdict::{Down, Unknown, Up};
    let again = |causes: &[Option<Cause>]| Record {
        ended: Some(Next::After(Duration::from_secs(1))),
        ..far(causes)
    };
    for (what, record, control, expected) in [
        ("up", far(&[None]), Control::NotAsked, Up),
        ("refused for good", far(&[REFUSED]), Control::NotAsked, Down),
        ("tried again", again(&[REFUSED]), Control::NotAsked, Unknown),
        ("not tried", Record::of(target()), Control::Off, Unknown),
        ("silence", far(&[TIMEOUT]), Control::NotAsked, Unknown),
        ("silence, control off", far(&[TIMEOUT]), Control::Off, Down),
    ] {
        let records = [record];
        let outcome = conclude(&records, control, Some(Interrupt::Sigterm), NOW);
        assert_eq!(outcome.targets[0].verdict, expected, "{what}");
        assert_eq!(outcome.exit.code(), 143, "{what}");
        let said = outcome.targets[0]
            .message
            .starts_with("no verdict: the step was interrupted");
        assert_eq!(said, expected == Unknown, "{what}");
    }
}
