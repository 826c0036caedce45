//! Stage 5: what was found, told to everyone who listens.
//!
//! [`model`] is the one description of a run; each sink renders it by itself and knows
//! nothing of the others. Rendering is pure, writing is separate.

pub(crate) mod annotations;
pub(crate) mod commit_status;
pub(crate) mod log;
pub(crate) mod model;
pub(crate) mod outputs;
pub(crate) mod summary;

pub use model::Report;
