use std::collections::BTreeMap;
use std::io::Read;
use std::process::{Child, Command};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::kit::run::Run;
use crate::kit::step::Preflight;
use crate::kit::{commands, invariants, outputs};

/// No run may take longer: a hanging binary fails its test.
const PATIENCE: Duration = Duration::from_secs(90);

pub(super) fn collect(
    mut pipe: impl Read + Send + 'static,
    after: Duration,
) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        thread::sleep(after);
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// Waits until something is so, but not for ever.
#[track_caller]
pub(crate) fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !so() {
        assert!(started.elapsed() < PATIENCE, "never came: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// A step that is under way.
pub(crate) struct Running {
    pub(super) step: Preflight,
    pub(super) child: Child,
    pub(super) started: Instant,
    /// What the outputs file held before.
    pub(super) earlier: String,
    pub(super) stdout: Reader,
    pub(super) stderr: JoinHandle<Vec<u8>>,
    /// When it got a signal that ends it.
    pub(super) signalled: Option<Instant>,
}

/// Who reads standard output.
pub(super) enum Reader {
    Busy(JoinHandle<Vec<u8>>),
    /// Until the program has ended.
    Waiting(Box<dyn Read + Send>),
}

impl Running {
    /// Sends a signal: `TERM`, `INT`.
    pub(crate) fn signal(mut self, name: &str) -> Self {
        self.signalled = Some(Instant::now());
        self.send(name);
        self
    }

    /// Makes it stand still, or go on: `STOP`, `CONT`.
    pub(crate) fn send(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success(), "{kill}");
    }

    /// Sends one that it was told to ignore.
    pub(crate) fn signal_in_vain(self, name: &str) -> Self {
        let mut running = self.signal(name);
        running.signalled = None;
        running
    }

    /// Lets it stand still for so long, as a machine does that is moved.
    pub(crate) fn freeze(self, pause: Duration) -> Self {
        self.send("STOP");
        thread::sleep(pause);
        self.send("CONT");
        self
    }

    /// Lets it stand still until so long after its start.
    pub(crate) fn freeze_until(self, until: Duration) -> Self {
        let pause = until.saturating_sub(self.started.elapsed());
        self.freeze(pause)
    }

    pub(crate) fn wait(mut self) -> Run {
        let mut status = None;
        while status.is_none() && self.started.elapsed() < PATIENCE {
            status = self.child.try_wait().unwrap();
            thread::sleep(Duration::from_millis(2));
        }
        let took = self.started.elapsed();
        if status.is_none() {
            self.child.kill().unwrap();
        }
        let text = |pipe: JoinHandle<Vec<u8>>| String::from_utf8(pipe.join().unwrap());
        let stdout = match self.stdout {
            Reader::Busy(reader) => text(reader),
            // A full pipe has cut it somewhere.
            Reader::Waiting(pipe) => text(collect(pipe, Duration::ZERO)).map(|text| {
                let lines = text.rfind('\n').map_or(0, |end| end + 1);
                text[..lines].to_owned()
            }),
        };
        let mut run = Run {
            code: status.and_then(|status| status.code()),
            stdout: stdout.expect("stdout is UTF-8"),
            stderr: text(self.stderr).expect("stderr is UTF-8"),
            outputs: BTreeMap::new(),
            annotations: Vec::new(),
            summary: self.step.read("summary"),
            took,
            ended_after_signal: self.signalled.map(|at| at.elapsed()),
            lenient: self.step.is_lenient(),
            step: self.step,
        };
        assert!(status.is_some(), "still running after {PATIENCE:?}\n{run}");
        run.annotations = commands::read(run.log()).unwrap_or_else(|why| panic!("{why}\n{run}"));
        let written = run.read("outputs");
        let written = written
            .strip_prefix(&self.earlier)
            .expect("outputs are appended");
        let unfinished = !self.earlier.is_empty() && !self.earlier.ends_with('\n');
        let written = written
            .strip_prefix(if unfinished { "\n" } else { "" })
            .expect("what came before is a line of its own");
        run.outputs =
            outputs::read(written).unwrap_or_else(|why| panic!("{why}\n{written}\n{run}"));
        invariants::check(&run);
        run
    }
}
