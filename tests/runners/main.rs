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

// What the tests stand on: their own tools, and those of tests/action, which need no part of
// each other but what is listed here. That suite uses what is dead code in this one.

/// Which program is tested.
#[allow(dead_code, reason = "see above")]
#[path = "../program/mod.rs"]
mod program;

#[allow(dead_code, reason = "see above")]
#[path = "../action/forge.rs"]
mod forge;
#[allow(dead_code, reason = "see above")]
#[path = "../action/harness.rs"]
mod harness;
#[allow(dead_code, reason = "see above")]
#[path = "../action/invariants.rs"]
mod invariants;
#[allow(dead_code, reason = "see above")]
#[path = "../action/peer.rs"]
mod peer;
#[allow(dead_code, reason = "see above")]
#[path = "../action/run.rs"]
mod run;
#[allow(dead_code, reason = "see above")]
#[path = "../action/runner.rs"]
mod runner;
#[allow(dead_code, reason = "see above")]
#[path = "../action/server.rs"]
mod server;

/// Finds programs, and starts them with nothing of this machine's user.
mod programs;

/// Certificates of a private authority.
mod certificates;

/// A real nginx that answers, asks for logins, loses its upstream, or stops.
mod nginx;

/// The programs that run workflows, and how each is driven.
mod engine;

/// What an engine says while it runs a job.
mod log;

/// Uses of the action, and what must come of each on every engine.
mod case;

/// What all engines share: the dependencies, and a repository that uses the action.
mod stage;

/// One case on one engine.
mod job;

// What is tested.

/// The program against nginx, without a runner.
mod direct;

/// The action on every engine: the table.
mod engines;

/// The log as people read it.
mod reading;
