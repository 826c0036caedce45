//! What was found, published to everyone who reads it.
//!
//! [`model`] is the one description of a run; each sink renders it by itself and knows nothing of
//! the others. Rendering is pure. There is one way out for a run that has a report, [`publish()`],
//! and one for a run that has none, [`Sinks::failed`].

pub(crate) mod annotations;
pub(crate) mod claim;
pub(crate) mod commit_status;
mod failure;
#[cfg(test)]
mod fixture;
mod headline;
pub(crate) mod log;
pub(crate) mod model;
pub(crate) mod outputs;
mod publish;
mod sinks;
pub(crate) mod summary;
mod time_left;

pub(crate) use failure::Failure;
pub use model::Report;
pub(crate) use publish::publish;
pub(crate) use sinks::Sinks;
pub(crate) use time_left::TimeLeft;

#[cfg(test)]
mod tests;
