//! What surrounds the run: which forge, repository, job and commit this is, and the forge's API.
//!
//! The runner's variables are read once, into a [`Job`], and are as untrusted as any input.

pub(crate) mod api;
pub(crate) mod commit;
pub(crate) mod destination;
pub(crate) mod event;
pub(crate) mod hints;
pub(crate) mod history;
pub(crate) mod job;
pub(crate) mod link;
pub(crate) mod sentence;
pub(crate) mod variables;

pub(crate) use api::Token;
pub(crate) use commit::NotASha;
pub use commit::Sha;
pub(crate) use destination::StatusInputs;
pub use event::Event;
pub use job::Job;
pub(crate) use job::Repository;
pub(crate) use job::process_is_in_ci;

/// The software a forge runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForgeKind {
    /// github.com or GitHub Enterprise.
    GitHub,
    /// Gitea.
    Gitea,
    /// Forgejo.
    Forgejo,
}
