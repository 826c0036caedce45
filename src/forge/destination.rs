//! Where the commit status goes, or why nowhere.

use reqwest::Url;

use super::commit::NoCommit;
use super::job::{Subject, Unusable};
use super::link::RunLink;
use super::{ForgeKind, Job, Repository, Sha, Token};

/// What the user wants of the commit status.
#[derive(Debug)]
pub struct StatusInputs {
    /// Whether to post it at all.
    pub post: bool,
    /// Its context, if not the default.
    pub context: Option<String>,
    /// Where it links to, if not to the run.
    pub target_url: Option<Url>,
    /// The commit it goes to, if not the event's.
    pub sha: Option<Sha>,
    /// The token for the forge's API.
    pub token: Option<Token>,
}

impl Default for StatusInputs {
    fn default() -> Self {
        Self {
            post: true,
            context: None,
            target_url: None,
            sha: None,
            token: None,
        }
    }
}

/// Where the status goes.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    /// The API.
    pub(crate) api: Url,
    /// The repository.
    pub(super) repository: Repository,
    /// The commit.
    pub(super) sha: Sha,
    /// The context.
    pub(super) context: String,
    /// The page it links to, if not the run's.
    pub(super) target_url: Option<Url>,
    /// The run, where no other page is to be linked to.
    pub(super) run: Option<RunLink>,
    /// The token.
    pub(super) token: Token,
    /// The forge, as the environment has it.
    pub(super) kind: ForgeKind,
    /// Whether a 403 is by design: a pull request from a fork has a read-only token.
    pub(crate) read_only: bool,
}

/// Why a status that is wanted has nowhere to go.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Nowhere {
    /// The environment does not say where.
    #[error(transparent)]
    Unusable(#[from] Unusable),
    /// There is no commit that it could go to.
    #[error(transparent)]
    Commit(#[from] NoCommit),
}

impl Destination {
    /// Where it goes, or `None` where none is wanted or no token is there.
    pub(crate) fn find(
        job: &Job,
        inputs: &StatusInputs,
        subject: &Subject,
    ) -> Result<Option<Self>, Nowhere> {
        let Some(token) = inputs.token.clone().filter(|_| inputs.post) else {
            return Ok(None);
        };
        Ok(Some(Self {
            repository: job.repository.clone()?,
            api: job.api.clone()?,
            sha: subject.sha.clone()?,
            context: inputs
                .context
                .clone()
                .unwrap_or_else(|| job.status_context.clone()),
            target_url: inputs.target_url.clone(),
            run: RunLink::of(job),
            token,
            kind: job.kind,
            read_only: subject.read_only,
        }))
    }
}
