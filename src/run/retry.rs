//! How long until the next attempt, and when there is none. Pure: time and chance come in as
//! arguments.

use std::time::Duration;

use crate::durations::{ATTEMPTS_APART, LAST_ATTEMPT, LONGEST_WAIT};
use crate::record::Next;
use crate::target::{Attempts, Policy};

/// Decides what follows attempt number `made` (from 1), which began `took` ago. `left` is the
/// time until probing must end; `chance` is drawn evenly from 0 to 1.
pub fn next(
    policy: &Policy,
    made: u32,
    took: Duration,
    retry_after: Option<Duration>,
    left: Duration,
    chance: f64,
) -> Next {
    if let Attempts::AtMost(most) = policy.attempts
        && made >= most
    {
        return Next::UsedUp;
    }
    if let Some(asked) = retry_after
        && asked >= left
    {
        return Next::ToldToWait(asked);
    }
    let full = doubled(policy.interval, made);
    let least = full / 2;
    let drawn = least + full.saturating_sub(least).mul_f64(chance.clamp(0.0, 1.0));
    let floor = retry_after
        .unwrap_or_default()
        .max(ATTEMPTS_APART.saturating_sub(took));
    let wait = drawn.max(floor);
    if wait < left {
        return Next::After(wait);
    }
    // The drawn wait is too long, a shorter one within the same bounds may not be.
    let latest = left.saturating_sub(policy.timeout.min(LAST_ATTEMPT));
    let least = least.max(floor);
    if latest > least {
        Next::After(latest)
    } else {
        Next::OutOfTime
    }
}

/// The interval, doubled with each attempt after the first, up to the ceiling; an interval
/// that is longer from the start stays as it is.
fn doubled(interval: Duration, made: u32) -> Duration {
    let factor = 1_u32
        .checked_shl(made.saturating_sub(1))
        .unwrap_or(u32::MAX);
    interval
        .saturating_mul(factor)
        .min(LONGEST_WAIT.max(interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR: Duration = Duration::from_secs(3600);
    const TOOK: Duration = Duration::from_secs(1);

    fn policy(attempts: Attempts) -> Policy {
        Policy {
            timeout: Duration::from_secs(10),
            attempts,
            interval: Duration::from_secs(1),
        }
    }

    #[test]
    fn waits_double_up_to_the_ceiling() {
        let policy = policy(Attempts::Unlimited);
        let waits: Vec<_> = [1, 2, 3, 6, 7, 40, u32::MAX]
            .map(|made| next(&policy, made, TOOK, None, FAR, 1.0))
            .into();
        let expected = [1, 2, 4, 30, 30, 30, 30].map(|secs| Next::After(Duration::from_secs(secs)));
        assert_eq!(waits, expected);
        assert_eq!(
            next(&policy, 1, TOOK, None, FAR, 0.0),
            Next::After(Duration::from_millis(500))
        );
    }

    #[test]
    fn a_long_interval_is_not_shortened() {
        let policy = Policy {
            interval: Duration::from_secs(60),
            ..policy(Attempts::Unlimited)
        };
        assert_eq!(
            next(&policy, 3, TOOK, None, FAR, 1.0),
            Next::After(Duration::from_secs(60))
        );
    }

    #[test]
    fn attempts_are_counted_exactly() {
        let policy = policy(Attempts::AtMost(3));
        assert!(matches!(
            next(&policy, 2, TOOK, None, FAR, 0.5),
            Next::After(_)
        ));
        assert_eq!(next(&policy, 3, TOOK, None, FAR, 0.5), Next::UsedUp);
    }

    #[test]
    fn retry_after_is_honoured_or_the_target_given_up() {
        let policy = policy(Attempts::AtMost(3));
        let asked = Duration::from_secs(20);
        assert_eq!(
            next(&policy, 1, TOOK, Some(asked), FAR, 1.0),
            Next::After(asked)
        );
        assert_eq!(
            next(&policy, 1, TOOK, Some(asked), Duration::from_secs(10), 1.0),
            Next::ToldToWait(asked)
        );
    }

    #[test]
    fn the_last_wait_before_the_deadline_is_shortened_within_its_bounds() {
        let policy = Policy {
            interval: Duration::from_secs(8),
            ..policy(Attempts::Unlimited)
        };
        let left = Duration::from_secs(7);
        assert_eq!(
            next(&policy, 1, TOOK, None, left, 1.0),
            Next::After(Duration::from_secs(6))
        );
        assert_eq!(
            next(&policy, 1, TOOK, None, Duration::from_secs(4), 1.0),
            Next::OutOfTime
        );
    }

    /// A service that fails at once is not asked without a pause, whatever the interval.
    #[test]
    fn attempts_begin_a_tenth_of_a_second_apart() {
        let policy = Policy {
            interval: Duration::ZERO,
            ..policy(Attempts::Unlimited)
        };
        for (took, retry_after, wait) in [
            (0, None, 100),
            (30, None, 70),
            (100, None, 0),
            (30, Some(0), 70),
            (30, Some(90), 90),
        ] {
            let took = Duration::from_millis(took);
            let retry_after = retry_after.map(Duration::from_millis);
            assert_eq!(
                next(&policy, 1, took, retry_after, FAR, 0.5),
                Next::After(Duration::from_millis(wait))
            );
        }
        let left = Duration::from_millis(50);
        assert_eq!(
            next(&policy, 1, Duration::ZERO, None, left, 0.5),
            Next::OutOfTime
        );
    }
}
