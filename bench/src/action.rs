//! The step as the action starts it: the environment of a runner, and one variable for each
//! input, set or empty, as action.yml passes them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Options, Result, action_yml, environment, outputs};

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
        let inputs: Vec<String> = action_yml::names(&action, "inputs")
            .into_iter()
            .map(action_yml::variable)
            .collect();
        if inputs.is_empty() {
            return Err("action.yml has no input".into());
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
        ]);
        command.envs(environment::of_push("https://forge.example"));
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
        let file = fs::read_to_string(self.path("output")).ok()?;
        outputs::read(&file).ok()?.remove(name)
    }
}
