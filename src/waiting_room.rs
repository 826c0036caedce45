//! What people see while it waits: log lines at a bearable rate, a live line on a terminal,
//! and the commit status `pending`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use crate::report::commit_status::{Poster, Refusal, describe_waiting};
use crate::report::log;
use crate::schedule::{Records, Step};
use crate::screen::{Screen, Tone};
use crate::target::{Attempts, Target};
use crate::text;
use crate::waiting::Next;

/// At most one post, and with unlimited attempts one line per target, in this time.
const RATE: Duration = Duration::from_secs(10);
/// How often a live line changes.
const TICK: Duration = Duration::from_millis(200);
/// The most time that a pending status gets.
const PENDING: Duration = Duration::from_secs(5);

/// The targets that are being waited for.
#[derive(Debug)]
pub struct WaitingRoom<'a> {
    screen: &'a Screen,
    poster: Option<Arc<Poster>>,
    waiting: BTreeMap<usize, Waiting>,
    since: Instant,
    left: usize,
    printed: Vec<Option<Instant>>,
    pending: Pending,
}

#[derive(Debug)]
struct Waiting {
    shown: String,
    next: Instant,
}

#[derive(Debug, Default)]
struct Pending {
    under_way: Option<JoinHandle<Result<(), Refusal>>>,
    last: Option<Instant>,
}

impl<'a> WaitingRoom<'a> {
    /// An empty one.
    #[must_use]
    pub fn new(screen: &'a Screen, poster: Option<Arc<Poster>>, targets: &[Target]) -> Self {
        Self {
            screen,
            poster,
            waiting: BTreeMap::new(),
            since: Instant::now(),
            left: targets.len(),
            printed: vec![None; targets.len()],
            pending: Pending::default(),
        }
    }

    /// Something happened to a target; `records` are those before it.
    pub fn step(&mut self, targets: &[Target], records: &Records, step: &Step) {
        let (Some(target), Some(record)) = (targets.get(step.index), records.0.get(step.index))
        else {
            return;
        };
        self.waiting.remove(&step.index);
        let Some(next) = step.next else {
            self.left = self.left.saturating_sub(1);
            return;
        };
        if self.may_print(target, step.index) {
            let line = log::attempt(target, record.attempts.len() + 1, &step.attempt, next);
            self.screen.toned(line, Tone::Doubtful);
        }
        let Next::After(wait) = next else {
            self.left = self.left.saturating_sub(1);
            return;
        };
        let cause = step.attempt.cause.map_or("", |cause| cause.word());
        self.waiting.insert(
            step.index,
            Waiting {
                shown: format!("{} ({cause})", target.name),
                next: Instant::now() + wait,
            },
        );
        self.post_pending();
    }

    /// Every failed attempt has its line; where attempts are unlimited, one in ten seconds.
    fn may_print(&mut self, target: &Target, index: usize) -> bool {
        let now = Instant::now();
        let Some(printed) = self.printed.get_mut(index) else {
            return true;
        };
        let limited = target.policy.attempts == Attempts::Unlimited;
        if limited && printed.is_some_and(|last| now.duration_since(last) < RATE) {
            return false;
        }
        *printed = Some(now);
        true
    }

    fn post_pending(&mut self) {
        let Some(poster) = &self.poster else { return };
        let now = Instant::now();
        if self
            .pending
            .last
            .is_some_and(|last| now.duration_since(last) < RATE)
        {
            return;
        }
        // One that is still under way is the forge's rate.
        if self
            .pending
            .under_way
            .as_ref()
            .is_some_and(|post| !post.is_finished())
        {
            return;
        }
        self.pending.last = Some(now);
        let poster = Arc::clone(poster);
        let names: Vec<_> = self
            .waiting
            .values()
            .map(|waiting| waiting.shown.clone())
            .collect();
        self.pending.under_way = Some(tokio::spawn(async move {
            poster
                .post("pending", &describe_waiting(&names), PENDING)
                .await
        }));
    }

    /// Shows on a terminal what is being waited for; elsewhere it never returns.
    pub async fn tick(&self) {
        if !self.screen.is_live() {
            return std::future::pending().await;
        }
        tokio::time::sleep(TICK).await;
        let waited = text::show_duration(self.since.elapsed());
        let now = Instant::now();
        let soonest = self.waiting.values().min_by_key(|waiting| waiting.next);
        let line = match soonest {
            Some(waiting) => {
                let more = match self.left.saturating_sub(1) {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                let wait = waiting.next.saturating_duration_since(now);
                let then = if wait.is_zero() {
                    "trying again".to_owned()
                } else {
                    format!("next try in {}", text::show_duration(wait))
                };
                format!("… {waited}: waiting for {}{more}, {then}", waiting.shown)
            }
            None => format!(
                "… {waited}: waiting for {}",
                text::count(self.left, "answer")
            ),
        };
        self.screen.live(text::cut(&line, 79));
    }

    /// The wait is over. Says whether a pending status may stand, once none is under way.
    pub async fn leave(&mut self, limit: Duration) -> bool {
        if let Some(post) = &mut self.pending.under_way
            && tokio::time::timeout(limit, &mut *post).await.is_err()
        {
            // A late pending must not replace the final status.
            post.abort();
        }
        self.pending.last.is_some()
    }
}
