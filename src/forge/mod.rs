//! What surrounds the step: which forge, which repository, which job, which run.
//!
//! Everything here is read from the environment once, and is as untrusted as any input.

pub mod event;
pub mod hints;
pub mod link;

use std::ffi::OsString;
use std::path::PathBuf;

use serde::Deserialize;

pub use event::Event;

/// The software a forge runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// github.com or GitHub Enterprise.
    GitHub,
    /// Gitea.
    Gitea,
    /// Forgejo.
    Forgejo,
}

impl Flavour {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub",
            Self::Gitea => "Gitea",
            Self::Forgejo => "Forgejo",
        }
    }
}

/// The variables of the runner, as far as they matter here. An empty one is absent.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub struct RunnerEnv {
    /// Set by every CI system.
    pub ci: Option<String>,
    /// Set by every runner of the four.
    pub github_actions: Option<String>,
    /// Set by Gitea's and Forgejo's runners.
    pub gitea_actions: Option<String>,
    /// Set by Forgejo's runner.
    pub forgejo_actions: Option<String>,
    /// The forge's API, without a slash at the end.
    pub github_api_url: Option<String>,
    /// The forge's web address.
    pub github_server_url: Option<String>,
    /// `owner/name`.
    pub github_repository: Option<String>,
    /// The commit of the run; on GitHub's `pull_request` a merge commit that nobody sees.
    pub github_sha: Option<String>,
    /// The name of the event.
    pub github_event_name: Option<String>,
    /// The file with the event.
    pub github_event_path: Option<String>,
    /// The id of the run.
    pub github_run_id: Option<String>,
    /// The number of the run within its repository.
    pub github_run_number: Option<String>,
    /// How often the run was started.
    pub github_run_attempt: Option<String>,
    /// The id of the job.
    pub github_job: Option<String>,
    /// The file for outputs.
    pub github_output: Option<String>,
    /// The file for the job summary.
    pub github_step_summary: Option<String>,
}

impl RunnerEnv {
    /// Reads it from environment variables.
    pub fn from_env(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let vars = vars.into_iter().filter_map(|(name, value)| {
            let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
            (!value.is_empty()).then_some((name, value))
        });
        // Cannot fail: every field is an optional string.
        envy::from_iter(vars).unwrap_or_default()
    }

    /// Whether the step runs in a job of a forge.
    #[must_use]
    pub const fn in_job(&self) -> bool {
        self.github_actions.is_some()
            || self.gitea_actions.is_some()
            || self.forgejo_actions.is_some()
    }

    /// Whether a machine reads the log: no colours, no progress.
    #[must_use]
    pub const fn in_ci(&self) -> bool {
        self.ci.is_some() || self.in_job()
    }

    /// The forge's software. Forgejo's runner sets Gitea's variable too, and Gitea's
    /// sets GitHub's; a runner without a server may set neither, then the API's path tells.
    #[must_use]
    pub fn flavour(&self) -> Flavour {
        let api_v1 = || {
            self.github_api_url
                .as_deref()
                .is_some_and(|url| url.trim_end_matches('/').ends_with("/api/v1"))
        };
        if self.forgejo_actions.is_some() {
            Flavour::Forgejo
        } else if self.gitea_actions.is_some() || api_v1() {
            Flavour::Gitea
        } else {
            Flavour::GitHub
        }
    }

    /// The repository as owner and name, if it is one.
    #[must_use]
    pub fn repository(&self) -> Option<(&str, &str)> {
        let (owner, name) = self.github_repository.as_deref()?.split_once('/')?;
        let fine = |part: &str| {
            !matches!(part, "" | "." | "..")
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        (fine(owner) && fine(name)).then_some((owner, name))
    }

    /// The default context of the commit status.
    #[must_use]
    pub fn status_context(&self) -> String {
        match &self.github_job {
            Some(job) => format!("dep-preflight / {}", crate::text::clean(job, 100)),
            None => "dep-preflight".to_owned(),
        }
    }

    /// The event file's path.
    #[must_use]
    pub fn event_path(&self) -> Option<PathBuf> {
        self.github_event_path.as_ref().map(PathBuf::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(vars: &[(&str, &str)]) -> RunnerEnv {
        RunnerEnv::from_env(vars.iter().map(|(k, v)| (k.into(), v.into())))
    }

    #[test]
    fn flavours() {
        for (vars, flavour) in [
            (vec![("GITHUB_ACTIONS", "true")], Flavour::GitHub),
            (
                vec![("GITHUB_ACTIONS", "true"), ("GITEA_ACTIONS", "true")],
                Flavour::Gitea,
            ),
            (
                vec![("GITEA_ACTIONS", "true"), ("FORGEJO_ACTIONS", "true")],
                Flavour::Forgejo,
            ),
            (vec![("GITHUB_API_URL", "http://h/api/v1")], Flavour::Gitea),
            (vec![("GITHUB_API_URL", "http://h/api/v3")], Flavour::GitHub),
        ] {
            assert_eq!(env(&vars).flavour(), flavour, "{vars:?}");
        }
    }

    #[test]
    fn a_repository_cannot_leave_its_path() {
        for (text, is_one) in [
            ("acme/shop", true),
            ("acme", false),
            ("a/b/c", false),
            ("../x", false),
            ("a/b?c", false),
        ] {
            assert_eq!(
                env(&[("GITHUB_REPOSITORY", text)]).repository().is_some(),
                is_one,
                "{text}"
            );
        }
    }
}
