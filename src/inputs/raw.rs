//! What was typed: one struct of strings for the environment and the command line.

use std::ffi::OsString;

use clap::Args;
use serde::Deserialize;

use super::docs::INPUTS;
use crate::environment;

/// The prefix of the inputs in the environment. Never `INPUT_`: runners of the act family
/// rebuild the `inputs` context from such names.
pub(crate) const PREFIX: &str = "PREFLIGHT_";

/// Every input as text. Nothing is checked here, and nothing has a default.
#[derive(Debug, Default, Clone, Args, Deserialize)]
#[serde(default)]
pub struct RawInputs {
    /// Address of a single target
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Name of that target (default: the URL's host)
    #[arg(long)]
    pub name: Option<String>,
    /// YAML mapping of name to URL, or of name to options
    #[arg(long, value_name = "YAML")]
    pub targets: Option<String>,
    /// YAML file with targets and options; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub config: Option<String>,
    /// Limit for one attempt (default: 10s)
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<String>,
    /// How many tries a target gets, or `unlimited` (default: 3)
    #[arg(long, value_name = "N")]
    pub attempts: Option<String>,
    /// Wait after the first failure, doubling up to 30s (default: 1s)
    #[arg(long, value_name = "DURATION")]
    pub interval: Option<String>,
    /// Limit for everything, reporting included (default: 60s)
    #[arg(long, value_name = "DURATION")]
    pub deadline: Option<String>,
    /// Which statuses are up: `<500`, `2xx`, `200-399`, `200,204` (default: `<500`)
    #[arg(long, value_name = "STATUSES")]
    pub expect: Option<String>,
    /// GET, HEAD or OPTIONS (default: GET)
    #[arg(long)]
    pub method: Option<String>,
    /// How many redirects to follow (default: 10)
    #[arg(long, value_name = "N")]
    pub redirects: Option<String>,
    /// Address that tells your own network from the dependency, or `off`
    #[arg(long, value_name = "URL")]
    pub control: Option<String>,
    /// Whether down and unknown fail the step (default: true)
    #[arg(long, value_name = "BOOL")]
    pub fail_on_down: Option<String>,
    /// Post a commit status (default: true)
    #[arg(long, value_name = "BOOL")]
    pub commit_status: Option<String>,
    /// Context of the commit status (default: dep-preflight / `WORKFLOW` / `JOB`)
    #[arg(long, value_name = "TEXT")]
    pub status_context: Option<String>,
    /// Where the commit status links to (default: the run)
    #[arg(long, value_name = "URL")]
    pub target_url: Option<String>,
    /// Commit that the status goes to (default: the pull request's head)
    #[arg(long)]
    pub sha: Option<String>,
    /// Token for the forge's API, used for the commit status alone
    #[arg(long)]
    pub token: Option<String>,
    /// Write the job summary (default: true)
    #[arg(long, value_name = "BOOL")]
    pub summary: Option<String>,
    /// PEM file with more roots to trust
    #[arg(long, value_name = "FILE")]
    pub ca_certificates: Option<String>,
    /// Where to write the JSON report; `-` is standard output, and the log goes to standard error
    #[arg(long, value_name = "FILE")]
    pub report_file: Option<String>,
}

/// The environment variable of an input.
fn variable(input: &str) -> String {
    format!("{PREFIX}{}", input.to_uppercase().replace('-', "_"))
}

impl RawInputs {
    /// Reads the inputs from environment variables. An empty one was not given; bytes that
    /// are not text are replaced, so that the error about the value can show it.
    pub fn from_env(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let known = INPUTS.iter().map(|input| variable(input.name)).collect();
        let vars = environment::exactly(vars, &known)
            .into_iter()
            .map(|(name, value)| (name, value.to_string_lossy().into_owned()));
        environment::typed::<Self>(PREFIX, vars.collect()).trimmed()
    }

    /// These inputs without blanks and line ends around their values, and without those that
    /// are nothing else: a block scalar of YAML hands over a line end that nobody sees.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        for (input, field) in self.fields() {
            // The blanks in front of the first line are YAML's own.
            let whole = input == "targets";
            *field = field
                .take()
                .filter(|text| !text.trim().is_empty())
                .map(|text| if whole { text } else { text.trim().to_owned() });
        }
        self
    }

    /// Whether it says what to probe.
    #[must_use]
    pub fn has_source(&self) -> bool {
        self.url.is_some() || self.targets.is_some() || self.config.is_some()
    }

    /// These inputs without what to probe, and its name.
    #[must_use]
    pub fn without_source(self) -> Self {
        Self {
            url: None,
            name: None,
            targets: None,
            config: None,
            ..self
        }
    }

    /// These inputs, and where one is missing, that of `other`. What to probe is taken
    /// from one side alone: a `url` on the command line replaces `targets` in the environment.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let source = self.has_source();
        let from = |mine: Option<String>, theirs: Option<String>| {
            if source { mine } else { theirs }
        };
        Self {
            url: from(self.url, other.url),
            name: self.name.or(if source { None } else { other.name }),
            targets: from(self.targets, other.targets),
            config: from(self.config, other.config),
            timeout: self.timeout.or(other.timeout),
            attempts: self.attempts.or(other.attempts),
            interval: self.interval.or(other.interval),
            deadline: self.deadline.or(other.deadline),
            expect: self.expect.or(other.expect),
            method: self.method.or(other.method),
            redirects: self.redirects.or(other.redirects),
            control: self.control.or(other.control),
            fail_on_down: self.fail_on_down.or(other.fail_on_down),
            commit_status: self.commit_status.or(other.commit_status),
            status_context: self.status_context.or(other.status_context),
            target_url: self.target_url.or(other.target_url),
            sha: self.sha.or(other.sha),
            token: self.token.or(other.token),
            summary: self.summary.or(other.summary),
            ca_certificates: self.ca_certificates.or(other.ca_certificates),
            report_file: self.report_file.or(other.report_file),
        }
    }

    /// Every field with the name of its input.
    pub fn fields(&mut self) -> [(&'static str, &mut Option<String>); 21] {
        [
            ("url", &mut self.url),
            ("name", &mut self.name),
            ("targets", &mut self.targets),
            ("config", &mut self.config),
            ("timeout", &mut self.timeout),
            ("attempts", &mut self.attempts),
            ("interval", &mut self.interval),
            ("deadline", &mut self.deadline),
            ("expect", &mut self.expect),
            ("method", &mut self.method),
            ("redirects", &mut self.redirects),
            ("control", &mut self.control),
            ("fail-on-down", &mut self.fail_on_down),
            ("commit-status", &mut self.commit_status),
            ("status-context", &mut self.status_context),
            ("target-url", &mut self.target_url),
            ("sha", &mut self.sha),
            ("token", &mut self.token),
            ("summary", &mut self.summary),
            ("ca-certificates", &mut self.ca_certificates),
            ("report-file", &mut self.report_file),
        ]
    }

    /// The field of a step-wide option by its name in a config file, or `None` if a config
    /// file cannot set it: what to probe stands under `targets` there, and a token does not
    /// belong in a file that is committed.
    pub fn config_key(&mut self, key: &str) -> Option<&mut Option<String>> {
        Some(match key {
            "timeout" => &mut self.timeout,
            "attempts" => &mut self.attempts,
            "interval" => &mut self.interval,
            "deadline" => &mut self.deadline,
            "expect" => &mut self.expect,
            "method" => &mut self.method,
            "redirects" => &mut self.redirects,
            "control" => &mut self.control,
            "fail-on-down" => &mut self.fail_on_down,
            "commit-status" => &mut self.commit_status,
            "status-context" => &mut self.status_context,
            "target-url" => &mut self.target_url,
            "sha" => &mut self.sha,
            "summary" => &mut self.summary,
            "ca-certificates" => &mut self.ca_certificates,
            "report-file" => &mut self.report_file,
            _ => return None,
        })
    }
}

/// The step-wide options of a config file: the keys that [`RawInputs::config_key`] knows.
pub(crate) const CONFIG_KEYS: [&str; 16] = [
    "timeout",
    "attempts",
    "interval",
    "deadline",
    "expect",
    "method",
    "redirects",
    "control",
    "fail-on-down",
    "commit-status",
    "status-context",
    "target-url",
    "sha",
    "summary",
    "ca-certificates",
    "report-file",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn env(vars: &[(&str, &str)]) -> RawInputs {
        RawInputs::from_env(vars.iter().map(|(k, v)| (k.into(), v.into())))
    }

    #[test]
    fn empty_is_not_given_and_foreign_variables_do_not_matter() {
        let raw = env(&[
            ("PREFLIGHT_URL", "http://h"),
            ("PREFLIGHT_NAME", " "),
            ("PREFLIGHT_FAIL_ON_DOWN", "false"),
            ("URL", "no"),
        ]);
        assert_eq!(raw.url.as_deref(), Some("http://h"));
        assert_eq!(raw.name, None);
        assert_eq!(raw.fail_on_down.as_deref(), Some("false"));
    }

    #[test]
    fn every_input_has_a_field_and_every_field_an_input() {
        let all = INPUTS.iter().map(|input| variable(input.name));
        let raw = RawInputs::from_env(all.map(|name| (name.into(), "x".into())));
        let shown = format!("{raw:?}");
        assert!(!shown.contains("None"), "{shown}");
        assert_eq!(shown.matches("Some").count(), INPUTS.len(), "{shown}");
        let names = RawInputs::default().fields().map(|(name, _)| name);
        assert_eq!(
            names.to_vec(),
            INPUTS.iter().map(|input| input.name).collect::<Vec<_>>()
        );
    }

    #[test]
    fn every_key_of_a_config_file_has_a_field() {
        let mut raw = RawInputs::default();
        for key in CONFIG_KEYS {
            assert!(raw.config_key(key).is_some(), "{key}");
        }
        let fields = INPUTS
            .iter()
            .filter(|input| raw.config_key(input.name).is_some());
        assert_eq!(fields.count(), CONFIG_KEYS.len());
    }

    #[cfg(not(windows))]
    #[test]
    fn another_spelling_of_an_input_changes_nothing() {
        let raw = env(&[
            ("PREFLIGHT_URL", "http://h"),
            ("PREFLIGHT_Url", "http://i"),
            ("PREFLIGHT_timeout", "1s"),
            ("preflight_name", "n"),
        ]);
        assert_eq!(raw.url.as_deref(), Some("http://h"));
        assert_eq!((raw.timeout, raw.name), (None, None));
    }

    #[test]
    fn values_are_trimmed_but_not_the_indentation_of_yaml() {
        let raw = env(&[
            ("PREFLIGHT_CONFIG", "preflight.yml\n"),
            ("PREFLIGHT_NAME", "\t foo \r\n"),
            ("PREFLIGHT_TARGETS", "  a: http://h\n  b: http://h\n"),
        ]);
        assert_eq!(raw.config.as_deref(), Some("preflight.yml"));
        assert_eq!(raw.name.as_deref(), Some("foo"));
        assert!(raw.targets.is_some_and(|text| text.starts_with("  a")));
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_no_text_do_no_harm() {
        use std::os::unix::ffi::OsStringExt;
        let bad = OsString::from_vec(vec![0xff, 0xfe]);
        let raw = RawInputs::from_env([(bad.clone(), bad.clone()), ("PREFLIGHT_URL".into(), bad)]);
        assert_eq!(raw.url.as_deref(), Some("\u{fffd}\u{fffd}"));
    }

    #[test]
    fn what_to_probe_comes_from_one_side() {
        let cli = RawInputs {
            url: Some("http://cli".into()),
            ..RawInputs::default()
        };
        let merged = cli.or(env(&[
            ("PREFLIGHT_TARGETS", "a: http://env"),
            ("PREFLIGHT_NAME", "env"),
            ("PREFLIGHT_TIMEOUT", "2s"),
        ]));
        assert_eq!((merged.targets, merged.name), (None, None));
        assert_eq!(merged.timeout.as_deref(), Some("2s"));
    }
}
