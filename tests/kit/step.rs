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
use crate::kit::{action_yml, commands, environment, invariants, outputs, program};

/// The token of every run that has one. It must show nowhere.
pub(crate) const TOKEN: &str = "ghs_LoopbackTokenThatMustNeverShow";

/// No run may take longer: a hanging binary fails its test.
const PATIENCE: Duration = Duration::from_secs(90);

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

fn collect(mut pipe: impl Read + Send + 'static, after: Duration) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        thread::sleep(after);
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
    stdout: Reader,
    stderr: JoinHandle<Vec<u8>>,
    /// When it got a signal that ends it.
    signalled: Option<Instant>,
}

/// Who reads standard output.
enum Reader {
    Busy(JoinHandle<Vec<u8>>),
    /// Until the program has ended.
    Waiting(Box<dyn Read + Send>),
}

impl Running {
    /// Sends a signal: `TERM`, `INT`.
    pub(crate) fn signal(mut self, name: &str) -> Self {
        self.signalled = Some(Instant::now());
        self.send(name);
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
        running.signalled = None;
        running
    }

    /// Lets it stand still for so long, as a machine does that is moved.
    pub(crate) fn freeze(self, pause: Duration) -> Self {
        self.send("STOP");
        thread::sleep(pause);
        self.send("CONT");
        self
    }

    /// Lets it stand still until so long after its start.
    pub(crate) fn freeze_until(self, until: Duration) -> Self {
        let pause = until.saturating_sub(self.started.elapsed());
        self.freeze(pause)
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
        let stdout = match self.stdout {
            Reader::Busy(reader) => text(reader),
            // A full pipe has cut it somewhere.
            Reader::Waiting(pipe) => text(collect(pipe, Duration::ZERO)).map(|text| {
                let lines = text.rfind('\n').map_or(0, |end| end + 1);
                text[..lines].to_owned()
            }),
        };
        let mut run = Run {
            code: status.and_then(|status| status.code()),
            stdout: stdout.expect("stdout is UTF-8"),
            stderr: text(self.stderr).expect("stderr is UTF-8"),
            outputs: BTreeMap::new(),
            annotations: Vec::new(),
            summary: self.step.read("summary"),
            took,
            ended_after_signal: self.signalled.map(|at| at.elapsed()),
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
