//! Where a run says how it ended, and the way out for one that has no report.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Instant;

use super::annotations::{self, Level};
use super::claim::Claim;
use super::failure::Failure;
use super::outputs;
use crate::forge::api::Poster;
use crate::inputs::ReportTo;
use crate::screen::{Screen, Tone};

/// The sinks there are. Who runs fills them in as they become known.
#[derive(Debug, Clone)]
pub(crate) struct Sinks {
    /// The log.
    pub screen: Screen,
    /// Whether workflow commands are written: for runners, never for people.
    pub annotate: bool,
    /// The runner's file of outputs.
    pub outputs: Option<PathBuf>,
    /// The runner's file of the job summary.
    pub summary: Option<PathBuf>,
    /// Where the JSON report goes.
    pub report: Option<ReportTo>,
    /// Posts the commit status.
    pub poster: Option<Arc<Poster>>,
    /// Whether `down` and `unknown` fail the process.
    pub fail_on_down: bool,
    /// Whether it is for the run to publish its end, or for its watchdog.
    pub claim: Claim,
}

impl Sinks {
    /// The log alone, with workflow commands where `in_ci`.
    pub(crate) fn log(screen: Screen, in_ci: bool, claim: Claim) -> Self {
        Self {
            screen,
            annotate: in_ci,
            outputs: None,
            summary: None,
            report: None,
            poster: None,
            fail_on_down: true,
            claim,
        }
    }

    /// The one way out of a run that has no report: log, annotation, outputs, commit status, by
    /// `latest` at the latest. Returns the exit status.
    pub(crate) fn failed(&self, failure: &Failure, latest: Instant) -> u8 {
        self.claim.begin();
        self.announce(failure);
        self.claim.begin_outputs();
        self.leave_word(failure, latest);
        let status = failure.exit.code();
        // All is written, and only a reader of the log can still hold the end up.
        self.claim.settle(status);
        self.screen.close(true, latest);
        status
    }

    /// The same for the watchdog, which took the claim over.
    pub(crate) fn failed_beside_the_run(&self, failure: &Failure, latest: Instant) -> u8 {
        self.announce(failure);
        self.leave_word(failure, latest);
        self.screen.close(true, latest);
        failure.exit.code()
    }

    /// Says it in the log, and to a runner as an annotation.
    pub(super) fn announce(&self, failure: &Failure) {
        self.log_lines(failure);
        self.annotation(Level::Error, failure.title, &failure.annotation);
    }

    fn log_lines(&self, failure: &Failure) {
        for line in &failure.lines {
            self.screen.toned(line, Tone::Bad);
        }
    }

    /// Writes an annotation, for a runner.
    pub(super) fn annotation(&self, level: Level, title: &str, message: &str) {
        if self.annotate {
            self.screen
                .line(annotations::command(level, title, message));
        }
    }

    /// Writes the outputs of a failure.
    pub(super) fn write_outputs(&self, failure: &Failure) -> io::Result<()> {
        match &self.outputs {
            Some(path) => outputs::write(path, &outputs::failed(failure.exit, &failure.message)),
            None => Ok(()),
        }
    }

    /// Outputs and commit status, in a thread of their own: a file that hangs must not hang the
    /// last thread that can end the process.
    fn leave_word(&self, failure: &Failure, latest: Instant) {
        if self.outputs.is_none() && self.poster.is_none() {
            return;
        }
        let (sender, receiver) = mpsc::channel();
        let (sinks, word) = (self.clone(), failure.clone());
        let spawned = thread::Builder::new().spawn(move || {
            sinks.write_and_post(&word, latest);
            let _ = sender.send(());
        });
        match spawned {
            Ok(_) => {
                let left = latest.saturating_duration_since(Instant::now());
                let _ = receiver.recv_timeout(left);
            }
            Err(_) => self.write_and_post(failure, latest),
        }
    }

    fn write_and_post(&self, failure: &Failure, latest: Instant) {
        if let Err(error) = self.write_outputs(failure) {
            let second = Failure::of_outputs(&error);
            // One annotation is enough for the tool itself.
            if failure.title == second.title {
                self.log_lines(&second);
            } else {
                self.announce(&second);
            }
        }
        let (Some(poster), Some(state)) = (&self.poster, failure.exit.result.commit_state()) else {
            return;
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        if let Ok(runtime) = runtime {
            // The connections of the run belong to a runtime that may hang.
            let poster = poster.again();
            let left = latest.saturating_duration_since(Instant::now());
            // Everything that can still be said was said on the screen.
            let _ = runtime.block_on(poster.post(state, &failure.message, left));
        }
    }
}
