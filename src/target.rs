//! Stage 2: a target is one service to ask, and how to ask it.

use std::time::Duration;

use crate::probe::Probe;
use crate::timestamp::Timestamp;

/// One service that the run depends on.
#[derive(Debug)]
pub struct Target {
    /// Its name, as the user gave it: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`, unique.
    pub name: String,
    /// Whether its verdict counts; an optional target is probed and reported all the same.
    pub required: bool,
    /// An incident that people know of.
    pub known: Option<Known>,
    /// How often and how long to try.
    pub policy: Policy,
    /// What one attempt does.
    pub probe: Probe,
}

#[cfg(test)]
impl Target {
    /// A required target with one attempt, for tests.
    pub(crate) fn example(name: &str) -> Self {
        use crate::probe::http::{HttpProbe, Method, StatusSet};
        Self {
            name: name.to_owned(),
            required: true,
            known: None,
            policy: Policy {
                timeout: Duration::from_secs(10),
                attempts: Attempts::AtMost(1),
                interval: Duration::ZERO,
            },
            probe: Probe::Http(HttpProbe {
                url: "http://dep.example/".parse().unwrap(),
                websocket: false,
                method: Method::Get,
                headers: reqwest::header::HeaderMap::new(),
                expect: StatusSet::new(vec![(100, 499)]),
                redirects: 10,
            }),
        }
    }
}

/// An incident that people know of: until its end the target does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its end, as somebody expects it.
    pub until: Timestamp,
    /// What it is, sanitized.
    pub reason: String,
    /// Where one reads more, fit to be shown.
    pub url: Option<String>,
}

/// How often and how long a target is tried.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Limit for one attempt, from the start of name resolution to the response head.
    pub timeout: Duration,
    /// How many tries.
    pub attempts: Attempts,
    /// Wait after the first failure.
    pub interval: Duration,
}

/// How many tries a target gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempts {
    /// This many, one at least.
    AtMost(u32),
    /// As many as fit before the deadline.
    Unlimited,
}
