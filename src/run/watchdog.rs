//! Watches over the run: a hard deadline, and panics, from a thread that does nothing else.
//!
//! Whatever the run hangs in (a file that is a pipe nobody reads, a bug), the process ends in
//! time; if it panics before it has published how it ended, the outputs and the commit status say
//! so, later a line of the log does. With `panic = "abort"` nothing can be caught: the hook reports
//! and waits.

use std::panic;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use crate::durations::{DEADLINE, PANIC_REPORT, WATCHDOG_LATE, WATCHDOG_MARGIN};
use crate::exit::RunResult;
use crate::forge;
use crate::report::claim::{Claim, Stage, stand_aside};
use crate::report::{Failure, Sinks};
use crate::screen::{Screen, Stream, Tone};
use crate::text;

/// A smaller stack than this is not enough for the work.
const STACK: usize = 1024 * 1024;

/// What is known of the run.
#[derive(Debug, Default)]
struct Known {
    /// Where a failure is to be published.
    sinks: Option<Sinks>,
    /// What the run waits for before it probes anything.
    waits_for: Option<String>,
}

enum Message {
    Deadline(Instant),
    Panicked(String),
}

/// The run's line to its watchdog.
#[derive(Debug, Clone)]
pub struct Watchdog {
    sender: Sender<Message>,
    known: Arc<Mutex<Known>>,
    claim: Claim,
}

impl Watchdog {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says when the process has to be gone.
    pub(crate) fn deadline(&self, at: Instant) {
        let _ = self.sender.send(Message::Deadline(at));
    }

    /// Says where a failure is to be published.
    pub(crate) fn report_to(&self, sinks: &Sinks) {
        self.known().sinks = Some(sinks.clone());
    }

    /// Says what may take for ever before anything is probed, for the words at the deadline;
    /// `None` once that is over.
    pub(crate) fn waits_for(&self, what: Option<String>) {
        self.known().waits_for = what;
    }

    /// Which of the two publishes how the run ended.
    pub(crate) fn claim(&self) -> Claim {
        self.claim.clone()
    }
}

/// Runs the work under supervision and returns its exit status. The work has the main thread,
/// whose stack is the system's to size (and too small in places: `has_small_stack`). The
/// watchdog has the other, and ends the process from there where it must.
pub fn run(started: Instant, work: impl FnOnce(&Watchdog) -> u8 + Send) -> ExitCode {
    let (sender, receiver) = mpsc::channel();
    let watchdog = Watchdog {
        sender,
        known: Arc::default(),
        claim: Claim::default(),
    };
    hook(watchdog.sender.clone());
    let watching = watchdog.clone();
    let spawned = thread::Builder::new()
        .name("watchdog".to_owned())
        .spawn(move || watch(&watching, &receiver, started + DEADLINE));
    if let Err(error) = spawned {
        let status = fail(
            &watchdog,
            &format!("no thread can be started: {error}"),
            started + DEADLINE,
        );
        return ExitCode::from(status);
    }
    let status = if has_small_stack() {
        in_a_thread(&watchdog, work).unwrap_or_else(|error| {
            let what = format!("no thread can be started: {error}");
            fail(&watchdog, &what, started + DEADLINE)
        })
    } else {
        work(&watchdog)
    };
    // From here on the process ends by itself; nobody is to end it with another status.
    watchdog.claim.settle(status);
    ExitCode::from(status)
}

/// Whether the system allows the main thread less stack than the work needs. Another thread's
/// is not limited by that.
#[cfg(unix)]
fn has_small_stack() -> bool {
    use rustix::process::{Resource, getrlimit};
    let limit = getrlimit(Resource::Stack).current;
    limit.is_some_and(|bytes| usize::try_from(bytes).is_ok_and(|bytes| bytes < STACK))
}

#[cfg(not(unix))]
fn has_small_stack() -> bool {
    false
}

fn in_a_thread(
    watchdog: &Watchdog,
    work: impl FnOnce(&Watchdog) -> u8 + Send,
) -> std::io::Result<u8> {
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("run".to_owned())
            .stack_size(2 * STACK)
            .spawn_scoped(scope, || work(watchdog))?;
        // One that panicked stands aside and does not end.
        Ok(thread.join().unwrap_or(RunResult::Error.code()))
    })
}

/// Waits for the run to panic or to miss its deadline, and ends the process then. A run that
/// ends in time takes this thread with it.
fn watch(watchdog: &Watchdog, receiver: &Receiver<Message>, mut deadline: Instant) {
    let mut in_time = true;
    let status = loop {
        let left = deadline.saturating_duration_since(Instant::now() + WATCHDOG_MARGIN);
        match receiver.recv_timeout(left) {
            // What a process gets that stood still over its deadline is not taken back when the run
            // says its deadline once more.
            Ok(Message::Deadline(at)) if in_time || at > deadline => {
                deadline = at;
                in_time = true;
            }
            Ok(Message::Deadline(_)) => {}
            Ok(Message::Panicked(what)) => break fail(watchdog, &what, deadline),
            // Woken after the deadline: the whole process stood still, not the run alone.
            Err(RecvTimeoutError::Timeout) if in_time && Instant::now() >= deadline => {
                in_time = false;
                deadline = Instant::now() + WATCHDOG_LATE;
            }
            Err(RecvTimeoutError::Timeout) => {
                let waits_for = watchdog.known().waits_for.take();
                let what = waits_for.map_or_else(
                    || "the step did not end before its deadline".to_owned(),
                    |what| format!("{what} could not be read before the step's deadline"),
                );
                break fail(watchdog, &what, deadline);
            }
            // The watchdog has a sender itself, so this cannot be.
            Err(RecvTimeoutError::Disconnected) => return,
        }
    };
    end(status);
}

#[expect(
    clippy::exit,
    reason = "the main thread hangs or has panicked; nothing else ends the process"
)]
fn end(status: u8) -> ! {
    std::process::exit(status.into())
}

/// Hands a panic to the watchdog and stops the thread that had it.
fn hook(sender: Sender<Message>) {
    panic::set_hook(Box::new(move |info| {
        let what = info.payload_as_str().unwrap_or("a panic without a message");
        let place = info.location().map_or_else(String::new, |location| {
            format!(" ({}:{})", location.file(), location.line())
        });
        let message = text::sanitize(&format!("{what}{place}"), 500);
        let _ = sender.send(Message::Panicked(message));
        // Going on would abort the process before anything is reported.
        stand_aside();
    }));
}

/// Publishes a failure of the tool itself, as far as is possible in the time that is left. Where
/// the run has published how it ended, that is how it ended: only the rest could not be published.
fn fail(watchdog: &Watchdog, why: &str, deadline: Instant) -> u8 {
    let stage = watchdog.claim.take_over();
    let mut sinks = watchdog
        .known()
        .sinks
        .take()
        .unwrap_or_else(|| unprepared(watchdog));
    if let Stage::Settled(status) = stage {
        let line = format!("dep-preflight: not all of it could be reported: {why}");
        sinks.screen.toned(line, Tone::Bad);
        // What was said already may still be on its way.
        sinks.screen.close(false, Instant::now() + WATCHDOG_MARGIN);
        return status;
    }
    if stage == Stage::Outputs {
        // No output is written twice.
        sinks.outputs = None;
    }
    let failure = if stage == Stage::Open {
        Failure::internal(why)
    } else {
        Failure::while_publishing(why)
    };
    let now = Instant::now();
    let latest = deadline.min(now + PANIC_REPORT).max(now + WATCHDOG_MARGIN);
    sinks.failed_beside_the_run(&failure, latest)
}

/// The sinks of a run that did not come as far as to have any.
fn unprepared(watchdog: &Watchdog) -> Sinks {
    let in_ci = forge::process_is_in_ci();
    Sinks::log(Screen::open(in_ci, Stream::Out), in_ci, watchdog.claim())
}

#[cfg(test)]
mod tests;
