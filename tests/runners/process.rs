use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::kit::program::path;
use rustix::process::{Pid, Signal, kill_process};

/// A command with an environment of its own: nothing of this machine's user gets in.
pub(crate) fn isolated(program: impl AsRef<OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", path()).stdin(Stdio::null());
    for (name, directory) in [
        ("HOME", ""),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_CONFIG_HOME", "config"),
        ("TMPDIR", ""),
    ] {
        command.env(name, home.join(directory));
    }
    command
}

/// What a command prints, without the white space around it.
pub(crate) fn output(command: &mut Command) -> String {
    let done = command.output().unwrap();
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {error}");
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

/// A program that runs beside the test, and not longer.
pub(crate) struct Process(Child);

impl Process {
    /// Starts it; what it says goes to the files `stdout` and `stderr` in this directory.
    pub(crate) fn start(command: &mut Command, directory: &Path) -> Self {
        let file = |name: &str| File::create(directory.join(name)).unwrap();
        command.stdout(file("stdout")).stderr(file("stderr"));
        Self(command.spawn().unwrap())
    }

    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_none() {
            kill_process(Pid::from_child(&self.0), Signal::TERM).ok();
            self.0.wait().ok();
        }
    }
}
