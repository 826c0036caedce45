//! What other runs saw: the commit statuses of the default branch, read for sightings of a target.
//!
//! Pure. A sighting is a status of ours that names the target. Only what the statuses prove is
//! claimed: that another run found it down too, when one last found it up, and that one reported
//! it up after it had failed here.

use std::time::SystemTime;

use serde::Serialize;
use serde_json::Value;

use super::link::RunLink;
use super::sentence;
use crate::durations::{AHEAD_OF_FORGE, FRESH_SIGHTING};
use crate::text;
use crate::timestamp::{Timestamp, ago};
use crate::verdict::Verdict;

/// What the context of a status of ours begins with, unless somebody chose another.
const CONTEXT: &str = "dep-preflight";
/// The most of a branch's name that is shown, in characters.
const BRANCH: usize = 60;

/// A commit status, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Its number; a later one has a higher one.
    pub id: u64,
    /// `success`, `failure` or something else.
    pub state: String,
    /// Whose status it is.
    pub context: String,
    /// Its sentence.
    pub description: String,
    /// The page that it links to.
    pub link: Option<String>,
    /// When it was made, by the forge's clock.
    pub created: Timestamp,
}

impl Status {
    /// Reads a list of statuses as GitHub, Gitea and Forgejo write it. What is not shaped as a
    /// status is left out; `None` where it is no list at all.
    pub fn list(body: &[u8]) -> Option<Vec<Self>> {
        let list: Vec<Value> = serde_json::from_slice(body).ok()?;
        Some(list.iter().filter_map(Self::parse).collect())
    }

    fn parse(value: &Value) -> Option<Self> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        Some(Self {
            id: value.get("id")?.as_u64()?,
            // GitHub's word for it, and that of Gitea and Forgejo.
            state: text("state").or_else(|| text("status"))?.to_owned(),
            context: text("context")?.to_owned(),
            description: text("description")?.to_owned(),
            link: text("target_url")
                .filter(|link| !link.is_empty())
                .map(str::to_owned),
            created: text("created_at")?.parse().ok()?,
        })
    }
}

/// Where a status was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On the newest commit of this branch.
    Branch(String),
    /// On the commit that the change begins at.
    Base,
}

impl Place {
    fn told(&self, quote: fn(&str) -> String) -> String {
        match self {
            Self::Branch(name) => format!("on {}", quote(&text::sanitize(name, BRANCH))),
            Self::Base => "on the base commit".to_owned(),
        }
    }
}

/// Who reads, so that nobody hears himself.
#[derive(Debug, Clone)]
pub struct Listener {
    /// The context of the run's own status.
    pub context: String,
    /// The page that its status links to, where that is not the run.
    pub link: Option<String>,
    /// The run.
    pub run: Option<RunLink>,
}

/// One run that names targets.
#[derive(Debug, Clone)]
struct Sighting {
    verdict: Verdict,
    names: Vec<String>,
    created: Timestamp,
    id: u64,
    run_url: Option<String>,
}

/// What was seen in one place, the newest first.
#[derive(Debug, Clone)]
pub struct Timeline {
    place: Place,
    sightings: Vec<Sighting>,
    /// The time at which it was read, by the forge's clock.
    now: Timestamp,
}

/// What other runs saw of a target.
#[derive(Debug, Clone, Serialize)]
pub struct Elsewhere {
    /// What the newest of them found.
    pub verdict: Verdict,
    /// When the first one found it down after it was last found up.
    pub since: Option<Timestamp>,
    /// When one last found it up.
    pub last_up: Option<Timestamp>,
    /// The page of the newest run.
    pub run_url: Option<String>,
    /// Whether it was found up after it had failed here.
    pub contradicts: bool,
    /// When the newest run reported.
    #[serde(skip)]
    seen: Timestamp,
    #[serde(skip)]
    place: Place,
    #[serde(skip)]
    now: Timestamp,
}

impl Timeline {
    /// The sightings among these statuses. `now` is the time by the forge's clock.
    pub fn read(statuses: &[Status], place: Place, listener: &Listener, now: Timestamp) -> Self {
        let mut sightings: Vec<_> = statuses
            .iter()
            .filter(|status| status.created <= now.plus(AHEAD_OF_FORGE))
            .filter_map(|status| listener.hear(status))
            .collect();
        sightings.sort_by_key(|sighting| std::cmp::Reverse((sighting.created, sighting.id)));
        Self {
            place,
            sightings,
            now,
        }
    }

    /// What is known of the target with this name. `failed` is when it had first failed here, at
    /// the latest, by the forge's clock.
    pub fn of(&self, name: &str, failed: Option<SystemTime>) -> Option<Elsewhere> {
        let seen = || {
            let named = |sighting: &&Sighting| sighting.names.iter().any(|one| one == name);
            self.sightings.iter().filter(named)
        };
        let newest = seen().next()?;
        let last_up = seen().find(|sighting| sighting.verdict == Verdict::Up);
        let last_up = last_up.map(|sighting| sighting.created);
        let mut downs = seen().take_while(|sighting| sighting.verdict == Verdict::Down);
        let since = downs.by_ref().last().map(|sighting| sighting.created);
        let last_down = seen().find(|sighting| sighting.verdict == Verdict::Down);
        let contradicts = newest.verdict == Verdict::Up
            // Within one second nobody knows which was first.
            && last_down.is_none_or(|down| down.created < newest.created)
            && failed.is_some_and(|failed| failed <= newest.created.time());
        Some(Elsewhere {
            verdict: newest.verdict,
            since,
            last_up,
            run_url: newest.run_url.clone(),
            contradicts,
            seen: newest.created,
            place: self.place.clone(),
            now: self.now,
        })
    }
}

impl Listener {
    /// What a status says, if it is another run's.
    fn hear(&self, status: &Status) -> Option<Sighting> {
        if status.context != self.context && !status.context.starts_with(CONTEXT) {
            return None;
        }
        if self.is_own(status.link.as_deref()) {
            return None;
        }
        let said = sentence::read(&status.description)?;
        if status.state != state(said.verdict)? {
            return None;
        }
        let run = || {
            let (run, link) = (self.run.as_ref()?, status.link.as_deref()?);
            run.number_in(link).map(|number| run.page(number))
        };
        Some(Sighting {
            verdict: said.verdict,
            names: said.names.into_iter().map(str::to_owned).collect(),
            created: status.created,
            id: status.id,
            run_url: run(),
        })
    }

    /// Whether a link is that of this run's own status, from another job or an earlier attempt of
    /// the run, too. Where there is no telling, it is.
    fn is_own(&self, link: Option<&str>) -> bool {
        match (link, &self.link, &self.run) {
            (Some(link), Some(own), _) if link == own => true,
            (Some(link), _, Some(run)) => run.number_in(link).is_some_and(|number| run.is(number)),
            (Some(_), _, None) => false,
            (None, own, run) => own.is_none() && run.is_none(),
        }
    }
}

/// The state that goes with what a sentence says.
const fn state(verdict: Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Up => Some("success"),
        Verdict::Down => Some("failure"),
        Verdict::Unknown => None,
    }
}

impl Elsewhere {
    /// In words: `down on main too, since 12:03 UTC (run 4711); last seen up 8 min ago (11:58 UTC)`.
    pub fn words(&self) -> String {
        self.told(str::to_owned, |text, _| text.to_owned())
    }

    /// The same with markup: `quote` makes text of a branch's name, `link` a link of a text and an
    /// address.
    pub fn told(&self, quote: fn(&str) -> String, link: fn(&str, &str) -> String) -> String {
        let place = self.place.told(quote);
        let at = |time: Timestamp| time.beside(self.now);
        if self.contradicts {
            return format!(
                "another run reported it up at {}, after the first failure here: look also at this runner, and at what this change does to its address",
                at(self.seen)
            );
        }
        let Some(since) = self.since else {
            return format!(
                "last seen up {} {place} ({})",
                ago(self.now.since(self.seen)),
                at(self.seen)
            );
        };
        // What was so hours ago is not said to be so now.
        let age = self.now.since(self.seen);
        let when = if age < FRESH_SIGHTING {
            String::new()
        } else {
            format!(" {}", ago(age))
        };
        let run = self.run_url.as_deref().and_then(|url| {
            let number = url.rsplit('/').next()?;
            Some(format!(" ({})", link(&format!("run {number}"), url)))
        });
        let run = run.unwrap_or_default();
        match self.last_up {
            Some(up) => format!(
                "down {place} too{when}, since {}{run}; last seen up {} ({})",
                at(since),
                ago(self.now.since(up)),
                at(up)
            ),
            None => format!("down {place} too{when}, since {} at least{run}", at(since)),
        }
    }
}

#[cfg(test)]
mod tests;
