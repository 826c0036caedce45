//! One run of the step, from valid inputs to the exit status: the pipeline in order.

mod budget;
pub(crate) mod control;
mod destination;
pub(crate) mod progress;
mod publish;
pub(crate) mod retry;
pub(crate) mod schedule;
pub(crate) mod signals;
pub(crate) mod watchdog;

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

pub(crate) use budget::Budget;

use crate::durations::{COMMIT_STATUS, END_MARGIN, INTERRUPTED, PUBLISH_LATE};
use crate::exit::{Exit, RunResult};
use crate::forge::{ForgeKind, RunnerEnv, link};
use crate::inputs::Inputs;
use crate::net::{Network, roots};
use crate::record::{Control, ControlAnswer, Records};
use crate::report::commit_status::Poster;
use crate::report::model::{RunInfo, Start};
use crate::report::{Report, annotations, log, model, outputs};
use crate::run::progress::Progress;
use crate::run::schedule::Schedule;
use crate::run::watchdog::Watchdog;
use crate::screen::{Screen, Tone};
use crate::verdict;

/// Whether workflow commands are written: for machines, not for a person at a terminal.
#[must_use]
pub(crate) fn annotates(env: &RunnerEnv, screen: &Screen) -> bool {
    env.in_ci() || !screen.is_terminal()
}

/// What was found, and how the step ends.
#[derive(Debug)]
pub(crate) struct Finding {
    /// The report.
    pub report: Report,
    /// How it ends.
    pub exit: Exit,
}

/// Runs the step.
pub(crate) fn run(
    start: Start,
    inputs: Inputs,
    env: &RunnerEnv,
    screen: &Screen,
    watchdog: &Watchdog,
) -> u8 {
    watchdog.deadline(start.instant + inputs.deadline);
    let own = inputs.ca_certificates.as_deref().map(roots::parse_pem);
    let network = match Network::new(own.and_then(Result::ok).unwrap_or_default()) {
        Ok(network) => Arc::new(network),
        Err(error) => {
            return internal(
                env,
                screen,
                watchdog,
                start.instant + inputs.deadline,
                &error.to_string(),
            );
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            return internal(
                env,
                screen,
                watchdog,
                start.instant + inputs.deadline,
                &error.to_string(),
            );
        }
    };
    let fail_on_down = inputs.fail_on_down;
    let span = inputs.deadline;
    let finding = runtime.block_on(Run::new(start, inputs, env, screen, network, watchdog).run());
    let status = finding.exit.status(fail_on_down);
    let deadline = start.instant + span;
    let latest = if Instant::now() < deadline {
        start.instant + span.saturating_sub(END_MARGIN / 2)
    } else {
        Instant::now() + PUBLISH_LATE
    };
    screen.close(status != 0, latest);
    // Connections that are still closing are not waited for.
    runtime.shutdown_background();
    status
}

/// A failure before anything could be probed.
fn internal(
    env: &RunnerEnv,
    screen: &Screen,
    watchdog: &Watchdog,
    deadline: Instant,
    why: &str,
) -> u8 {
    let exit = Exit::of(RunResult::Error);
    watchdog.claim();
    screen.toned(format!("dep-preflight failed: {why}"), Tone::Bad);
    screen.line(annotations::internal(why));
    watchdog.claim_outputs();
    if let Some(path) = &env.github_output {
        // It failed already; that the outputs say so too is all that is left to try.
        let _ = outputs::write(PathBuf::from(path).as_path(), &outputs::failed(exit, why));
    }
    watchdog.settle(exit.code());
    screen.close(true, deadline);
    exit.code()
}

/// The step at work.
pub(crate) struct Run<'a> {
    start: Start,
    inputs: Inputs,
    env: &'a RunnerEnv,
    screen: &'a Screen,
    network: Arc<Network>,
    poster: Option<Arc<Poster>>,
    info: RunInfo,
    budget: Budget,
    annotate: bool,
    /// How many warnings were written.
    warned: Cell<usize>,
    watchdog: &'a Watchdog,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        start: Start,
        inputs: Inputs,
        env: &'a RunnerEnv,
        screen: &'a Screen,
        network: Arc<Network>,
        watchdog: &'a Watchdog,
    ) -> Self {
        let (sha, from_fork) = destination::about(&inputs, env, screen);
        let info = RunInfo {
            url: link::run_url(env, None),
            sha: sha.as_ref().ok().cloned(),
        };
        let destination = destination::find(&inputs, env, sha, from_fork).unwrap_or_else(|why| {
            screen.line(format!("dep-preflight: no commit status: {why}"));
            None
        });
        if let Some(destination) = &destination {
            watchdog.status_at(destination);
        }
        let budget = Budget::share(
            start.instant,
            inputs.deadline,
            destination.is_some(),
            inputs.control.is_some(),
        );
        Self {
            start,
            env,
            screen,
            poster: destination
                .map(|destination| Arc::new(Poster::new(destination, Arc::clone(&network)))),
            network,
            info,
            budget,
            annotate: annotates(env, screen),
            warned: Cell::default(),
            watchdog,
            inputs,
        }
    }

    /// A step that writes no annotations: the demonstration shows them itself.
    pub(crate) fn quiet(
        start: Start,
        inputs: Inputs,
        env: &'a RunnerEnv,
        screen: &'a Screen,
        network: Arc<Network>,
        watchdog: &'a Watchdog,
    ) -> Self {
        Self {
            annotate: false,
            ..Self::new(start, inputs, env, screen, network, watchdog)
        }
    }

    /// The pipeline: probe, control, verdict, report.
    pub(crate) async fn run(mut self) -> Finding {
        let mut signals = signals::Signals::listen();
        self.screen
            .line(log::opening(&self.inputs.targets, self.inputs.deadline));
        let asking = self.ask_version();
        let targets = Arc::new(std::mem::take(&mut self.inputs.targets));
        let screen = self.screen;
        let mut progress = Progress::new(screen, self.poster.clone(), &targets);
        let mut schedule = Schedule::start(&targets, &self.network, self.budget.probing);
        let mut records = Records::of(&targets);
        let mut interrupt = loop {
            tokio::select! {
                biased;
                signal = signals.next() => break Some(signal),
                event = schedule.next() => match event {
                    Some(event) => {
                        progress.event(&records, &event);
                        records.add(event);
                    }
                    None => break None,
                },
                () = progress.tick() => {}
            }
        };
        schedule.stop();
        let mut control = match self.inputs.control {
            Some(_) => Control::NotAsked,
            None => Control::Off,
        };
        if interrupt.is_none() {
            tokio::select! {
                biased;
                signal = signals.next() => interrupt = Some(signal),
                asked = self.ask_around(&records, asking) => {
                    let (answer, version) = asked;
                    if let Some(answer) = answer {
                        control = Control::Answered(answer);
                    }
                    if version.is_some() {
                        self.info.url = link::run_url(self.env, version);
                    }
                }
            }
        }
        let mut pending = false;
        if interrupt.is_none() {
            tokio::select! {
                biased;
                signal = signals.next() => interrupt = Some(signal),
                posted = progress.leave(self.budget.left() / 3) => pending = posted,
            }
        }
        if interrupt.is_some() {
            self.budget.end = self.budget.end.min(Instant::now() + INTERRUPTED);
            pending = progress.leave(INTERRUPTED / 3).await;
        }
        let outcome = verdict::conclude(&records.0, control, interrupt);
        let finding = Finding {
            exit: outcome.exit,
            report: model::build(self.start, outcome, self.info.clone()),
        };
        self.tell(finding, pending, &mut signals).await
    }

    /// What is asked beside the targets: the control address where a verdict depends on it, and
    /// the forge's version where a link does.
    async fn ask_around(
        &self,
        records: &Records<'_>,
        version: Option<tokio::task::JoinHandle<Option<link::Version>>>,
    ) -> (Option<ControlAnswer>, Option<link::Version>) {
        let control = match &self.inputs.control {
            Some(url) if verdict::needs_control(&records.0) => {
                Some(control::ask(&self.network, url, self.budget.control).await)
            }
            _ => None,
        };
        let version = match version {
            Some(asking) => tokio::time::timeout(self.budget.left() / 4, asking).await,
            None => return (control, None),
        };
        (control, version.ok().and_then(Result::ok).flatten())
    }

    /// Gitea's links depend on its version; it is asked while the targets are, and only where
    /// a link depends on it.
    fn ask_version(&self) -> Option<tokio::task::JoinHandle<Option<link::Version>>> {
        let poster = self.poster.clone()?;
        let wanted = self.env.kind() != ForgeKind::GitHub && self.info.url.is_some();
        wanted.then(|| tokio::spawn(async move { poster.version().await }))
    }
}
