//! Stage 4: what the attempts mean. Pure.
//!
//! The rules are the contract's: any expected answer is up, a dependency is never blamed for
//! the runner's own fault, and what cannot be shown to be reachable is not up.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::exit::RunResult;
use crate::probe::{Attempt, Cause, Signs};
use crate::text;
use crate::waiting::Next;

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
    pub const fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// What was learnt about one target.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Its attempts, in order.
    pub attempts: Vec<Attempt>,
    /// What followed the last of them.
    pub ended: Option<Next>,
    /// From its first attempt to its end.
    pub duration: Duration,
    /// Whether its address is on this machine: loopback, or any of its own.
    pub on_this_machine: bool,
}

impl Record {
    /// The attempt that speaks for the target: the last one, but one that the deadline cut
    /// short only if there is no other.
    #[must_use]
    pub fn speaker(&self) -> Option<&Attempt> {
        self.attempts
            .iter()
            .rev()
            .find(|attempt| !attempt.cut_short)
            .or(self.attempts.last())
    }

    fn signs(&self) -> Signs {
        self.attempts
            .iter()
            .fold(Signs::default(), |signs, attempt| signs.or(attempt.signs))
    }

    /// Whether nothing ever came back: every attempt that counts ended in silence, or
    /// before it left the runner.
    fn is_silent(&self) -> bool {
        let all = self.attempts.iter().all(|attempt| attempt.cut_short);
        let spoken = self
            .speaker()
            .and_then(|attempt| attempt.cause)
            .is_some_and(Cause::is_silence);
        spoken
            && self.signs() == Signs::default()
            && self
                .attempts
                .iter()
                .filter(|attempt| all || !attempt.cut_short)
                .all(|attempt| {
                    attempt
                        .cause
                        .is_some_and(|cause| cause.is_silence() || cause.is_runners_side())
                })
    }

    /// Whether these signs say anything about the way to this target.
    const fn is_touched_by(&self, signs: Signs) -> bool {
        signs.remote || self.on_this_machine && signs.this_machine
    }
}

/// The control address, after it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// The signs of life it gave.
    pub signs: Signs,
    /// Why it gave none, or what was wrong with its answer.
    pub cause: Option<Cause>,
    /// Its address, fit to be shown.
    pub url: String,
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

/// Whether a verdict hangs on the control address: some target is silent, and no other gave
/// a sign of life that would speak for the way out.
#[must_use]
pub fn needs_control(records: &[Record]) -> bool {
    let signs = all_signs(records);
    records
        .iter()
        .any(|record| record.is_silent() && !record.is_touched_by(signs))
}

// A silent target has no signs itself, so the signs of all are those of the others.
fn all_signs(records: &[Record]) -> Signs {
    records
        .iter()
        .fold(Signs::default(), |signs, record| signs.or(record.signs()))
}

/// Judges every target. `control` is `None` where it is off.
#[must_use]
pub fn judge(records: &[Record], control: Option<&Control>) -> Vec<Judged> {
    let signs = all_signs(records);
    records
        .iter()
        .map(|record| judge_one(record, signs, control))
        .collect()
}

fn judge_one(record: &Record, others: Signs, control: Option<&Control>) -> Judged {
    let Some(attempt) = record.speaker() else {
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
    let silent = record.is_silent() && !record.is_touched_by(others);
    let verdict = match control {
        _ if cause.is_runners_side() => Verdict::Unknown,
        Some(control) if silent && !record.is_touched_by(control.signs) => {
            let said = if control.signs.this_machine {
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
/// has one whose verdict hangs on the control address (`control`) that was not asked any more.
pub fn interrupt(records: &[Record], judged: &mut [Judged], control: bool) {
    let signs = all_signs(records);
    for (record, judged) in records.iter().zip(judged) {
        let unfinished = matches!(record.ended, None | Some(Next::After(_)));
        let open = control && record.is_silent() && !record.is_touched_by(signs);
        if judged.verdict != Verdict::Up && (unfinished || open) {
            judged.verdict = Verdict::Unknown;
            judged.message = match record.speaker() {
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
