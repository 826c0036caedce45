//! Who else saw it: asks the forge what other runs found, once the step is down.
//!
//! Two calls at most, and never a reason for anything: whatever comes of them, verdicts, exit code
//! and outputs are what they were.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::durations::{FORGE_SECOND, SHORTEST_HISTORY};
use crate::forge::Job;
use crate::forge::api::statuses::{Commit, Page, Reader, Unread};
use crate::forge::event::Mainline;
use crate::forge::history::{Elsewhere, Listener, Place, Timeline};
use crate::forge::link::RunLink;
use crate::inputs::Inputs;
use crate::net::Network;
use crate::record::Record;
use crate::report::Report;
use crate::timestamp::Timestamp;
use crate::verdict::Verdict;

/// Asks what other runs saw.
#[derive(Debug)]
pub(crate) struct History {
    reader: Reader,
    listener: Listener,
    mainline: Mainline,
    network: Arc<Network>,
}

/// What other runs saw.
#[derive(Debug, Default)]
pub(crate) struct Sightings {
    found: Vec<(Timeline, Clock)>,
    /// Why there is no more to know.
    pub(super) trouble: Option<Unread>,
}

/// The forge's clock beside this machine's.
#[derive(Debug, Clone, Copy)]
struct Clock {
    /// What it showed in an answer; `None` if it did not.
    date: Option<Timestamp>,
    /// When that was asked for.
    asked: Instant,
}

impl Clock {
    /// What it showed at that time, at the latest: it shows whole seconds, and answered after it
    /// was asked.
    fn latest(self, at: Instant) -> Option<SystemTime> {
        let asked = self.date?.time().checked_add(FORGE_SECOND)?;
        asked.checked_sub(self.asked.saturating_duration_since(at))
    }
}

impl History {
    /// What it takes to ask, if it is wanted and the job has it all.
    pub(super) fn of(
        job: &Job,
        inputs: &Inputs,
        mainline: Mainline,
        network: &Arc<Network>,
    ) -> Option<Self> {
        let token = inputs.status.token.clone().filter(|_| inputs.history)?;
        let reader = Reader::of(job, token)?;
        mainline.branch.as_ref()?;
        let own = &inputs.status;
        Some(Self {
            reader,
            listener: Listener {
                context: own.context.as_ref().unwrap_or(&job.status_context).clone(),
                link: own.target_url.as_ref().map(ToString::to_string),
                run: RunLink::of(job),
            },
            mainline,
            network: Arc::clone(network),
        })
    }

    /// Asks about the default branch, and where nothing was seen of these targets there, about the
    /// commit that the change begins at.
    pub(super) async fn ask(&self, names: &[&str], limit: Duration) -> Sightings {
        let end = Instant::now() + limit;
        let mut sightings = Sightings::default();
        let branch = self.mainline.branch.as_ref();
        let branch = branch.map(|name| (Commit::Branch(name.clone()), Place::Branch(name.clone())));
        let base = self.mainline.base.as_ref();
        let base = base.map(|sha| (Commit::Sha(sha.clone()), Place::Base));
        for (commit, place) in branch.into_iter().chain(base) {
            let left = end.saturating_duration_since(Instant::now());
            if left < SHORTEST_HISTORY || names.iter().any(|name| sightings.has(name)) {
                break;
            }
            match self.reader.statuses(&self.network, &commit, left).await {
                Ok(page) => sightings.found.push(self.read(&page, place)),
                Err(why) => {
                    sightings.trouble = Some(why);
                    break;
                }
            }
        }
        sightings
    }

    fn read(&self, page: &Page, place: Place) -> (Timeline, Clock) {
        let now = page.date;
        let now = now.unwrap_or_else(|| Timestamp::of(SystemTime::now()));
        let timeline = Timeline::read(&page.statuses, place, &self.listener, now);
        let clock = Clock {
            date: page.date,
            asked: page.asked,
        };
        (timeline, clock)
    }
}

impl Sightings {
    fn has(&self, name: &str) -> bool {
        self.of(name, None).is_some()
    }

    /// Says with each target that is down what was seen of it.
    pub(super) fn tell(&self, report: &mut Report, records: &[Record<'_>]) {
        for (target, record) in report.targets.iter_mut().zip(records) {
            if target.verdict == Verdict::Down {
                let first = record.attempts.first();
                let failed = first.map(|attempt| attempt.started + attempt.duration);
                target.elsewhere = self.of(&target.name, failed);
            }
        }
    }

    /// What was seen of a target that failed here for the first time at `failed`.
    fn of(&self, name: &str, failed: Option<Instant>) -> Option<Elsewhere> {
        self.found.iter().find_map(|(timeline, clock)| {
            timeline.of(name, failed.and_then(|failed| clock.latest(failed)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second that is shown is over at most one second later.
    #[test]
    fn the_forges_clock_is_read_with_care() {
        let asked = Instant::now();
        let date: Timestamp = "2026-11-27T12:06:30Z".parse().unwrap();
        let clock = Clock {
            date: Some(date),
            asked,
        };
        let before = asked.checked_sub(Duration::from_millis(4500)).unwrap();
        assert_eq!(
            clock.latest(before),
            Some(date.time() + Duration::from_secs(1) - Duration::from_millis(4500))
        );
        let none = Clock { date: None, asked };
        assert_eq!(none.latest(before), None);
    }
}
