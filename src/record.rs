//! What was learnt about each target: its attempts, and what followed the last one.

use std::time::Duration;

use crate::net::machine;
use crate::probe::{Attempt, Cause, Evidence};
use crate::target::Target;

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another attempt, after this wait.
    After(Duration),
    /// No attempt is left.
    UsedUp,
    /// The deadline comes before the next attempt could.
    OutOfTime,
    /// The target asked to be retried only after this long, which is past the deadline.
    ToldToWait(Duration),
}

/// Something that happened to a target.
#[derive(Debug)]
pub(crate) struct Event {
    /// Which target.
    pub index: usize,
    /// The attempt that ended.
    pub attempt: Attempt,
    /// What follows a failed attempt; `None` once the target is up.
    pub next: Option<Next>,
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
    /// The attempt that decides the verdict: the last one, but one that the deadline cut
    /// short only if there is no other.
    #[must_use]
    pub fn deciding_attempt(&self) -> Option<&Attempt> {
        self.attempts
            .iter()
            .rev()
            .find(|attempt| !attempt.cut_short)
            .or(self.attempts.last())
    }

    pub(crate) fn evidence(&self) -> Evidence {
        self.attempts
            .iter()
            .fold(Evidence::default(), |evidence, attempt| {
                evidence.or(attempt.evidence)
            })
    }

    /// Whether nothing ever came back: every attempt that counts ended in silence, or
    /// before it left the runner.
    pub(crate) fn is_silent(&self) -> bool {
        let all = self.attempts.iter().all(|attempt| attempt.cut_short);
        let spoken = self
            .deciding_attempt()
            .and_then(|attempt| attempt.cause)
            .is_some_and(Cause::is_silence);
        spoken
            && self.evidence() == Evidence::default()
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

    /// Whether this evidence says anything about the way to this target.
    pub(crate) const fn is_covered_by(&self, evidence: Evidence) -> bool {
        evidence.remote || self.on_this_machine && evidence.this_machine
    }
}

/// The control address, after it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// What it answered, and from where.
    pub evidence: Evidence,
    /// Why it did not answer, or what was wrong with its answer.
    pub cause: Option<Cause>,
    /// Its address, fit to be shown.
    pub url: String,
}

/// Collects the events of every target.
#[derive(Debug)]
pub(crate) struct Records(pub Vec<Record>);

impl Records {
    /// Empty records for these targets.
    #[must_use]
    pub(crate) fn of(targets: &[Target]) -> Self {
        Self(
            targets
                .iter()
                .map(|target| Record {
                    on_this_machine: target.probe.is_on_this_machine(),
                    ..Record::default()
                })
                .collect(),
        )
    }

    /// Adds an event to its target's record.
    pub(crate) fn add(&mut self, event: Event) {
        let Some(record) = self.0.get_mut(event.index) else {
            return;
        };
        let first = record
            .attempts
            .first()
            .map_or(event.attempt.started, |first| first.started);
        record.duration = (event.attempt.started + event.attempt.duration)
            .saturating_duration_since(first)
            .max(Duration::ZERO);
        if !event.attempt.through_proxy
            && let Some(address) = event.attempt.address
        {
            record.on_this_machine = machine::is_own(address.ip());
        }
        record.ended = event.next;
        record.attempts.push(event.attempt);
    }
}
