//! Stage 1: what the user asked for.
//!
//! The environment and the command line fill one [`RawInputs`] of plain strings, a config
//! file another; [`resolve()`] merges and parses them into [`Inputs`]. After this stage no
//! raw string is left, and all problems have been reported at once.

pub(crate) mod config_file;
pub(crate) mod docs;
pub(crate) mod nearest;
pub(crate) mod problem;
pub(crate) mod raw;
pub mod resolve;
pub(crate) mod targets;
pub(crate) mod values;
pub(crate) mod yaml;

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

pub use docs::INPUTS;
pub use problem::Problems;
pub use raw::RawInputs;
pub use resolve::resolve;

use crate::secret::Token;
use crate::target::Target;

/// The whole configuration, valid and ready for use.
#[derive(Debug)]
pub struct Inputs {
    /// What to probe, in the order given.
    pub targets: Vec<Target>,
    /// Limit for the whole step, from start to process exit.
    pub deadline: Duration,
    /// The address that tells the runner's network from the dependency, if there is one.
    pub control: Option<Url>,
    /// Whether down and unknown fail the step.
    pub fail_on_down: bool,
    /// What the commit status is to say, and where.
    pub status: StatusInputs,
    /// Whether to write the job summary.
    pub summary: bool,
    /// More roots to trust, in PEM.
    pub ca_certificates: Option<Vec<u8>>,
    /// Where to write the JSON report.
    pub report_file: Option<ReportTo>,
    /// Keeps the reader of a report file that is a pipe waiting until the report is written.
    pub report_pipe: Option<File>,
}

/// Where the JSON report goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportTo {
    /// Standard output; the log stands on standard error then.
    Stdout,
    /// A file.
    File(PathBuf),
}

impl ReportTo {
    /// Reads the input `report-file`: `-` is standard output, and so is a path that leads there.
    #[must_use]
    pub fn named(path: &str) -> Self {
        let path = path.trim();
        if path == "-" || crate::file::is_stdout(path.as_ref()) {
            Self::Stdout
        } else {
            Self::File(path.into())
        }
    }
}

/// The inputs of the commit status.
#[derive(Debug, Default)]
pub struct StatusInputs {
    /// Whether to post it at all.
    pub post: bool,
    /// Its context, if not the default.
    pub context: Option<String>,
    /// Where it links to, if not to the run.
    pub target_url: Option<String>,
    /// The commit it goes to, if not the event's.
    pub sha: Option<String>,
    /// The token for the forge's API.
    pub token: Option<Token>,
}
