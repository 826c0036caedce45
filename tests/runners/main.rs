//! End to end: the program against a real nginx, and the action on real runner engines.
//! Nothing but loopback is contacted.
//!
//! A tool that is missing is a failure. What ran on which engine stands in the table that
//! is printed whether or not the output of tests is captured.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails; the helpers are tests, too"
)]

#[path = "../kit/mod.rs"]
mod kit;

// What the tests stand on beside it.

/// Finds programs, and starts them with nothing of this machine's user.
mod process;

/// A real nginx that answers, asks for logins, loses its upstream, or stops.
mod nginx;

/// The programs that run workflows, and how each is driven.
mod engine;

/// What an engine says while it runs a job.
mod log;

/// Uses of the action, and what must come of each on every engine.
mod case;

/// What all engines share: the dependencies, and a repository that uses the action.
mod fixture;

/// One case on one engine.
mod job;

// What is tested.

/// The program against nginx, without a runner.
mod against_nginx;

/// The action on every engine: the table.
mod engines;

/// The log as people read it.
mod first_screen;

/// Who else saw it, under an engine.
mod elsewhere;
