//! The job that the run is a step of, as the runner's variables describe it.

use std::ffi::OsString;
use std::path::PathBuf;

use reqwest::Url;

use super::commit::{NoCommit, commit};
use super::event::Mainline;
use super::variables::Variables;
use super::{Event, ForgeKind, Sha};
use crate::{address, text};

/// The longest part of a commit status's default context, in characters; a forge takes 255 of
/// the whole.
const CONTEXT_PART: usize = 100;

/// What surrounds the run. On a person's machine most of it is not there.
#[derive(Debug, Clone)]
pub struct Job {
    /// Whether it is a job of a forge at all.
    pub in_job: bool,
    /// Whether a machine reads the log: no colours, no progress.
    pub in_ci: bool,
    /// The forge's software, as far as the environment tells.
    pub kind: ForgeKind,
    /// The forge's API.
    pub api: Result<Url, Unusable>,
    /// The forge's web pages.
    pub server: Option<Url>,
    /// The repository.
    pub repository: Result<Repository, Unusable>,
    /// The commit of the run; on GitHub's `pull_request` a merge commit that nobody sees.
    pub sha: Option<Sha>,
    /// The name of the event.
    pub event: Option<String>,
    /// The branch or tag of the run.
    pub ref_name: Option<String>,
    /// The file with the event.
    pub event_file: Option<PathBuf>,
    /// What numbers the run.
    pub run: RunNumbers,
    /// The default context of the commit status: one of its own for each job of each workflow,
    /// because statuses with one context overwrite each other.
    pub status_context: String,
    /// The file for outputs.
    pub outputs: Option<PathBuf>,
    /// The file for the job summary.
    pub summary: Option<PathBuf>,
}

/// An owner and a name that stay two segments of any path they are put into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The owner.
    pub owner: String,
    /// The name.
    pub name: String,
}

impl Repository {
    fn parse(text: &str) -> Option<Self> {
        let (owner, name) = text.split_once('/')?;
        let fine = |part: &str| {
            !matches!(part, "" | "." | "..")
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        (fine(owner) && fine(name)).then(|| Self {
            owner: owner.to_owned(),
            name: name.to_owned(),
        })
    }
}

impl std::fmt::Display for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// The numbers that an address of the run may have in it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunNumbers {
    /// Its id.
    pub id: Option<u64>,
    /// Its number within the repository.
    pub number: Option<u64>,
    /// How often it was started.
    pub attempt: Option<u64>,
}

/// Why a variable of the runner cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is not there.
    #[error("{name} is not set; it would be {right}")]
    Missing {
        /// Its name.
        name: &'static str,
        /// What it should be.
        right: &'static str,
    },
    /// It is something else.
    #[error("{name} is {value}, not {right}")]
    Wrong {
        /// Its name.
        name: &'static str,
        /// What it is, masked.
        value: String,
        /// What it should be.
        right: &'static str,
    },
}

/// What the run is about.
#[derive(Debug)]
pub(crate) struct Subject {
    /// The commit, or why there is none.
    pub(crate) sha: Result<Sha, NoCommit>,
    /// Whether a status that is refused is by design: the token of a pull request from a fork
    /// may not write.
    pub(crate) read_only: bool,
    /// Where runs without the change are found.
    pub(crate) mainline: Mainline,
    /// What people should know about how the commit was found.
    pub(crate) note: Option<String>,
}

impl Job {
    /// Reads the environment. The event file is left alone until `Job::subject`.
    pub fn from_env(vars: &[(OsString, OsString)]) -> Self {
        let vars = Variables::read(vars);
        let in_job = [
            &vars.github_actions,
            &vars.gitea_actions,
            &vars.forgejo_actions,
        ]
        .into_iter()
        .any(is_on);
        let number = |text: &Option<String>| text.as_deref()?.parse().ok();
        Self {
            in_job,
            in_ci: in_job || is_on(&vars.ci),
            kind: kind(&vars),
            api: usable(
                "GITHUB_API_URL",
                vars.github_api_url.as_deref(),
                "an address of http or https",
                |text| address::url(text).ok(),
            ),
            server: vars
                .github_server_url
                .as_deref()
                .and_then(|text| address::url(text).ok()),
            repository: usable(
                "GITHUB_REPOSITORY",
                vars.github_repository.as_deref(),
                "the owner and name of a repository",
                Repository::parse,
            ),
            sha: vars.github_sha.as_deref().and_then(|sha| sha.parse().ok()),
            run: RunNumbers {
                id: number(&vars.github_run_id),
                number: number(&vars.github_run_number),
                attempt: number(&vars.github_run_attempt),
            },
            status_context: status_context(&vars),
            event: vars.github_event_name,
            ref_name: vars.github_ref_name,
            event_file: vars.github_event_path.map(PathBuf::from),
            outputs: vars.github_output.map(PathBuf::from),
            summary: vars.github_step_summary.map(PathBuf::from),
        }
    }

    /// Reads the event and says what the run is about; `wanted` is the commit that the user
    /// named.
    pub(crate) fn subject(&self, wanted: Option<&Sha>) -> Subject {
        let read = match &self.event_file {
            Some(path) => Event::read(path),
            None => Ok(Event::default()),
        };
        let event = read.as_ref().ok();
        let name = self.event.as_deref();
        let read_only = event.is_some_and(|event| event.is_read_only(name, self.kind));
        let mut mainline = event.map_or_else(Mainline::default, |event| event.mainline.clone());
        if mainline.branch.is_none() && name == Some("schedule") {
            // Schedules run on the default branch; Gitea's event may be null.
            mainline.branch = self.ref_name.as_deref().and_then(Mainline::branch);
        }
        let sha = commit(wanted, event, name, self.sha.as_ref());
        let (sha, note) = match (sha, read) {
            (Ok(sha), Err(why)) if wanted.is_none() => {
                let note = format!("{why}; the commit is taken from GITHUB_SHA");
                (Ok(sha), Some(note))
            }
            (Err(_), Err(why)) => (Err(why.into()), None),
            (sha, _) => (sha, None),
        };
        Subject {
            sha,
            read_only,
            mainline,
            note,
        }
    }
}

/// Whether a machine reads the log, for a failure before the environment was read as a whole.
pub(crate) fn process_is_in_ci() -> bool {
    let vars: Vec<_> = std::env::vars_os().collect();
    Job::from_env(&vars).in_ci
}

/// The forge's software. Forgejo's runner sets Gitea's variable too, and Gitea's sets GitHub's; a
/// runner without a server may set neither, then the API's path tells.
fn kind(vars: &Variables) -> ForgeKind {
    let api_v1 = || {
        let api = vars.github_api_url.as_deref();
        api.is_some_and(|url| url.trim_end_matches('/').ends_with("/api/v1"))
    };
    if is_on(&vars.forgejo_actions) {
        ForgeKind::Forgejo
    } else if is_on(&vars.gitea_actions) || api_v1() {
        ForgeKind::Gitea
    } else {
        ForgeKind::GitHub
    }
}

/// Whether a variable says that something is so. People switch CI off by `CI=false`.
#[expect(clippy::ref_option, reason = "fields of one struct, as they are")]
fn is_on(value: &Option<String>) -> bool {
    value.as_ref().is_some_and(|value| {
        let value = value.trim();
        !(value.eq_ignore_ascii_case("false") || matches!(value, "" | "0"))
    })
}

fn usable<T>(
    name: &'static str,
    value: Option<&str>,
    right: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, Unusable> {
    let Some(text) = value else {
        return Err(Unusable::Missing { name, right });
    };
    parse(text).ok_or_else(|| Unusable::Wrong {
        name,
        value: text::show_value(text),
        right,
    })
}

fn status_context(vars: &Variables) -> String {
    let part = |name: &String| text::truncate(&text::sanitize(name, text::LONG), CONTEXT_PART);
    let parts = match (&vars.github_workflow, &vars.github_job) {
        (Some(workflow), Some(job)) => vec![part(workflow), part(job)],
        (None, Some(job)) => vec![part(job)],
        (_, None) => vec![],
    };
    std::iter::once("dep-preflight".to_owned())
        .chain(parts.into_iter().filter(|part| !part.is_empty()))
        .collect::<Vec<_>>()
        .join(" / ")
}

#[cfg(test)]
mod tests;
