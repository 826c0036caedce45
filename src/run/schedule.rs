//! All targets at once: runs each one's attempts until it is up, used up or out of time.
//!
//! At most one request per target is under way. What happens comes out as a stream of
//! [`Event`]s, so that it is seen while it happens, and survives a signal.

mod admission;

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use admission::Admission;

use crate::net::Network;
use crate::probe::pulse::Pulse;
use crate::probe::{Attempt, AttemptBudget};
use crate::record::{Event, Next};
use crate::run::retry;
use crate::target::Target;

/// The most attempts under way at once. Each holds some 30 KiB, most of it the HTTP library's
/// buffers; ten thousand at once would fill a small runner.
const MAX_IN_FLIGHT: usize = 4096;
/// File descriptors that are not for attempts: files, resolver, forge, runtime.
const RESERVED_FDS: u64 = 64;
/// Descriptors that attempts hold, on average: a connection, and another address that is tried
/// beside it; or a question to the name server for each family.
const FDS_PER_ATTEMPT: usize = 2;

/// What makes attempts: the network, in a test something else.
pub(crate) trait Prober: Send + Sync + 'static {
    /// Tries once.
    fn attempt(
        &self,
        target: &Target,
        budget: AttemptBudget<'_>,
    ) -> impl Future<Output = Attempt> + Send;

    /// How many connections all attempts together may hold beside one each.
    fn may_hold_beside(&self, _connections: usize) {}
}

impl Prober for Network {
    async fn attempt(&self, target: &Target, budget: AttemptBudget<'_>) -> Attempt {
        target.probe.attempt(self, budget).await
    }

    fn may_hold_beside(&self, connections: usize) {
        self.spare.limit(connections);
    }
}

/// The running attempts of all targets.
#[derive(Debug)]
pub(crate) struct Schedule {
    events: UnboundedReceiver<Event>,
    /// Dropped, it stops all attempts where they are.
    _tasks: JoinSet<()>,
}

impl Schedule {
    /// Starts all targets. None of them makes an attempt after `until`.
    pub(crate) fn start(
        targets: &Arc<Vec<Target>>,
        prober: &Arc<impl Prober>,
        until: Instant,
    ) -> Self {
        let (sender, events) = unbounded_channel();
        let descriptors = descriptors();
        let at_once = max_in_flight(targets.len(), descriptors);
        prober.may_hold_beside(descriptors.saturating_sub(at_once));
        let runner = Arc::new(Runner {
            admission: Admission::new(at_once),
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
                Arc::clone(prober),
                Arc::clone(&runner),
                until,
                sender.clone(),
            ));
        }
        Self {
            events,
            _tasks: tasks,
        }
    }

    /// The next thing that happened, or `None` when every target has come to its end.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
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
    prober: Arc<impl Prober>,
    runner: Arc<Runner>,
    until: Instant,
    events: UnboundedSender<Event>,
) {
    let Some(target) = targets.get(index) else {
        return;
    };
    let mut made = 0;
    loop {
        let Ok(permit) = tokio::time::timeout_at(until.into(), runner.admission.permit()).await
        else {
            return;
        };
        // One that is free at once, or a wait that ended late, has not looked at the time.
        if Instant::now() >= until {
            return;
        }
        let budget = AttemptBudget {
            timeout: target.policy.timeout,
            latest: until,
            pulse: &runner.pulse,
        };
        // Boxed: what an attempt needs is there while it is under way, not for every target.
        let attempt = Box::pin(prober.attempt(target, budget)).await;
        drop(permit);
        made += 1;
        let next = (!attempt.is_up()).then(|| {
            let left = until.saturating_duration_since(Instant::now());
            retry::next(
                &target.policy,
                made,
                attempt.started.elapsed(),
                attempt.retry_after,
                left,
                fastrand::f64(),
            )
        });
        // The receiver goes away only when everything is stopped.
        let _ = events.send(Event {
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

/// How many attempts may be under way: as many as there are targets, up to [`MAX_IN_FLIGHT`], unless
/// the system allows fewer.
fn max_in_flight(targets: usize, descriptors: usize) -> usize {
    let allowed = descriptors / FDS_PER_ATTEMPT;
    allowed.clamp(1, targets.clamp(1, MAX_IN_FLIGHT))
}

/// How many file descriptors attempts may hold, once the system's limit is raised as far as it
/// goes.
fn descriptors() -> usize {
    let descriptors = raise_file_limit().saturating_sub(RESERVED_FDS);
    usize::try_from(descriptors).unwrap_or(usize::MAX)
}

#[cfg(unix)]
fn raise_file_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where it cannot be raised, it stays as it is.
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum.unwrap_or(u64::MAX),
        Err(_) => limit.current.unwrap_or(u64::MAX),
    }
}

#[cfg(not(unix))]
fn raise_file_limit() -> u64 {
    u64::MAX
}

#[cfg(test)]
mod tests;
