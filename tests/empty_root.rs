//! The shipped program where there is nothing else: no `/etc`, no certificates, no library,
//! a file system that cannot be written to, no environment.
//!
//! Each test is played by a process of its own, in namespaces of its own: its loopback belongs
//! to it alone, with a web server on port 80 and a name server on port 53.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails; the helpers are tests, too"
)]

use std::env;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;

use kit::certificates::{Certified, trusted_pem, unknown_pem};
use kit::dns;
use kit::log::Log;
use kit::server::serve;
use kit::tls::Tls;

#[path = "kit/mod.rs"]
mod kit;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Tells a process that it plays a test, in namespaces of its own.
const ROLE: &str = "EMPTY_ROOT_ROLE";

/// A root directory with one program in it, and a network that is loopback alone.
struct Root {
    directory: TempDir,
    web: Arc<Log>,
}

/// What a run left behind.
struct Run {
    code: Option<i32>,
    said: String,
}

/// Plays a test in namespaces of its own.
fn play(test: impl FnOnce(&Root)) {
    if env::var_os(ROLE).is_some() {
        return test(&Root::new());
    }
    let program = kit::program::under_test().native();
    assert!(
        is_static(program),
        "{} needs the C library, which is not there in an empty root: leave \
         DEP_PREFLIGHT_PROGRAM out, or build a program with scripts/static-build",
        program.display()
    );
    let name = thread::current().name().unwrap().to_owned();
    let output = Command::new("unshare")
        // As root, without a user namespace: not every container can make one.
        .args((!rustix::process::geteuid().is_root()).then_some("--map-root-user"))
        .args(["--net", "--mount"])
        .arg(env::current_exe().unwrap())
        .args([&name, "--exact", "--nocapture"])
        .env(ROLE, program)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Whether an ELF file names no program interpreter.
fn is_static(file: &Path) -> bool {
    let headers = Command::new("readelf")
        .args(["--wide", "--program-headers"])
        .arg(file)
        .output()
        .unwrap();
    assert!(headers.status.success(), "no ELF file: {}", file.display());
    !String::from_utf8_lossy(&headers.stdout).contains("INTERP")
}

impl Root {
    fn new() -> Self {
        let directory = TempDir::new().unwrap();
        // A file system of its own, so that it can be made read-only.
        sh(&format!(
            "ip link set lo up; mount -t tmpfs none {}",
            directory.path().display()
        ));
        let root = Self {
            directory,
            web: serve("127.0.0.1:80", |peer| peer.status(401)),
        };
        fs::copy(env::var_os(ROLE).unwrap(), root.path("dep-preflight")).unwrap();
        root
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A file of the root directory.
    fn file(&self, name: &str, content: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Runs the program with one attempt, and no environment at all.
    fn preflight(&self, arguments: &[&str]) -> Run {
        let brief = ["--attempts", "1", "--timeout", "5s"];
        self.start(&[&["/dep-preflight"], &brief[..], arguments].concat())
    }

    /// Runs a command of the root directory.
    fn start(&self, command: &[&str]) -> Run {
        let root = self.directory.path().to_str().unwrap();
        sh(&format!("mount -o remount,ro {root}"));
        let mut chroot = Command::new("/usr/sbin/chroot");
        chroot.arg(root).args(command).env_clear();
        Run::of(&mut chroot)
    }

    /// How many requests came.
    fn requests(&self) -> usize {
        self.web.requests()
    }
}

impl Run {
    fn of(command: &mut Command) -> Self {
        let output = command.stdin(Stdio::null()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        Self {
            code: output.status.code(),
            said: String::from_utf8(said).unwrap(),
        }
    }

    #[track_caller]
    fn is_up(&self) {
        assert_eq!(self.code, Some(0), "{self}");
        assert!(self.said.contains("\nUP "), "{self}");
    }

    #[track_caller]
    fn is_down(&self, cause: &str) {
        assert_eq!(self.code, Some(70), "{self}");
        assert!(self.said.contains(cause), "{cause}: {self}");
    }
}

impl Display for Run {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "exit {:?}\n{}", self.code, self.said)
    }
}

fn sh(script: &str) {
    let status = Command::new("sh").args(["-ec", script]).status().unwrap();
    assert!(status.success(), "{script}");
}

#[test]
fn nothing_but_the_program() {
    play(|root| {
        root.preflight(&["http://127.0.0.1/"]).is_up();
        assert_eq!(root.requests(), 1);
        root.preflight(&["http://127.0.0.1:81/"]).is_down("refused");
        let version = root.start(&["/dep-preflight", "--version"]);
        assert!(version.said.starts_with("dep-preflight "), "{version}");
        let demo = root.start(&["/dep-preflight", "demo"]);
        assert_eq!(demo.code, Some(0), "{demo}");
    });
}

#[test]
fn certificates_are_judged_without_any_of_the_system() {
    play(|root| {
        Tls::named("dep.test", Certified::Well).serve("127.0.0.1:443");
        root.file("etc/hosts", "127.0.0.1 dep.test\n");
        root.file("authority.pem", &trusted_pem());
        root.preflight(&["https://dep.test/"])
            .is_down("tls-untrusted");
        root.preflight(&["https://dep.test/", "--ca-certificates", "/authority.pem"])
            .is_up();
    });
}

/// Plays a target whose root this function puts into `/etc/ssl/certs`, where other roots are.
fn play_trusted(add: impl FnOnce(&Root, &str, &str)) {
    play(|root| {
        Tls::named("dep.test", Certified::Well).serve("127.0.0.1:443");
        root.file("etc/hosts", "127.0.0.1 dep.test\n");
        add(root, &trusted_pem(), &unknown_pem());
        root.preflight(&["https://dep.test/"]).is_up();
    });
}

const BUNDLE: &str = "etc/ssl/certs/ca-certificates.crt";

#[test]
fn a_root_of_the_bundle_is_trusted() {
    play_trusted(|root, authority, other| {
        root.file(BUNDLE, &format!("{other}# Ours\n{authority}"));
    });
}

#[test]
fn a_root_behind_damage_in_the_bundle_is_trusted() {
    play_trusted(|root, authority, other| {
        let damaged = other.replace("MII", "?II");
        root.file(BUNDLE, &format!("{other}{damaged}{authority}"));
    });
}

#[test]
fn a_root_that_is_a_file_beside_the_bundle_is_trusted() {
    play_trusted(|root, authority, other| {
        root.file(BUNDLE, other);
        root.file("etc/ssl/certs/0123abcd.0", authority);
    });
}

#[test]
fn a_root_that_is_a_file_beside_an_empty_bundle_is_trusted() {
    play_trusted(|root, authority, _| {
        root.file(BUNDLE, "");
        root.file("etc/ssl/certs/0123abcd.0", authority);
    });
}

#[test]
fn without_resolv_conf_the_local_name_server_is_asked() {
    play(|root| {
        root.preflight(&["http://dep.test/"]).is_down("dns");
        let names = dns::start("127.0.0.1", |question| {
            dns::Reply::of(question, &["127.0.0.1"])
        });
        root.preflight(&["http://dep.test/"]).is_up();
        assert!(names.by_udp() > 0);
        assert_eq!(root.requests(), 1);
    });
}

#[test]
fn resolv_conf_is_honoured() {
    play(|root| {
        // Nobody is at the first server; the second is an IPv6 one.
        root.file(
            "etc/resolv.conf",
            "nameserver 127.0.0.9\nnameserver ::1\nsearch corp.test svc.test\noptions ndots:2\n",
        );
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        dns::start("::1", move |question| {
            kept.lock().unwrap().push(question.name.clone());
            if question.name == "dep.a.svc.test" {
                dns::Reply::of(question, &["127.0.0.1"])
            } else {
                dns::Reply::code(dns::NXDOMAIN)
            }
        });
        root.preflight(&["http://dep.a/"]).is_up();
        let mut asked = asked.lock().unwrap().clone();
        asked.dedup();
        assert!(
            asked.starts_with(&["dep.a.corp.test".to_owned(), "dep.a.svc.test".to_owned()]),
            "{asked:?}"
        );
    });
}

#[test]
fn a_foreign_nsswitch_conf_changes_nothing() {
    play(|root| {
        // To the C library this says: files only, then modules that are not there.
        root.file(
            "etc/nsswitch.conf",
            "hosts: files [NOTFOUND=return] nonsense wins\npasswd: nonsense\n",
        );
        root.file("etc/hosts", "127.0.0.1 by-file.test\n");
        root.file("etc/resolv.conf", "nameserver 127.0.0.1\n");
        dns::start("127.0.0.1", |question| {
            dns::Reply::of(question, &["127.0.0.1"])
        });
        root.preflight(&["http://by-file.test/"]).is_up();
        root.preflight(&["http://by-name-server.test/"]).is_up();
        assert_eq!(root.requests(), 2);
    });
}

#[test]
fn the_launcher_needs_a_shell_and_uname() {
    play(|root| {
        let busybox = kit::program::find("busybox").unwrap();
        fs::copy(busybox, root.path("sh")).unwrap();
        fs::copy(root.path("sh"), root.path("uname")).unwrap();
        let name = format!("dist/dep-preflight-linux-{}", env::consts::ARCH);
        root.file("dist/run.sh", "");
        fs::copy(
            Path::new(ROOT).join("dist/run.sh"),
            root.path("dist/run.sh"),
        )
        .unwrap();
        fs::copy(root.path("dep-preflight"), root.path(&name)).unwrap();
        let run = root.start(&["/sh", "-c", "PATH=/ exec sh /dist/run.sh http://127.0.0.1/"]);
        assert!(
            !run.said.contains("No such file or directory"),
            "busybox has to be static (the package busybox-static): {run}"
        );
        run.is_up();
    });
}
