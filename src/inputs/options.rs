//! Every option: its name, its default, what it is for, where it may stand, and what its text
//! becomes.
//!
//! The command line, the environment, the config file, the options of a target, the documents'
//! tables and the lists of the tests are made from this one table, or held to it.

use super::targets::TargetOptions;
use super::values::{self, ValueError};
use super::{Inputs, ReportTo, files};
use crate::forge::Token;
use crate::{address, text};

/// The longest context of a commit status that a forge takes, in characters.
const CONTEXT: usize = 255;

/// One option.
#[derive(Debug)]
pub struct InputOption {
    /// Its name in `action.yml` and in YAML. On the command line it is `--` and this name, in the
    /// environment `PREFLIGHT_` and this name, in upper case and with `_` for `-`.
    pub name: &'static str,
    /// What the command line calls its value.
    pub value: &'static str,
    /// Its default in words, as the documents state it; empty if it has none.
    pub default: &'static str,
    /// What it is for, as `--help` says it.
    pub help: &'static str,
    /// Where it may stand.
    pub places: Places,
    /// Which targets it means something to.
    pub of: Of,
    /// What its text becomes.
    pub(super) meaning: Meaning,
}

/// Which targets an option means something to. On another one it is refused; for the whole step
/// it leaves the others alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// All.
    All,
    /// Those that are asked in HTTP.
    Http,
    /// Those that are asked in another protocol.
    Services,
}

/// Where an option may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// On the command line, in the environment and in `action.yml`.
    pub input: bool,
    /// In a config file, beside `targets`.
    pub file: bool,
    /// Among the options of one target.
    pub target: bool,
}

/// What becomes of an option's text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meaning {
    /// It says what to ask; `resolve` reads all of these together.
    Source,
    /// A setting of the whole run.
    Run(fn(&mut Inputs, &str) -> Result<(), ValueError>),
    /// How a target is asked: one of them, or all that do not say otherwise.
    Target(fn(&mut TargetOptions, &str) -> Result<(), ValueError>),
    /// The headers of a target, which are a mapping.
    Headers,
    /// The known incident of a target, which is a mapping.
    Known,
}

const INPUT: Places = Places {
    input: true,
    file: false,
    target: false,
};
const RUN: Places = Places {
    file: true,
    ..INPUT
};
const EVERYWHERE: Places = Places {
    target: true,
    ..RUN
};
const INPUT_AND_TARGET: Places = Places {
    target: true,
    ..INPUT
};
const TARGET: Places = Places {
    input: false,
    ..INPUT_AND_TARGET
};

/// All of them, in the order of the documents' tables.
pub static OPTIONS: &[InputOption] = &[
    InputOption {
        name: "url",
        value: "URL",
        default: "",
        help: "Address of a single target",
        places: INPUT_AND_TARGET,
        of: Of::All,
        meaning: Meaning::Target(|options, text| {
            set(&mut options.url, address::target(text).map(Some))
        }),
    },
    InputOption {
        name: "name",
        value: "NAME",
        default: "the URL's host",
        help: "Name of that target",
        places: INPUT,
        of: Of::All,
        meaning: Meaning::Source,
    },
    InputOption {
        name: "targets",
        value: "YAML",
        default: "",
        help: "YAML mapping of name to URL, or of name to options",
        places: INPUT,
        of: Of::All,
        meaning: Meaning::Source,
    },
    InputOption {
        name: "config",
        value: "FILE",
        default: "",
        help: "YAML file with targets and options; `-` reads standard input",
        places: INPUT,
        of: Of::All,
        meaning: Meaning::Source,
    },
    InputOption {
        name: "timeout",
        value: "DURATION",
        default: "10s",
        help: "Limit for one attempt",
        places: EVERYWHERE,
        of: Of::All,
        meaning: Meaning::Target(|options, text| {
            set(&mut options.policy.timeout, values::positive_duration(text))
        }),
    },
    InputOption {
        name: "attempts",
        value: "N",
        default: "3",
        help: "How many tries a target gets, or `unlimited`",
        places: EVERYWHERE,
        of: Of::All,
        meaning: Meaning::Target(|options, text| {
            set(&mut options.policy.attempts, values::attempts(text))
        }),
    },
    InputOption {
        name: "interval",
        value: "DURATION",
        default: "1s",
        help: "Wait after the first failure, doubling up to 30s",
        places: EVERYWHERE,
        of: Of::All,
        meaning: Meaning::Target(|options, text| {
            set(&mut options.policy.interval, values::duration(text))
        }),
    },
    InputOption {
        name: "deadline",
        value: "DURATION",
        default: "60s",
        help: "Limit for everything, reporting included",
        places: RUN,
        of: Of::All,
        meaning: Meaning::Run(|inputs, text| set(&mut inputs.deadline, values::deadline(text))),
    },
    InputOption {
        name: "expect",
        value: "STATUSES",
        default: "<500",
        help: "Which statuses are up: `<500`, `2xx`, `200-399`, `200,204`",
        places: EVERYWHERE,
        of: Of::Http,
        meaning: Meaning::Target(|options, text| {
            set(&mut options.expect, values::status_set(text))
        }),
    },
    InputOption {
        name: "method",
        value: "METHOD",
        default: "GET",
        help: "GET, HEAD or OPTIONS",
        places: EVERYWHERE,
        of: Of::Http,
        meaning: Meaning::Target(|options, text| set(&mut options.method, values::method(text))),
    },
    InputOption {
        name: "redirects",
        value: "N",
        default: "10",
        help: "How many redirects to follow",
        places: EVERYWHERE,
        of: Of::Http,
        meaning: Meaning::Target(|options, text| {
            set(&mut options.redirects, values::redirects(text))
        }),
    },
    InputOption {
        name: "optional",
        value: "BOOL",
        default: "false",
        help: "Whether the target is reported, with a warning, and not counted",
        places: TARGET,
        of: Of::All,
        meaning: Meaning::Target(|options, text| {
            set(
                &mut options.required,
                values::boolean(text).map(|optional| !optional),
            )
        }),
    },
    InputOption {
        name: "known",
        value: "MAPPING",
        default: "",
        help: "A known incident: until when the target does not count, and the reason",
        places: TARGET,
        of: Of::All,
        meaning: Meaning::Known,
    },
    InputOption {
        name: "tls",
        value: "BOOL",
        default: "false",
        help: "Whether a target of another protocol than http is asked for TLS, as its protocol does it",
        places: TARGET,
        of: Of::Services,
        meaning: Meaning::Target(|options, text| set(&mut options.tls, values::boolean(text))),
    },
    InputOption {
        name: "headers",
        value: "MAPPING",
        default: "",
        help: "Headers for the target's own origin; nothing that carries a credential",
        places: TARGET,
        of: Of::Http,
        meaning: Meaning::Headers,
    },
    InputOption {
        name: "control",
        value: "URL",
        default: "the forge's API address, else off",
        help: "Address that tells your own network from the dependency, or `off`",
        places: RUN,
        of: Of::All,
        meaning: Meaning::Run(|inputs, text| set(&mut inputs.control, values::control(text))),
    },
    InputOption {
        name: "history",
        value: "BOOL",
        default: "true",
        help: "When down, ask the forge whether other runs saw it, too",
        places: RUN,
        of: Of::All,
        meaning: Meaning::Run(|inputs, text| set(&mut inputs.history, values::boolean(text))),
    },
    InputOption {
        name: "fail-on-down",
        value: "BOOL",
        default: "true",
        help: "Whether down and unknown fail the step",
        places: RUN,
        of: Of::All,
        meaning: Meaning::Run(|inputs, text| set(&mut inputs.fail_on_down, values::boolean(text))),
    },
    InputOption {
        name: "commit-status",
        value: "BOOL",
        default: "true",
        help: "Post a commit status",
        places: RUN,
        of: Of::All,
        meaning: Meaning::Run(|inputs, text| set(&mut inputs.status.post, values::boolean(text))),
    },
    InputOption {
        name: "status-context",
        value: "TEXT",
        default: "dep-preflight / <workflow> / <job>, outside a job dep-preflight",
        help: "Context of the commit status",
        places: RUN,
        of: Of::All,
        meaning: Meaning::Run(|inputs, text| {
            let context = text::truncate(&text::sanitize(text, text::LONG), CONTEXT);
            inputs.status.context = Some(context);
            Ok(())
        }),
    },
    InputOption {
        name: "target-url",
        value: "URL",
        default: "the run",
        help: "Where the commit status links to",
        places: RUN,
        of: Of::All,
        meaning: Meaning::Run(|inputs, text| {
            set(&mut inputs.status.target_url, address::link(text).map(Some))
        }),
    },
    InputOption {
        name: "sha",
        value: "SHA",
        default: "the PR's head, else the run's commit",
        help: "Commit that the status goes to",
        places: RUN,
        of: Of::All,
        meaning: Meaning::Run(|inputs, text| set(&mut inputs.status.sha, text.parse().map(Some))),
    },
    // Not in a file, which is committed.
    InputOption {
        name: "token",
        value: "TOKEN",
        default: "${{ github.token }}",
        help: "Token for the forge's API, for reading and writing commit statuses",
        places: INPUT,
        of: Of::All,
        meaning: Meaning::Run(|inputs, text| {
            inputs.status.token = Some(Token::new(text.to_owned()));
            Ok(())
        }),
    },
    InputOption {
        name: "summary",
        value: "BOOL",
        default: "true",
        help: "Write the job summary",
        places: RUN,
        of: Of::All,
        meaning: Meaning::Run(|inputs, text| set(&mut inputs.summary, values::boolean(text))),
    },
    InputOption {
        name: "ca-certificates",
        value: "FILE",
        default: "",
        help: "PEM file with more roots to trust",
        places: RUN,
        of: Of::All,
        meaning: Meaning::Run(|inputs, path| {
            set(&mut inputs.ca_certificates, files::certificates(path))
        }),
    },
    InputOption {
        name: "report-file",
        value: "FILE",
        default: "",
        help: "Where to write the JSON report; `-` is standard output, and the log goes to standard error",
        places: RUN,
        of: Of::All,
        meaning: Meaning::Run(|inputs, path| {
            inputs.report_file = Some(ReportTo::named(path));
            Ok(())
        }),
    },
];

/// Puts a parsed value in its place.
fn set<T, E: Into<ValueError>>(place: &mut T, parsed: Result<T, E>) -> Result<(), ValueError> {
    *place = parsed.map_err(Into::into)?;
    Ok(())
}

impl InputOption {
    /// The option of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        OPTIONS.iter().find(|option| option.name == name)
    }

    /// Whether its text is YAML: the blanks in front of its first line mean something.
    pub(super) fn is_yaml(&self) -> bool {
        self.value == "YAML"
    }
}

/// The inputs: what may stand on the command line, in the environment and in `action.yml`.
pub(crate) fn inputs() -> impl Iterator<Item = &'static InputOption> {
    OPTIONS.iter().filter(|option| option.places.input)
}

/// What may stand in a config file, beside `targets`.
pub(super) fn of_file() -> impl Iterator<Item = &'static InputOption> {
    OPTIONS.iter().filter(|option| option.places.file)
}

/// What may stand among the options of one target.
pub(super) fn of_target() -> impl Iterator<Item = &'static InputOption> {
    OPTIONS.iter().filter(|option| option.places.target)
}

#[cfg(test)]
mod tests;
