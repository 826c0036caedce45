//! The fault matrix: the shipped program in real network namespaces, with faults that loopback
//! cannot make. Prints a table of all rows (`cargo test --test faults -- --nocapture`);
//! `FAULTS=word` plays only the rows whose name has the word.
//!
//! Each row is played by a process of its own: this test, started again by `unshare` in a
//! network and mount namespace that is the *world* (servers, name servers, proxies). From
//! there a second pair of namespaces is made, the *runner*, with a cable to the world and an
//! `/etc` of its own. No namespace has a name: each is gone with its last process.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on fails; the table is for people"
)]

#[path = "../kit/mod.rs"]
mod kit;

// What the rows stand on beside it.

/// Plays the rows beside one another, and prints the table.
mod matrix;

/// One row: what is done, what is expected.
mod row;

/// The two namespaces of a row.
mod lab;

/// Delay and reordering between two peers.
mod relay;

/// Services on the runner's own loopback.
mod local_service;

// The rows.

/// `down` or `unknown`: uplink, routes, control.
mod unknown;

/// Which answers count as evidence of the way, and for what.
mod evidence;

/// Causes below HTTP.
mod causes;

/// Name servers, good and bad.
mod names;

/// Services whose servers stand in SRV records.
mod srv;

/// The files that resolution depends on.
mod files;

/// Several addresses, loss, delay.
mod addresses;

/// Where redirects lead, and where they must not.
mod redirects;

/// Proxies on the way.
mod proxies;

/// Connections, stage by stage.
mod dial;

/// TLS: versions of HTTP, client certificates, many handshakes.
mod encrypted;

/// The runner's own limits.
mod limits;

/// The hard deadline, one hang at a time.
mod deadline_probing;

/// The hard deadline when it is publishing that hangs.
mod deadline_publishing;

/// Attempts, connections, waits.
mod attempts;

/// Commit status and signals.
mod commit_status;

#[test]
fn matrix() {
    let role = |name| std::env::var(name).ok();
    if let Some(spec) = role(local_service::ROLE) {
        local_service::serve(&spec);
    } else if let Some(row) = role(matrix::ROLE) {
        matrix::play(&row);
    } else {
        matrix::run();
    }
}
