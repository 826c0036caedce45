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

    /// The number of the run that a link leads to, or to a part of it: one of this repository.
    pub fn number_in(&self, link: &str) -> Option<u64> {
        let rest = link.strip_prefix(&self.runs())?;
        let number = rest.split('/').next()?;
        let plain = number.bytes().all(|byte| byte.is_ascii_digit());
        number.parse().ok().filter(|_| plain)
    }

    /// Whether the run may have this number. Where it depends on the forge's version which number
    /// that is, both are the run's.
    pub fn is(&self, number: u64) -> bool {
        let RunNumbers {
            id, number: own, ..
        } = self.numbers;
        id == Some(number) || self.kind != ForgeKind::GitHub && own == Some(number)
    }

    /// The page of another run of this repository.
    pub fn page(&self, number: u64) -> String {
        format!("{}{number}", self.runs())
    }

    /// What the address of every run begins with.
    fn runs(&self) -> String {
        let server = self.server.as_str().trim_end_matches('/');
        format!("{server}/{}/actions/runs/", self.repository)
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
        let mut url = self.page(run);
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
    fn other_runs_of_the_repository_are_known_by_their_links() {
        let link = |kind: &str| {
            let set = [
                (kind, "true"),
                ("GITHUB_SERVER_URL", "https://forge.example/sub/"),
                ("GITHUB_REPOSITORY", "acme/shop"),
                ("GITHUB_RUN_ID", "4711"),
                ("GITHUB_RUN_NUMBER", "12"),
            ];
            RunLink::of(&Job::from_env(&set.map(|(k, v)| (k.into(), v.into())))).unwrap()
        };
        let (github, gitea) = (link("GITHUB_ACTIONS"), link("GITEA_ACTIONS"));
        let runs = "https://forge.example/sub/acme/shop/actions/runs/";
        for (rest, number) in [
            ("9", Some(9)),
            ("4711/attempts/2", Some(4711)),
            ("9/jobs/0", Some(9)),
            ("", None),
            ("+9", None),
            ("9x", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(github.number_in(&format!("{runs}{rest}")), number, "{rest}");
        }
        for other in [
            "https://forge.example/acme/shop/actions/runs/9",
            "https://forge.example/sub/acme/shop2/actions/runs/9",
            "javascript:alert(9)",
        ] {
            assert_eq!(github.number_in(other), None, "{other}");
        }
        assert_eq!(github.page(9), format!("{runs}9"));
        assert_eq!(
            [4711, 12, 9].map(|number| github.is(number)),
            [true, false, false]
        );
        assert_eq!(
            [4711, 12, 9].map(|number| gitea.is(number)),
            [true, true, false]
        );
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
