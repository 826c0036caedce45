//! What was found, in every form in which it is told: nothing that a server, a certificate or
//! an address says gets out of its place.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use dep_preflight::facade::failure::{self, Failed, Limit};
use dep_preflight::facade::forge::{Listener, Place, RunLink, Status, Timeline};
use dep_preflight::facade::model::{self, RunInfo, Start};
use dep_preflight::facade::{
    Address, Attempt, Attempts, Cause, Control, ControlAnswer, Evidence, Exit, Interrupt, Job,
    Known, Next, Phases, Record, Report, RunResult, Sha, Target, TargetOptions, Timestamp,
    annotations, commit_status, log, outputs, summary, text, values,
    verdict::{self, Verdict},
};
use reqwest::Url;
use serde_json::Value;

use super::{Feed, SECRET, lines};

/// The most that a forge takes of a summary, in bytes.
const SUMMARY: usize = 1024 * 1024;
/// What the pages of all runs begin with.
const RUNS: &str = "https://forge.example/acme/shop/actions/runs/";
/// Statuses, ordinary and odd.
const STATUSES: [u16; 8] = [200, 401, 404, 429, 500, 503, 599, 999];

pub(crate) fn check(data: &[u8]) {
    let feed = &mut Feed::new(data);
    pieces(feed);
    let start = Start::now();
    let count = 1 + feed.choose(6);
    let targets: Vec<_> = (0..count).map(|number| target(feed, number)).collect();
    let mut records = Vec::new();
    for target in &targets {
        let record = record(feed, target, start.instant);
        for (index, attempt) in record.attempts.iter().enumerate().take(4) {
            let next = next(feed);
            let line = log::attempt(target, index + 1, attempt, next);
            lines::log(&line);
            lines::hides(&line);
        }
        records.push(record);
    }
    lines::log(&log::opening(&targets, Duration::from_secs(60)));
    let control = control(feed);
    let interrupt = match feed.choose(6) {
        4 => Some(Interrupt::Sigint),
        5 => Some(Interrupt::Sigterm),
        _ => None,
    };
    let outcome = verdict::conclude(&records, control, interrupt, start.time);
    let run = RunInfo {
        url: feed
            .maybe()
            .and_then(|text| values::link(&text).ok().map(Into::into)),
        sha: feed
            .maybe()
            .and_then(|text| text.parse::<Sha>().ok().map(|sha| sha.to_string())),
    };
    let mut report = model::build(start, outcome, run);
    seen_elsewhere(feed, &mut report);
    told(&report, feed.flag(), &feed.text(), lines::hides);
}

/// What other runs saw, by statuses that may say anything.
fn seen_elsewhere(feed: &mut Feed<'_>, report: &mut Report) {
    let now = Timestamp::of(SystemTime::now());
    let mut statuses = Vec::new();
    for id in 0..feed.choose(4) {
        let name = report
            .targets
            .first()
            .map_or("t", |target| target.name.as_str());
        let (state, description) = match feed.choose(4) {
            0 => ("success", format!("up: {name}")),
            1 => ("failure", format!("down: {name} (refused)")),
            2 => ("failure", format!("down: {} (refused)", feed.text())),
            _ => ("success", feed.text()),
        };
        statuses.push(Status {
            id: id as u64,
            state: state.to_owned(),
            context: "dep-preflight".to_owned(),
            description,
            link: Some(match feed.choose(3) {
                0 => feed.text(),
                1 => format!("{RUNS}{}", feed.text()),
                _ => format!("{RUNS}{id}"),
            }),
            created: now.minus(Duration::from_secs(feed.choose(256) as u64 * 99)),
        });
    }
    let set = [
        ("GITHUB_SERVER_URL", "https://forge.example"),
        ("GITHUB_REPOSITORY", "acme/shop"),
        ("GITHUB_RUN_ID", "4711"),
    ];
    let job = Job::from_env(&set.map(|(name, value)| (name.into(), value.into())));
    let listener = Listener {
        context: feed.text(),
        link: None,
        run: RunLink::of(&job),
    };
    let place = match feed.choose(2) {
        0 => Place::Branch(feed.text()),
        _ => Place::Base,
    };
    let timeline = Timeline::read(&statuses, place, &listener, now);
    for target in report
        .targets
        .iter_mut()
        .filter(|target| target.verdict == Verdict::Down)
    {
        target.elsewhere = timeline.of(&target.name, Some(now.time()));
    }
}

fn control(feed: &mut Feed<'_>) -> Control {
    match feed.choose(3) {
        0 => Control::Off,
        1 => Control::NotAsked,
        _ => Control::Answered(ControlAnswer {
            evidence: Evidence {
                remote: feed.flag(),
                this_machine: feed.flag(),
            },
            cause: feed.flag().then(|| feed.pick(&Cause::ALL)),
            url: text::show_url(&address(feed), text::PIECE),
        }),
    }
}

/// Text that is handed to a renderer as it is.
fn pieces(feed: &mut Feed<'_>) {
    let (one, two) = (feed.text(), feed.text());
    for level in [annotations::Level::Error, annotations::Level::Warning] {
        for text in [&one, &format!("{one}; {two}"), &format!("{one}{two}")] {
            lines::annotation(&annotations::command(level, "COMMIT-STATUS", text));
        }
    }
    let values = outputs::failed(Exit::of(RunResult::Error), &one);
    reads_back(&values);
    reads_back(&vec![("message", one.clone()), ("up", two.clone())]);
    let names: Vec<_> = [&one, &two, &one]
        .map(|text| text::sanitize(text, text::PIECE))
        .into();
    description(&commit_status::describe_waiting(names.clone(), names.len()));
}

fn address(feed: &mut Feed<'_>) -> Url {
    let text = match feed.choose(4) {
        // A `?` of the path's own would make the secret a part of a longer value.
        0 => {
            let path = feed.text().replace(['?', '#'], "");
            format!("https://h.example/{path}?key={SECRET}")
        }
        1 => format!("http://[::1]:8080/?a={SECRET}&{}", feed.text()),
        2 => format!("https://u:{SECRET}@h.example/?{SECRET}#{SECRET}"),
        _ => feed.text(),
    };
    Url::parse(&text)
        .ok()
        .filter(Url::has_host)
        .unwrap_or_else(|| {
            Url::parse("http://h.example/").unwrap_or_else(|error| panic!("{error}"))
        })
}

fn target(feed: &mut Feed<'_>, number: usize) -> Target {
    let url = address(feed);
    let name = match feed.choose(3) {
        0 => format!("t{number}"),
        1 => values::name_of(url.host_str().unwrap_or_default()),
        _ => values::name(&feed.text()).unwrap_or_else(|_| "n".repeat(64)),
    };
    let mut target = TargetOptions::default().target(
        name,
        Address::Http {
            url,
            websocket: feed.flag(),
        },
    );
    target.required = feed.choose(3) != 2;
    if feed.choose(4) == 3 {
        let hours = Duration::from_secs(feed.choose(256) as u64 * 3600);
        let now = Timestamp::of(SystemTime::now());
        target.known = Some(Known {
            until: if feed.flag() {
                now.plus(hours)
            } else {
                now.minus(hours)
            },
            reason: text::sanitize(&feed.text(), text::PIECE),
            url: feed
                .flag()
                .then(|| text::show_url(&address(feed), text::LONG)),
        });
    }
    if feed.flag() {
        target.policy.attempts = Attempts::Unlimited;
    }
    target
}

fn next(feed: &mut Feed<'_>) -> Next {
    let span = Duration::from_millis(feed.choose(256) as u64 * 777);
    match feed.choose(5) {
        0 => Next::UsedUp,
        1 => Next::OutOfTime,
        2 => Next::After(span),
        3 => Next::ToldToWait(span),
        _ => Next::ToldToWait(Duration::MAX),
    }
}

fn record<'a>(feed: &mut Feed<'_>, target: &'a Target, start: Instant) -> Record<'a> {
    let mut attempts = Vec::new();
    for _ in 0..feed.choose(4) {
        attempts.push(attempt(feed, start));
    }
    // Some wait for hours.
    if feed.choose(8) == 7
        && let Some(last) = attempts.last().cloned()
    {
        attempts.resize(feed.choose(256) * 4 + 1, last);
    }
    Record {
        target,
        ended: Some(next(feed)),
        duration: Duration::from_millis(feed.choose(256) as u64 * 777),
        on_this_machine: feed.flag(),
        attempts,
    }
}

fn attempt(feed: &mut Feed<'_>, start: Instant) -> Attempt {
    let cause = feed.flag().then(|| feed.pick(&Cause::ALL));
    let mut span = |unit: u64| Duration::from_micros(feed.choose(256) as u64 * unit);
    let (started, duration) = (start + span(70_000), span(70_000));
    let mut phase =
        || (feed.choose(3) != 0).then(|| Duration::from_micros(feed.choose(256) as u64 * 9999));
    let phases = Phases {
        dns: phase(),
        connect: phase(),
        tls: phase(),
        response: phase(),
    };
    let has_status = matches!(cause, None | Some(Cause::Status));
    let http_status = has_status.then(|| feed.pick(&STATUSES));
    let (detail, cause) = detail(feed, cause);
    Attempt {
        started,
        duration,
        address: feed.flag().then(|| peer(feed)),
        cause,
        http_status,
        code: http_status
            .map(|status| status.to_string())
            .or_else(|| feed.flag().then(|| text::sanitize(&feed.text(), 60))),
        detail,
        final_url: feed
            .flag()
            .then(|| text::show_url(&address(feed), text::LONG)),
        phases,
        retry_after: None,
        note: None,
        through_proxy: feed.flag(),
        cut_short: feed.flag(),
        evidence: Evidence {
            remote: feed.flag(),
            this_machine: feed.flag(),
        },
    }
}

fn peer(feed: &mut Feed<'_>) -> SocketAddr {
    match feed.choose(3) {
        0 => SocketAddr::from(([10, 0, 0, 7], 443)),
        1 => SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 80)),
        _ => SocketAddr::from(([0xfe80, 0, 0, 0, 0, 0, 0, 1], 65535)),
    }
}

/// The detail of an attempt, put together where the probe does it.
fn detail(feed: &mut Feed<'_>, cause: Option<Cause>) -> (String, Option<Cause>) {
    let Some(cause) = cause else {
        return ("HTTP 200 OK".to_owned(), None);
    };
    let said = feed.text();
    if cause == Cause::Status {
        let shown = text::sanitize(&said, text::PIECE);
        return (
            format!("HTTP 503 Service Unavailable: {shown}"),
            Some(cause),
        );
    }
    let peer = feed.flag().then(|| peer(feed));
    let limit = Limit {
        time: Duration::from_secs(if feed.flag() { 10 } else { 7 }),
        timeout: Duration::from_secs(10),
    };
    let other = feed.text();
    let tls = |error: rustls::Error| std::io::Error::new(std::io::ErrorKind::InvalidData, error);
    let failed = match feed.choose(6) {
        0 => Failed::Silence(u8::try_from(feed.choose(8)).unwrap_or_default()),
        1 => Failed::Io(std::io::Error::other(other)),
        2 => Failed::Tls(tls(rustls::Error::General(other))),
        3 => {
            let names = rustls::CertificateError::NotValidForNameContext {
                expected: rustls::pki_types::ServerName::IpAddress(
                    std::net::IpAddr::from([127, 0, 0, 1]).into(),
                ),
                presented: vec![other.clone(), other],
            };
            Failed::Tls(tls(rustls::Error::InvalidCertificate(names)))
        }
        4 => Failed::Name(other),
        _ => Failed::Http(other),
    };
    let failure = failure::of(failed, &said, peer, limit);
    (failure.detail, Some(failure.cause))
}

/// Everything that is told about a report.
pub(crate) fn told(report: &Report, fail_on_down: bool, report_file: &str, hides: fn(&str)) {
    let result = log::result(report, fail_on_down);
    let targets = log::targets(report).into_iter().map(|(_, line)| line);
    for line in targets.chain([result]) {
        lines::log(&line);
        hides(&line);
    }
    let all = annotations::render(report, annotations::Reserved::default());
    for line in &all {
        lines::annotation(line);
        hides(line);
    }
    for kind in ["::error", "::warning", "::notice"] {
        let count = all.iter().filter(|line| line.starts_with(kind)).count();
        assert!(count <= 10, "{count} of {kind}");
    }
    let summary = summary::render(report);
    hides(&summary);
    page(&summary);
    description(&commit_status::describe_report(report));
    let whole = serde_json::to_string(report).unwrap_or_else(|error| panic!("{error}"));
    hides(&whole);
    files(report, &whole, report_file);
}

/// The commit status: a line that the forge takes.
fn description(line: &str) {
    lines::clean(line);
    lines::hides(line);
    assert!(line.chars().count() <= 140, "too long: {line:?}");
}

/// The job summary.
fn page(page: &str) {
    assert!(page.len() <= SUMMARY, "a summary of {} bytes", page.len());
    let mut fenced = false;
    for line in page.split('\n') {
        lines::clean(line);
        if line.starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            assert!(!line.contains('`'), "the end of a fence in {line:?}");
            continue;
        }
        if line.starts_with('|') {
            // A table splits its cells first, code or not.
            let pipes = line.replace("\\|", "");
            assert_eq!(pipes.matches('|').count(), 8, "columns of {line:?}");
        }
        let plain = without_run_links(&without_code(line));
        assert!(!plain.contains(['<', '>']), "markup in {line:?}");
        assert!(!plain.contains("]("), "a link in {line:?}");
        let linked = ["://", "www.", "@"].iter().any(|sign| plain.contains(sign));
        assert!(!linked, "an address that is linked in {line:?}");
    }
    assert!(!fenced, "a fence that does not end");
}

/// What is left of a line without the links to runs, which are made of numbers alone.
fn without_run_links(line: &str) -> String {
    let mut pieces = line.split("[run ");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let after = piece.split_once(')').and_then(|(link, rest)| {
            let (number, url) = link.split_once("](")?;
            let fine = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            (fine && url == format!("{RUNS}{number}")).then_some(rest)
        });
        match after {
            Some(rest) => out.push_str(rest),
            None => out.push_str(&format!("[run {piece}")),
        }
    }
    out
}

/// What is left of a line when its code is taken out, which ends with as many backticks as it
/// began with.
fn without_code(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        let (before, code) = rest.split_at(start);
        out.push_str(before);
        let inside = code.trim_start_matches('`');
        let fence = code.len() - inside.len();
        let mut from = 0;
        rest = loop {
            let end = inside[from..].find('`').map(|at| from + at);
            let end = end.unwrap_or_else(|| panic!("code that does not end in {line:?}"));
            let after = inside[end..].trim_start_matches('`');
            if inside.len() - end - after.len() == fence {
                break after;
            }
            from = inside.len() - after.len();
        };
    }
    out + rest
}

/// The outputs, and the report in them.
fn files(report: &Report, whole: &str, report_file: &str) {
    let (values, too_large) = outputs::of_report(report, Some(Path::new(report_file)));
    let read = reads_back(&values);
    let value = |name: &str| {
        read.iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .unwrap_or_default()
    };
    let names: Vec<_> = outputs::OUTPUTS.iter().map(|(name, _)| *name).collect();
    let written: Vec<_> = read.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(written, names);
    lines::clean(value("message"));
    let mut sum = 0;
    for verdict in ["up", "down", "unknown"] {
        let names = json(value(verdict));
        sum += names.as_array().map_or(0, Vec::len);
    }
    assert_eq!(sum, report.targets.len(), "targets without a verdict");
    if too_large {
        assert!(
            whole.len() > 256 * 1024,
            "left out at {} bytes",
            whole.len()
        );
        assert_eq!(value("report"), "");
    } else {
        assert_eq!(json(value("report")), json(whole));
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text:?}"))
}

fn reads_back(values: &outputs::Values) -> Vec<(String, String)> {
    let text = outputs::render(values);
    let read = super::outputs::read(&text).unwrap_or_else(|why| panic!("{why}: {text:?}"));
    let meant: Vec<_> = values
        .iter()
        .map(|(name, value)| ((*name).to_owned(), super::outputs::meant(value)))
        .collect();
    assert_eq!(read, meant);
    read
}
