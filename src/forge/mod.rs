//! What surrounds the step: which forge, which repository, which job, which run.
//!
//! Everything here is read from the environment once, and is as untrusted as any input.

pub(crate) mod event;
pub(crate) mod hints;
pub(crate) mod link;

use std::ffi::OsString;
use std::path::PathBuf;

use serde::Deserialize;

pub use event::Event;

use crate::{environment, text};

/// The longest part of a commit status's default context, in characters; a forge takes 255 of
/// the whole.
const CONTEXT_PART: usize = 100;

/// The software a forge runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForgeKind {
    /// github.com or GitHub Enterprise.
    GitHub,
    /// Gitea.
    Gitea,
    /// Forgejo.
    Forgejo,
}

impl ForgeKind {
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
    /// The name of the workflow, or its file's path where it has none.
    pub github_workflow: Option<String>,
    /// The id of the job.
    pub github_job: Option<String>,
    /// The file for outputs.
    pub github_output: Option<String>,
    /// The file for the job summary.
    pub github_step_summary: Option<String>,
}

/// The variables of [`RunnerEnv`]. No other spelling of them is read: a job may set what it
/// likes beside them.
const VARIABLES: [&str; 17] = [
    "CI",
    "GITHUB_ACTIONS",
    "GITEA_ACTIONS",
    "FORGEJO_ACTIONS",
    "GITHUB_API_URL",
    "GITHUB_SERVER_URL",
    "GITHUB_REPOSITORY",
    "GITHUB_SHA",
    "GITHUB_EVENT_NAME",
    "GITHUB_EVENT_PATH",
    "GITHUB_RUN_ID",
    "GITHUB_RUN_NUMBER",
    "GITHUB_RUN_ATTEMPT",
    "GITHUB_WORKFLOW",
    "GITHUB_JOB",
    "GITHUB_OUTPUT",
    "GITHUB_STEP_SUMMARY",
];

impl RunnerEnv {
    /// Reads it from environment variables.
    pub fn from_env(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let known = VARIABLES.map(str::to_owned).into();
        let vars = environment::exactly(vars, &known)
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.into_string().ok()?)))
            .filter(|(_, value)| !value.is_empty());
        environment::typed("", vars.collect())
    }

    /// Whether the step runs in a job of a forge.
    #[must_use]
    pub fn in_job(&self) -> bool {
        is_on(self.github_actions.as_ref())
            || is_on(self.gitea_actions.as_ref())
            || is_on(self.forgejo_actions.as_ref())
    }

    /// Whether a machine reads the log: no colours, no progress.
    #[must_use]
    pub fn in_ci(&self) -> bool {
        is_on(self.ci.as_ref()) || self.in_job()
    }

    /// The forge's software. Forgejo's runner sets Gitea's variable too, and Gitea's
    /// sets GitHub's; a runner without a server may set neither, then the API's path tells.
    #[must_use]
    pub fn kind(&self) -> ForgeKind {
        let api_v1 = || {
            self.github_api_url
                .as_deref()
                .is_some_and(|url| url.trim_end_matches('/').ends_with("/api/v1"))
        };
        if is_on(self.forgejo_actions.as_ref()) {
            ForgeKind::Forgejo
        } else if is_on(self.gitea_actions.as_ref()) || api_v1() {
            ForgeKind::Gitea
        } else {
            ForgeKind::GitHub
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

    /// The default context of the commit status: one of its own for each job of each workflow,
    /// because statuses with one context overwrite each other.
    #[must_use]
    pub fn status_context(&self) -> String {
        let part = |name: &String| text::truncate(&text::sanitize(name, text::LONG), CONTEXT_PART);
        let parts = match (&self.github_workflow, &self.github_job) {
            (Some(workflow), Some(job)) => vec![part(workflow), part(job)],
            (None, Some(job)) => vec![part(job)],
            (_, None) => vec![],
        };
        std::iter::once("dep-preflight".to_owned())
            .chain(parts.into_iter().filter(|part| !part.is_empty()))
            .collect::<Vec<_>>()
            .join(" / ")
    }

    /// The event file's path.
    #[must_use]
    pub fn event_path(&self) -> Option<PathBuf> {
        self.github_event_path.as_ref().map(PathBuf::from)
    }
}

/// Whether a machine reads the log, for a failure before the environment was read as a whole.
pub(crate) fn process_is_in_ci() -> bool {
    ["CI", "GITHUB_ACTIONS", "GITEA_ACTIONS", "FORGEJO_ACTIONS"]
        .iter()
        .any(|name| is_on(std::env::var(name).ok().as_ref()))
}

/// Whether a variable says that something is so. People switch CI off by `CI=false`.
fn is_on(value: Option<&String>) -> bool {
    value.is_some_and(|value| {
        let value = value.trim();
        !(value.eq_ignore_ascii_case("false") || matches!(value, "" | "0"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(vars: &[(&str, &str)]) -> RunnerEnv {
        RunnerEnv::from_env(vars.iter().map(|(k, v)| (k.into(), v.into())))
    }

    #[test]
    fn kinds() {
        for (vars, kind) in [
            (vec![("GITHUB_ACTIONS", "true")], ForgeKind::GitHub),
            (
                vec![("GITHUB_ACTIONS", "true"), ("GITEA_ACTIONS", "true")],
                ForgeKind::Gitea,
            ),
            (
                vec![("GITEA_ACTIONS", "true"), ("FORGEJO_ACTIONS", "true")],
                ForgeKind::Forgejo,
            ),
            (
                vec![("GITHUB_API_URL", "http://h/api/v1")],
                ForgeKind::Gitea,
            ),
            (
                vec![("GITHUB_API_URL", "http://h/api/v3")],
                ForgeKind::GitHub,
            ),
        ] {
            assert_eq!(env(&vars).kind(), kind, "{vars:?}");
        }
    }

    #[test]
    fn every_variable_has_a_field_and_every_field_a_variable() {
        let all = RunnerEnv::from_env(VARIABLES.map(|name| (name.into(), "x".into())));
        let shown = format!("{all:?}");
        assert!(!shown.contains("None"), "{shown}");
        assert_eq!(shown.matches("Some").count(), VARIABLES.len(), "{shown}");
    }

    #[cfg(not(windows))]
    #[test]
    fn another_spelling_of_a_variable_changes_nothing() {
        let runner = [("GITHUB_OUTPUT", "o"), ("GITHUB_SHA", "s"), ("CI", "true")];
        for other in ["github_sha", "GitHub_Output", "ci", "Github_Run_Id"] {
            let vars = [&runner[..], &[(other, "x")]].concat();
            assert_eq!(
                format!("{:?}", env(&vars)),
                format!("{:?}", env(&runner)),
                "{other}"
            );
        }
        assert_eq!(env(&[("github_output", "o")]).github_output, None);
    }

    #[test]
    fn ci_that_is_false_is_not_ci() {
        for (value, ci) in [("true", true), ("1", true), ("woodpecker", true)] {
            assert_eq!(env(&[("CI", value)]).in_ci(), ci, "{value}");
        }
        for value in ["false", "FALSE", "0", "", " "] {
            assert!(!env(&[("CI", value)]).in_ci(), "{value:?}");
            assert!(!env(&[("GITHUB_ACTIONS", value)]).in_job(), "{value:?}");
        }
        assert!(env(&[("CI", "false"), ("GITHUB_ACTIONS", "true")]).in_ci());
    }

    #[test]
    fn the_context_names_workflow_and_job() {
        let context = |vars: &[(&str, &str)]| env(vars).status_context();
        assert_eq!(context(&[]), "dep-preflight");
        assert_eq!(context(&[("GITHUB_WORKFLOW", "ci")]), "dep-preflight");
        assert_eq!(context(&[("GITHUB_JOB", "e2e")]), "dep-preflight / e2e");
        let path = [
            ("GITHUB_JOB", "e2e"),
            ("GITHUB_WORKFLOW", ".github/workflows/ci.yml"),
        ];
        assert_eq!(
            context(&path),
            "dep-preflight / .github/workflows/ci.yml / e2e"
        );
        let (long, job) = ("w".repeat(300), "j\n".repeat(300));
        let cut = context(&[("GITHUB_WORKFLOW", &long), ("GITHUB_JOB", &job)]);
        assert!(
            cut.chars().count() <= 255 && !cut.contains('\n') && cut.contains("… / j"),
            "{cut}"
        );
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
