//! Every input with its default, as `action.yml` and the README state them.
//!
//! The contract tests hold the three together.

/// One input, as the documentation shows it.
#[derive(Debug, Clone, Copy)]
pub struct InputDoc {
    /// Its name in `action.yml`; the command line's option is `--` and this name.
    pub name: &'static str,
    /// Its default in words, empty if it has none.
    pub default: &'static str,
    /// What it is for.
    pub meaning: &'static str,
}

const fn doc(name: &'static str, default: &'static str, meaning: &'static str) -> InputDoc {
    InputDoc {
        name,
        default,
        meaning,
    }
}

/// All inputs, in the order of the README's table.
pub const INPUTS: &[InputDoc] = &[
    doc("url", "", "the address of a single target"),
    doc("name", "the URL's host", "the name of that target"),
    doc(
        "targets",
        "",
        "YAML mapping of name to URL, or of name to a mapping of options",
    ),
    doc("config", "", "path of a YAML file with targets and options"),
    doc("timeout", "10s", "limit for one attempt"),
    doc(
        "attempts",
        "3",
        "how many tries a target gets, or unlimited",
    ),
    doc(
        "interval",
        "1s",
        "wait after the first failure; doubles each time up to 30s",
    ),
    doc("deadline", "60s", "limit for the whole step"),
    doc("expect", "<500", "which statuses are up"),
    doc("method", "GET", "GET, HEAD or OPTIONS"),
    doc("redirects", "10", "how many redirects to follow"),
    doc(
        "control",
        "the forge's API address, else off",
        "address that tells the runner's network from the dependency",
    ),
    doc(
        "fail-on-down",
        "true",
        "whether down and unknown fail the step",
    ),
    doc("commit-status", "true", "post a commit status"),
    doc(
        "status-context",
        "dep-preflight / <workflow> / <job>, outside a job dep-preflight",
        "the context of the commit status",
    ),
    doc("target-url", "the run", "where the commit status links to"),
    doc(
        "sha",
        "the PR's head, else the run's commit",
        "the commit that the status goes to",
    ),
    doc(
        "token",
        "${{ github.token }}",
        "for the commit status alone",
    ),
    doc("summary", "true", "write the job summary"),
    doc("ca-certificates", "", "PEM file with more roots to trust"),
    doc("report-file", "", "where to write the JSON report"),
];
