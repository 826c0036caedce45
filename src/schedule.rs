//! All targets at once: runs each one's attempts until it is up, used up or out of time.
//!
//! At most one request per target is under way. What happens comes out as a stream of
//! [`Step`]s, so that it can be told while it happens, and survives an interruption.

mod admission;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use admission::Admission;

use crate::net::{Network, machine};
use crate::probe::pulse::Pulse;
use crate::probe::{Attempt, Budget};
use crate::target::Target;
use crate::verdict::Record;
use crate::waiting::{self, Next};

/// The most attempts under way at once. Each holds some 30 KiB, most of it the HTTP library's
/// buffers; ten thousand at once would fill a small runner.
const MOST: usize = 4096;
/// File descriptors that are not for attempts: files, resolver, forge, runtime.
const SPARE: u64 = 64;
/// Descriptors that one attempt may hold: two address families at once, and a question to
/// the name server for each.
const PER_ATTEMPT: u64 = 2;

/// Something that happened to a target.
#[derive(Debug)]
pub struct Step {
    /// Which target.
    pub index: usize,
    /// The attempt that ended.
    pub attempt: Attempt,
    /// What follows a failed attempt; `None` once the target is up.
    pub next: Option<Next>,
}

/// The running attempts of all targets.
#[derive(Debug)]
pub struct Schedule {
    steps: UnboundedReceiver<Step>,
    tasks: JoinSet<()>,
}

impl Schedule {
    /// Starts all targets. None of them makes an attempt after `until`.
    #[must_use]
    pub fn start(targets: &Arc<Vec<Target>>, network: &Arc<Network>, until: Instant) -> Self {
        let (sender, steps) = unbounded_channel();
        let runner = Arc::new(Runner {
            admission: Admission::new(places(targets.len())),
            pulse: Pulse::default(),
        });
        let mut tasks = JoinSet::new();
        let keeper = Arc::clone(&runner);
        tasks.spawn(async move { keeper.pulse.beat().await });
        let keeper = Arc::clone(&runner);
        tasks.spawn(async move { keeper.admission.adapt().await });
        for index in 0..targets.len() {
            tasks.spawn(pursue(
                index,
                Arc::clone(targets),
                Arc::clone(network),
                Arc::clone(&runner),
                until,
                sender.clone(),
            ));
        }
        Self { steps, tasks }
    }

    /// The next thing that happened, or `None` when every target has come to its end.
    pub async fn next(&mut self) -> Option<Step> {
        self.steps.recv().await
    }

    /// Stops all attempts where they are.
    pub fn stop(&mut self) {
        self.tasks.abort_all();
    }
}

/// What all attempts have in common: the machine that they run on.
#[derive(Debug)]
struct Runner {
    admission: Admission,
    pulse: Pulse,
}

async fn pursue(
    index: usize,
    targets: Arc<Vec<Target>>,
    network: Arc<Network>,
    runner: Arc<Runner>,
    until: Instant,
    steps: UnboundedSender<Step>,
) {
    let Some(target) = targets.get(index) else {
        return;
    };
    let mut made = 0;
    loop {
        let Ok(place) = tokio::time::timeout_at(until.into(), runner.admission.place()).await
        else {
            return;
        };
        let budget = Budget {
            timeout: target.policy.timeout,
            latest: until,
            pulse: &runner.pulse,
        };
        // Boxed: what an attempt needs is there while it is under way, not for every target.
        let attempt = Box::pin(target.probe.attempt(&network, budget)).await;
        drop(place);
        made += 1;
        let next = (!attempt.is_up()).then(|| {
            let left = until.saturating_duration_since(Instant::now());
            waiting::next(
                &target.policy,
                made,
                attempt.started.elapsed(),
                attempt.retry_after,
                left,
                fastrand::f64(),
            )
        });
        // The receiver goes away only when everything is stopped.
        let _ = steps.send(Step {
            index,
            attempt,
            next,
        });
        match next {
            Some(Next::After(wait)) => tokio::time::sleep(wait).await,
            _ => return,
        }
    }
}

/// How many attempts may be under way: as many as there are targets, up to [`MOST`], unless the
/// system allows fewer open files, once the limit is raised as far as it goes.
fn places(targets: usize) -> usize {
    let allowed = raise_file_limit().saturating_sub(SPARE) / PER_ATTEMPT;
    usize::try_from(allowed)
        .unwrap_or(usize::MAX)
        .clamp(1, targets.clamp(1, MOST))
}

#[cfg(unix)]
fn raise_file_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where it cannot be raised, what there is has to do.
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum.unwrap_or(u64::MAX),
        Err(_) => limit.current.unwrap_or(u64::MAX),
    }
}

#[cfg(not(unix))]
fn raise_file_limit() -> u64 {
    u64::MAX
}

/// Collects the steps of every target.
#[derive(Debug)]
pub struct Records(pub Vec<Record>);

impl Records {
    /// Empty records for these targets.
    #[must_use]
    pub fn of(targets: &[Target]) -> Self {
        Self(
            targets
                .iter()
                .map(|target| Record {
                    on_this_machine: target.probe.is_on_this_machine(),
                    ..Record::default()
                })
                .collect(),
        )
    }

    /// Takes a step down.
    pub fn add(&mut self, step: Step) {
        let Some(record) = self.0.get_mut(step.index) else {
            return;
        };
        let first = record
            .attempts
            .first()
            .map_or(step.attempt.started, |first| first.started);
        record.duration = (step.attempt.started + step.attempt.duration)
            .saturating_duration_since(first)
            .max(Duration::ZERO);
        if !step.attempt.through_proxy
            && let Some(address) = step.attempt.address
        {
            record.on_this_machine = machine::is_own(address.ip());
        }
        record.ended = step.next;
        record.attempts.push(step.attempt);
    }
}
