//! The event that started the run: its head commit, and whether the change comes from a fork.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::Value;

use super::{ForgeKind, Sha};
use crate::text;

/// Forges cut events at 25 MiB; a special file may go on for ever.
const LIMIT: u64 = 32 * 1024 * 1024;
/// The longest name of a branch, in bytes: a file system has no longer ones.
const BRANCH: usize = 255;
/// The longest text about one that cannot be used, in characters.
const ERROR: usize = 300;

/// What an event file has of an event that is about something else than a commit. In a called
/// workflow, Gitea 1.27 names every event `workflow_call`: only the file tells.
const ABOUT_ANOTHER: [&str; 8] = [
    "issue",
    "comment",
    "discussion",
    "forkee",
    "page",
    "pages",
    "package",
    "registry_package",
];

/// Why nothing is known about the event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event file {0}")]
pub struct EventError(String);

impl EventError {
    fn new(what: &str, error: &dyn std::error::Error) -> Self {
        Self(text::sanitize(&format!("{what}: {error}"), ERROR))
    }
}

/// What matters of an event.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Head of the pull request, or of the run that triggered this one.
    pub head_sha: Option<Sha>,
    /// Whether it is a pull request from another repository.
    pub from_fork: bool,
    /// Whether it is about something else than a commit: an issue, a comment, a page.
    pub about_another: bool,
    /// Where runs without this change are found.
    pub mainline: Mainline,
}

/// Where runs without this change are found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mainline {
    /// The default branch.
    pub branch: Option<String>,
    /// The commit that the change begins at.
    pub base: Option<Sha>,
}

impl Mainline {
    /// A branch by its name, if that can be one.
    pub(crate) fn branch(name: &str) -> Option<String> {
        let fine = !matches!(name, "" | "." | "..")
            && name.len() <= BRANCH
            && !name.contains(char::is_control);
        fine.then(|| name.to_owned())
    }
}

impl Event {
    /// Reads an event file.
    pub(crate) fn read(path: &Path) -> Result<Self, EventError> {
        let mut text = Vec::new();
        // The runner writes a file; anything else (a pipe would hang) is not its.
        let opened = match path.metadata() {
            Ok(found) if !found.is_file() => Err(std::io::Error::other("it is not a file")),
            _ => File::open(path),
        };
        opened
            .and_then(|file| file.take(LIMIT).read_to_end(&mut text))
            .map_err(|error| EventError::new("cannot be read", &error))?;
        Self::parse(&text)
    }

    /// Parses an event. Only what is shaped as expected is believed.
    pub fn parse(text: &[u8]) -> Result<Self, EventError> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let event: Value = serde_json::from_slice(text)
            // A title cut in the middle of a character says nothing about the commit.
            .or_else(|error| serde_json::from_str(&mended(text)).map_err(|_| error))
            .map_err(|error| EventError::new("is not valid JSON", &error))?;
        let text_at = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
        let sha = ["/pull_request/head/sha", "/workflow_run/head_sha"]
            .into_iter()
            .find_map(|pointer| text_at(pointer)?.parse().ok());
        let base = text_at("/pull_request/base/repo/full_name");
        let head = text_at("/pull_request/head/repo/full_name");
        // A head without a repository is a fork that was deleted.
        let from_fork = event.get("pull_request").is_some_and(Value::is_object)
            && base.is_some()
            && head != base;
        let base = ["/pull_request/base/sha", "/merge_group/base_sha"]
            .into_iter()
            .find_map(|pointer| text_at(pointer)?.parse().ok());
        let before = || text_at("/before")?.parse().ok();
        let pushed = event.get("pull_request").is_none();
        let mainline = Mainline {
            branch: text_at("/repository/default_branch").and_then(Mainline::branch),
            // What a pull request was before it was pushed to has the change as well.
            base: base.or_else(|| before().filter(|_| pushed)),
        };
        let has = |key: &&str| event.get(key).is_some_and(|value| !value.is_null());
        Ok(Self {
            about_another: sha.is_none() && ABOUT_ANOTHER.iter().any(has),
            head_sha: sha,
            from_fork,
            mainline,
        })
    }

    /// Whether the forge gives this event a token that may not write, so that a status that is
    /// refused is nobody's fault. On GitHub alone, `pull_request_target` has one that may.
    pub(crate) fn is_read_only(&self, name: Option<&str>, kind: ForgeKind) -> bool {
        let trusted = kind == ForgeKind::GitHub && name == Some("pull_request_target");
        self.from_fork && !trusted
    }
}

/// The text with each half of a surrogate pair that stands alone, and each byte that is not
/// UTF-8, replaced: other parsers of JSON pass them through.
fn mended(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    let unit = |text: &str| {
        let hex = text.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(hex, 16).ok()
    };
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let pair = escape.get(6..).and_then(unit);
        let (kept, length) = match (unit(escape), pair) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (true, 12),
            (Some(0xd800..=0xdfff), _) => (false, 6),
            // The escaped character may itself be a backslash.
            _ => (true, 2),
        };
        let length = if escape.is_char_boundary(length) {
            length
        } else {
            1
        };
        let (taken, after) = escape.split_at(length.min(escape.len()));
        out.push_str(if kept { taken } else { "\\ufffd" });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
