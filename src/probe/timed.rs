//! The time that an attempt has, and what its end means.

use std::pin::Pin;
use std::time::{Duration, Instant};

use super::failure::{self, Failure, Limit, Scene};
use super::pulse::{self, Pulse};
use super::{Attempt, AttemptBudget};
use crate::net::timer::{Waited, in_time};

/// An attempt under way.
#[derive(Debug)]
pub(super) struct Timed<'a> {
    started: Instant,
    /// When it has to be over.
    pub(super) until: Instant,
    limit: Limit,
    pulse: &'a Pulse,
    /// How long the runner had stood still before it began.
    stood: Duration,
}

/// What is known once it is over.
#[derive(Debug)]
pub(super) struct Ended {
    limit: Limit,
    late: Duration,
    /// How long the runner stood still meanwhile.
    stood: Duration,
}

impl<'a> Timed<'a> {
    /// It begins now.
    pub(super) fn begin(budget: AttemptBudget<'a>) -> Self {
        let started = Instant::now();
        let until = budget.latest.min(started + budget.timeout).max(started);
        Self {
            started,
            until,
            limit: Limit {
                time: until.saturating_duration_since(started),
                timeout: budget.timeout,
            },
            pulse: budget.pulse,
            stood: budget.pulse.stood_still(),
        }
    }

    /// Runs until it is done or the time is over (`None`).
    pub(super) async fn run<F: Future>(&self, run: Pin<&mut F>) -> (Option<F::Output>, Ended) {
        let Waited { done, late } = in_time(self.until, run).await;
        let ended = Ended {
            limit: self.limit,
            late,
            stood: self.pulse.stood_still().saturating_sub(self.stood),
        };
        (done, ended)
    }

    /// The attempt, with its times.
    pub(super) fn close(&self, attempt: Attempt) -> Attempt {
        Attempt {
            started: self.started,
            duration: self.started.elapsed(),
            ..attempt
        }
    }
}

impl Ended {
    /// How long it was allowed to take.
    pub(super) const fn limit(&self) -> Limit {
        self.limit
    }

    /// Why it failed: `why`, or that its time was over. Where the runner stood still for so long
    /// that a timer says nothing, it is that.
    pub(super) fn explain(&self, why: Option<&failure::Unanswered>, scene: &Scene<'_>) -> Failure {
        let failure = match why {
            Some(why) => failure::explain(why, scene),
            None => failure::timeout(scene),
        };
        let standstill = |wait| pulse::is_standstill(self.stood, self.late, wait);
        match failure.waited.and_then(standstill) {
            Some(stood) => failure::stood_still(scene, stood),
            None => failure,
        }
    }

    /// Whether the run's deadline cut short an attempt that ended for this reason.
    pub(super) fn was_cut_short(&self, why: Option<&failure::Unanswered>) -> bool {
        why.is_none() && self.limit.is_cut_short()
    }
}
