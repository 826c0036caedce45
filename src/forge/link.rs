//! The address of the run, which each forge writes in its own way.

use reqwest::Url;

use super::job::RunNumbers;
use super::{ForgeKind, Job, Repository};

/// A forge's version, as far as links and permissions depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// The software; its own answer may say Forgejo where the environment could not.
    pub kind: ForgeKind,
    /// Major and minor number.
    pub number: (u32, u32),
}

impl Version {
    /// Parses the answer of `/api/v1/version`: `1.26.2`, `12.0.0+gitea-1.22.0`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text
            .split(['.', '-', '+'])
            .map_while(|part| part.parse().ok());
        Some(Self {
            kind: if text.contains("+gitea-") {
                ForgeKind::Forgejo
            } else {
                ForgeKind::Gitea
            },
            number: (numbers.next()?, numbers.next()?),
        })
    }

    /// Whether it is Gitea 1.26 or newer: runs are addressed by id there, and the
    /// `permissions` key of a workflow is obeyed.
    pub fn is_new_gitea(self) -> bool {
        self.kind == ForgeKind::Gitea && self.number >= (1, 26)
    }
}

/// What the run's address is made of.
#[derive(Debug, Clone)]
pub struct RunLink {
    server: Url,
    repository: Repository,
    kind: ForgeKind,
    numbers: RunNumbers,
}

impl RunLink {
    /// The parts, if the environment has them.
    pub fn of(job: &Job) -> Option<Self> {
        let mut server = job.server.clone()?;
        server.set_query(None);
        server.set_fragment(None);
        Some(Self {
            server,
            repository: job.repository.as_ref().ok()?.clone(),
            kind: job.kind,
            numbers: job.run,
        })
    }

    /// The address, as this version of the forge has it.
    pub fn url(&self, version: Option<Version>) -> Option<String> {
        // What the server says of itself wins over what the runner says: Forgejo's runner works
        // for Gitea, too.
        let by_id = self.kind == ForgeKind::GitHub || version.is_some_and(Version::is_new_gitea);
        let RunNumbers {
            id,
            number,
            attempt,
        } = self.numbers;
        let run = if by_id { id? } else { number.or(id)? };
        let server = self.server.as_str().trim_end_matches('/');
        let mut url = format!("{server}/{}/actions/runs/{run}", self.repository);
        // A second try of a run has a page of its own on GitHub alone.
        if self.kind == ForgeKind::GitHub
            && let Some(attempt) = attempt.filter(|attempt| *attempt > 1)
        {
            url.push_str(&format!("/attempts/{attempt}"));
        }
        Some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_forge_has_its_own_link() {
        let job = |kind: &str| {
            Job::from_env(
                &[
                    (kind, "true"),
                    ("GITHUB_SERVER_URL", "https://forge.example/"),
                    ("GITHUB_REPOSITORY", "acme/shop"),
                    ("GITHUB_RUN_ID", "4711"),
                    ("GITHUB_RUN_NUMBER", "12"),
                    ("GITHUB_RUN_ATTEMPT", "2"),
                ]
                .map(|(k, v)| (k.into(), v.into())),
            )
        };
        for (kind, version, path) in [
            ("GITHUB_ACTIONS", None, "4711/attempts/2"),
            ("GITEA_ACTIONS", None, "12"),
            ("GITEA_ACTIONS", Version::parse("1.25.5"), "12"),
            ("GITEA_ACTIONS", Version::parse("1.26.2"), "4711"),
            ("FORGEJO_ACTIONS", None, "12"),
            ("FORGEJO_ACTIONS", Version::parse("1.26.2"), "4711"),
            (
                "FORGEJO_ACTIONS",
                Version::parse("12.0.0+gitea-1.22.0"),
                "12",
            ),
        ] {
            assert_eq!(
                RunLink::of(&job(kind)).unwrap().url(version).unwrap(),
                format!("https://forge.example/acme/shop/actions/runs/{path}")
            );
        }
    }

    #[test]
    fn versions() {
        assert!(
            Version::parse("1.27.0+dev-120-g1234")
                .unwrap()
                .is_new_gitea()
        );
        assert!(
            !Version::parse("12.0.1+gitea-1.26.0")
                .unwrap()
                .is_new_gitea()
        );
        assert_eq!(Version::parse("main"), None);
    }
}
