//! Watches over the step: a hard deadline, and panics, from a thread that does nothing else.
//!
//! Whatever the step hangs in (a file that is a pipe nobody reads, a bug), the process ends in
//! time; if it panics before it has told how it ended, the outputs and the commit status say so,
//! later a line of the log does. With `panic = "abort"` nothing can be caught: the hook reports
//! and waits.

use std::panic;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::durations::DEADLINE;
use crate::durations::{PANIC_REPORT, WATCHDOG_LATE, WATCHDOG_MARGIN};
use crate::exit::{Exit, RunResult};
use crate::net::Network;
use crate::report::commit_status::{Destination, Poster};
use crate::report::{annotations, outputs};
use crate::screen::{Screen, Stream, Tone};
use crate::text;

/// A smaller stack than this is not enough for the work.
const STACK: usize = 1024 * 1024;

/// Who tells how the run ended. Only one may: two would contradict each other.
#[derive(Debug, Default, Clone, Copy)]
enum Turn {
    /// Nobody yet.
    #[default]
    Open,
    /// The work does.
    Work,
    /// The work did, and this is the exit status.
    Settled(u8),
    /// The watchdog does, and the work must not say another word.
    Watchdog,
}

/// What is needed to report a failure of the tool itself, filled in as it becomes known.
#[derive(Debug, Default)]
struct Emergency {
    screen: Option<Screen>,
    outputs: Option<PathBuf>,
    destination: Option<Destination>,
    turn: Turn,
    /// What the work waits for before it probes anything.
    waits_for: Option<String>,
}

enum Message {
    Deadline(Instant),
    Panicked(String),
}

/// The work's line to its watchdog.
#[derive(Debug, Clone)]
pub struct Watchdog {
    sender: Sender<Message>,
    emergency: Arc<Mutex<Emergency>>,
}

impl Watchdog {
    fn emergency(&self) -> std::sync::MutexGuard<'_, Emergency> {
        self.emergency
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Says when the process has to be gone.
    pub fn deadline(&self, at: Instant) {
        let _ = self.sender.send(Message::Deadline(at));
    }

    /// Says where a failure is to be reported.
    pub fn report_to(&self, screen: &Screen, outputs: Option<PathBuf>) {
        let mut emergency = self.emergency();
        emergency.screen = Some(screen.clone());
        emergency.outputs = outputs;
    }

    /// Says what may take for ever before anything is probed, for the words at the deadline;
    /// `None` once that is over.
    pub fn waits_for(&self, what: Option<String>) {
        self.emergency().waits_for = what;
    }

    /// Says where the commit status goes.
    pub fn status_at(&self, destination: &Destination) {
        self.emergency().destination = Some(destination.clone());
    }

    /// Says that the work tells how it ended, from now on. To be called before the first line or
    /// file that says so. Where the watchdog tells already, it does not return.
    pub fn claim(&self) {
        self.advance(|emergency| {
            if matches!(emergency.turn, Turn::Open) {
                emergency.turn = Turn::Work;
            }
        });
    }

    /// Says that the work writes the outputs now. Nobody else will, so that no output is
    /// written twice.
    pub fn claim_outputs(&self) {
        self.advance(|emergency| {
            emergency.turn = Turn::Work;
            emergency.outputs = None;
        });
    }

    /// Says what the exit status is, whatever may still hang.
    pub fn settle(&self, status: u8) {
        self.advance(|emergency| emergency.turn = Turn::Settled(status));
    }

    /// Goes on, unless it is the watchdog's turn: it ends the process.
    fn advance(&self, go_on: impl FnOnce(&mut Emergency)) {
        {
            let mut emergency = self.emergency();
            if !matches!(emergency.turn, Turn::Watchdog) {
                go_on(&mut emergency);
                return;
            }
        }
        stand_aside();
    }
}

/// Waits for the watchdog to end the process.
fn stand_aside() -> ! {
    loop {
        thread::park();
    }
}

/// Runs the work under supervision and returns its exit status. The work has the main thread,
/// whose stack is the system's to size (and too small in places: `has_small_stack`). The
/// watchdog has the other, and ends the process from there where it must.
pub fn run(started: Instant, work: impl FnOnce(&Watchdog) -> u8 + Send) -> ExitCode {
    let (sender, receiver) = mpsc::channel();
    let watchdog = Watchdog {
        sender,
        emergency: Arc::default(),
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
    watchdog.settle(status);
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
            .name("step".to_owned())
            .stack_size(2 * STACK)
            .spawn_scoped(scope, || work(watchdog))?;
        // One that panicked stands aside and does not end.
        Ok(thread.join().unwrap_or(RunResult::Error.code()))
    })
}

/// Waits for the step to panic or to miss its deadline, and ends the process then. A step that
/// ends in time takes this thread with it.
fn watch(watchdog: &Watchdog, receiver: &Receiver<Message>, mut deadline: Instant) {
    let mut in_time = true;
    let status = loop {
        let left = deadline.saturating_duration_since(Instant::now() + WATCHDOG_MARGIN);
        match receiver.recv_timeout(left) {
            Ok(Message::Deadline(at)) => deadline = at,
            Ok(Message::Panicked(what)) => break fail(watchdog, &what, deadline),
            // Woken after the deadline: the whole process stood still, not the step alone.
            Err(RecvTimeoutError::Timeout) if in_time && Instant::now() >= deadline => {
                in_time = false;
                deadline = Instant::now() + WATCHDOG_LATE;
            }
            Err(RecvTimeoutError::Timeout) => {
                let waits_for = watchdog.emergency().waits_for.take();
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

/// Reports a failure of the tool itself, as far as is possible in the time that is left. Where
/// the work has told how it ended, that is how it ended: only the rest of the publishing failed.
fn fail(watchdog: &Watchdog, what: &str, deadline: Instant) -> u8 {
    let result = RunResult::Error;
    let (screen, file, destination, told) = {
        let mut emergency = watchdog.emergency();
        if let Turn::Settled(status) = emergency.turn {
            let screen = emergency.screen.take();
            drop(emergency);
            // What was said already may still be on its way.
            if let Some(screen) = screen {
                let line = format!("dep-preflight: not all of it could be reported: {what}");
                screen.toned(line, Tone::Bad);
                screen.close(false, Instant::now() + WATCHDOG_MARGIN);
            }
            return status;
        }
        let told = matches!(emergency.turn, Turn::Work);
        emergency.turn = Turn::Watchdog;
        (
            emergency
                .screen
                .take()
                .unwrap_or_else(|| Screen::open(true, Stream::Out)),
            emergency.outputs.take(),
            emergency.destination.take(),
            told,
        )
    };
    let message = if told {
        format!("dep-preflight failed while it told what it had found: {what}")
    } else {
        format!("dep-preflight failed, and says nothing about any target: {what}")
    };
    screen.toned(&message, Tone::Bad);
    screen.line(annotations::internal(&message));
    let values = outputs::failed(Exit::of(result), &message);
    let now = Instant::now();
    let latest = deadline.min(now + PANIC_REPORT).max(now + WATCHDOG_MARGIN);
    // In a thread: a file that hangs must not hang the last thread that can end the process.
    let (sender, receiver) = mpsc::channel();
    let _ = thread::Builder::new().spawn(move || {
        let written = file.is_none_or(|file| outputs::write(&file, &values).is_ok());
        let left = latest.saturating_duration_since(Instant::now());
        post(destination, &message, left);
        let _ = sender.send(written);
    });
    let _ = receiver.recv_timeout(latest.saturating_duration_since(Instant::now()));
    screen.close(true, latest);
    result.code()
}

fn post(destination: Option<Destination>, message: &str, limit: Duration) {
    let (Some(destination), Some(state)) = (destination, RunResult::Error.commit_state()) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    if let (Ok(runtime), Ok(network)) = (runtime, Network::new(Vec::new())) {
        // Everything that can still be said was said on the screen.
        let _ = runtime
            .block_on(Poster::new(destination, Arc::new(network)).post(state, message, limit));
    }
}
