//! The variables of the runner as texts, for [`super::Job`] to make sense of.

use std::ffi::OsString;

use serde::Deserialize;

use crate::environment;

/// The variables of the runner, as far as they matter here. An empty one is absent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Variables {
    /// Set by every CI system.
    pub(super) ci: Option<String>,
    /// Set by every runner of the three forges.
    pub(super) github_actions: Option<String>,
    /// Set by Gitea's and Forgejo's runners.
    pub(super) gitea_actions: Option<String>,
    /// Set by Forgejo's runner.
    pub(super) forgejo_actions: Option<String>,
    /// The forge's API.
    pub(super) github_api_url: Option<String>,
    /// The forge's web address.
    pub(super) github_server_url: Option<String>,
    /// `owner/name`.
    pub(super) github_repository: Option<String>,
    /// The commit of the run; on GitHub's `pull_request` a merge commit that nobody sees.
    pub(super) github_sha: Option<String>,
    /// The name of the event.
    pub(super) github_event_name: Option<String>,
    /// The branch or tag of the run, by its short name.
    pub(super) github_ref_name: Option<String>,
    /// The file with the event.
    pub(super) github_event_path: Option<String>,
    /// The id of the run.
    pub(super) github_run_id: Option<String>,
    /// The number of the run within its repository.
    pub(super) github_run_number: Option<String>,
    /// How often the run was started.
    pub(super) github_run_attempt: Option<String>,
    /// The name of the workflow, or its file's path where it has none.
    pub(super) github_workflow: Option<String>,
    /// The id of the job.
    pub(super) github_job: Option<String>,
    /// The file for outputs.
    pub(super) github_output: Option<String>,
    /// The file for the job summary.
    pub(super) github_step_summary: Option<String>,
}

/// The names of [`Variables`]. No other spelling of them is read: a job may set what it likes
/// beside them.
const NAMES: [&str; 18] = [
    "CI",
    "GITHUB_ACTIONS",
    "GITEA_ACTIONS",
    "FORGEJO_ACTIONS",
    "GITHUB_API_URL",
    "GITHUB_SERVER_URL",
    "GITHUB_REPOSITORY",
    "GITHUB_SHA",
    "GITHUB_EVENT_NAME",
    "GITHUB_REF_NAME",
    "GITHUB_EVENT_PATH",
    "GITHUB_RUN_ID",
    "GITHUB_RUN_NUMBER",
    "GITHUB_RUN_ATTEMPT",
    "GITHUB_WORKFLOW",
    "GITHUB_JOB",
    "GITHUB_OUTPUT",
    "GITHUB_STEP_SUMMARY",
];

impl Variables {
    /// Picks them out of the environment.
    pub(super) fn read(vars: &[(OsString, OsString)]) -> Self {
        let vars = environment::exactly(vars, |name| NAMES.contains(&name))
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.into_string().ok()?)))
            .filter(|(_, value)| !value.is_empty());
        environment::typed("", vars.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vars: &[(&str, &str)]) -> Variables {
        let vars: Vec<_> = vars.iter().map(|(k, v)| (k.into(), v.into())).collect();
        Variables::read(&vars)
    }

    #[test]
    fn every_variable_has_a_field_and_every_field_a_variable() {
        let shown = format!("{:?}", read(&NAMES.map(|name| (name, "x"))));
        assert!(!shown.contains("None"), "{shown}");
        assert_eq!(shown.matches("Some").count(), NAMES.len(), "{shown}");
    }

    #[cfg(not(windows))]
    #[test]
    fn another_spelling_of_a_variable_changes_nothing() {
        let runner = [("GITHUB_OUTPUT", "o"), ("GITHUB_SHA", "s"), ("CI", "true")];
        for other in ["github_sha", "GitHub_Output", "ci", "Github_Run_Id"] {
            let vars = [&runner[..], &[(other, "x")]].concat();
            assert_eq!(
                format!("{:?}", read(&vars)),
                format!("{:?}", read(&runner)),
                "{other}"
            );
        }
        assert_eq!(read(&[("github_output", "o")]).github_output, None);
    }
}
