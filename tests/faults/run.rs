use std::cell::RefCell;
use std::fmt::{Display, Formatter};
use std::time::Duration;

use serde_json::Value;

/// What a step left behind.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) took: Duration,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The outputs file.
    pub(crate) outputs: String,
    /// The report file, or null.
    pub(crate) report: Value,
    /// What the row found wrong with it.
    pub(crate) complaints: RefCell<Vec<String>>,
}

impl Run {
    /// One output; empty where there is none.
    pub(crate) fn output(&self, name: &str) -> String {
        let mut lines = self.outputs.lines();
        while let Some(line) = lines.next() {
            let Some((found, end)) = line.split_once("<<") else {
                continue;
            };
            let value: Vec<_> = lines.by_ref().take_while(|line| *line != end).collect();
            if found == name {
                return value.join("\n");
            }
        }
        let plain = self.outputs.lines().filter_map(|line| line.split_once('='));
        plain
            .filter(|(found, _)| *found == name)
            .map(|(_, value)| value.to_owned())
            .next()
            .unwrap_or_default()
    }

    pub(crate) fn exit(&self) -> String {
        self.code
            .map_or_else(|| "signal".to_owned(), |code| code.to_string())
    }

    /// A target of the report.
    fn target(&self, name: &str) -> &Value {
        let targets = self.report["targets"].as_array();
        targets
            .and_then(|targets| targets.iter().find(|target| target["name"] == name))
            .unwrap_or(&Value::Null)
    }

    /// Verdict and cause of one target: `down refused`, `up`.
    pub(crate) fn expect(&self, name: &str, wanted: &str) {
        let target = self.target(name);
        let cause = target["cause"].as_str().unwrap_or_default();
        let got = format!("{} {cause}", target["verdict"].as_str().unwrap_or_default());
        self.check(got.trim() == wanted, || {
            format!("{name} is '{}', should be '{wanted}'", got.trim())
        });
    }

    fn check(&self, right: bool, wrong: impl Fn() -> String) {
        if !right {
            self.complaints.borrow_mut().push(wrong());
        }
    }

    /// The message says this.
    pub(crate) fn says(self, words: &str) -> Self {
        let first = self.report["targets"][0]["message"].as_str();
        let said = first.unwrap_or_default().contains(words);
        self.check(said, || format!("the message does not say '{words}'"));
        self
    }

    /// The log says this.
    pub(crate) fn logs(self, words: &str) -> Self {
        let said = self.stdout.contains(words);
        self.check(said, || format!("the log does not say '{words}'"));
        self
    }

    /// What is wrong whatever the row is about.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut wrong = self.complaints.borrow().clone();
        if !self.stderr.is_empty() {
            wrong.push("it wrote to standard error".to_owned());
        }
        let (exit, said) = (self.exit(), self.output("exit-code"));
        if !said.is_empty() && said != exit {
            wrong.push(format!(
                "the output exit-code is {said}, the exit code {exit}"
            ));
        }
        if self.report.is_object()
            && self.report["result"] != self.output("result")
            && !said.is_empty()
        {
            wrong.push(format!("the report's result is {}", self.report["result"]));
        }
        wrong
    }
}

impl Display for Run {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let log: String = self.stdout.chars().take(4000).collect();
        writeln!(f, "exit {} after {:?}", self.exit(), self.took)?;
        writeln!(f, "stdout:\n{log}\nstderr:\n{}", self.stderr)?;
        let outputs: String = self.outputs.chars().take(3000).collect();
        write!(f, "outputs:\n{outputs}")
    }
}
