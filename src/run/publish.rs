//! Publishes what was found: each sink in turn, none of which hides another.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{COMMIT_STATUS, Finding, INTERRUPTED, Run};
use crate::exit::RunResult;
use crate::file;
use crate::inputs::ReportTo;
use crate::report::commit_status::{self, Poster};
use crate::report::{Report, annotations, log, outputs, summary};
use crate::run::signals;
use crate::screen::{self, Tone};

impl Run<'_> {
    /// Publishes to every sink. One that fails does not keep the others from it.
    pub(super) async fn tell(
        &mut self,
        mut finding: Finding,
        pending: bool,
        signals: &mut signals::Signals,
    ) -> Finding {
        self.watchdog.claim();
        self.budget.after_standstill();
        for (tone, line) in log::targets(&finding.report) {
            self.screen.toned(line, tone);
        }
        let report_file = self.write_report(&finding.report, signals).await;
        self.watchdog.claim_outputs();
        let written = self.write_outputs(&finding.report, report_file.as_deref());
        if let Err(why) = &written {
            self.fail(&mut finding, why);
        }
        // From here on only publishing can hang or fail; the end is known.
        self.watchdog
            .settle(finding.exit.status(self.inputs.fail_on_down));
        // A pipe's reader has read it as it was.
        if written.is_err() && report_file.is_some_and(|path| file::is_plain(&path)) {
            self.write_report(&finding.report, signals).await;
        }
        self.annotate(&finding.report, written.is_err());
        self.write_summary(&finding.report);
        let interrupted = finding.exit.interrupt.is_some();
        if (!interrupted || pending)
            && let (Some(poster), Some(state)) =
                (&self.poster, finding.report.exit.result.commit_state())
        {
            let description = commit_status::describe_report(&finding.report);
            self.post(poster, state, &description, signals).await;
        }
        // Last, so that it is what people see first.
        let line = log::result(&finding.report, self.inputs.fail_on_down);
        self.screen.toned(line, tone(finding.report.exit.result));
        finding
    }

    /// The steps that follow cannot branch on what was found: that is a failure of its own. What
    /// still has to be told says so, too.
    fn fail(&self, finding: &mut Finding, why: &str) {
        self.screen
            .toned(format!("dep-preflight: {why}"), Tone::Bad);
        self.screen.line(annotations::internal(why));
        finding.exit.result = RunResult::Error;
        finding.report.exit.result = RunResult::Error;
        if let Some(path) = &self.env.github_output {
            // There may be room for these.
            let _ = outputs::write(path.as_ref(), &outputs::failed(finding.exit, why));
        }
    }

    /// After the files, because one that cannot be written needs an annotation of its own.
    fn annotate(&self, report: &Report, failed: bool) {
        if !self.annotate {
            return;
        }
        let reserved = annotations::Reserved {
            errors: usize::from(failed),
            // A status may still turn out not to be posted.
            warnings: self.warned.get() + usize::from(self.poster.is_some()),
        };
        for line in annotations::render(report, reserved) {
            self.screen.line(line);
        }
    }

    /// Writes the report where it is wanted; says which file it was written to, if to one.
    async fn write_report(
        &mut self,
        report: &Report,
        signals: &mut signals::Signals,
    ) -> Option<PathBuf> {
        let to = self.inputs.report_file.clone()?;
        let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
        text.push('\n');
        // A reader that is slow leaves time for what is still to be told.
        let latest = Instant::now() + self.budget.left() / 2;
        let (what, path) = match to {
            ReportTo::File(path) => ("report file", Some(path)),
            ReportTo::Stdout => ("report on standard output", None),
        };
        let writing = async {
            match &path {
                Some(path) => file::replace(path, &text, latest).await,
                None => screen::report(text, latest).await,
            }
        };
        let written = tokio::select! {
            biased;
            written = writing => written,
            _ = signals.next() => {
                self.budget.end = self.budget.end.min(Instant::now() + INTERRUPTED);
                Err(io::Error::from(io::ErrorKind::Interrupted))
            }
        };
        match written {
            Ok(()) => path,
            Err(error) => {
                self.warn(
                    "REPORT-FILE",
                    &format!("the {what} cannot be written: {error}"),
                );
                None
            }
        }
    }

    fn write_summary(&self, report: &Report) {
        let Some(path) = self
            .env
            .github_step_summary
            .as_ref()
            .filter(|_| self.inputs.summary)
        else {
            return;
        };
        if let Err(error) = file::append(path.as_ref(), &summary::render(report)) {
            self.screen.line(format!(
                "dep-preflight: the job summary cannot be written: {error}"
            ));
        }
    }

    fn write_outputs(&self, report: &Report, report_file: Option<&Path>) -> Result<(), String> {
        let Some(path) = &self.env.github_output else {
            return Ok(());
        };
        let (values, too_large) = outputs::of_report(report, report_file);
        if too_large {
            self.warn(
                "REPORT",
                "the report is too large for an output and was left out; give report-file to have it whole",
            );
        }
        outputs::write(path.as_ref(), &values)
            .map_err(|error| format!("the outputs cannot be written: {error}"))
    }

    async fn post(
        &self,
        poster: &Poster,
        state: &str,
        description: &str,
        signals: &mut signals::Signals,
    ) {
        let limit = self.budget.left().min(COMMIT_STATUS);
        if limit < Duration::from_millis(10) {
            self.warn(
                "COMMIT-STATUS",
                "the commit status was not posted: no time was left before the deadline",
            );
            return;
        }
        let posting = poster.post(state, description, limit);
        tokio::pin!(posting);
        let outcome = tokio::select! {
            outcome = &mut posting => outcome,
            _ = signals.next() => match tokio::time::timeout(INTERRUPTED, posting).await {
                Ok(outcome) => outcome,
                Err(_) => Err(commit_status::Refusal::Silent("interrupted".to_owned())),
            },
        };
        let Err(refusal) = outcome else { return };
        let asking = tokio::time::timeout(self.budget.left(), poster.version());
        let version = asking.await.ok().flatten();
        let why = refusal.explain(poster.destination(), version);
        if poster.destination().from_fork && refusal == commit_status::Refusal::Status(403) {
            // Read-only by design on every forge; no contributor is to be bothered with it.
            self.screen.line("dep-preflight: no commit status: the token of a pull request from a fork is read-only");
        } else {
            self.warn("COMMIT-STATUS", &why);
        }
    }

    /// A warning: to a machine as an annotation, which is a line of the log as well.
    fn warn(&self, title: &str, why: &str) {
        if self.annotate {
            self.warned.set(self.warned.get() + 1);
            let level = annotations::Level::Warning;
            self.screen.line(annotations::command(level, title, why));
        } else {
            self.screen
                .toned(format!("dep-preflight: {why}"), Tone::Doubtful);
        }
    }
}

/// The colour of a result.
const fn tone(result: RunResult) -> Tone {
    match result {
        RunResult::Up => Tone::Good,
        RunResult::Down | RunResult::Error | RunResult::Invalid => Tone::Bad,
        RunResult::Unknown => Tone::Doubtful,
    }
}
