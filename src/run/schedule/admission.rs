//! How many attempts are under way at once: as many as the runner keeps up with.
//!
//! The clock of an attempt starts when it has its permit. Four thousand TLS handshakes that
//! advance together all end too late, though the same ones, fewer at a time, are all done
//! within their timeout. So the number begins small and grows for as long as the event loop
//! is punctual: services that hang cost nothing and soon have thousands of permits; handshakes
//! keep the CPU busy, and are held to the number that it can do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::durations::{ADMISSION_GROWTH, ADMISSION_TICK, BUSY, OVERRUN, STUCK};

/// How many attempts begin at once.
const FIRST: usize = 32;
/// How many are left, however late the event loop is.
const LEAST: usize = 16;
/// How many more there may be after a punctual tick.
const MORE: usize = 64;
/// How many more after one that was somewhat late: on a machine that is busy with other things
/// they come to their turn as well.
const FEW: usize = 2;

/// The permits for attempts under way.
#[derive(Debug)]
pub(super) struct Admission {
    permits: Semaphore,
    /// Permits that are not given back to others, because there are too many.
    surplus: AtomicUsize,
    /// How many permits came back so far.
    returned: AtomicUsize,
    most: usize,
}

/// A permit; free again when dropped.
#[derive(Debug)]
pub(super) struct Permit<'a>(&'a Admission);

impl Admission {
    /// Room for `most` attempts, in the end.
    pub(super) fn new(most: usize) -> Self {
        Self {
            permits: Semaphore::new(FIRST.min(most)),
            surplus: AtomicUsize::new(0),
            returned: AtomicUsize::new(0),
            most,
        }
    }

    /// Waits for a permit.
    pub(super) async fn permit(&self) -> Permit<'_> {
        // The semaphore is never closed.
        if let Ok(permit) = self.permits.acquire().await {
            permit.forget();
        }
        Permit(self)
    }

    /// Makes room for as many as the event loop keeps up with.
    pub(super) async fn adapt(&self) {
        if self.most <= FIRST {
            return;
        }
        let mut width = FIRST;
        let mut moved = (0, Instant::now());
        let mut tick = ADMISSION_GROWTH;
        loop {
            let asked = Instant::now();
            sleep(tick).await;
            let late = asked.elapsed().saturating_sub(tick);
            let full = self.permits.available_permits() == 0;
            let returned = self.returned.load(Ordering::Relaxed);
            if returned != moved.0 || !full {
                moved = (returned, Instant::now());
            }
            let stuck = moved.1.elapsed() >= STUCK;
            let next = next_width(width, late, full, stuck).min(self.most);
            if next > width {
                self.widen(next - width);
            } else {
                self.surplus.fetch_add(width - next, Ordering::Relaxed);
            }
            tick = if next >= width + MORE {
                ADMISSION_GROWTH
            } else {
                ADMISSION_TICK
            };
            width = next;
        }
    }

    fn widen(&self, by: usize) {
        // Permits that are still to be taken away need not be.
        let owed = self.surplus.load(Ordering::Relaxed).min(by);
        self.surplus.fetch_sub(owed, Ordering::Relaxed);
        self.permits.add_permits(by - owed);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.returned.fetch_add(1, Ordering::Relaxed);
        let owed = self
            .0
            .surplus
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |owed| {
                owed.checked_sub(1)
            });
        if owed.is_err() {
            self.0.permits.add_permits(1);
        }
    }
}

/// How many attempts may be under way, after an event loop that was late by so much. `full` says
/// that all permits are taken, `stuck` that none came back for a while.
fn next_width(width: usize, late: Duration, full: bool, stuck: bool) -> usize {
    if full && (stuck || late < BUSY) {
        width + MORE
    } else if late > OVERRUN {
        (width / 2).max(LEAST)
    } else if full {
        width + FEW
    } else {
        width
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_follows_what_the_event_loop_keeps_up_with() {
        let calm = Duration::from_millis(1);
        let (somewhat, much) = (Duration::from_millis(50), Duration::from_millis(150));
        for (width, late, full, stuck, expected) in [
            (32, calm, true, false, 96),
            (32, calm, false, false, 32),
            (96, somewhat, true, false, 98),
            (96, somewhat, false, false, 96),
            (96, much, true, false, 48),
            (96, much, false, false, 48),
            (20, Duration::from_secs(9), true, false, 16),
            (16, Duration::from_secs(9), true, true, 80),
        ] {
            let next = next_width(width, late, full, stuck);
            assert_eq!(next, expected, "{width} {late:?} {full} {stuck}");
        }
    }

    /// Attempts that hang cost nothing, and keep nobody waiting.
    #[test]
    fn those_that_hang_make_room_for_others() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        let admission = Admission::new(4096);
        runtime.block_on(async {
            let all = async {
                let mut hanging = Vec::new();
                for _ in 0..4096 {
                    hanging.push(admission.permit().await);
                }
            };
            tokio::select! {
                () = admission.adapt() => {}
                () = all => {}
            }
        });
    }

    #[test]
    fn places_that_are_taken_away_are_not_given_back() {
        let admission = Admission::new(4096);
        let held: Vec<_> = (0..FIRST).map(|_| Permit(&admission)).collect();
        admission.permits.forget_permits(FIRST);
        admission.surplus.store(20, Ordering::Relaxed);
        drop(held);
        assert_eq!(admission.permits.available_permits(), FIRST - 20);
        admission.surplus.store(20, Ordering::Relaxed);
        admission.widen(30);
        assert_eq!(admission.permits.available_permits(), FIRST - 20 + 10);
        assert_eq!(admission.surplus.load(Ordering::Relaxed), 0);
    }
}
