use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::kit::program;
use crate::lab::{FORGE, Lab};
use crate::run::Run;

/// The commit of steps that have one.
pub(crate) const SHA: &str = "0123456789abcdef0123456789abcdef01234567";
/// No step may take longer.
const PATIENCE: Duration = Duration::from_secs(70);

/// A step to be run on the runner.
pub(crate) struct Step<'a> {
    lab: &'a Lab,
    env: BTreeMap<String, String>,
    files: Option<u32>,
    deaf: bool,
}

impl<'a> Step<'a> {
    /// One attempt per target, no control address, no forge.
    pub(crate) fn new(lab: &'a Lab) -> Self {
        let mut step = Self {
            lab,
            env: BTreeMap::new(),
            files: None,
            deaf: false,
        };
        for (name, file) in [
            ("GITHUB_OUTPUT", "outputs"),
            ("GITHUB_STEP_SUMMARY", "summary"),
        ] {
            let path = lab.path(file);
            fs::write(&path, "").unwrap();
            step = step.env(name, path.display());
        }
        step.env("CI", "true")
            .env("GITHUB_ACTIONS", "true")
            .set("report-file", lab.path("report").display())
            .set("control", "off")
            .set("attempts", 1)
            .set("timeout", "1500ms")
            .set("interval", "100ms")
            .set("deadline", "20s")
    }

    pub(crate) fn set(self, input: &str, value: impl Display) -> Self {
        let name = input.to_uppercase().replace('-', "_");
        self.env(&format!("PREFLIGHT_{name}"), value)
    }

    pub(crate) fn env(mut self, name: &str, value: impl Display) -> Self {
        self.env.insert(name.to_owned(), value.to_string());
        self
    }

    /// The address that tells the runner's network from the target.
    pub(crate) fn control(self, url: &str) -> Self {
        self.set("control", url)
    }

    /// A limit of open files, soft and hard.
    pub(crate) fn files(mut self, limit: u32) -> Self {
        self.files = Some(limit);
        self
    }

    /// Nobody reads what the step says until it has ended.
    pub(crate) fn deaf(mut self) -> Self {
        self.deaf = true;
        self
    }

    /// A job of the forge at [`FORGE`], with a token.
    pub(crate) fn job(self) -> Self {
        let forge = format!("http://{FORGE}");
        self.env("GITHUB_API_URL", &forge)
            .env("GITHUB_SERVER_URL", &forge)
            .env("GITHUB_REPOSITORY", "acme/shop")
            .env("GITHUB_EVENT_NAME", "push")
            .env("GITHUB_SHA", SHA)
            .env("GITHUB_RUN_ID", "4711")
            .env("GITHUB_RUN_NUMBER", "12")
            .env("GITHUB_JOB", "e2e")
            .set("token", "ghs_TokenOfTheFaultMatrix")
    }

    pub(crate) fn start(self) -> Running {
        let words: Vec<_> = program::under_test().words().collect();
        let mut command = match self.files {
            None => {
                let mut command = self.lab.in_runner(words[0]);
                command.args(&words[1..]);
                command
            }
            Some(limit) => {
                let mut command = self.lab.in_runner("prlimit");
                command.arg(format!("--nofile={limit}:{limit}")).args(words);
                command
            }
        };
        command
            .env_clear()
            // Where a coverage run wants its profile; nothing else reads it.
            .envs(std::env::var_os("LLVM_PROFILE_FILE").map(|file| ("LLVM_PROFILE_FILE", file)))
            .envs(&self.env)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().unwrap();
        let mut stdout = child.stdout.take();
        let reader = (!self.deaf).then(|| collect(stdout.take().unwrap()));
        Running {
            started,
            signalled: None,
            reader,
            unread: stdout.map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
            stderr: collect(child.stderr.take().unwrap()),
            child,
            outputs: self.lab.path("outputs"),
            report: self.lab.path("report"),
        }
    }

    pub(crate) fn run(self) -> Run {
        self.start().wait()
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// A step under way.
pub(crate) struct Running {
    child: Child,
    started: Instant,
    signalled: Option<Instant>,
    reader: Option<JoinHandle<Vec<u8>>>,
    unread: Option<Box<dyn Read + Send>>,
    stderr: JoinHandle<Vec<u8>>,
    outputs: std::path::PathBuf,
    report: std::path::PathBuf,
}

impl Running {
    /// Sends `TERM` or `INT`; from now on the time counts.
    pub(crate) fn signal(mut self, name: &str) -> Self {
        self.signalled = Some(Instant::now());
        self.send(name);
        self
    }

    /// Stops it, as a machine does that is moved, and lets it go on.
    pub(crate) fn stop_for(self, millis: u64) -> Self {
        self.send("STOP");
        thread::sleep(Duration::from_millis(millis));
        self.send("CONT");
        self
    }

    fn send(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &id])
            .status();
        assert!(sent.unwrap().success());
    }

    pub(crate) fn wait(mut self) -> Run {
        let mut code = self.child.try_wait().unwrap();
        while code.is_none() {
            if self.started.elapsed() > PATIENCE {
                self.child.kill().unwrap();
            }
            thread::sleep(Duration::from_millis(1));
            code = self.child.try_wait().unwrap();
        }
        let took = self.signalled.unwrap_or(self.started).elapsed();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let reader = self.reader.or_else(|| self.unread.map(collect));
        // A pipe would hang this process, too.
        let read = |path: &std::path::Path| {
            let plain = fs::metadata(path).is_ok_and(|meta| meta.is_file());
            if plain {
                fs::read_to_string(path).unwrap()
            } else {
                String::new()
            }
        };
        Run {
            code: code.and_then(|code| code.code()),
            took,
            stdout: text(reader.unwrap().join().unwrap()),
            stderr: text(self.stderr.join().unwrap()),
            outputs: read(&self.outputs),
            report: serde_json::from_str(&read(&self.report)).unwrap_or_default(),
            complaints: RefCell::default(),
        }
    }
}
