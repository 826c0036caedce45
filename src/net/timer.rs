//! Timers that are not believed at once when they are late.
//!
//! A timer that fires much too late says that nobody was there to listen: a stopped container,
//! a moved machine or a CPU that is given to others. What arrived meanwhile lies in the system's
//! buffers, and is read first.

use std::pin::{Pin, pin};
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::durations::{AFTER_STANDSTILL, PUNCTUAL, STANDSTILL};

/// How many turns of the event loop it takes, at most, to read what has arrived: it takes in
/// 1024 events per turn, and an answer passes through two or three tasks.
const TURNS: u32 = 8;

/// What came of a wait.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Waited<T> {
    /// `None` if nothing came in time.
    pub done: Option<T>,
    /// How late the end of the wait was noticed.
    pub late: Duration,
}

/// Runs until it is done or `until` has come, as [`timer`] has it.
pub(crate) async fn in_time<F: Future>(
    until: impl Into<Instant>,
    run: Pin<&mut F>,
) -> Waited<F::Output> {
    let until = until.into();
    tokio::select! {
        biased;
        done = run => Waited { done: Some(done), late: until.elapsed() },
        late = timer(until) => Waited { done: None, late },
    }
}

/// Waits until then, and says how late that was noticed. If it was late, what arrived meanwhile
/// can be read first: polled last among others, the timer lets the event loop turn.
pub(crate) async fn timer(until: impl Into<Instant>) -> Duration {
    let until = until.into();
    sleep_until(until).await;
    let late = until.elapsed();
    if late >= PUNCTUAL {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
    }
    if late >= STANDSTILL {
        sleep(AFTER_STANDSTILL).await;
    }
    late
}

/// Runs until it is done, or for so long; see [`in_time`].
pub(crate) async fn within<F: Future>(limit: Duration, run: F) -> Option<F::Output> {
    in_time(Instant::now() + limit, pin!(run)).await.done
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Runs a test on the only thread that there is.
    pub(crate) fn run<F: Future>(test: F) -> F::Output {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().build().unwrap().block_on(test)
    }

    /// Stops the only thread there is, as `SIGSTOP` does.
    pub(crate) fn stall(millis: u64) {
        std::thread::sleep(Duration::from_millis(millis));
    }

    /// Something that arrives while the thread stands still for so long, and is read after
    /// three turns of the event loop.
    pub(crate) async fn overtaken<T: Send + 'static>(millis: u64, what: T) -> T {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            stall(millis);
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            // Nobody may be waiting for it any more.
            let _ = sender.send(what);
        });
        receiver.await.unwrap()
    }

    #[test]
    fn what_arrived_during_a_standstill_is_read() {
        run(async {
            let until = Instant::now() + Duration::from_millis(10);
            let waited = in_time(until, pin!(overtaken(300, 7))).await;
            assert_eq!(waited.done, Some(7));
            assert!(waited.late >= STANDSTILL, "{waited:?}");
        });
    }

    #[test]
    fn silence_ends_at_the_deadline() {
        run(async {
            let until = Instant::now() + Duration::from_millis(5);
            let silence = pin!(std::future::pending::<()>());
            assert_eq!(in_time(until, silence).await.done, None);
        });
    }
}
