//! Tells everyone what was found: each sink in turn, none of which hides another.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Finding, HURRY, STATUS, Step};
use crate::exit::{Exit, RunResult};
use crate::inputs::ReportTo;
use crate::report::commit_status::{self, Poster};
use crate::report::{Report, annotations, file, log, outputs, summary};
use crate::screen::{self, Tone};
use crate::signals;

impl Step<'_> {
    /// Tells everyone. One that does not listen does not keep the others from hearing.
    pub(super) async fn tell(
        &self,
        mut finding: Finding,
        pending: bool,
        signals: &mut signals::Signals,
    ) -> Finding {
        self.print(&finding);
        let written = self.write_report(&finding.report);
        if let Err(why) = self.write_outputs(&finding.report, written.as_deref()) {
            // The steps that follow cannot branch on what was found: that is a failure of its own.
            self.screen
                .toned(format!("dep-preflight: {why}"), Tone::Bad);
            self.screen.line(annotations::internal(&why));
            finding.exit = Exit::of(RunResult::Error);
            finding.report.result = RunResult::Error;
            finding.report.exit_code = RunResult::Error.code();
        }
        // From here on only the telling can hang; the end is known.
        self.supervisor
            .settle(finding.exit.status(self.inputs.fail_on_down));
        self.write_summary(&finding.report);
        let interrupted = finding.exit.interrupt.is_some();
        if (!interrupted || pending)
            && let (Some(poster), Some(state)) =
                (&self.poster, finding.report.result.commit_state())
        {
            let description = commit_status::describe_report(&finding.report);
            self.post(poster, state, &description, signals).await;
        }
        // Last, so that it is what people see first.
        let line = log::result(&finding.report, finding.exit, self.inputs.fail_on_down);
        self.screen.toned(line, tone(finding.report.result));
        finding
    }

    fn print(&self, finding: &Finding) {
        for (verdict, line) in log::targets(&finding.report) {
            self.screen.toned(line, verdict);
        }
        // For a status that cannot be posted, and a report that cannot be written.
        let reserved =
            usize::from(self.poster.is_some()) + usize::from(self.inputs.report_file.is_some());
        if self.annotate {
            for line in annotations::render(&finding.report, reserved) {
                self.screen.line(line);
            }
        }
    }

    /// Writes the report where it is wanted; says which file it was written to, if to one.
    fn write_report(&self, report: &Report) -> Option<PathBuf> {
        let to = self.inputs.report_file.as_ref()?;
        let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
        text.push('\n');
        let (what, path, written) = match to {
            ReportTo::File(path) => ("report file", Some(path), file::replace(path, &text)),
            ReportTo::Stdout => (
                "report on standard output",
                None,
                screen::report(text, self.times.left() / 3),
            ),
        };
        match written {
            Ok(()) => path.cloned(),
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
        let limit = self.times.left().min(STATUS);
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
            _ = signals.next() => match tokio::time::timeout(HURRY, posting).await {
                Ok(outcome) => outcome,
                Err(_) => Err(commit_status::Refusal::Silent("interrupted".to_owned())),
            },
        };
        let Err(refusal) = outcome else { return };
        let asking = tokio::time::timeout(self.times.left(), poster.version());
        let version = asking.await.ok().flatten();
        let why = refusal.explain(poster.place(), version);
        if poster.place().from_fork && refusal == commit_status::Refusal::Status(403) {
            // Read-only by design on every forge; no contributor is to be bothered with it.
            self.screen.line("dep-preflight: no commit status: the token of a pull request from a fork is read-only");
        } else {
            self.warn("COMMIT-STATUS", &why);
        }
    }

    /// A warning: to a machine as an annotation, which is a line of the log as well.
    fn warn(&self, title: &str, why: &str) {
        if self.annotate {
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
