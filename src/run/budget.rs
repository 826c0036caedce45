//! Who may take how long, so that the whole run ends before its deadline.

use std::time::{Duration, Instant};

use crate::durations::{
    CONTROL, END_MARGIN, HISTORY, PUBLISH_LATE, PUBLISHING, PUBLISHING_WITH_STATUS,
    SHORTEST_HISTORY, SHORTEST_PUBLISHING,
};

/// When each part of the run must be over. Reporting has its time reserved before probing
/// begins, and so has the control address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Probing.
    pub probing: Instant,
    /// The control address.
    pub control: Instant,
    /// Everything.
    pub end: Instant,
    /// The deadline itself.
    pub deadline: Instant,
}

impl Budget {
    /// Shares out the deadline.
    pub(crate) fn share(start: Instant, deadline: Duration, posts: bool, controls: bool) -> Self {
        let (part, most) = if posts {
            (10, PUBLISHING_WITH_STATUS)
        } else {
            (20, PUBLISHING)
        };
        let report = (deadline / part)
            .clamp(SHORTEST_PUBLISHING, most)
            .min(deadline / 3);
        let ask = if controls {
            (deadline / 5).min(CONTROL)
        } else {
            Duration::ZERO
        };
        let until_control = deadline.saturating_sub(report);
        Self {
            probing: start + until_control.saturating_sub(ask),
            control: start + until_control,
            end: start + deadline.saturating_sub(END_MARGIN.min(deadline / 10)),
            deadline: start + deadline,
        }
    }

    /// When publishing must be over. Past the deadline there is something to publish only where the
    /// whole process stood still over it: then the watchdog waits a little.
    pub(super) fn end_of_publishing(&self, now: Instant) -> Instant {
        self.after_standstill(now).unwrap_or(self.end)
    }

    /// Until when the log's reader is waited for, once all is published at `now`.
    pub(super) fn end_of_log(&self, now: Instant) -> Instant {
        let in_time = self.deadline.checked_sub(END_MARGIN / 2);
        self.after_standstill(now)
            .unwrap_or(in_time.unwrap_or(self.deadline))
    }

    /// When it is over past the deadline; `None` before.
    fn after_standstill(&self, now: Instant) -> Option<Instant> {
        (now >= self.deadline).then(|| now + PUBLISH_LATE)
    }

    /// How long to ask the forge what other runs saw, beside the control address; `None` where that
    /// is not worth it. Nothing is reserved for it, so that no verdict depends on it.
    pub(super) fn history(&self, now: Instant) -> Option<Duration> {
        let limit = self.control.saturating_duration_since(now) / 2;
        (limit >= SHORTEST_HISTORY).then_some(limit.min(HISTORY))
    }

    pub(super) fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_has_half_of_what_is_left_and_a_second_at_most() {
        let start = Instant::now();
        let budget = Budget::share(start, Duration::from_secs(60), true, true);
        assert_eq!(budget.history(start), Some(HISTORY));
        for (left, limit) in [
            (5000, Some(1000)),
            (1000, Some(500)),
            (50, Some(25)),
            (49, None),
            (0, None),
        ] {
            let now = budget.control.checked_sub(Duration::from_millis(left));
            let now = now.unwrap();
            assert_eq!(
                budget.history(now),
                limit.map(Duration::from_millis),
                "{left}"
            );
        }
        assert_eq!(budget.history(budget.end), None);
    }

    #[test]
    fn time_for_the_report_is_reserved_however_short_the_deadline() {
        let start = Instant::now();
        for millis in [50, 500, 1000, 3000, 60_000, 3_600_000] {
            let deadline = Duration::from_millis(millis);
            for (posts, controls) in [(false, false), (true, false), (true, true)] {
                let budget = Budget::share(start, deadline, posts, controls);
                assert!(start < budget.probing, "{millis}");
                assert!(budget.probing <= budget.control && budget.control < budget.end);
                assert!(budget.end < start + deadline);
            }
        }
    }
}
