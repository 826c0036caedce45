//! Who publishes how the run ended: the run, or the watchdog beside it. Only one may, two would
//! contradict each other.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// How far the run has come with publishing its end. Shared with the watchdog.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claim(Arc<Mutex<Stage>>);

/// How far publishing has come.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing was published.
    #[default]
    Open,
    /// The log may say how the run ended.
    Begun,
    /// The outputs may be written.
    Outputs,
    /// This is the exit status, whatever may still hang.
    Settled(u8),
    /// The watchdog publishes, and the run must not add a word.
    TakenOver,
}

impl Claim {
    /// To be called before the first line that says how the run ended.
    pub(crate) fn begin(&self) {
        self.advance(Stage::Begun);
    }

    /// To be called before the outputs are written; nobody else writes them then.
    pub(crate) fn begin_outputs(&self) {
        self.advance(Stage::Outputs);
    }

    /// To be called once the exit status is known, whatever is still to be published.
    pub(crate) fn settle(&self, status: u8) {
        self.advance(Stage::Settled(status));
    }

    /// Goes on to the next stage. Does not return where the watchdog has taken over: it ends the
    /// process.
    fn advance(&self, to: Stage) {
        {
            let mut stage = self.stage();
            if *stage != Stage::TakenOver {
                *stage = to;
                return;
            }
        }
        stand_aside();
    }

    /// The watchdog takes over, unless the exit status is settled. Returns how far the run came.
    pub(crate) fn take_over(&self) -> Stage {
        let mut stage = self.stage();
        let before = *stage;
        if !matches!(before, Stage::Settled(_)) {
            *stage = Stage::TakenOver;
        }
        before
    }

    fn stage(&self) -> std::sync::MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for the watchdog to end the process.
pub(crate) fn stand_aside() -> ! {
    loop {
        thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settled_end_stays_settled() {
        let claim = Claim::default();
        claim.begin();
        claim.begin_outputs();
        claim.settle(70);
        assert_eq!(claim.take_over(), Stage::Settled(70));
        claim.settle(70);
    }

    #[test]
    fn the_run_stands_aside_for_the_watchdog() {
        let claim = Claim::default();
        claim.begin();
        assert_eq!(claim.take_over(), Stage::Begun);
        let run = claim.clone();
        let thread = thread::spawn(move || run.settle(0));
        thread::sleep(std::time::Duration::from_millis(50));
        assert!(!thread.is_finished());
        assert_eq!(claim.take_over(), Stage::TakenOver);
    }
}
