//! Ways to fail, and who reads of it: workflow commands are for runners, plain lines for people.

use std::fmt::{self, Display};
use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::kit::program;
use crate::kit::server::{Refusing, Server, response};

/// Who reads the log.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Reader {
    /// CI says that a machine does.
    ci: bool,
    terminal: bool,
}

const READERS: [Reader; 4] = [
    Reader::new(false, false),
    Reader::new(false, true),
    Reader::new(true, false),
    Reader::new(true, true),
];

impl Reader {
    const fn new(ci: bool, terminal: bool) -> Self {
        Self { ci, terminal }
    }
}

/// What came of it.
struct Ended {
    code: Option<i32>,
    log: String,
    outputs: String,
}

impl Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, log, outputs } = self;
        write!(f, "exit code {code:?}\n{log}\n--- outputs\n{outputs}")
    }
}

impl Ended {
    /// The lines that are workflow commands.
    fn commands(&self) -> Vec<&str> {
        let lines = self.log.lines();
        lines.filter(|line| line.contains("::")).collect()
    }
}

/// Runs the program in a shell, after what the shell does before.
fn run(reader: Reader, before: &str, variables: &[(&str, &str)], args: &[&str]) -> Ended {
    let home = tempfile::tempdir().unwrap();
    let outputs = home.path().join("outputs");
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", &format!("{before}; exec \"$0\" \"$@\"")])
        .args(program::under_test().words())
        .args(args)
        .env_clear()
        .env("GITHUB_OUTPUT", &outputs)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("NO_COLOR", "1")
        .envs(variables.iter().copied())
        .envs(reader.ci.then_some(("CI", "true")))
        .current_dir(home.path())
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    let mut log: Box<dyn Read> = if reader.terminal {
        let (person, terminal) = terminal();
        command.stdout(terminal);
        Box::new(File::from(person))
    } else {
        let (person, pipe) = std::io::pipe().unwrap();
        command.stdout(pipe);
        Box::new(person)
    };
    let mut child = command.spawn().unwrap();
    // The other end of what it writes to.
    drop(command);
    let mut text = Vec::new();
    // A terminal whose last writer is gone ends in an error.
    let _ = log.read_to_end(&mut text);
    Ended {
        code: child.wait().unwrap().code(),
        log: String::from_utf8(text).unwrap(),
        outputs: fs::read_to_string(outputs).unwrap_or_default(),
    }
}

/// A terminal: the end of the person, and the program's.
fn terminal() -> (OwnedFd, OwnedFd) {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    rustix::io::fcntl_setfd(&person, rustix::io::FdFlags::CLOEXEC).unwrap();
    grantpt(&person).unwrap();
    unlockpt(&person).unwrap();
    let name = ptsname(&person, Vec::new()).unwrap();
    let flags = i32::try_from(OFlags::NOCTTY.bits()).unwrap();
    let program = File::options()
        .read(true)
        .write(true)
        .custom_flags(flags)
        .open(name.to_str().unwrap())
        .unwrap();
    (person, program.into())
}

/// Every failure is said to everybody, and commanded to nobody but a runner.
#[track_caller]
fn check(ended: &Ended, reader: Reader, code: i32, words: &str, titles: &[&str]) {
    assert_eq!(ended.code, Some(code), "{reader:?}\n{ended}");
    assert!(ended.log.contains(words), "{reader:?}: {words:?}\n{ended}");
    let commands = ended.commands();
    if !reader.ci {
        assert!(commands.is_empty(), "{reader:?}\n{ended}");
        return;
    }
    for title in titles {
        let title = format!(" title={title}");
        let found = commands.iter().any(|line| line.contains(&title));
        assert!(found, "{reader:?}: {title}\n{ended}");
    }
}

#[test]
fn a_configuration_that_is_refused() {
    for reader in READERS {
        for (args, words) in [
            (["nonsense"], "the configuration has 1 problem"),
            (["--no-such-option"], "--no-such-option"),
        ] {
            let ended = run(reader, "true", &[], &args);
            check(&ended, reader, 78, words, &["CONFIG"]);
            assert!(ended.outputs.contains("invalid"), "{ended}");
            let full = run(reader, "true", &[("GITHUB_OUTPUT", "/dev/full")], &args);
            let words = "the outputs cannot be written";
            check(&full, reader, 78, words, &["CONFIG", "INTERNAL"]);
        }
    }
}

#[test]
fn a_run_that_cannot_start() {
    for reader in READERS {
        let ended = run(reader, "ulimit -n 4", &[], &["http://127.0.0.1:1/"]);
        let words = "dep-preflight failed, and says nothing about any target: ";
        check(&ended, reader, 1, words, &["INTERNAL"]);
    }
}

/// The watchdog's own words.
#[test]
fn a_deadline_that_is_missed() {
    for reader in READERS {
        let args = ["--config", "pipe", "--deadline", "400ms"];
        let ended = run(reader, "mkfifo pipe", &[], &args);
        let words = "could not be read before the step's deadline";
        check(&ended, reader, 1, words, &["INTERNAL"]);
        assert!(ended.outputs.contains("error"), "{ended}");
    }
}

#[test]
fn a_target_that_is_down_and_outputs_that_cannot_be_written() {
    let gone = Refusing::new();
    for reader in READERS {
        let args = [&gone.url(), "--attempts=1", "--name=gone"];
        let args = args.map(|arg: &str| arg);
        let ended = run(reader, "true", &[("GITHUB_OUTPUT", "/dev/full")], &args);
        let titles = ["INTERNAL", "DEP-DOWN%3Agone"];
        check(&ended, reader, 1, "the outputs cannot be written", &titles);
    }
}

#[test]
fn warnings() {
    let server = Server::status(200);
    for reader in READERS {
        let args = [&server.url(), "--report-file=/dev/full"];
        let args = args.map(|arg: &str| arg);
        let ended = run(reader, "true", &[], &args);
        let words = "the report file cannot be written";
        check(&ended, reader, 0, words, &["REPORT-FILE"]);
        // And the outputs name no file that was not written.
        let last = ended.outputs.rsplit("report-file<<").next();
        let value = last.and_then(|entry| entry.lines().nth(1));
        assert_eq!(value, Some(""), "{ended}");
    }
}

/// The report says what the exit code says, however its reader gets it.
#[test]
fn a_report_and_outputs_that_cannot_be_written() {
    let server = Server::start(|peer| {
        peer.request();
        peer.send(response(200, ""));
    });
    for (before, option) in [
        ("true", "--report-file=copy"),
        ("true", "--report-file=pipe"),
        ("exec >copy", "--json"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        let sh = |script: &str| {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", script]).current_dir(home.path());
            command
        };
        let made = sh("mkfifo pipe").status().unwrap();
        assert!(made.success());
        // Whoever reads the pipe is there before the program. It holds a report as short as this.
        let mut pipe = File::options()
            .read(true)
            .write(true)
            .custom_flags(i32::try_from(OFlags::NONBLOCK.bits()).unwrap())
            .open(path("pipe"))
            .unwrap();
        let ended = sh(&format!("{before}; exec \"$0\" \"$@\""))
            .args(program::under_test().words())
            .args([&server.url(), option])
            .env_clear()
            .env("GITHUB_OUTPUT", "/dev/full")
            .output()
            .unwrap();
        assert_eq!(ended.status.code(), Some(1), "{option}: {ended:?}");
        let mut text = fs::read(path("copy")).unwrap_or_default();
        if text.is_empty() {
            text = vec![0; 64 * 1024];
            let length = pipe.read(&mut text).unwrap();
            text.truncate(length);
        }
        let report: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let said = (&report["result"], &report["exit_code"]);
        assert_eq!(said, (&"error".into(), &1.into()), "{option}: {ended:?}");
    }
}
