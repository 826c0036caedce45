//! What the black-box suites have in common: which program they start, with which surroundings,
//! against which servers, and what every run is held to.
//!
//! A module that each suite includes, and no crate: the program has to build from `build.rs`,
//! `Cargo.lock`, `Cargo.toml` and `src/` alone (`scripts/check-dist` holds it to that), and cargo
//! does not read a manifest whose path dependencies are missing, those of the tests included. Nor
//! would a crate be told by cargo which program and which sources it is built beside. The benchmark
//! includes by path what has no need of the rest: `action_yml`, `certificates`, `environment` and
//! `outputs`.

#![allow(dead_code, reason = "the suites use different parts of it")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails; the helpers are tests, too"
)]

// What is started, and what came of it.

/// Which program is tested.
pub(crate) mod program;

/// Runs the program as a runner would.
pub(crate) mod step;

/// The same while it is under way.
pub(crate) mod running;

/// The environment of a job.
pub(crate) mod environment;

/// What a run left behind, and what to ask of it.
pub(crate) mod run;

/// The outputs file, read by the rules of the strictest runner.
pub(crate) mod outputs;

/// Workflow commands, read by the same rules.
pub(crate) mod commands;

/// Inputs and outputs by the names that `action.yml` gives them.
pub(crate) mod action_yml;

/// The vocabulary of the public interface, and the report's schema.
pub(crate) mod interface;

/// What holds for every run, whatever it is about: checked behind each one.
pub(crate) mod invariants;

// Who is asked.

/// Loopback servers that count who came, and a port that refuses.
pub(crate) mod server;

/// Who came to a server, and what they asked for.
pub(crate) mod log;

/// What a server does with one connection, well or badly.
pub(crate) mod peer;

/// Certificates of every kind.
pub(crate) mod certificates;

/// The same servers behind TLS.
pub(crate) mod tls;

/// The same in HTTP/2.
pub(crate) mod http2;

/// A forge's API that answers as told, and keeps what it was sent.
pub(crate) mod forge;

/// A name server that answers as told.
pub(crate) mod dns;
