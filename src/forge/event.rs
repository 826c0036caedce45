//! The event that started the run: which commit a status belongs to, and whether the
//! change comes from a fork.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::Value;

use crate::inputs::values;

/// Forges cut events at 25 MiB; a special file may go on for ever.
const LIMIT: u64 = 32 * 1024 * 1024;

/// Events that are not about a commit: their `GITHUB_SHA` is the default branch, and a status
/// there would speak about something else.
const NO_COMMIT: [&str; 14] = [
    "issue_comment",
    "issues",
    "discussion",
    "discussion_comment",
    "fork",
    "gollum",
    "label",
    "milestone",
    "project",
    "project_card",
    "project_column",
    "public",
    "star",
    "watch",
];

/// What matters of an event.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Head of the pull request, or of the run that triggered this one.
    pub head_sha: Option<String>,
    /// Whether it is a pull request from another repository.
    pub from_fork: bool,
}

impl Event {
    /// Reads an event file. An error is a sentence for a warning; the step goes on.
    pub fn read(path: &Path) -> Result<Self, String> {
        let mut text = Vec::new();
        // The runner writes a file; anything else (a pipe would hang) is not its.
        let opened = match path.metadata() {
            Ok(found) if !found.is_file() => Err(std::io::Error::other("it is no file")),
            _ => File::open(path),
        };
        opened
            .and_then(|file| file.take(LIMIT).read_to_end(&mut text))
            .map_err(|error| format!("the event file cannot be read: {error}"))?;
        Self::parse(&text)
    }

    /// Parses an event. Only what is shaped as expected is believed.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let event: Value = serde_json::from_slice(text)
            .map_err(|error| format!("the event file is not valid JSON: {error}"))?;
        let text_at = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
        let sha = ["/pull_request/head/sha", "/workflow_run/head_sha"]
            .into_iter()
            .find_map(|pointer| values::sha(text_at(pointer)?).ok());
        let base = text_at("/pull_request/base/repo/full_name");
        let head = text_at("/pull_request/head/repo/full_name");
        // A head without a repository is a fork that was deleted.
        let from_fork = event.get("pull_request").is_some_and(Value::is_object)
            && base.is_some()
            && head != base;
        Ok(Self {
            head_sha: sha,
            from_fork,
        })
    }
}

/// The commit that a status goes to, or `None` where there is none.
#[must_use]
pub fn commit(
    input: Option<&str>,
    event: &Event,
    event_name: Option<&str>,
    github_sha: Option<&str>,
) -> Option<String> {
    if let Some(sha) = input {
        return Some(sha.to_owned());
    }
    if let Some(sha) = &event.head_sha {
        return Some(sha.clone());
    }
    if event_name.is_some_and(|name| NO_COMMIT.contains(&name)) {
        return None;
    }
    values::sha(github_sha?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const RUN: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn pull_request(head_repo: &str) -> String {
        format!(
            r#"{{"pull_request":{{"head":{{"sha":"{HEAD}","repo":{head_repo}}},"base":{{"repo":{{"full_name":"acme/shop"}}}}}}}}"#
        )
    }

    #[test]
    fn forks_are_recognised() {
        for (repo, fork) in [
            (r#"{"full_name":"acme/shop"}"#, false),
            (r#"{"full_name":"eve/shop"}"#, true),
            ("null", true),
        ] {
            let event = Event::parse(pull_request(repo).as_bytes()).unwrap();
            assert_eq!(
                (event.from_fork, event.head_sha.as_deref()),
                (fork, Some(HEAD)),
                "{repo}"
            );
        }
    }

    #[test]
    fn the_commit_of_each_event() {
        let pull = Event::parse(pull_request("null").as_bytes()).unwrap();
        let run = Event::parse(format!(r#"{{"workflow_run":{{"head_sha":"{HEAD}"}}}}"#).as_bytes())
            .unwrap();
        let none = Event::default();
        for (event, name, expected) in [
            (&pull, "pull_request", Some(HEAD)),
            (&pull, "pull_request_target", Some(HEAD)),
            (&run, "workflow_run", Some(HEAD)),
            (&none, "push", Some(RUN)),
            (&none, "schedule", Some(RUN)),
            (&none, "workflow_dispatch", Some(RUN)),
            (&none, "issue_comment", None),
            (&none, "discussion", None),
        ] {
            assert_eq!(
                commit(None, event, Some(name), Some(RUN)).as_deref(),
                expected,
                "{name}"
            );
        }
        assert_eq!(
            commit(Some(HEAD), &none, Some("issues"), None).as_deref(),
            Some(HEAD)
        );
    }

    #[test]
    fn what_is_not_shaped_as_expected_is_not_believed() {
        let odd = Event::parse(br#"{"pull_request":{"head":{"sha":"../../x"}},"workflow_run":[]}"#)
            .unwrap();
        assert_eq!(odd, Event::default());
        assert!(Event::parse(b"{").is_err());
        assert_eq!(Event::parse(b"[]").unwrap(), Event::default());
    }
}
