//! Publishes a report to every sink in turn, none of which hides another.

use std::io;
use std::path::Path;
use std::time::Instant;

use super::annotations::{self, Level, Reserved};
use super::commit_status;
use super::failure::Failure;
use super::sinks::Sinks;
use super::time_left::TimeLeft;
use super::{Report, log, outputs, summary};
use crate::durations::{COMMIT_STATUS, SHORTEST_POST};
use crate::exit::RunResult;
use crate::file;
use crate::forge::api::{Poster, Refusal, Silence};
use crate::inputs::ReportTo;
use crate::screen::{self, Tone};

/// Publishes a report and returns the exit status of the process.
///
/// The outputs come before every file that says how the run ended: where they cannot be written
/// the run has failed, and the report that is written then says so, too. The annotations come
/// after the files, because one that cannot be written needs an annotation of its own. The result
/// comes last, so that it is what people see first.
pub(crate) async fn publish(report: &mut Report, sinks: &Sinks, time: &TimeLeft) -> u8 {
    sinks.claim.begin();
    let mut publishing = Publishing {
        sinks,
        time,
        reserved: Reserved::default(),
    };
    for (tone, line) in log::targets(report) {
        sinks.screen.toned(line, tone);
    }
    sinks.claim.begin_outputs();
    publishing.write_outputs(report);
    // From here on only publishing can hang or fail; the end is known.
    let status = report.exit.status(sinks.fail_on_down);
    sinks.claim.settle(status);
    publishing.write_report(report).await;
    publishing.annotate(report);
    publishing.write_summary(report);
    publishing.post_status(report).await;
    sinks.screen.toned(
        log::result(report, sinks.fail_on_down),
        tone(report.exit.result),
    );
    status
}

/// The colour of a result.
const fn tone(result: RunResult) -> Tone {
    match result {
        RunResult::Up => Tone::Good,
        RunResult::Down | RunResult::Error | RunResult::Invalid => Tone::Bad,
        RunResult::Unknown => Tone::Doubtful,
    }
}

struct Publishing<'a> {
    sinks: &'a Sinks,
    time: &'a TimeLeft,
    /// The annotations that were written beside those of the report.
    reserved: Reserved,
}

impl Publishing<'_> {
    /// Writes the outputs. Where that fails, the report says from then on that the run has failed.
    fn write_outputs(&mut self, report: &mut Report) {
        let Some(path) = &self.sinks.outputs else {
            return;
        };
        let report_file = match &self.sinks.report {
            Some(ReportTo::File(path)) => Some(path.as_path()),
            Some(ReportTo::Stdout) | None => None,
        };
        let (values, too_large) = outputs::of_report(report, report_file);
        if too_large {
            self.warn(
                "REPORT",
                "the report is too large for an output and was left out; give report-file to have it whole",
            );
        }
        if let Err(error) = outputs::write(path, &values) {
            report.exit.result = RunResult::Error;
            let failure = Failure::of_outputs(&error);
            self.sinks.announce(&failure);
            self.reserved.errors += 1;
            // There may be room for these.
            let _ = self.sinks.write_outputs(&Failure {
                exit: report.exit,
                ..failure
            });
        }
    }

    /// Writes the report where it is wanted.
    async fn write_report(&mut self, report: &Report) {
        let Some(to) = &self.sinks.report else {
            return;
        };
        let mut text = serde_json::to_string_pretty(report).unwrap_or_default();
        text.push('\n');
        // A reader that is slow leaves time for what is still to be published.
        let latest = Instant::now() + self.time.left() / 2;
        let (what, path) = match to {
            ReportTo::File(path) => ("report file", Some(path)),
            ReportTo::Stdout => ("report on standard output", None),
        };
        let writing = async {
            match path {
                Some(path) => file::replace(path, &text, latest).await,
                None => screen::report(text, latest).await,
            }
        };
        let written = tokio::select! {
            biased;
            written = writing => written,
            () = self.time.shortened() => Err(io::ErrorKind::Interrupted.into()),
        };
        if let Err(error) = written {
            self.warn(
                "REPORT-FILE",
                &format!("the {what} cannot be written: {error}"),
            );
            if path.is_some() {
                self.take_back_report_file();
            }
        }
    }

    /// The outputs name a file that was not written: of an output that is given twice, the last
    /// value counts on every forge.
    fn take_back_report_file(&self) {
        if let Some(path) = &self.sinks.outputs {
            // The warning says it as well.
            let _ = outputs::write(path, &vec![("report-file", String::new())]);
        }
    }

    fn annotate(&self, report: &Report) {
        if !self.sinks.annotate {
            return;
        }
        let reserved = Reserved {
            // A status may still turn out not to be posted.
            warnings: self.reserved.warnings + usize::from(self.sinks.poster.is_some()),
            ..self.reserved
        };
        for line in annotations::render(report, reserved) {
            self.sinks.screen.line(line);
        }
    }

    fn write_summary(&self, report: &Report) {
        let append = |path: &Path| file::append(path, &summary::render(report));
        if let Some(path) = &self.sinks.summary
            && let Err(error) = append(path)
        {
            self.sinks.screen.line(format!(
                "dep-preflight: the job summary cannot be written: {error}"
            ));
        }
    }

    async fn post_status(&mut self, report: &Report) {
        let (Some(poster), Some(state)) = (&self.sinks.poster, report.exit.result.commit_state())
        else {
            return;
        };
        let limit = self.time.left().min(COMMIT_STATUS);
        if limit < SHORTEST_POST {
            self.warn(
                "COMMIT-STATUS",
                "the commit status was not posted: no time was left before the deadline",
            );
            return;
        }
        let description = commit_status::describe_report(report);
        let answer = self
            .time
            .spend(poster.post(state, &description, limit))
            .await;
        let interrupted = || Err(Refusal::Silent(Silence::Interrupted));
        if let Err(refusal) = answer.unwrap_or_else(interrupted) {
            self.explain(poster, &refusal).await;
        }
    }

    async fn explain(&mut self, poster: &Poster, refusal: &Refusal) {
        if poster.is_read_only() && *refusal == Refusal::Status(403) {
            // Read-only by design on every forge; no contributor is to be bothered with it.
            self.sinks.screen.line("dep-preflight: no commit status: the token of a pull request from a fork is read-only");
            return;
        }
        let version = self.time.spend(poster.version()).await.flatten();
        let why = poster.explain(refusal, version);
        self.warn("COMMIT-STATUS", &why);
    }

    /// A warning: to a runner as an annotation, which is a line of the log as well.
    fn warn(&mut self, title: &str, why: &str) {
        if self.sinks.annotate {
            self.reserved.warnings += 1;
            self.sinks.annotation(Level::Warning, title, why);
        } else {
            self.sinks
                .screen
                .toned(format!("dep-preflight: {why}"), Tone::Doubtful);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::report::claim::{Claim, Stage};
    use crate::report::fixture::report_of;
    use crate::screen::{Screen, Stream};

    /// Publishes a report that says `down`; where the outputs go is the test's to choose.
    async fn published(home: &Path, outputs: PathBuf) -> u8 {
        let sinks = Sinks {
            outputs: Some(outputs),
            summary: Some(home.join("summary")),
            report: Some(ReportTo::File(home.join("report"))),
            ..Sinks::log(Screen::open(false, Stream::Err), false, Claim::default())
        };
        let time = TimeLeft::until(Instant::now() + Duration::from_secs(10));
        let mut report = report_of(&["healthy", "billing"], None);
        let status = publish(&mut report, &sinks, &time).await;
        assert_eq!(sinks.claim.take_over(), Stage::Settled(status));
        status
    }

    fn read(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap_or_default()
    }

    /// A report is all that it takes: no target, no input.
    #[tokio::test]
    async fn every_sink_says_the_same() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        let status = published(home, home.join("outputs")).await;
        assert_eq!(status, 70);
        for (file, words) in [
            ("outputs", "\ndown: billing (refused)\n"),
            ("report", "\"exit_code\": 70"),
            ("summary", "### dep-preflight: down"),
        ] {
            let text = read(&home.join(file));
            assert!(text.contains(words), "{file}: {text}");
        }
    }

    #[tokio::test]
    async fn where_the_outputs_fail_every_other_sink_says_so() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        let status = published(home, home.join("missing/outputs")).await;
        assert_eq!(status, 1);
        for (file, words) in [
            ("report", "\"exit_code\": 1"),
            ("summary", "dep-preflight itself failed"),
        ] {
            let text = read(&home.join(file));
            assert!(text.contains(words), "{file}: {text}");
        }
    }
}
