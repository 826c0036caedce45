//! The commit that the run is about.

use std::fmt;
use std::str::FromStr;

use super::Event;
use super::event::EventError;
use crate::text;

/// Events whose `GITHUB_SHA` is the commit that they are about. Any other is about something
/// else (its `GITHUB_SHA` is the default branch), or has its commit in the event file.
const ABOUT_GITHUB_SHA: [&str; 10] = [
    "push",
    "merge_group",
    "workflow_dispatch",
    "workflow_call",
    "repository_dispatch",
    "schedule",
    "release",
    "create",
    "deployment",
    "deployment_status",
];

/// The full name of a commit: 40 or 64 hex digits, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sha(String);

impl Sha {
    /// It as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Sha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text does not name a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a commit; give its full 40 or 64 hex digits")]
pub struct NotASha;

impl FromStr for Sha {
    type Err = NotASha;

    fn from_str(text: &str) -> Result<Self, NotASha> {
        let text = text.trim();
        let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        // Forges write zeros where there is no commit, after a branch was deleted.
        let some = text.bytes().any(|byte| byte != b'0');
        if hex && some && matches!(text.len(), 40 | 64) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(NotASha)
        }
    }
}

/// Why there is no commit that a status could go to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoCommit {
    /// The event is about something else.
    #[error("the event {0} is not about a commit (the input sha can name one)")]
    Another(String),
    /// The event is about a commit that only its file names, and the file does not.
    #[error(
        "the event file does not name the head commit that the event {0} is about (the input sha can name it)"
    )]
    Head(String),
    /// Nor does the environment name one.
    #[error("GITHUB_SHA does not name a commit")]
    Sha,
    /// The event file would have named it.
    #[error(transparent)]
    Event(#[from] EventError),
}

/// The commit that a status goes to. `event` is `None` where its file cannot be read.
pub fn commit(
    input: Option<&Sha>,
    event: Option<&Event>,
    event_name: Option<&str>,
    github_sha: Option<&Sha>,
) -> Result<Sha, NoCommit> {
    if let Some(sha) = input.or(event.and_then(|event| event.head_sha.as_ref())) {
        return Ok(sha.clone());
    }
    let shown = |name: &str| text::sanitize(name, 60);
    if let Some(name) = event_name {
        // GITHUB_SHA is a merge that nobody sees, or the branch that the change is for.
        let hidden = name.starts_with("pull_request")
            || name == "workflow_run"
            || name == "workflow_call" && event.is_none();
        if hidden {
            return Err(NoCommit::Head(shown(name)));
        }
        if !ABOUT_GITHUB_SHA.contains(&name) {
            return Err(NoCommit::Another(shown(name)));
        }
    }
    if event.is_some_and(|event| event.about_another) {
        return Err(NoCommit::Another(shown(event_name.unwrap_or_default())));
    }
    github_sha.cloned().ok_or(NoCommit::Sha)
}

#[cfg(test)]
mod tests;
