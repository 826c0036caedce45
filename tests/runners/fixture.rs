use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::case::{self, Case};
use crate::kit::program;
use crate::nginx::{Nginx, Stopped};
use crate::process;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What all engines share: dependencies, well and broken, and a repository with the action,
/// a workflow that uses it, and one commit.
pub(crate) struct Fixture {
    pub(crate) nginx: Nginx,
    pub(crate) stopped: Stopped,
    directory: TempDir,
    /// The commit.
    pub(crate) head: String,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let nginx = Nginx::start();
        let stopped = Nginx::start().stop();
        let directory = TempDir::new().unwrap();
        let repository = directory.path().join("shop");
        let workflows = repository.join(".github/workflows");
        fs::create_dir_all(&workflows).unwrap();
        install_action(&repository);
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
        }
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.directory.path().join("shop")
    }

    pub(crate) fn workflow(&self) -> PathBuf {
        self.repository().join(".github/workflows/e2e.yml")
    }
}

/// Copies the action as it is checked out, with the program under test.
fn install_action(repository: &Path) {
    let copy = |from: &Path, to: &str| {
        let copied = fs::copy(from, repository.join(to));
        copied.unwrap_or_else(|why| panic!("{}: {why}", from.display()));
    };
    fs::create_dir(repository.join("dist")).unwrap();
    for file in ["action.yml", "dist/run.sh"] {
        copy(&Path::new(ROOT).join(file), file);
    }
    copy(
        program::under_test().native(),
        &format!("dist/dep-preflight-linux-{}", std::env::consts::ARCH),
    );
}

/// Makes a repository of the directory; its one commit.
fn commit(repository: &Path, home: &Path) -> String {
    let git = |arguments: &[&str]| {
        let mut command = process::isolated("git", home);
        command
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .arg("-C")
            .arg(repository)
            // A debug program is large.
            .args(["-c", "core.compression=0"])
            .args(["-c", "user.name=shop", "-c", "user.email=shop@acme.example"])
            .args(arguments);
        process::output(&mut command)
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message=Use the action"]);
    git(&["rev-parse", "HEAD"])
}
