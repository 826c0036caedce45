use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::kit::program;
use crate::kit::step::TOKEN;

/// A program that runs workflows.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Engine {
    Act,
    /// Run where it is installed: the Go module proxy refuses its module (403), and no
    /// distribution has it. Written after internal/app/cmd/exec.go of gitea.com/gitea/runner,
    /// version 3.1.
    GiteaRunner,
    /// The same. Written after the file of the same name of code.forgejo.org/forgejo/runner,
    /// version 12.
    ForgejoRunner,
}

/// One run of one job.
pub(crate) struct Job<'a> {
    pub(crate) name: &'a str,
    pub(crate) event: &'a str,
    pub(crate) payload: &'a Path,
    pub(crate) workflow: &'a Path,
    /// The forge's address.
    pub(crate) instance: &'a str,
    /// The log is for programs, not for people.
    pub(crate) json: bool,
    /// What the steps find in their environment, beside what the engine sets.
    pub(crate) environment: &'a [(&'a str, String)],
}

impl Engine {
    pub(crate) const ALL: [Self; 3] = [Self::Act, Self::GiteaRunner, Self::ForgejoRunner];

    /// The name in `DEP_PREFLIGHT_RUNNERS`.
    pub(crate) fn name(self) -> &'static str {
        self.commands()[0]
    }

    /// The names that it is installed by.
    fn commands(self) -> &'static [&'static str] {
        match self {
            Self::Act => &["act"],
            Self::GiteaRunner => &["gitea-runner", "act_runner"],
            Self::ForgejoRunner => &["forgejo-runner"],
        }
    }

    /// Where it is, or why it is not there.
    pub(crate) fn find(self) -> Result<PathBuf, String> {
        let found = self
            .commands()
            .iter()
            .find_map(|name| program::find(name).ok());
        found.ok_or_else(|| {
            let names = self.commands().join(" or ");
            match self {
                Self::Act => format!("no {names} on PATH; scripts/test installs it"),
                Self::GiteaRunner | Self::ForgejoRunner => format!(
                    "no {names} on PATH; `go install` cannot get it (module proxy: 403 Forbidden)"
                ),
            }
        })
    }

    /// Whether an event of one's own can be given. Without one, the engine makes it up from
    /// the git repository: there is no pull request in it.
    pub(crate) fn takes_payload(self) -> bool {
        self != Self::ForgejoRunner
    }

    /// Every option that this engine needs to run one job on this very machine, without a
    /// container.
    pub(crate) fn arguments(self, job: &Job<'_>) -> Vec<OsString> {
        let mut all: Vec<OsString> = match self {
            Self::Act => vec![job.event.into(), "--no-cache-server".into()],
            Self::GiteaRunner | Self::ForgejoRunner => {
                vec!["exec".into(), "-E".into(), job.event.into()]
            }
        };
        let own: &[&str] = match self {
            Self::Act => &["--platform=ubuntu-latest=-self-hosted"],
            Self::GiteaRunner => &["--gitea-instance", job.instance],
            Self::ForgejoRunner => &["--forgejo-instance", job.instance],
        };
        all.extend(own.iter().map(OsString::from));
        if self != Self::Act {
            let exec = [
                "--image=-self-hosted",
                "--default-actions-url",
                job.instance,
            ];
            all.extend(exec.map(OsString::from));
        }
        if self == Self::GiteaRunner {
            // It serves artifacts, wanted or not: on loopback, on a port of the system's.
            // Forgejo's has no such server any more, and refuses options that it does not know.
            let artifacts = [
                "--artifact-server-addr=127.0.0.1",
                "--artifact-server-port=0",
            ];
            all.extend(artifacts.map(OsString::from));
        }
        if self.takes_payload() {
            all.extend(["--eventpath".into(), job.payload.into()]);
        }
        all.extend(["--workflows".into(), job.workflow.into()]);
        for (name, value) in job.environment {
            all.extend(["--env".into(), format!("{name}={value}").into()]);
        }
        let secret = format!("GITHUB_TOKEN={TOKEN}");
        all.extend(["--job", job.name, "--secret", &secret].map(OsString::from));
        if job.json {
            all.push("--json".into());
        }
        all
    }
}

#[test]
fn each_engine_is_given_options_that_it_knows() {
    let job = Job {
        name: "e2e",
        event: "push",
        payload: Path::new("/payload.json"),
        workflow: Path::new("/e2e.yml"),
        instance: "http://forge.example",
        json: true,
        environment: &[("SEEN", "/seen".to_owned())],
    };
    // What `--help` of each version lists, as far as it is used.
    let common = ["--workflows", "--env", "--job", "--secret", "--json"];
    let exec = ["-E", "--image", "--default-actions-url"];
    let own: [&[&str]; 3] = [
        &["--no-cache-server", "--platform", "--eventpath"],
        &[
            "--gitea-instance",
            "--artifact-server-addr",
            "--artifact-server-port",
            "--eventpath",
        ],
        &["--forgejo-instance"],
    ];
    for (engine, own) in Engine::ALL.into_iter().zip(own) {
        let mut known = [&common, own].concat();
        if engine != Engine::Act {
            known.extend(exec);
        }
        let given = engine.arguments(&job);
        let given = given.iter().map(|argument| argument.to_str().unwrap());
        let options: Vec<_> = given
            .filter(|argument| argument.starts_with('-'))
            .map(|argument| argument.split('=').next().unwrap())
            .collect();
        for option in &options {
            assert!(known.contains(option), "{}: {option}", engine.name());
        }
        assert_eq!(options.len(), known.len(), "{}: {options:?}", engine.name());
    }
}
