//! One run, from valid inputs to the exit status: the pipeline in order.

mod budget;
pub(crate) mod control;
mod history;
pub(crate) mod progress;
pub(crate) mod retry;
pub(crate) mod schedule;
pub(crate) mod signals;
pub(crate) mod watchdog;

use std::io;
use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use budget::Budget;
use history::{History, Sightings};

use crate::durations::INTERRUPTED;
use crate::exit::{Interrupt, RunResult};
use crate::forge::api::Poster;
use crate::forge::destination::Destination;
use crate::forge::link::{RunLink, Version};
use crate::forge::{ForgeKind, Job};
use crate::inputs::Inputs;
use crate::net::Network;
use crate::net::client::NetworkError;
use crate::record::{Control, Records};
use crate::report::model::{RunInfo, Start};
use crate::report::{Failure, Report, Sinks, TimeLeft, log, model, publish};
use crate::run::progress::Progress;
use crate::run::schedule::Schedule;
use crate::run::signals::Signals;
use crate::run::watchdog::Watchdog;
use crate::screen::Screen;
use crate::target::Target;
use crate::verdict::{self, Verdict};

/// Nothing could be probed.
#[derive(Debug, thiserror::Error)]
enum SetupError {
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error("the event loop cannot be started: {0}")]
    Runtime(#[from] io::Error),
}

/// Probes, publishes what was found, and returns the exit status.
pub(crate) fn run(
    start: Start,
    mut inputs: Inputs,
    job: &Job,
    mut sinks: Sinks,
    watchdog: &Watchdog,
) -> u8 {
    let deadline = start.instant + inputs.deadline;
    watchdog.deadline(deadline);
    let (runtime, network) = match set_up(&mut inputs) {
        Ok(ready) => ready,
        Err(error) => return sinks.failed(&Failure::internal(error), deadline),
    };
    // The reader of a report file that is a pipe waits for as long as this is open.
    let _pipe = inputs.report_pipe.take();
    let (status, end) = runtime.block_on(async {
        let mut signals = Signals::listen();
        sinks.report.clone_from(&inputs.report_file);
        sinks.fail_on_down = inputs.fail_on_down;
        if !inputs.summary {
            sinks.summary = None;
        }
        let run = Run::new(start, inputs, job, &sinks.screen, network);
        sinks.poster.clone_from(&run.poster);
        watchdog.report_to(&sinks);
        let budget = run.budget;
        let mut found = run.find_out(&mut signals).await;
        if found.report.was_interrupted() && !found.pending {
            // All that an interrupted run has to say to the forge is that it waits no longer.
            sinks.poster = None;
        }
        let status = publish_until_stopped(&mut found, &sinks, &mut signals).await;
        (status, budget.end_of_log(Instant::now()))
    });
    sinks.screen.close(status != 0, end);
    // Connections that are still closing are not waited for.
    runtime.shutdown_background();
    status
}

fn set_up(inputs: &mut Inputs) -> Result<(Runtime, Arc<Network>), SetupError> {
    let network = Network::new(std::mem::take(&mut inputs.ca_certificates))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok((runtime, Arc::new(network)))
}

/// Publishes a report; a signal leaves it little time to go on.
async fn publish_until_stopped(found: &mut Found, sinks: &Sinks, signals: &mut Signals) -> u8 {
    let publishing = publish(&mut found.report, sinks, &found.time);
    tokio::pin!(publishing);
    loop {
        tokio::select! {
            biased;
            status = &mut publishing => return status,
            _ = signals.next() => found.time.shorten(INTERRUPTED),
        }
    }
}

/// What a run found out.
pub(crate) struct Found {
    /// The report.
    pub report: Report,
    /// How long it may take to publish it.
    pub time: TimeLeft,
    /// Whether a commit status may say that the run is still waiting.
    pending: bool,
}

/// The run at work.
pub(crate) struct Run<'a> {
    start: Start,
    inputs: Inputs,
    job: &'a Job,
    screen: &'a Screen,
    network: Arc<Network>,
    poster: Option<Arc<Poster>>,
    history: Option<History>,
    sightings: Sightings,
    info: RunInfo,
    budget: Budget,
    control: Control,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        start: Start,
        inputs: Inputs,
        job: &'a Job,
        screen: &'a Screen,
        network: Arc<Network>,
    ) -> Self {
        let subject = job.subject(inputs.status.sha.as_ref());
        if let Some(note) = &subject.note {
            screen.line(format!("dep-preflight: {note}"));
        }
        let info = RunInfo {
            url: RunLink::of(job).and_then(|link| link.url(None)),
            sha: subject.sha.as_ref().ok().map(ToString::to_string),
        };
        let history = History::of(job, &inputs, subject.mainline.clone(), &network);
        let destination = Destination::find(job, &inputs.status, &subject).unwrap_or_else(|why| {
            screen.line(format!("dep-preflight: no commit status: {why}"));
            None
        });
        let poster = destination.map(|to| Arc::new(Poster::new(to, Arc::clone(&network))));
        Self {
            start,
            budget: Budget::share(
                start.instant,
                inputs.deadline,
                poster.is_some(),
                inputs.control.is_some(),
            ),
            control: match inputs.control {
                Some(_) => Control::NotAsked,
                None => Control::Off,
            },
            inputs,
            job,
            screen,
            network,
            poster,
            history,
            sightings: Sightings::default(),
            info,
        }
    }

    /// Targets to report: probe, control address, verdict.
    pub(crate) async fn find_out(mut self, signals: &mut Signals) -> Found {
        let targets = Arc::new(std::mem::take(&mut self.inputs.targets));
        self.screen
            .line(log::opening(&targets, self.inputs.deadline));
        let mut progress =
            Progress::new(self.screen, self.poster.clone(), &targets, self.start.time);
        let mut records = Records::of(&targets);
        let asked = self
            .ask(&targets, &mut records, &mut progress, signals)
            .await;
        let (pending, interrupt) = match asked {
            Ok(pending) => (pending, None),
            Err(signal) => {
                self.budget.end = self.budget.end.min(Instant::now() + INTERRUPTED);
                (progress.leave(INTERRUPTED / 3).await, Some(signal))
            }
        };
        let outcome = verdict::conclude(&records.0, self.control, interrupt, self.start.time);
        let mut report = model::build(self.start, outcome, self.info);
        if report.exit.result == RunResult::Down {
            self.sightings.tell(&mut report, &records.0);
        }
        Found {
            report,
            time: TimeLeft::until(self.budget.end_of_publishing(Instant::now())),
            pending,
        }
    }

    /// Asks the targets, and beside them what a verdict or a link depends on, unless a signal ends
    /// it. Says whether a commit status may be pending.
    async fn ask(
        &mut self,
        targets: &Arc<Vec<Target>>,
        records: &mut Records<'_>,
        progress: &mut Progress<'_>,
        signals: &mut Signals,
    ) -> Result<bool, Interrupt> {
        let version = self.ask_version();
        signals
            .unless(self.probe(targets, records, progress))
            .await?;
        signals.unless(self.ask_beside(records, version)).await?;
        signals.unless(progress.leave(self.budget.left() / 3)).await
    }

    /// Makes the attempts, and keeps a record of them.
    async fn probe(
        &self,
        targets: &Arc<Vec<Target>>,
        records: &mut Records<'_>,
        progress: &mut Progress<'_>,
    ) {
        let mut schedule = Schedule::start(targets, &self.network, self.budget.probing);
        loop {
            tokio::select! {
                biased;
                event = schedule.next() => match event {
                    Some(event) => {
                        progress.event(records, &event);
                        records.add(event);
                    }
                    None => return,
                },
                () = progress.tick() => {}
            }
        }
    }

    /// Asks the control address where a verdict depends on it, beside it what other runs saw where
    /// the step is down, and waits for the forge's version where a link depends on it.
    async fn ask_beside(
        &mut self,
        records: &Records<'_>,
        version: Option<JoinHandle<Option<Version>>>,
    ) {
        let needed = self.inputs.control.as_ref();
        let needed = needed.filter(|_| verdict::needs_control(&records.0));
        let asking = async {
            let url = needed?;
            Some(control::ask(&self.network, url, self.budget.control).await)
        };
        let (answer, mut seen) = tokio::join!(asking, self.ask_history(records, &self.control));
        if let Some(answer) = answer {
            self.control = Control::Answered(answer);
            if seen.is_none() {
                seen = self.ask_history(records, &self.control).await;
            }
        }
        if let Some(seen) = seen {
            if let Some(why) = &seen.trouble {
                self.screen.line(format!(
                    "dep-preflight: what other runs saw is not known: {why}"
                ));
            }
            self.sightings = seen;
        }
        if let Some(asking) = version
            && let Ok(Ok(Some(version))) =
                tokio::time::timeout(self.budget.left() / 4, asking).await
        {
            self.info.url = RunLink::of(self.job).and_then(|link| link.url(Some(version)));
        }
    }

    /// Asks what other runs saw, if the step is down by what is known of the control address.
    async fn ask_history(&self, records: &Records<'_>, control: &Control) -> Option<Sightings> {
        let history = self.history.as_ref()?;
        if self
            .poster
            .as_ref()
            .is_some_and(|poster| poster.is_barred())
        {
            return None;
        }
        let limit = self.budget.history(Instant::now())?;
        let outcome = verdict::conclude(&records.0, control.clone(), None, self.start.time);
        let down = outcome.targets.iter();
        let down = down.filter(|finding| finding.verdict == Verdict::Down);
        let names: Vec<_> = down.map(|finding| finding.target.name.as_str()).collect();
        if outcome.exit.result != RunResult::Down {
            return None;
        }
        Some(Box::pin(history.ask(&names, limit)).await)
    }

    /// Gitea's links depend on its version; it is asked while the targets are, and only where
    /// a link depends on it.
    fn ask_version(&self) -> Option<JoinHandle<Option<Version>>> {
        let poster = self.poster.clone()?;
        let wanted = self.job.kind != ForgeKind::GitHub && self.info.url.is_some();
        wanted.then(|| tokio::spawn(async move { poster.version().await }))
    }
}
