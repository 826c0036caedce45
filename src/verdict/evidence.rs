//! What the attempts at a target prove: which of them decides, and what came back from where.

use crate::probe::{Attempt, Cause, Evidence};
use crate::record::{Control, ControlAnswer, Next, Record};

/// What the attempts at one target prove.
#[derive(Debug, Clone, Copy)]
pub(super) struct TargetEvidence<'a> {
    /// The attempt that decides the verdict: the last one, but one that the deadline cut short
    /// only if there is no other.
    pub(super) deciding: Option<&'a Attempt>,
    /// Whether the address is on this machine, so that an answer from here counts for it.
    on_this_machine: bool,
    /// Whether nothing ever came back: every attempt that counts ended in silence, or before
    /// it left the runner.
    silent: bool,
    /// Whether the attempts came to their end.
    pub(super) finished: bool,
}

impl<'a> TargetEvidence<'a> {
    pub(super) fn of(record: &'a Record<'_>) -> Self {
        let attempts = &record.attempts;
        let deciding = attempts
            .iter()
            .rev()
            .find(|attempt| !attempt.cut_short)
            .or(attempts.last());
        let received = received(record);
        let all_cut = attempts.iter().all(|attempt| attempt.cut_short);
        let is_silence = |attempt: &Attempt| attempt.cause.is_some_and(Cause::is_silence);
        let silent = deciding.is_some_and(is_silence)
            && received == Evidence::default()
            && attempts
                .iter()
                .filter(|attempt| all_cut || !attempt.cut_short)
                .all(|attempt| {
                    is_silence(attempt) || attempt.cause.is_some_and(Cause::is_runners_side)
                });
        Self {
            deciding,
            on_this_machine: record.on_this_machine,
            silent,
            finished: !matches!(record.ended, None | Some(Next::After(_))),
        }
    }

    /// Whether the runner's own network may be what kept the answers away: the target is silent,
    /// and nothing in `received` proves the way to it.
    pub(super) const fn may_be_the_runners(&self, received: Evidence) -> bool {
        let proven = received.remote || self.on_this_machine && received.this_machine;
        self.silent && !proven
    }
}

/// What came back from one target, from where.
fn received(record: &Record<'_>) -> Evidence {
    let attempts = record.attempts.iter();
    attempts.fold(Evidence::default(), |all, attempt| all.or(attempt.evidence))
}

/// What came back from all targets together. A silent one adds nothing, so that for it these are
/// the answers of the others.
pub(super) fn of_all(records: &[Record<'_>]) -> Evidence {
    let all = records.iter().map(received);
    all.fold(Evidence::default(), Evidence::or)
}

/// Whether a verdict depends on the control address: some target is silent, and no other gave
/// an answer that would prove the way out.
pub(crate) fn needs_control(records: &[Record<'_>]) -> bool {
    let received = of_all(records);
    records
        .iter()
        .any(|record| TargetEvidence::of(record).may_be_the_runners(received))
}

/// What the control address says about a silent target.
pub(super) enum Way<'a> {
    /// Nothing speaks against the way out: the target's silence is its own.
    Open,
    /// It did not prove the way out, either.
    Unproven(&'a ControlAnswer),
    /// It was not asked.
    NotAsked,
}

impl Control {
    pub(super) fn way_to(&self, target: &TargetEvidence<'_>) -> Way<'_> {
        match self {
            Self::Answered(answer) if target.may_be_the_runners(answer.evidence) => {
                Way::Unproven(answer)
            }
            Self::Off | Self::Answered(_) => Way::Open,
            Self::NotAsked => Way::NotAsked,
        }
    }
}
