use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::kit::run::Run;
use crate::kit::running::eventually;
use crate::kit::server::{Server, response};
use crate::kit::step::Preflight;

/// A step that is stopped while its request is under way, until its timeout is long over. The
/// server answers meanwhile, or does not.
fn stopped(answers: bool) -> (Run, Server) {
    let (go, gone) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
    let (may_go, has_gone) = (Arc::clone(&go), Arc::clone(&gone));
    let server = Server::start(move |peer| {
        peer.request();
        eventually("the stop", || may_go.load(Ordering::SeqCst));
        if answers {
            peer.send(response(401, ""));
        }
        has_gone.store(true, Ordering::SeqCst);
        peer.hang();
    });
    let step = Preflight::probing(server.url()).set("timeout", "2s");
    let running = step.set("deadline", "60s").start();
    eventually("the request", || server.requests() == 1);
    running.send("STOP");
    go.store(true, Ordering::SeqCst);
    eventually("the answer", || gone.load(Ordering::SeqCst));
    thread::sleep(Duration::from_millis(2800));
    running.send("CONT");
    (running.wait(), server)
}

#[test]
fn what_arrived_while_the_runner_stood_still_counts() {
    let (run, server) = stopped(true);
    run.up();
    assert_eq!(run.output("http-status"), "401", "{run}");
    assert_eq!(server.requests(), 1, "{run}");
}

#[test]
fn a_runner_that_stood_still_blames_itself() {
    let (run, _server) = stopped(false);
    run.found("unknown", "local").shows(&["stood still"]);
    assert_eq!(run.output("exit-code"), "75", "{run}");
}
