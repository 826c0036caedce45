//! What the attempts mean. Pure: [`conclude`] is the only way to a verdict.
//!
//! Any expected answer is up, a dependency is never blamed for the runner's own fault, and what
//! cannot be shown to be reachable is not up.

mod evidence;
pub(crate) mod known;

use std::borrow::Cow;
use std::time::SystemTime;

use serde::{Serialize, Serializer};

use crate::exit::{Exit, Interrupt, RunResult};
use crate::probe::{Attempt, Cause, Evidence, join};
use crate::record::{Control, ControlAnswer, Next, Record};
use crate::target::Target;
use crate::text;
pub(crate) use evidence::needs_control;
use evidence::{TargetEvidence, Way};
pub use known::Incident;

/// The verdict of one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It answered as expected.
    Up,
    /// It did not.
    Down,
    /// Nothing came back, and it may be the runner's own fault.
    Unknown,
}

impl Verdict {
    /// The verdict in the report and the outputs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What a run found out.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// The result, and the signal that ended the run early, if one did.
    pub exit: Exit,
    /// Every target with its verdict, in the order given.
    pub targets: Vec<Finding<'a>>,
    /// The control address, if it was asked.
    pub control: Option<ControlAnswer>,
}

/// What was found out about one target.
#[derive(Debug)]
pub struct Finding<'a> {
    /// The target.
    pub target: &'a Target,
    /// Its attempts.
    pub record: &'a Record<'a>,
    /// Whether its verdict counts.
    pub required: bool,
    /// The known incident, if there is one.
    pub incident: Option<Incident<'a>>,
    /// The attempt that decided; `None` where none was made.
    pub deciding: Option<&'a Attempt>,
    /// The verdict.
    pub verdict: Verdict,
    /// The cause, `None` if it is up.
    pub cause: Option<Cause>,
    /// What happened, for people.
    pub message: String,
    /// What an `up` does not say.
    pub note: Option<Cow<'static, str>>,
    /// Whether it is up after failures.
    pub recovered: bool,
}

/// Judges every target, and the run: the worst of all required targets, unless it was interrupted.
/// `now` is the time by which a known incident is over or not.
pub fn conclude<'a>(
    records: &'a [Record<'a>],
    control: Control,
    interrupt: Option<Interrupt>,
    now: SystemTime,
) -> Outcome<'a> {
    let received = evidence::of_all(records);
    let targets: Vec<_> = records
        .iter()
        .map(|record| {
            let finding = judge(record, received, &control, interrupt.is_some());
            with_incident(finding, now)
        })
        .collect();
    let result = match interrupt {
        Some(_) => RunResult::Error,
        None => worst(&targets),
    };
    Outcome {
        exit: Exit { result, interrupt },
        targets,
        control: match control {
            Control::Answered(answer) => Some(answer),
            Control::Off | Control::NotAsked => None,
        },
    }
}

/// A finding with what is known of an incident.
fn with_incident(finding: Finding<'_>, now: SystemTime) -> Finding<'_> {
    let mut finding = Finding {
        required: known::counts(finding.target, now),
        incident: Incident::of(finding.target, now),
        ..finding
    };
    known::tell_of_its_end(&mut finding, now);
    finding
}

/// Judges one target. `received` is what came back from all of them.
fn judge<'a>(
    record: &'a Record<'a>,
    received: Evidence,
    control: &Control,
    interrupted: bool,
) -> Finding<'a> {
    let evidence = TargetEvidence::of(record);
    let finding = |verdict, cause, message| Finding {
        target: record.target,
        record,
        required: record.target.required,
        incident: None,
        deciding: evidence.deciding,
        verdict,
        cause,
        message,
        note: None,
        recovered: false,
    };
    let Some(attempt) = evidence.deciding else {
        let why = if interrupted {
            "no verdict: the step was interrupted before the first attempt ended"
        } else {
            "no attempt was made: the deadline came before this target had its turn"
        };
        return finding(Verdict::Unknown, Some(Cause::Local), why.to_owned());
    };
    let Some(cause) = attempt.cause else {
        return Finding {
            note: join(
                attempt.http_status.and_then(note).map(Cow::Borrowed),
                attempt.note.clone(),
            ),
            recovered: record.attempts.len() > 1,
            ..finding(Verdict::Up, None, attempt.detail.clone())
        };
    };
    let way = if evidence.may_be_the_runners(received) {
        control.way_to(&evidence)
    } else {
        Way::Open
    };
    if interrupted && (!evidence.finished || matches!(way, Way::NotAsked)) {
        let message = format!(
            "no verdict: the step was interrupted while the target was being waited for; so far: {}",
            attempt.detail
        );
        return finding(Verdict::Unknown, Some(cause), message);
    }
    let mut message = attempt.detail.clone();
    if let Some(Next::ToldToWait(asked)) = record.ended {
        message.push_str(&format!(
            "; given up: the target asked to be retried only after {}, which is past the deadline",
            text::show_duration(asked)
        ));
    }
    let verdict = match way {
        _ if cause.is_runners_side() => Verdict::Unknown,
        Way::Open => Verdict::Down,
        Way::Unproven(answer) => {
            let said = if answer.evidence.this_machine {
                "is on this machine, which says nothing about the way out"
            } else {
                "did not answer either"
            };
            message.push_str(&format!(
                "; the control address {} {said}, so it may be the runner's own network",
                answer.url
            ));
            Verdict::Unknown
        }
        Way::NotAsked => Verdict::Unknown,
    };
    finding(verdict, Some(cause), message)
}

/// What an answer below 500 leaves open.
const fn note(status: u16) -> Option<&'static str> {
    match status {
        401 => Some("it answered; the login was not checked"),
        403 => Some("it answered; login and permissions were not checked"),
        404 => Some("it answered; the path was not checked"),
        429 => Some("it answered; the quota was not checked"),
        _ => None,
    }
}

/// The worst of all required targets; `up` where none is required.
fn worst(targets: &[Finding<'_>]) -> RunResult {
    let verdicts = targets
        .iter()
        .filter(|finding| finding.required)
        .map(|finding| finding.verdict);
    verdicts.fold(RunResult::Up, |worst, verdict| match (worst, verdict) {
        (RunResult::Down, _) | (_, Verdict::Down) => RunResult::Down,
        (RunResult::Unknown, _) | (_, Verdict::Unknown) => RunResult::Unknown,
        _ => RunResult::Up,
    })
}

#[cfg(test)]
mod tests;
