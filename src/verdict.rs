//! Stage 4: what the attempts mean. Pure.
//!
//! The rules are the contract's: any expected answer is up, a dependency is never blamed for
//! the runner's own fault, and what cannot be shown to be reachable is not up.

use serde::{Serialize, Serializer};

use crate::exit::RunResult;
use crate::probe::{Cause, Evidence};
use crate::record::{Control, Next, Record};
use crate::text;

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
    #[must_use]
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

/// The verdict of one target, with its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// The cause, `None` if it is up.
    pub cause: Option<Cause>,
    /// What happened, for people.
    pub message: String,
    /// What an `up` does not say.
    pub note: Option<&'static str>,
    /// Whether it is up after failures.
    pub recovered: bool,
}

/// Whether a verdict depends on the control address: some target is silent, and no other gave
/// an answer that would prove the way out.
#[must_use]
pub(crate) fn needs_control(records: &[Record]) -> bool {
    let evidence = all_evidence(records);
    records
        .iter()
        .any(|record| record.is_silent() && !record.is_covered_by(evidence))
}

// A silent target has no evidence itself, so the evidence of all are those of the others.
fn all_evidence(records: &[Record]) -> Evidence {
    records
        .iter()
        .fold(Evidence::default(), |evidence, record| {
            evidence.or(record.evidence())
        })
}

/// Judges every target. `control` is `None` where it is off.
#[must_use]
pub fn judge(records: &[Record], control: Option<&Control>) -> Vec<Judged> {
    let evidence = all_evidence(records);
    records
        .iter()
        .map(|record| judge_one(record, evidence, control))
        .collect()
}

fn judge_one(record: &Record, others: Evidence, control: Option<&Control>) -> Judged {
    let Some(attempt) = record.deciding_attempt() else {
        return Judged {
            verdict: Verdict::Unknown,
            cause: Some(Cause::Local),
            message: "no attempt was made: the deadline came before this target had its turn"
                .to_owned(),
            note: None,
            recovered: false,
        };
    };
    let Some(cause) = attempt.cause else {
        return Judged {
            verdict: Verdict::Up,
            cause: None,
            message: attempt.detail.clone(),
            note: attempt.http_status.and_then(note),
            recovered: record.attempts.len() > 1,
        };
    };
    let mut message = attempt.detail.clone();
    if let Some(Next::ToldToWait(asked)) = record.ended {
        message.push_str(&format!(
            "; given up: the target asked to be retried only after {}, which is past the deadline",
            text::show_duration(asked)
        ));
    }
    let silent = record.is_silent() && !record.is_covered_by(others);
    let verdict = match control {
        _ if cause.is_runners_side() => Verdict::Unknown,
        Some(control) if silent && !record.is_covered_by(control.evidence) => {
            let said = if control.evidence.this_machine {
                "is on this machine, which says nothing about the way out"
            } else {
                "did not answer either"
            };
            message.push_str(&format!(
                "; the control address {} {said}, so it may be the runner's own network",
                control.url
            ));
            Verdict::Unknown
        }
        _ => Verdict::Down,
    };
    Judged {
        verdict,
        cause: Some(cause),
        message,
        note: None,
        recovered: false,
    }
}

/// The step was interrupted: a target whose attempts had not come to an end has no verdict, nor
/// has one whose verdict depends on the control address (`control`) that was not asked any more.
pub fn interrupt(records: &[Record], judged: &mut [Judged], control: bool) {
    let evidence = all_evidence(records);
    for (record, judged) in records.iter().zip(judged) {
        let unfinished = matches!(record.ended, None | Some(Next::After(_)));
        let open = control && record.is_silent() && !record.is_covered_by(evidence);
        if judged.verdict != Verdict::Up && (unfinished || open) {
            judged.verdict = Verdict::Unknown;
            judged.message = match record.deciding_attempt() {
                Some(attempt) => format!(
                    "no verdict: the step was interrupted while the target was being waited for; so far: {}",
                    attempt.detail
                ),
                None => {
                    "no verdict: the step was interrupted before the first attempt ended".to_owned()
                }
            };
        }
    }
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

/// The result of the step: the worst of all required targets.
#[must_use]
pub fn overall<'a>(required: impl IntoIterator<Item = &'a Judged>) -> RunResult {
    required.into_iter().fold(RunResult::Up, |worst, judged| {
        match (worst, judged.verdict) {
            (RunResult::Down, _) | (_, Verdict::Down) => RunResult::Down,
            (RunResult::Unknown, _) | (_, Verdict::Unknown) => RunResult::Unknown,
            _ => RunResult::Up,
        }
    })
}

#[cfg(test)]
mod tests;
