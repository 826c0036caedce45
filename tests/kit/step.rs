use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::kit::forge::Forge;
use crate::kit::run::Run;
use crate::kit::{action_yml, commands, invariants, outputs, program};

/// The token of every run that has one. It must show nowhere.
pub(crate) const TOKEN: &str = "ghs_LoopbackTokenThatMustNeverShow";

/// The commit of every run that has one.
pub(crate) const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

/// No run may take longer: a hanging binary fails its test.
const PATIENCE: Duration = Duration::from_secs(90);

/// A step to be run: its inputs, its environment, its files.
pub(crate) struct Preflight {
    home: TempDir,
    env: BTreeMap<OsString, OsString>,
    args: Vec<OsString>,
    lenient: bool,
    /// What a shell does before it becomes the binary.
    shell: Option<String>,
    /// Its standard output is a pipe that does not wait, and whose reader is slow.
    hasty: bool,
}

impl Preflight {
    /// A person's machine: no forge, no runner, nothing in the environment.
    pub(crate) fn bare() -> Self {
        Self {
            home: TempDir::new().unwrap(),
            env: BTreeMap::new(),
            args: Vec::new(),
            lenient: false,
            shell: None,
            hasty: false,
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

    /// Takes back an input that the harness gives.
    pub(crate) fn unset(self, input: &str) -> Self {
        self.without(&action_yml::variable(input))
    }

    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.insert(name.as_ref().into(), value.as_ref().into());
        self
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

    /// Lets a shell change, with this command, what the binary inherits.
    pub(crate) fn shell(mut self, command: impl Into<String>) -> Self {
        self.shell = Some(command.into());
        self
    }

    /// Somebody made standard output a pipe that does not wait for its reader, who is slow.
    pub(crate) fn hasty(mut self) -> Self {
        self.hasty = true;
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

    /// Runs on this forge, for a push of [`SHA`] to acme/shop.
    pub(crate) fn on(mut self, forge: &Forge) -> Self {
        for (name, value) in forge.environment() {
            self = self.env(name, value);
        }
        self.set("token", TOKEN)
    }

    /// The event that the step runs for.
    pub(crate) fn event(self, name: &str, payload: impl Display) -> Self {
        let step = self.file("event.json", payload.to_string());
        let path = step.path("event.json");
        step.env("GITHUB_EVENT_NAME", name)
            .env("GITHUB_EVENT_PATH", path)
    }

    pub(crate) fn start(self) -> Running {
        let program = program::under_test();
        let mut command = match &self.shell {
            None => program.command(),
            Some(shell) => {
                let mut command = Command::new("/bin/sh");
                command
                    .args(["-c", &format!("{shell}; exec \"$0\" \"$@\"")])
                    .args(program.words());
                command
            }
        };
        if ignores_hangup() {
            // Under nohup, say: the program would go on ignoring the signal, as it should.
            let mut heeding = Command::new("/usr/bin/env");
            heeding
                .arg("--default-signal=HUP")
                .arg(command.get_program())
                .args(command.get_args());
            command = heeding;
        }
        command
            .env_clear()
            // Where a coverage run wants its profile; nothing else reads it.
            .envs(std::env::var_os("LLVM_PROFILE_FILE").map(|file| ("LLVM_PROFILE_FILE", file)))
            .envs(&self.env)
            .args(&self.args)
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let slow = self.hasty.then(|| {
            let (reader, writer) = std::io::pipe().unwrap();
            rustix::fs::fcntl_setfl(&writer, rustix::fs::OFlags::NONBLOCK).unwrap();
            command.stdout(writer);
            reader
        });
        let earlier = fs::read_to_string(self.path("outputs")).unwrap_or_default();
        let started = Instant::now();
        let mut child = command.spawn().unwrap();
        // The writer's other handle.
        drop(command);
        Running {
            stdout: match slow {
                Some(reader) => thread::spawn(move || {
                    thread::sleep(Duration::from_millis(500));
                    collect(reader).join().unwrap()
                }),
                None => collect(child.stdout.take().unwrap()),
            },
            stderr: collect(child.stderr.take().unwrap()),
            child,
            started,
            earlier,
            step: self,
            signalled: false,
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

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// Waits until something is so, but not for ever.
#[track_caller]
pub(crate) fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !so() {
        assert!(started.elapsed() < PATIENCE, "never came: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// A step that is under way.
pub(crate) struct Running {
    step: Preflight,
    child: Child,
    started: Instant,
    /// What the outputs file held before.
    earlier: String,
    stdout: JoinHandle<Vec<u8>>,
    stderr: JoinHandle<Vec<u8>>,
    signalled: bool,
}

impl Running {
    /// Sends a signal: `TERM`, `INT`.
    pub(crate) fn signal(mut self, name: &str) -> Self {
        self.send(name);
        self.signalled = true;
        self
    }

    /// Makes it stand still, or go on: `STOP`, `CONT`.
    pub(crate) fn send(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(sent.success(), "{kill}");
    }

    /// Sends one that it was told to ignore.
    pub(crate) fn signal_in_vain(self, name: &str) -> Self {
        let mut running = self.signal(name);
        running.signalled = false;
        running
    }

    /// Lets it stand still until so long after its start.
    pub(crate) fn freeze(self, until: Duration) -> Self {
        let stopped = self.signal("STOP");
        thread::sleep(until.saturating_sub(stopped.started.elapsed()));
        stopped.signal_in_vain("CONT")
    }

    pub(crate) fn wait(mut self) -> Run {
        let mut status = None;
        while status.is_none() && self.started.elapsed() < PATIENCE {
            status = self.child.try_wait().unwrap();
            thread::sleep(Duration::from_millis(2));
        }
        let took = self.started.elapsed();
        if status.is_none() {
            self.child.kill().unwrap();
        }
        let text = |pipe: JoinHandle<Vec<u8>>| String::from_utf8(pipe.join().unwrap());
        let read = |name: &str| fs::read_to_string(self.step.path(name)).unwrap_or_default();
        let mut run = Run {
            code: status.and_then(|status| status.code()),
            stdout: text(self.stdout).expect("stdout is UTF-8"),
            stderr: text(self.stderr).expect("stderr is UTF-8"),
            outputs: BTreeMap::new(),
            annotations: Vec::new(),
            summary: read("summary"),
            took,
            signalled: self.signalled,
            lenient: self.step.lenient,
            step: self.step,
        };
        assert!(status.is_some(), "still running after {PATIENCE:?}\n{run}");
        run.annotations = commands::read(run.log()).unwrap_or_else(|why| panic!("{why}\n{run}"));
        let written = run.read("outputs");
        let written = written
            .strip_prefix(&self.earlier)
            .expect("outputs are appended");
        let unfinished = !self.earlier.is_empty() && !self.earlier.ends_with('\n');
        let written = written
            .strip_prefix(if unfinished { "\n" } else { "" })
            .expect("what came before is a line of its own");
        run.outputs =
            outputs::read(written).unwrap_or_else(|why| panic!("{why}\n{written}\n{run}"));
        invariants::check(&run);
        run
    }
}
