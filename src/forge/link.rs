//! The address of the run, which each forge writes in its own way.

use super::{ForgeKind, RunnerEnv};

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
    #[must_use]
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
    #[must_use]
    pub fn is_new_gitea(self) -> bool {
        self.kind == ForgeKind::Gitea && self.number >= (1, 26)
    }
}

/// The run's address, if the environment names one.
#[must_use]
pub fn run_url(env: &RunnerEnv, version: Option<Version>) -> Option<String> {
    let mut server = crate::inputs::values::url(env.github_server_url.as_deref()?).ok()?;
    server.set_query(None);
    server.set_fragment(None);
    let server = server.as_str().trim_end_matches('/');
    let (owner, name) = env.repository()?;
    let number = |value: &Option<String>| -> Option<u64> { value.as_deref()?.parse().ok() };
    // What the server says of itself wins over what the runner says: Forgejo's runner works for
    // Gitea, too.
    let by_id = match (env.kind(), version) {
        (ForgeKind::GitHub, _) => true,
        (ForgeKind::Gitea | ForgeKind::Forgejo, version) => {
            version.is_some_and(Version::is_new_gitea)
        }
    };
    let run = if by_id {
        number(&env.github_run_id)?
    } else {
        number(&env.github_run_number).or_else(|| number(&env.github_run_id))?
    };
    let mut url = format!("{server}/{owner}/{name}/actions/runs/{run}");
    // A second try of a run has a page of its own on GitHub alone.
    if env.kind() == ForgeKind::GitHub
        && let Some(attempt) = number(&env.github_run_attempt).filter(|attempt| *attempt > 1)
    {
        url.push_str(&format!("/attempts/{attempt}"));
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_forge_has_its_own_link() {
        let env = |kind: &str| {
            RunnerEnv::from_env(
                [
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
                run_url(&env(kind), version).unwrap(),
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
