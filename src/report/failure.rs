//! A run that ends without a report: what is said about it in every place.

use std::fmt::Display;

use super::log;
use crate::exit::{Exit, RunResult};
use crate::inputs::problem;
use crate::text;

/// Why a run has no report to publish.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    /// How the run ends.
    pub(super) exit: Exit,
    /// What the log says.
    pub(super) lines: Vec<String>,
    /// The title of the annotation.
    pub(super) title: &'static str,
    /// The text of the annotation.
    pub(super) annotation: String,
    /// The output `message`, and what the commit status says.
    pub(super) message: String,
}

impl Failure {
    /// The title of annotations for a failure of the tool itself.
    pub(super) const INTERNAL: &'static str = "INTERNAL";

    /// A configuration that cannot be used, with these problems and so many `more`: nothing was
    /// probed, and nothing is sent.
    pub(crate) fn invalid(problems: &[String], more: usize) -> Self {
        let line = problem::in_one_line(problems, more);
        Self {
            exit: Exit::of(RunResult::Invalid),
            lines: log::invalid(problems, more),
            title: "CONFIG",
            message: format!("invalid configuration: {line}"),
            annotation: line,
        }
    }

    /// The tool itself failed before it found anything out.
    pub(crate) fn internal(why: impl Display) -> Self {
        Self::error(&format!(
            "dep-preflight failed, and says nothing about any target: {why}"
        ))
    }

    /// The tool itself failed while it published what it had found out.
    pub(crate) fn while_publishing(why: impl Display) -> Self {
        Self::error(&format!(
            "dep-preflight failed while it published what it had found: {why}"
        ))
    }

    /// The outputs of a report cannot be written: the steps that follow cannot branch on what was
    /// found.
    pub(super) fn of_outputs(error: &std::io::Error) -> Self {
        let why = format!("the outputs cannot be written: {error}");
        Self {
            lines: vec![format!("dep-preflight: {why}")],
            ..Self::error(&why)
        }
    }

    fn error(message: &str) -> Self {
        let message = text::sanitize(message, text::LONG);
        Self {
            exit: Exit::of(RunResult::Error),
            lines: vec![message.clone()],
            title: Self::INTERNAL,
            annotation: message.clone(),
            message,
        }
    }
}
