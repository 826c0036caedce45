use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::case::{self, Case};
use crate::nginx::{Nginx, Stopped};
use crate::programs;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const BUILT: &str = env!("CARGO_BIN_EXE_dep-preflight");

/// What all engines share: dependencies, well and broken, and a repository with the action,
/// a workflow that uses it, and one commit.
pub(crate) struct Stage {
    pub(crate) nginx: Nginx,
    pub(crate) stopped: Stopped,
    directory: TempDir,
    /// The commit.
    pub(crate) head: String,
    /// Which program the action runs.
    pub(crate) program: &'static str,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let nginx = Nginx::start();
        let stopped = Nginx::start().stop();
        let directory = TempDir::new().unwrap();
        let repository = directory.path().join("shop");
        let workflows = repository.join(".github/workflows");
        fs::create_dir_all(&workflows).unwrap();
        let program = install_action(&repository);
        fs::copy(nginx.authority(), repository.join("authority.pem")).unwrap();
        let config = case::config_file(&nginx, &stopped);
        fs::write(repository.join("preflight.yml"), config).unwrap();
        let jobs: String = case::all(&nginx, &stopped).iter().map(Case::job).collect();
        let workflow = format!("name: e2e\non: [push, pull_request]\njobs:\n{jobs}");
        fs::write(workflows.join("e2e.yml"), workflow).unwrap();
        let head = commit(&repository, directory.path());
        Self {
            nginx,
            stopped,
            directory,
            head,
            program,
        }
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.directory.path().join("shop")
    }

    pub(crate) fn workflow(&self) -> PathBuf {
        self.repository().join(".github/workflows/e2e.yml")
    }
}

/// Copies the action as it is checked out. Where the program in dist/ was built from other
/// sources than this test, the one that was built with the test takes its place.
fn install_action(repository: &Path) -> &'static str {
    let copy = |from: &Path, to: &str| {
        let copied = fs::copy(from, repository.join(to));
        copied.unwrap_or_else(|why| panic!("{}: {why}", from.display()));
    };
    copy(&Path::new(ROOT).join("action.yml"), "action.yml");
    fs::create_dir(repository.join("dist")).unwrap();
    let dist = Path::new(ROOT).join("dist");
    copy(&dist.join("run.sh"), "dist/run.sh");
    let name = format!("dep-preflight-linux-{}", std::env::consts::ARCH);
    let version = |program: &Path| programs::output(Command::new(program).arg("--version"));
    let released = dist.join(&name);
    let current = released.is_file() && version(&released) == version(Path::new(BUILT));
    let (program, label) = if current {
        (released.as_path(), "dist/")
    } else {
        (Path::new(BUILT), "fresh build")
    };
    copy(program, &format!("dist/{name}"));
    label
}

/// Makes a repository of the directory; its one commit.
fn commit(repository: &Path, home: &Path) -> String {
    let git = |arguments: &[&str]| {
        let mut command = programs::isolated("git", home);
        command
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .arg("-C")
            .arg(repository)
            // The program that was built with the test is large.
            .args(["-c", "core.compression=0"])
            .args(["-c", "user.name=shop", "-c", "user.email=shop@acme.example"])
            .args(arguments);
        programs::output(&mut command)
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message=Use the action"]);
    git(&["rev-parse", "HEAD"])
}
