//! How long publishing may take.

use std::cell::Cell;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// When publishing must be over. A signal brings that nearer while it goes on.
#[derive(Debug)]
pub(crate) struct TimeLeft {
    end: Cell<Instant>,
    shortened: Notify,
}

impl TimeLeft {
    pub(crate) fn until(end: Instant) -> Self {
        Self {
            end: Cell::new(end),
            shortened: Notify::new(),
        }
    }

    /// How much there is.
    pub(crate) fn left(&self) -> Duration {
        self.end.get().saturating_duration_since(Instant::now())
    }

    /// Leaves no more than this.
    pub(crate) fn shorten(&self, to: Duration) {
        self.end.set(self.end.get().min(Instant::now() + to));
        self.shortened.notify_waiters();
    }

    /// Waits until it is shortened.
    pub(super) async fn shortened(&self) {
        self.shortened.notified().await;
    }

    /// Does the work, for as long as there is time. `None` says that there was too little.
    pub(super) async fn spend<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Some(done),
                () = tokio::time::sleep_until(self.end.get().into()) => return None,
                () = self.shortened() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_under_way_is_cut_short_with_the_time() {
        let time = TimeLeft::until(Instant::now() + Duration::from_secs(60));
        let (done, ()) = tokio::join!(time.spend(std::future::pending::<()>()), async {
            tokio::task::yield_now().await;
            time.shorten(Duration::from_millis(1));
        });
        assert_eq!(done, None);
        assert_eq!(time.spend(async { 1 }).await, Some(1));
    }
}
