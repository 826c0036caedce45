//! One run in which everything happens, for tests.

use std::time::{Duration, Instant, SystemTime};

use super::model::{self, Report, RunInfo, Start};
use crate::exit::{Interrupt, RunResult};
use crate::forge::Job;
use crate::forge::history::{Listener, Place, Status, Timeline};
use crate::forge::link::RunLink;
use crate::probe::{Attempt, Cause, Evidence, Phases};
use crate::record::{Control, ControlAnswer, Next, Record};
use crate::target::{Attempts, Known, Target};
use crate::text;
use crate::timestamp::Timestamp;
use crate::verdict::{Verdict, conclude};

/// What a server may say to command a runner, or whoever reads a page.
const HOSTILE: &str = "\r\n::error::x ##[command] \u{1b}[31m\u{202e}| `a` <b> @me #1 [x](y) %0A";

/// A target, and what came of it.
pub(super) struct Case {
    pub(super) target: Target,
    pub(super) attempts: Vec<Attempt>,
    pub(super) ended: Option<Next>,
}

pub(super) fn start() -> Start {
    use std::sync::LazyLock;
    static START: LazyLock<Start> = LazyLock::new(|| Start {
        instant: Instant::now(),
        time: SystemTime::UNIX_EPOCH + Duration::from_secs(1_769_860_800),
    });
    *START
}

pub(super) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// An attempt that began so many milliseconds after the start and took so many.
fn attempt(at: u64, took: u64, cause: Option<Cause>, status: Option<u16>, detail: &str) -> Attempt {
    let connected = !matches!(cause, Some(Cause::Refused | Cause::Proxy | Cause::Dns));
    Attempt {
        started: start().instant + ms(at),
        duration: ms(took),
        address: Some("10.0.0.7:443".parse().unwrap()),
        cause,
        http_status: status,
        code: status.map(|status| status.to_string()),
        detail: text::sanitize(detail, text::PIECE),
        final_url: None,
        phases: Phases {
            dns: Some(ms(took / 8)),
            connect: connected.then_some(ms(took / 4)),
            tls: connected.then_some(ms(took / 4)),
            response: status.map(|_| ms(took / 4)),
        },
        retry_after: None,
        note: None,
        through_proxy: false,
        cut_short: false,
        evidence: Evidence {
            remote: cause.is_none_or(Cause::is_evidence),
            this_machine: false,
        },
    }
}

/// The same with an incident that is known until `until`; the run begins at noon of 2026-01-31.
fn known(until: &str, case: Case) -> Case {
    let known = Known {
        until: until.parse().unwrap(),
        reason: text::sanitize(&format!("migration, INC-4711 {HOSTILE}"), 40),
        url: Some("https://status.example/4711".to_owned()),
    };
    let mut case = case;
    case.target.known = Some(known);
    case
}

fn case(name: &str, required: bool, attempts: Vec<Attempt>) -> Case {
    let up = attempts.last().is_some_and(Attempt::is_up);
    let mut target = Target::example(name);
    target.required = required;
    target.policy.attempts = Attempts::AtMost(3);
    Case {
        target,
        ended: (!up).then_some(Next::UsedUp),
        attempts,
    }
}

/// One of every kind.
pub(super) fn cases() -> Vec<Case> {
    let refused = |at| {
        let detail = "connection refused by 10.0.0.7:443";
        attempt(at, 3, Some(Cause::Refused), None, detail)
    };
    let busy = format!("HTTP 503 Service Unavailable: {HOSTILE}");
    let expired = "the certificate of [2001:db8::1]:443 ended on 2026-01-01";
    let proxy = "connection refused by the proxy http://proxy.example:3128";
    vec![
        case(
            "healthy",
            true,
            vec![attempt(0, 80, None, Some(200), "HTTP 200 OK")],
        ),
        case(
            "llm",
            true,
            vec![
                refused(0),
                attempt(900, 40, None, Some(401), "HTTP 401 Unauthorized"),
            ],
        ),
        case(
            "docs",
            true,
            vec![Attempt {
                final_url: Some("https://docs.example/en/?key=***".to_owned()),
                ..attempt(2, 200, None, Some(200), "HTTP 200 OK")
            }],
        ),
        case(
            "billing",
            true,
            vec![refused(1), refused(800), refused(2300)],
        ),
        Case {
            ended: Some(Next::ToldToWait(Duration::from_secs(120))),
            ..case(
                "search",
                true,
                vec![attempt(3, 60, Some(Cause::Status), Some(503), &busy)],
            )
        },
        case(
            "cache",
            false,
            vec![attempt(4, 24, Some(Cause::TlsExpired), None, expired)],
        ),
        case(
            "queue",
            true,
            vec![attempt(5, 2, Some(Cause::Proxy), None, proxy)],
        ),
        Case {
            ended: None,
            ..case("late", false, vec![])
        },
    ]
}

/// Targets with incidents that are known: down, up again, and down for longer than was known.
pub(super) fn incidents() -> Vec<Case> {
    let refused = |at| {
        let detail = "connection refused by 10.0.0.9:443";
        attempt(at, 2, Some(Cause::Refused), None, detail)
    };
    let soon = "2026-02-01T09:00+01:00";
    vec![
        known(soon, case("moving", true, vec![refused(1)])),
        known(
            soon,
            case(
                "moved",
                true,
                vec![attempt(1, 9, None, Some(200), "HTTP 200 OK")],
            ),
        ),
        known("2026-01-31T08:59Z", case("overdue", true, vec![refused(1)])),
    ]
}

/// The report of these targets.
pub(super) fn report(cases: &[Case], interrupt: Option<Interrupt>) -> Report {
    let records: Vec<_> = cases
        .iter()
        .map(|case| Record {
            attempts: case.attempts.clone(),
            ended: case.ended,
            duration: case.attempts.last().map_or(Duration::ZERO, |last| {
                last.started + last.duration - case.attempts[0].started
            }),
            ..Record::of(&case.target)
        })
        .collect();
    let control = Control::Answered(ControlAnswer {
        evidence: Evidence::default(),
        cause: Some(Cause::ConnectTimeout),
        url: "https://forge.example/api/v1".to_owned(),
    });
    let run = RunInfo {
        url: Some("https://forge.example/acme/shop/actions/runs/4711".to_owned()),
        sha: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
    };
    let mut report = model::build(
        start(),
        conclude(&records, control, interrupt, start().time),
        run,
    );
    report.duration_ms = 3120;
    report.tool.version = "1.2.3";
    report
}

/// A report with what other runs saw of its targets, by statuses of the same day: when each was
/// made, and what it says.
pub(super) fn seen(mut report: Report, statuses: &[(&str, &str)]) -> Report {
    let statuses: Vec<_> = (1..)
        .zip(statuses)
        .map(|(id, (at, said))| Status {
            id,
            state: if said.starts_with("up") {
                "success"
            } else {
                "failure"
            }
            .to_owned(),
            context: "dep-preflight / beacon".to_owned(),
            description: (*said).to_owned(),
            link: Some(format!("https://forge.example/acme/shop/actions/runs/{id}")),
            created: format!("2026-01-31T{at}Z").parse().unwrap(),
        })
        .collect();
    let set = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_SERVER_URL", "https://forge.example"),
        ("GITHUB_REPOSITORY", "acme/shop"),
        ("GITHUB_RUN_ID", "4711"),
    ];
    let listener = Listener {
        context: "dep-preflight".to_owned(),
        link: None,
        run: RunLink::of(&Job::from_env(&set.map(|(k, v)| (k.into(), v.into())))),
    };
    let now = start().time + ms(5000);
    let place = Place::Branch(format!("main{HOSTILE}"));
    let timeline = Timeline::read(&statuses, place, &listener, Timestamp::of(now));
    for target in report
        .targets
        .iter_mut()
        .filter(|target| target.verdict == Verdict::Down)
    {
        target.elsewhere = timeline.of(&target.name, Some(start().time));
    }
    report
}

/// Another run saw the same.
pub(super) fn seen_down() -> Report {
    let statuses = [
        ("11:52", "up: healthy, billing, cache, search"),
        (
            "11:57",
            "down: billing (refused) - environment, not this change",
        ),
    ];
    seen(report(&cases(), None), &statuses)
}

/// Another run did not.
pub(super) fn seen_up() -> Report {
    let statuses = [
        (
            "11:57",
            "down: billing (refused), search (dns) - environment, not this change",
        ),
        ("12:00:03", "up: billing"),
    ];
    seen(
        report_of(&["healthy", "billing", "search"], None),
        &statuses,
    )
}

/// The report of the cases with these names.
pub(super) fn report_of(names: &[&str], interrupt: Option<Interrupt>) -> Report {
    let mut cases = cases();
    cases.extend(incidents());
    cases.retain(|case| names.contains(&case.target.name.as_str()));
    report(&cases, interrupt)
}

/// One report for each way that a run with a report ends.
pub(super) fn endings() -> Vec<(&'static str, Report)> {
    let mut failed = report_of(&["healthy"], None);
    failed.exit.result = RunResult::Error;
    vec![
        ("all up", report_of(&["healthy", "llm"], None)),
        ("one optional down", report_of(&["healthy", "cache"], None)),
        ("none required", report_of(&["cache", "late"], None)),
        (
            "known",
            report_of(&["healthy", "cache", "moving", "moved"], None),
        ),
        ("known for too long", report_of(&["moved", "overdue"], None)),
        ("down", report(&cases(), None)),
        ("down elsewhere", seen_down()),
        ("up elsewhere", seen_up()),
        ("unknown", report_of(&["healthy", "queue"], None)),
        (
            "interrupted",
            report_of(&["healthy", "late"], Some(Interrupt::Sighup)),
        ),
        ("outputs not written", failed),
    ]
}
