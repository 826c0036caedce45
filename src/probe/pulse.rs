//! Whether the runner itself keeps time: a stopped container, a moved machine or a CPU that is
//! given to others must not look like a silent service.
//!
//! What arrived while it stood still is read first ([`crate::net::timer`]); if nothing did, the
//! silence says nothing about the far side.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::durations::{PULSE, STANDSTILL};

/// Notices when the runner stands still. Every attempt looks at it, one task keeps it beating.
#[derive(Debug, Default)]
pub struct Pulse(Mutex<Beats>);

#[derive(Debug, Default)]
struct Beats {
    /// `None` while nobody keeps it beating.
    last: Option<Instant>,
    stood: Duration,
}

impl Beats {
    /// How long the runner has been standing still since the last beat.
    fn pause(&self, now: Instant) -> Duration {
        self.last
            .map(|last| now.saturating_duration_since(last).saturating_sub(PULSE))
            .filter(|late| *late >= STANDSTILL)
            .unwrap_or_default()
    }
}

impl Pulse {
    fn beats(&self) -> std::sync::MutexGuard<'_, Beats> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps it beating, for ever.
    pub async fn beat(&self) {
        let _end = End(self);
        loop {
            let now = Instant::now();
            {
                let mut beats = self.beats();
                let pause = beats.pause(now);
                beats.stood += pause;
                beats.last = Some(now);
            }
            sleep(PULSE).await;
        }
    }

    /// How long the runner has stood still in all, short delays left out.
    #[must_use]
    pub fn stood_still(&self) -> Duration {
        let beats = self.beats();
        beats.stood + beats.pause(Instant::now())
    }
}

/// A pulse that nobody keeps beating any more is not late.
struct End<'a>(&'a Pulse);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.beats().last = None;
    }
}

/// Whether a wait of `limit` says nothing, because the runner `stood` still for a good part of
/// it, or its timer was `late`; and for how long it stood.
#[must_use]
pub(crate) fn is_standstill(stood: Duration, late: Duration, limit: Duration) -> Option<Duration> {
    let much = late >= STANDSTILL || !stood.is_zero() && stood.saturating_mul(4) >= limit;
    much.then(|| stood.max(late))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::timer::tests::{run, stall};

    #[test]
    fn a_late_timer_or_a_long_pause_is_a_standstill() {
        let ms = Duration::from_millis;
        for (stood, late, limit, expected) in [
            (0, 0, 1000, None),
            (0, 200, 1000, None),
            (0, 250, 1000, Some(250)),
            (300, 250, 60_000, Some(300)),
            (300, 0, 1000, Some(300)),
            (300, 0, 10_000, None),
            (0, 0, 0, None),
        ] {
            let found = is_standstill(ms(stood), ms(late), ms(limit));
            assert_eq!(found, expected.map(ms), "{stood} {late} {limit}");
        }
    }

    #[test]
    fn a_standstill_is_noticed_before_and_after_the_next_beat() {
        run(async {
            let pulse = Pulse::default();
            let watching = async {
                assert_eq!(pulse.stood_still(), Duration::ZERO);
                stall(600);
                assert!(pulse.stood_still() >= STANDSTILL, "before the next beat");
                tokio::task::yield_now().await;
                tokio::task::yield_now().await;
                assert!(pulse.stood_still() >= STANDSTILL, "after it");
            };
            tokio::select! {
                biased;
                () = pulse.beat() => {}
                () = watching => {}
            }
            stall(600);
            let stood = pulse.stood_still();
            assert!(
                stood < Duration::from_millis(1000),
                "{stood:?}: not counted when nobody keeps it beating"
            );
        });
    }
}
