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
#[derive(Debug, Clone)]
pub struct Record<'a> {
    /// The target.
    pub target: &'a Target,
    /// Its attempts, in order.
    pub attempts: Vec<Attempt>,
    /// What followed the last of them.
    pub ended: Option<Next>,
    /// From its first attempt to its end.
    pub duration: Duration,
    /// Whether its address is on this machine: loopback, or any of its own.
    pub on_this_machine: bool,
}

impl<'a> Record<'a> {
    /// The record of a target that was not asked yet.
    pub fn of(target: &'a Target) -> Self {
        Self {
            target,
            attempts: Vec::new(),
            ended: None,
            duration: Duration::ZERO,
            on_this_machine: target.probe.is_on_this_machine(),
        }
    }

    fn add(&mut self, attempt: Attempt, next: Option<Next>) {
        let first = self.attempts.first().unwrap_or(&attempt).started;
        self.duration = (attempt.started + attempt.duration).saturating_duration_since(first);
        if !attempt.through_proxy
            && let Some(address) = attempt.address
        {
            self.on_this_machine = machine::is_own(address.ip());
        }
        self.ended = next;
        self.attempts.push(attempt);
    }
}

/// What is known of the control address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// There is none.
    Off,
    /// It was not asked: no verdict depended on it, or a signal came first.
    NotAsked,
    /// It was asked.
    Answered(ControlAnswer),
}

/// What came of asking the control address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlAnswer {
    /// What it answered, and from where.
    pub evidence: Evidence,
    /// Why it did not answer, or what was wrong with its answer.
    pub cause: Option<Cause>,
    /// Its address, fit to be shown.
    pub url: String,
}

/// The records of all targets, in the order given.
#[derive(Debug)]
pub(crate) struct Records<'a>(pub Vec<Record<'a>>);

impl<'a> Records<'a> {
    /// Empty records for these targets.
    pub(crate) fn of(targets: &'a [Target]) -> Self {
        Self(targets.iter().map(Record::of).collect())
    }

    /// Adds an event to its target's record.
    pub(crate) fn add(&mut self, event: Event) {
        if let Some(record) = self.0.get_mut(event.index) {
            record.add(event.attempt, event.next);
        }
    }
}
