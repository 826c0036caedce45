//! The black-box suite: the shipped program, in a cleaned environment, against
//! loopback servers that misbehave. Nothing but loopback is contacted.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails; the helpers are tests, too"
)]

#[path = "../kit/mod.rs"]
mod kit;

/// Which program is tested.
mod program;

// What is tested, a module for each behaviour.

/// A status is judged, the verdict gets out by every way there is.
mod verdicts;

/// Every way to fail on TCP and HTTP has its own cause.
mod causes;

/// Every way to fail on TLS and HTTP/2, and the roots that are trusted.
mod tls;

/// Redirects: which are followed, what they carry, who is blamed.
mod redirects;

/// Proxies of the environment: their faults are not the dependency's.
mod proxies;

/// `down` or `unknown`: the control address tells the runner from the target.
mod control;

/// Who else saw it: what a forge tells of other runs, well or badly.
mod history;

/// Known incidents: until when a target that is down does not count.
mod known;

/// Attempts, intervals, deadlines; targets beside one another.
mod waiting;

/// `Retry-After`: not earlier, and not past the deadline.
mod retry_after;

/// SIGINT and SIGTERM: what is known is reported.
mod signals;

/// A runner that stands still: not the dependency's fault.
mod suspension;

/// Bad configuration is refused as a whole, before anything is sent.
mod inputs;

/// Credentials are refused, and hidden in what is said about it.
mod credentials;

/// Addresses with logins are refused, and nothing of them is shown.
mod logins;

/// The YAML of `targets` and `config`, right and wrong.
mod yaml;

/// Where an option may stand, and which place wins.
mod precedence;

/// Log, annotations, summary, report: what people and machines read.
mod reporting;

/// Outputs, summary, report and log: where they are written, and when they cannot be.
mod files;

/// Every way to fail, and who reads of it.
#[cfg(unix)]
mod failures;

/// Nothing that comes from the network can command the runner.
mod hostile;

/// Answers without end: they end with their own attempt, and keep nobody else waiting.
mod floods;

/// Every protocol of the table, against servers that misbehave in it, and against those of another.
mod services;

/// DNS: one datagram, and TCP where it is not answered.
mod dns;

/// gRPC: one call over HTTP/2, with TLS and without.
mod grpc;

/// Connections, stage by stage: one CONNECT per attempt, SOCKS, client certificates.
mod connections;

/// The commit status: where it goes, and with which words.
mod status;

/// Which commit it goes to, by the event that the step runs for.
mod event;

/// The commit status when the forge is unwilling, and while it waits.
mod status_failures;

/// The same binary on a person's own machine.
mod cli;

/// A little of everything, for programs that qemu runs: each cause, each exit code, outputs,
/// commit status, and a forge that is gone.
///
/// `DEP_PREFLIGHT_PROGRAM=aarch64 cargo test --test action portable::` plays it with the
/// program for the other architecture, as `scripts/test` does. Limits here are generous.
mod portable;
