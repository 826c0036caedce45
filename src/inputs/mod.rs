//! Stage 1: what the user asked for.
//!
//! The environment, the command line and a config file each give a [`RawInputs`] of plain texts;
//! [`resolve()`] merges them and makes [`Inputs`] of them, as the table in [`options`] says.
//! After this stage no raw string is left, and all problems have been reported at once.

pub(crate) mod config_file;
pub(crate) mod files;
pub(crate) mod options;
pub(crate) mod origin;
pub(crate) mod problem;
pub(crate) mod raw;
pub(crate) mod resolve;
pub(crate) mod targets;
pub(crate) mod values;
pub(crate) mod yaml;

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use rustls::pki_types::CertificateDer;

pub use problem::Problems;
pub use raw::RawInputs;
pub use resolve::resolve;

use crate::durations::DEADLINE;
use crate::forge::StatusInputs;
use crate::target::Target;

/// The whole configuration, valid and ready for use.
#[derive(Debug)]
pub struct Inputs {
    /// What to probe, in the order given.
    pub targets: Vec<Target>,
    /// Limit for the whole run, from start to process exit.
    pub deadline: Duration,
    /// The address that tells the runner's network from the dependency, if there is one.
    pub control: Option<Url>,
    /// Whether to ask the forge what other runs saw.
    pub history: bool,
    /// Whether down and unknown fail the step.
    pub fail_on_down: bool,
    /// What the commit status is to say, and where.
    pub status: StatusInputs,
    /// Whether to write the job summary.
    pub summary: bool,
    /// More roots to trust.
    pub ca_certificates: Vec<CertificateDer<'static>>,
    /// Where to write the JSON report.
    pub report_file: Option<ReportTo>,
    /// Keeps the reader of a report file that is a pipe waiting until the report is written.
    pub report_pipe: Option<File>,
}

impl Default for Inputs {
    fn default() -> Self {
        Self {
            targets: Vec::new(),
            deadline: DEADLINE,
            control: None,
            history: true,
            fail_on_down: true,
            status: StatusInputs::default(),
            summary: true,
            ca_certificates: Vec::new(),
            report_file: None,
            report_pipe: None,
        }
    }
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
    pub(crate) fn named(path: &str) -> Self {
        let path = path.trim();
        if path == "-" || crate::file::is_stdout(path.as_ref()) {
            Self::Stdout
        } else {
            Self::File(path.into())
        }
    }
}
