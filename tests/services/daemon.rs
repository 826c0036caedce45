use std::cell::RefCell;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::kit::certificates::{Certified, Identity};
use crate::kit::program;
use crate::kit::running::eventually;

/// A port that nobody listens on, chosen by the system. Between this and the server's start
/// somebody else may take it; the server's start fails then.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// A folder for a server's files. Servers that will not run as root can read and write it.
pub(crate) fn folder() -> TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

/// A command with no environment but what it needs, at home in this folder. What is no command
/// for everybody is found, too.
pub(crate) fn command(name: &str, home: &Path) -> Command {
    let found = program::find(name).unwrap_or_else(|why| panic!("{why}"));
    at(&found, home)
}

/// The same for a program at a path.
pub(crate) fn at(program: &Path, home: &Path) -> Command {
    let mut command = prepared(home);
    command.arg("--").arg(program);
    command
}

/// A command that goes on as the program whose path follows, and that is told to end once the
/// thread that started it has: a test that is killed leaves no server behind.
fn prepared(home: &Path) -> Command {
    let setpriv = program::find("setpriv").unwrap_or_else(|why| panic!("{why}"));
    let mut command = Command::new(setpriv);
    command
        .args(["--pdeathsig", "TERM"])
        .env_clear()
        .env("PATH", program::path())
        .env("HOME", home)
        .env("LANG", "C.UTF-8")
        .current_dir(home)
        .stdin(Stdio::null());
    command
}

/// The same as another user of this machine, where the tests run as root: some servers refuse it.
pub(crate) fn as_user(user: &str, name: &str, home: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return command(name, home);
    }
    let found = program::find(name).unwrap_or_else(|why| panic!("{why}"));
    let mut command = prepared(home);
    command
        .args(["--reuid", user, "--regid", user, "--clear-groups", "--"])
        .arg(found);
    command
}

/// Writes `cert.pem` and `key.pem` for 127.0.0.1, by the authority that the tests trust. Whoever a
/// server runs as can read them.
pub(crate) fn write_identity(home: &Path) {
    let Identity { certificate, key } = Identity::new("127.0.0.1", Certified::Well);
    fs::write(home.join("cert.pem"), certificate.pem()).unwrap();
    fs::write(home.join("key.pem"), key.serialize_pem()).unwrap();
}

/// What a command prints; it must succeed.
#[track_caller]
pub(crate) fn output(command: &mut Command) -> String {
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {said}{error}");
    said.trim().to_owned()
}

/// A server that runs beside the test, and not longer.
pub(crate) struct Daemon {
    child: RefCell<Child>,
    log: PathBuf,
    port: u16,
}

impl Daemon {
    /// Starts it, and waits until it listens on this port of 127.0.0.1. What it prints is its
    /// log.
    #[track_caller]
    pub(crate) fn start(command: &mut Command, folder: &Path, port: u16) -> Self {
        let daemon = Self::launch(command, folder, port);
        daemon.wait_until_it_listens();
        daemon
    }

    /// The same without waiting.
    pub(crate) fn launch(command: &mut Command, folder: &Path, port: u16) -> Self {
        let log = folder.join(format!("log-{port}"));
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .unwrap();
        command.stdout(file.try_clone().unwrap()).stderr(file);
        let child = command
            .spawn()
            .unwrap_or_else(|why| panic!("{command:?}: {why}"));
        Self {
            child: RefCell::new(child),
            log,
            port,
        }
    }

    /// The same with a log of its own.
    pub(crate) fn logging_to(mut self, log: PathBuf) -> Self {
        self.log = log;
        self
    }

    #[track_caller]
    pub(crate) fn wait_until_it_listens(&self) {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        eventually(&format!("a server at {address}"), || {
            let ended = self.child.borrow_mut().try_wait().unwrap();
            if let Some(status) = ended {
                panic!("it ended ({status}), and says:\n{}", self.log_text());
            }
            TcpStream::connect(address).is_ok()
        });
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn log_text(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// How many lines its log has.
    pub(crate) fn log_lines(&self) -> usize {
        self.log_text().lines().count()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child.borrow()), signal).unwrap();
    }

    /// Stops it as its administrator would, and waits for its end.
    pub(crate) fn stop(self) {
        drop(self);
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let child = self.child.get_mut();
        if child.try_wait().unwrap().is_none() {
            kill_process(Pid::from_child(child), Signal::TERM).ok();
            // Some wait for their clients.
            for _ in 0..500 {
                if child.try_wait().unwrap().is_some() {
                    return;
                }
                thread::sleep(Duration::from_millis(10));
            }
            child.kill().ok();
            child.wait().ok();
        }
    }
}
