//! What people see while it waits: log lines at a bearable rate, a live line on a terminal,
//! and the commit status `pending`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::task::JoinHandle;

use crate::durations::{COMMIT_STATUS, LIVE_LINE, PROGRESS_APART};
use crate::forge::api::{Poster, Refusal};
use crate::probe::Cause;
use crate::record::{Event, Next, Records};
use crate::report::commit_status::describe_waiting;
use crate::report::log;
use crate::screen::{Screen, Tone};
use crate::target::{Attempts, Target};
use crate::text;
use crate::verdict;

/// The targets that are being waited for.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    screen: &'a Screen,
    targets: &'a [Target],
    /// Those that a next attempt is planned for.
    waiting: BTreeMap<usize, Waiting>,
    /// Required ones that have not come to their end, with what the last attempt ended in.
    required: BTreeMap<usize, Option<Cause>>,
    since: Instant,
    left: usize,
    printed: Vec<Option<Instant>>,
    pending: Option<Pending>,
}

#[derive(Debug)]
struct Waiting {
    shown: String,
    next: Instant,
}

/// The commit status while it waits.
#[derive(Debug)]
struct Pending {
    poster: Arc<Poster>,
    under_way: Option<JoinHandle<Result<(), Refusal>>>,
    /// Whether one was posted, or tried to be.
    posted: bool,
    /// What the last one says, unless it never arrived.
    said: Option<String>,
    /// No post is made before.
    next: Instant,
}

impl<'a> Progress<'a> {
    /// An empty one; `now` is when the run began.
    pub(crate) fn new(
        screen: &'a Screen,
        poster: Option<Arc<Poster>>,
        targets: &'a [Target],
        now: SystemTime,
    ) -> Self {
        let since = Instant::now();
        let required = targets.iter().enumerate();
        let required = required.filter(|(_, target)| verdict::known::counts(target, now));
        Self {
            screen,
            targets,
            waiting: BTreeMap::new(),
            required: required.map(|(index, _)| (index, None)).collect(),
            since,
            left: targets.len(),
            printed: vec![None; targets.len()],
            pending: poster.map(|poster| Pending {
                poster,
                under_way: None,
                posted: false,
                said: None,
                next: since + PROGRESS_APART,
            }),
        }
    }

    /// Something happened to a target; `records` are those before it.
    pub(crate) fn event(&mut self, records: &Records<'_>, event: &Event) {
        let (Some(target), Some(record)) =
            (self.targets.get(event.index), records.0.get(event.index))
        else {
            return;
        };
        self.waiting.remove(&event.index);
        if let Some(next) = event.next
            && self.may_print(target, event.index)
        {
            let line = log::attempt(target, record.attempts.len() + 1, &event.attempt, next);
            self.screen.toned(line, Tone::Doubtful);
        }
        let Some(Next::After(wait)) = event.next else {
            self.left = self.left.saturating_sub(1);
            self.required.remove(&event.index);
            return;
        };
        if let Some(last) = self.required.get_mut(&event.index) {
            *last = event.attempt.cause;
        }
        let waiting = Waiting {
            shown: shown(target, event.attempt.cause),
            next: Instant::now() + wait,
        };
        self.waiting.insert(event.index, waiting);
    }

    /// Every failed attempt has its line; where attempts are unlimited, one in ten seconds.
    fn may_print(&mut self, target: &Target, index: usize) -> bool {
        let now = Instant::now();
        let Some(printed) = self.printed.get_mut(index) else {
            return true;
        };
        let limited = target.policy.attempts == Attempts::Unlimited;
        if limited && printed.is_some_and(|last| now.duration_since(last) < PROGRESS_APART) {
            return false;
        }
        *printed = Some(now);
        true
    }

    /// Lets a moment pass: shows on a terminal what is being waited for, and posts it when it
    /// is time to. Where there is nothing to do, it never returns.
    pub(crate) async fn tick(&mut self) {
        let post = self.pending.as_ref().map(|pending| pending.next);
        let post = post.filter(|_| !self.required.is_empty());
        let show = self.screen.is_live().then(|| Instant::now() + LIVE_LINE);
        let Some(next) = post.into_iter().chain(show).min() else {
            return std::future::pending().await;
        };
        tokio::time::sleep_until(next.into()).await;
        if post.is_some_and(|post| post <= Instant::now()) {
            self.post_pending().await;
        }
        if show.is_some() {
            self.show();
        }
    }

    async fn post_pending(&mut self) {
        let Some(pending) = &mut self.pending else {
            return;
        };
        pending.next = Instant::now() + PROGRESS_APART;
        // One that is still under way is the forge's rate.
        if let Some(post) = pending.under_way.take_if(|post| post.is_finished()) {
            // One that never arrived says nothing to anybody.
            if let Ok(Err(Refusal::Silent(_))) = post.await {
                pending.said = None;
            }
        }
        if pending.under_way.is_some() {
            return;
        }
        let names = self.required.iter().filter_map(|(index, cause)| {
            let target = self.targets.get(*index)?;
            Some(shown(target, *cause))
        });
        let description = describe_waiting(names, self.required.len());
        if pending.said.as_ref() == Some(&description) {
            return;
        }
        pending.posted = true;
        pending.said = Some(description.clone());
        let poster = Arc::clone(&pending.poster);
        pending.under_way = Some(tokio::spawn(async move {
            poster.post("pending", &description, COMMIT_STATUS).await
        }));
    }

    fn show(&self) {
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
                text::pluralize(self.left, "answer")
            ),
        };
        self.screen.live(text::truncate(&line, 79));
    }

    /// The wait is over. Says whether a pending status may stand, once none is under way.
    pub(crate) async fn leave(&mut self, limit: Duration) -> bool {
        let Some(pending) = &mut self.pending else {
            return false;
        };
        if let Some(post) = &mut pending.under_way
            && tokio::time::timeout(limit, &mut *post).await.is_err()
        {
            // A late pending must not replace the final status.
            post.abort();
        }
        pending.posted
    }
}

/// A target by its name, with what its last attempt ended in.
fn shown(target: &Target, cause: Option<Cause>) -> String {
    match cause {
        Some(cause) => format!("{} ({cause})", target.name),
        None => target.name.clone(),
    }
}
