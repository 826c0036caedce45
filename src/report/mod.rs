//! Stage 5: what was found, told to everyone who listens.
//!
//! [`model`] is the one description of a run; each sink renders it by itself and knows
//! nothing of the others. Rendering is pure, writing is separate.

pub mod annotations;
pub mod commit_status;
pub mod file;
pub mod log;
pub mod model;
pub mod outputs;
pub mod summary;

pub use model::Report;
