//! The step as the action starts it: the environment of a runner, and one variable for each
//! input, set or empty, as action.yml passes them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Options, Result};

/// What surrounds one step: its files, and the variables that every step of the job sees.
pub struct Job {
    folder: PathBuf,
    inputs: Vec<String>,
    binary: PathBuf,
}

impl Job {
    pub fn new(options: &Options, name: &str) -> Result<Self> {
        let folder = options.work.join(name);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("event.json"), "{\"ref\": \"refs/heads/main\"}")?;
        let action = fs::read_to_string(options.root.join("action.yml"))?;
        let inputs: Vec<String> = action
            .lines()
            .filter_map(|line| line.trim().split_once(": ${{ inputs."))
            .map(|(name, _)| name.to_owned())
            .collect();
        if inputs.is_empty() {
            return Err("action.yml passes no input".into());
        }
        Ok(Self {
            folder,
            inputs,
            binary: options.binary.clone(),
        })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Where a program's standard output goes.
    pub fn said(&self) -> PathBuf {
        self.path("stdout")
    }

    /// Empties the outputs and the summary, as a runner does before each step.
    pub fn fresh(&self) -> Result<()> {
        fs::write(self.path("output"), "")?;
        fs::write(self.path("summary"), "")?;
        Ok(())
    }

    /// Any program, in the environment of a step.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        let path = std::env::var("PATH").unwrap_or_default();
        command.env_clear().envs([
            ("PATH", path.as_str()),
            ("LANG", "C.UTF-8"),
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://forge.example"),
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567"),
            ("GITHUB_REF", "refs/heads/main"),
            ("GITHUB_EVENT_NAME", "push"),
            ("GITHUB_RUN_ID", "4711"),
            ("GITHUB_RUN_NUMBER", "12"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_JOB", "e2e"),
        ]);
        command.envs([
            ("HOME", self.folder.clone()),
            ("GITHUB_EVENT_PATH", self.path("event.json")),
            ("GITHUB_OUTPUT", self.path("output")),
            ("GITHUB_STEP_SUMMARY", self.path("summary")),
        ]);
        command
    }

    /// The step itself, without a token and without a control address.
    pub fn step(&self, inputs: &[(&str, &str)]) -> Command {
        self.step_by(self.command(&self.binary), inputs)
    }

    /// The same with another program in front.
    pub fn step_by(&self, mut command: Command, inputs: &[(&str, &str)]) -> Command {
        command.envs(self.inputs.iter().map(|name| (name, "")));
        command.env("PREFLIGHT_CONTROL", "off");
        command.envs(inputs.iter().copied());
        command
    }

    /// An output of the last step.
    pub fn output(&self, name: &str) -> Option<String> {
        let text = fs::read_to_string(self.path("output")).ok()?;
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let Some(rest) = line.strip_prefix(name) else {
                continue;
            };
            if let Some(value) = rest.strip_prefix('=') {
                return Some(value.to_owned());
            }
            if let Some(end) = rest.strip_prefix("<<") {
                let value: Vec<_> = lines.by_ref().take_while(|line| *line != end).collect();
                return Some(value.join("\n"));
            }
        }
        None
    }
}
