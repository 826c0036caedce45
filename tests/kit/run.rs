use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::time::Duration;

use serde_json::Value;

use crate::kit::commands::Annotation;
use crate::kit::step::Preflight;

/// A step that has ended.
pub(crate) struct Run {
    pub(crate) step: Preflight,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) annotations: Vec<Annotation>,
    pub(crate) summary: String,
    pub(crate) took: Duration,
    /// How long it lived on after a signal that ends it.
    pub(crate) ended_after_signal: Option<Duration>,
    pub(crate) lenient: bool,
}

impl Run {
    /// Asserts what was found, and why. That exit code, outputs and report
    /// say the same, the invariants have seen to.
    #[track_caller]
    pub(crate) fn found(&self, result: &str, cause: &str) -> &Self {
        let found = (self.output("result"), self.output("cause"));
        assert_eq!(found, (result, cause), "{self}");
        self
    }

    #[track_caller]
    pub(crate) fn up(&self) -> &Self {
        self.found("up", "")
    }

    #[track_caller]
    pub(crate) fn down(&self, cause: &str) -> &Self {
        self.found("down", cause)
    }

    /// Whether it was told to end.
    pub(crate) fn signalled(&self) -> bool {
        self.ended_after_signal.is_some()
    }

    /// The value of an output; empty, as in an expression, if it is not there.
    pub(crate) fn output(&self, name: &str) -> &str {
        self.outputs.get(name).map_or("", String::as_str)
    }

    #[track_caller]
    pub(crate) fn report(&self) -> Value {
        let report = self.output("report");
        serde_json::from_str(report).unwrap_or_else(|why| panic!("{why}: {report:?}\n{self}"))
    }

    /// A target of the report, by its place in the given order.
    #[track_caller]
    pub(crate) fn target(&self, place: usize) -> Value {
        self.report()["targets"][place].clone()
    }

    /// What is said about the first target.
    #[track_caller]
    pub(crate) fn message(&self) -> String {
        self.target(0)["message"].as_str().unwrap().to_owned()
    }

    /// The attempts of the first target.
    #[track_caller]
    pub(crate) fn attempts(&self) -> Vec<Value> {
        self.target(0)["attempts"].as_array().unwrap().clone()
    }

    /// When the attempts of the first target began, in milliseconds.
    #[track_caller]
    pub(crate) fn offsets(&self) -> Vec<u64> {
        let offset = |attempt: &Value| attempt["offset_ms"].as_u64().unwrap();
        self.attempts().iter().map(offset).collect()
    }

    /// The report that was written to `report.json`; null if there is none.
    pub(crate) fn filed_report(&self) -> Value {
        serde_json::from_str(&self.read("report.json")).unwrap_or_default()
    }

    /// Asserts verdict and cause of a target of that report: `down refused`, `up`.
    #[track_caller]
    pub(crate) fn judged(&self, name: &str, wanted: &str) -> &Self {
        let report = self.filed_report();
        let targets = report["targets"].as_array();
        let target = targets.and_then(|all| all.iter().find(|target| target["name"] == name));
        let target = target.unwrap_or(&Value::Null);
        let text = |key: &str| target[key].as_str().unwrap_or_default();
        let judged = format!("{} {}", text("verdict"), text("cause"));
        assert_eq!(judged.trim(), wanted, "{name}\n{self}");
        self
    }

    /// Asserts that the log says this.
    #[track_caller]
    pub(crate) fn logs(self, words: &str) -> Self {
        assert!(
            self.log().contains(words),
            "not in the log: {words:?}\n{self}"
        );
        self
    }

    /// Asserts that the first target's message says this.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        let report = self.filed_report();
        let message = report["targets"][0]["message"].as_str().unwrap_or_default();
        assert!(
            message.contains(words),
            "{words:?} is not in {message:?}\n{self}"
        );
        self
    }

    /// Asserts that each of these stands somewhere in what people see.
    #[track_caller]
    pub(crate) fn shows(&self, texts: &[&str]) -> &Self {
        for text in texts {
            assert!(self.all().contains(text), "not shown: {text:?}\n{self}");
        }
        self
    }

    /// Asserts that none of these got out anywhere.
    #[track_caller]
    pub(crate) fn hides(&self, texts: &[&str]) -> &Self {
        for text in texts {
            assert!(!self.all().contains(text), "shown: {text:?}\n{self}");
        }
        self
    }

    /// The log: on standard error where the report is on standard output.
    pub(crate) fn log(&self) -> &str {
        if self.stdout.starts_with('{') || self.stdout.is_empty() {
            &self.stderr
        } else {
            &self.stdout
        }
    }

    /// The lines of the log that start with this.
    pub(crate) fn lines(&self, start: &str) -> Vec<&str> {
        self.log()
            .lines()
            .filter(|line| line.starts_with(start))
            .collect()
    }

    /// The texts of all annotations with this level and title, a line each.
    pub(crate) fn annotated(&self, level: &str, title: &str) -> String {
        let matching = self
            .annotations
            .iter()
            .filter(|one| one.level == level && one.title == title);
        matching.flat_map(|one| [one.text.as_str(), "\n"]).collect()
    }

    /// What a file in the step's directory holds; empty if there is none.
    pub(crate) fn read(&self, name: &str) -> String {
        self.step.read(name)
    }

    /// All that left the process: log, outputs, summary.
    pub(crate) fn all(&self) -> String {
        [
            &self.stdout,
            &self.stderr,
            &self.summary,
            &self.read("outputs"),
        ]
        .map(String::as_str)
        .join("\n")
    }
}

impl Display for Run {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            code,
            stdout,
            stderr,
            took,
            ..
        } = self;
        writeln!(
            out,
            "--- exit code {code:?} after {took:?}, stdout:\n{stdout}--- stderr:\n{stderr}---"
        )
    }
}
