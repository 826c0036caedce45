//! Whether the runner itself keeps time: a stopped container, a moved machine or a CPU that is
//! given to others must not look like a silent service.
//!
//! A timer that fires much too late says that nobody was there to listen. What arrived
//! meanwhile lies in the system's buffers and is read first; if nothing did, the silence says
//! nothing about the far side.

use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout, timeout_at};

/// How often the pulse beats.
const BEAT: Duration = Duration::from_millis(100);
/// From here on a late timer is a standstill. A runner with a tenth of a CPU is late by 90 ms
/// again and again, and works.
const LATE: Duration = Duration::from_millis(250);
/// A timer that is later than this may have been overtaken by what it waited for.
const PUNCTUAL: Duration = Duration::from_millis(20);
/// How many turns of the event loop it takes, at most, to read what has arrived: it takes in
/// 1024 events per turn, and an answer passes through two or three tasks.
const TURNS: u32 = 8;
/// What a standstill is made up for with: enough for an answer that is on its way.
const GRACE: Duration = Duration::from_millis(50);

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
            .map(|last| now.saturating_duration_since(last).saturating_sub(BEAT))
            .filter(|late| *late >= LATE)
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
            sleep(BEAT).await;
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
pub fn is_standstill(stood: Duration, late: Duration, limit: Duration) -> Option<Duration> {
    let much = late >= LATE || !stood.is_zero() && stood.saturating_mul(4) >= limit;
    much.then(|| stood.max(late))
}

/// What came of a wait.
#[derive(Debug, PartialEq, Eq)]
pub struct Waited<T> {
    /// `None` if nothing came in time.
    pub done: Option<T>,
    /// How late the end of the wait was noticed.
    pub late: Duration,
}

/// Runs until it is done or `until` has come. Where the timer fires too late, what arrived
/// meanwhile is read first.
pub async fn in_time<F: Future>(until: Instant, mut run: Pin<&mut F>) -> Waited<F::Output> {
    let done = timeout_at(until.into(), run.as_mut()).await.ok();
    let late = until.elapsed();
    if done.is_some() || late < PUNCTUAL {
        return Waited { done, late };
    }
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
    let grace = if late < LATE { Duration::ZERO } else { GRACE };
    let done = timeout(grace, run).await.ok();
    Waited { done, late }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::thread;

    use super::*;

    fn run<F: Future>(test: F) -> F::Output {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().build().unwrap().block_on(test)
    }

    /// Stops the only thread there is, as `SIGSTOP` does.
    fn stall(millis: u64) {
        thread::sleep(Duration::from_millis(millis));
    }

    #[test]
    fn what_arrived_during_a_standstill_is_read() {
        run(async {
            let (sender, receiver) = tokio::sync::oneshot::channel();
            let until = Instant::now() + Duration::from_millis(10);
            // It is told after three turns of the loop, all of them after the deadline.
            tokio::spawn(async move {
                stall(300);
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
                sender.send(7).unwrap();
            });
            let waited = in_time(until, pin!(receiver)).await;
            assert_eq!(waited.done, Some(Ok(7)));
            assert!(waited.late >= LATE, "{waited:?}");
        });
    }

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
    fn silence_ends_at_the_deadline() {
        run(async {
            let until = Instant::now() + Duration::from_millis(5);
            let silence = pin!(std::future::pending::<()>());
            assert_eq!(in_time(until, silence).await.done, None);
        });
    }

    #[test]
    fn a_standstill_is_noticed_before_and_after_the_next_beat() {
        run(async {
            let pulse = Pulse::default();
            let watching = async {
                assert_eq!(pulse.stood_still(), Duration::ZERO);
                stall(600);
                assert!(pulse.stood_still() >= LATE, "before the next beat");
                tokio::task::yield_now().await;
                tokio::task::yield_now().await;
                assert!(pulse.stood_still() >= LATE, "after it");
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
