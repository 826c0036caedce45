//! The report: schema 1, as `report.schema.json` in the repository publishes it.

use std::borrow::Cow;
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;

use crate::exit::Exit;
use crate::forge::history::Elsewhere;
use crate::probe::{Attempt, Cause, Phases};
use crate::record::ControlAnswer;
use crate::text;
use crate::timestamp::Timestamp;
use crate::verdict::{Finding, Incident, Outcome, Verdict};

/// What one run found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Version of the schema.
    pub schema: u8,
    /// Who wrote it.
    pub tool: Tool,
    /// How the run ended: `result` and `exit_code`, whatever `fail-on-down` says.
    #[serde(flatten)]
    pub exit: Exit,
    /// When the process started.
    pub started_at: String,
    /// From the start of the process to this report, in milliseconds.
    pub duration_ms: u64,
    /// The control address, if it was asked.
    pub control: Option<ControlReport>,
    /// The page of the run.
    pub run_url: Option<String>,
    /// The commit the run is about.
    pub sha: Option<String>,
    /// The targets, in the order given.
    pub targets: Vec<TargetReport>,
}

/// The tool and its version.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Tool {
    /// `dep-preflight`.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// What the control address said.
#[derive(Debug, Clone, Serialize)]
pub struct ControlReport {
    /// Its address.
    pub url: String,
    /// Whether anything came back from it.
    pub reachable: bool,
    /// Why it did not, or what was wrong with its answer.
    pub cause: Option<Cause>,
}

/// What was found about one target.
#[derive(Debug, Clone, Serialize)]
pub struct TargetReport {
    /// Its name.
    pub name: String,
    /// The protocol it was asked in.
    pub protocol: &'static str,
    /// Its address, query values masked.
    pub url: String,
    /// Where redirects ended.
    pub final_url: Option<String>,
    /// Whether its verdict counts: it is neither optional nor has it a known incident.
    pub required: bool,
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is not up.
    pub cause: Option<Cause>,
    /// Status of the last answer.
    pub http_status: Option<u16>,
    /// What that answer was in the protocol's own words; for HTTP the status.
    pub code: Option<String>,
    /// What other runs saw of it, where that was asked.
    pub elsewhere: Option<Elsewhere>,
    /// The incident that somebody said is known.
    pub known: Option<KnownReport>,
    /// Whether it is up after failures.
    pub recovered: bool,
    /// What an `up` does not say.
    pub note: Option<Cow<'static, str>>,
    /// What happened, for people.
    pub message: String,
    /// From the first attempt to the end of the last, in milliseconds.
    pub duration_ms: u64,
    /// Every attempt.
    pub attempts: Vec<AttemptReport>,
}

/// An incident that is known.
#[derive(Debug, Clone, Serialize)]
pub struct KnownReport {
    /// Until when the target does not count.
    pub until: Timestamp,
    /// What it is.
    pub reason: String,
    /// Where one reads more.
    pub url: Option<String>,
    /// Whether that time was over when the run began.
    pub over: bool,
}

impl KnownReport {
    /// `known until 2026-12-01 08:00 UTC: migration, INC-4711`.
    pub fn words(&self) -> String {
        format!("known until {}: {}", self.until, self.reason)
    }
}

impl From<Incident<'_>> for KnownReport {
    fn from(incident: Incident<'_>) -> Self {
        Self {
            until: incident.known.until,
            reason: incident.known.reason.clone(),
            url: incident.known.url.clone(),
            over: incident.over,
        }
    }
}

impl TargetReport {
    /// Whether another run found it up after it had failed here.
    pub fn is_contradicted(&self) -> bool {
        self.elsewhere
            .as_ref()
            .is_some_and(|elsewhere| elsewhere.contradicts)
    }

    /// The known incident for which it does not count.
    pub fn excuse(&self) -> Option<&KnownReport> {
        self.known.as_ref().filter(|known| !known.over)
    }
}

/// One attempt.
#[derive(Debug, Clone, Serialize)]
pub struct AttemptReport {
    /// When it began, from the start of the process, in milliseconds.
    pub offset_ms: u64,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The peer's address and port.
    pub address: Option<String>,
    /// Why it failed.
    pub cause: Option<Cause>,
    /// Status of the answer.
    pub http_status: Option<u16>,
    /// What happened.
    pub detail: String,
    /// Where the time went.
    pub phases: PhasesReport,
}

/// Where the time of an attempt went, in milliseconds.
#[expect(
    clippy::struct_field_names,
    reason = "the names are those of the report"
)]
#[derive(Debug, Clone, Copy, Serialize)]
pub struct PhasesReport {
    /// Name resolution.
    pub dns_ms: Option<f64>,
    /// TCP, a proxy's tunnel included.
    pub connect_ms: Option<f64>,
    /// TLS handshake.
    pub tls_ms: Option<f64>,
    /// Request to response head.
    pub response_ms: Option<f64>,
}

/// When the process started, by both clocks.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// For durations.
    pub instant: Instant,
    /// For people.
    pub time: SystemTime,
}

impl Start {
    /// Now.
    pub fn now() -> Self {
        Self {
            instant: Instant::now(),
            time: SystemTime::now(),
        }
    }
}

/// The run's page and commit.
#[derive(Debug, Clone, Default)]
pub struct RunInfo {
    /// The page of the run.
    pub url: Option<String>,
    /// The commit.
    pub sha: Option<String>,
}

/// Builds the report of a run that has ended now.
pub fn build(start: Start, outcome: Outcome<'_>, run: RunInfo) -> Report {
    Report {
        schema: 1,
        tool: Tool {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        },
        exit: outcome.exit,
        started_at: humantime::format_rfc3339_millis(start.time).to_string(),
        duration_ms: millis(start.instant.elapsed()),
        control: outcome.control.map(ControlReport::from),
        run_url: run.url,
        sha: run.sha,
        targets: outcome
            .targets
            .into_iter()
            .map(|finding| target_report(start, finding))
            .collect(),
    }
}

impl From<ControlAnswer> for ControlReport {
    fn from(answer: ControlAnswer) -> Self {
        Self {
            url: answer.url,
            reachable: answer.evidence.remote || answer.evidence.this_machine,
            cause: answer.cause,
        }
    }
}

fn target_report(start: Start, finding: Finding<'_>) -> TargetReport {
    let Finding {
        target,
        record,
        deciding,
        ..
    } = finding;
    TargetReport {
        name: target.name.clone(),
        protocol: target.probe.protocol(),
        url: target.probe.address(text::LONG),
        final_url: deciding.and_then(|attempt| attempt.final_url.clone()),
        required: finding.required,
        verdict: finding.verdict,
        cause: finding.cause,
        http_status: deciding.and_then(|attempt| attempt.http_status),
        code: deciding.and_then(|attempt| attempt.code.clone()),
        elsewhere: None,
        known: finding.incident.map(KnownReport::from),
        recovered: finding.recovered,
        note: finding.note,
        message: finding.message,
        duration_ms: millis(record.duration),
        attempts: record
            .attempts
            .iter()
            .map(|attempt| attempt_report(start, attempt))
            .collect(),
    }
}

fn attempt_report(start: Start, attempt: &Attempt) -> AttemptReport {
    AttemptReport {
        offset_ms: millis(attempt.started.saturating_duration_since(start.instant)),
        duration_ms: millis(attempt.duration),
        address: attempt.address.map(|address| address.to_string()),
        cause: attempt.cause,
        http_status: attempt.http_status,
        detail: attempt.detail.clone(),
        phases: attempt.phases.into(),
    }
}

impl From<Phases> for PhasesReport {
    fn from(phases: Phases) -> Self {
        let ms = |span: Option<Duration>| {
            // Microseconds are noise; a float without them stays short.
            span.map(|span| (span.as_secs_f64() * 10_000.0).round() / 10.0)
        };
        Self {
            dns_ms: ms(phases.dns),
            connect_ms: ms(phases.connect),
            tls_ms: ms(phases.tls),
            response_ms: ms(phases.response),
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
