use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::kit::certificates::trusted_pem;
use crate::kit::forge::Forge;
use crate::kit::run::Run;
use crate::kit::running::{Reader, Running, collect};
use crate::kit::{action_yml, environment, program};

/// The token of every run that has one. It must show nowhere.
pub(crate) const TOKEN: &str = "ghs_LoopbackTokenThatMustNeverShow";

/// A step to be run: its inputs, its environment, its files.
pub(crate) struct Preflight {
    home: TempDir,
    env: BTreeMap<OsString, OsString>,
    args: Vec<OsString>,
    lenient: bool,
    /// The words in front of the program's: what starts it.
    launcher: Vec<OsString>,
    stdout: Stdout,
}

/// How standard output is read.
#[derive(Clone, Copy, PartialEq)]
enum Stdout {
    AtOnce,
    /// Only after the program has ended.
    Late,
    /// Slowly, and from a pipe that does not wait.
    Slow,
}

impl Preflight {
    /// A person's machine: no forge, no runner, nothing in the environment.
    pub(crate) fn bare() -> Self {
        Self {
            home: TempDir::new().unwrap(),
            env: BTreeMap::new(),
            args: Vec::new(),
            lenient: false,
            launcher: Vec::new(),
            stdout: Stdout::AtOnce,
        }
    }

    /// A step on a runner, with one attempt per target and short waits.
    pub(crate) fn new() -> Self {
        let mut step = Self::bare();
        for (name, file) in [
            ("GITHUB_OUTPUT", "outputs"),
            ("GITHUB_STEP_SUMMARY", "summary"),
        ] {
            step = step.file(file, "");
            let path = step.path(file);
            step = step.env(name, path);
        }
        step.env("CI", "true")
            .env("GITHUB_ACTIONS", "true")
            .set("attempts", 1)
            .set("interval", "10ms")
    }

    /// A step with a single target, from the input `url`.
    pub(crate) fn probing(url: impl Display) -> Self {
        Self::new().set("url", url)
    }

    /// A step with several targets, from the input `targets`.
    pub(crate) fn targets<N: Display, U: Display>(targets: &[(N, U)]) -> Self {
        let lines = targets.iter().map(|(name, url)| format!("{name}: {url}\n"));
        Self::new().set("targets", lines.collect::<String>())
    }

    /// Gives an input as `action.yml` does.
    pub(crate) fn set(self, input: &str, value: impl Display) -> Self {
        self.env(action_yml::variable(input), value.to_string())
    }

    /// Takes back an input that this gives.
    pub(crate) fn unset(self, input: &str) -> Self {
        self.without(&action_yml::variable(input))
    }

    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.insert(name.as_ref().into(), value.as_ref().into());
        self
    }

    fn envs(self, variables: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let each = variables.into_iter();
        each.fold(self, |step, (name, value)| step.env(name, value))
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.env.remove(OsStr::new(name));
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().into()));
        self
    }

    /// The step was told, somewhere, not to fail.
    pub(crate) fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// Trusts the authority of the tests.
    pub(crate) fn trusting(self) -> Self {
        self.file("ca.pem", trusted_pem())
            .set("ca-certificates", "ca.pem")
    }

    pub(super) fn is_lenient(&self) -> bool {
        self.lenient
    }

    /// Lets a shell change, with this command, what the program inherits.
    pub(crate) fn shell(self, command: impl Display) -> Self {
        let script = format!("{command}; exec \"$0\" \"$@\"");
        self.launched_by(["/bin/sh", "-c", &script])
    }

    /// Has the program started by this command, which is given the program's words.
    pub(crate) fn launched_by<W: AsRef<OsStr>>(
        mut self,
        words: impl IntoIterator<Item = W>,
    ) -> Self {
        let words = words.into_iter().map(|word| word.as_ref().into());
        self.launcher.extend(words);
        self
    }

    /// Somebody made standard output a pipe that does not wait for its reader, who is slow.
    pub(crate) fn nonblocking_stdout(mut self) -> Self {
        self.stdout = Stdout::Slow;
        self
    }

    /// Nobody reads what it prints before it has ended.
    pub(crate) fn unread(mut self) -> Self {
        self.stdout = Stdout::Late;
        self
    }

    /// Writes a file into the directory that the step runs in.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.path(name), content).unwrap();
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// What a file in that directory holds; empty if there is none.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Runs on this forge, for a push.
    pub(crate) fn on(self, forge: &Forge) -> Self {
        self.envs(forge.environment()).set("token", TOKEN)
    }

    /// Runs for a push on a forge of GitHub's kind at this address.
    pub(crate) fn on_forge_at(self, url: &str) -> Self {
        self.envs(environment::of_push(url))
            .env("GITHUB_API_URL", url)
            .set("token", TOKEN)
    }

    /// The event that the step runs for.
    pub(crate) fn event(self, name: &str, payload: impl Display) -> Self {
        let step = self.file("event.json", payload.to_string());
        let path = step.path("event.json");
        step.env("GITHUB_EVENT_NAME", name)
            .env("GITHUB_EVENT_PATH", path)
    }

    pub(crate) fn start(self) -> Running {
        let mut words: Vec<&OsStr> = Vec::new();
        if ignores_hangup() {
            // Under nohup, say: the program would go on ignoring the signal, as it should.
            words.extend(["/usr/bin/env", "--default-signal=HUP"].map(OsStr::new));
        }
        words.extend(self.launcher.iter().map(OsString::as_os_str));
        words.extend(program::under_test().words());
        let mut command = Command::new(words[0]);
        command
            .env_clear()
            // Where a coverage run wants its profile; nothing else reads it.
            .envs(std::env::var_os("LLVM_PROFILE_FILE").map(|file| ("LLVM_PROFILE_FILE", file)))
            .envs(&self.env)
            .args(&words[1..])
            .args(&self.args)
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let slow = (self.stdout == Stdout::Slow).then(|| {
            let (reader, writer) = std::io::pipe().unwrap();
            rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK).unwrap();
            command.stdout(writer);
            reader
        });
        let earlier = self.read("outputs");
        let started = Instant::now();
        let mut child = command.spawn().unwrap();
        // The writer's other handle.
        drop(command);
        let stdout: Box<dyn Read + Send> = match slow {
            Some(pipe) => Box::new(pipe),
            None => Box::new(child.stdout.take().unwrap()),
        };
        Running {
            stdout: match self.stdout {
                Stdout::AtOnce => Reader::Busy(collect(stdout, Duration::ZERO)),
                Stdout::Slow => Reader::Busy(collect(stdout, Duration::from_millis(500))),
                Stdout::Late => Reader::Waiting(stdout),
            },
            stderr: collect(child.stderr.take().unwrap(), Duration::ZERO),
            child,
            started,
            earlier,
            step: self,
            signalled: None,
        }
    }

    pub(crate) fn run(self) -> Run {
        self.start().wait()
    }
}

/// Whether these tests were started with SIGHUP ignored.
fn ignores_hangup() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & 1 == 1)
}
