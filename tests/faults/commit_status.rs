//! Commit status and signals: nothing is left pending.

use std::time::Duration;

use crate::kit::dns::Reply;
use crate::kit::forge::{posted, take};
use crate::kit::log::Log;
use crate::kit::peer::Peer;
use crate::kit::run::Run;
use crate::kit::running::eventually;
use crate::kit::server::response;
use crate::kit::step::Preflight;
use crate::lab::{DEP, DNS, FORGE, FORGE_URL, HOLE, Lab};
use crate::row::Row;

const DEP_URL: &str = "http://10.77.1.1/";
/// GitHub kills 2.5 s after SIGTERM.
const SIGNALLED: std::ops::RangeInclusive<u64> = 0..=2400;

/// The states that a forge was sent, in order.
fn states(log: &Log) -> Vec<String> {
    posted(&log.received(), "state")
}

/// A step on a forge that takes every status; these must be the states that it was sent.
fn posts(lab: &Lab, wanted: &[&str], step: impl FnOnce(Preflight) -> Preflight) -> Run {
    let log = lab.server("forge", &format!("{FORGE}:80"), take);
    let run = step(lab.step(DEP_URL).on_forge_at(FORGE_URL)).run();
    assert_eq!(states(&log), wanted, "{run}");
    run
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = statuses();
    rows.extend(waiting());
    rows.extend(ending());
    rows
}

fn statuses() -> Vec<Row> {
    vec![
        Row::up("status: up at once, never pending", |lab| {
            lab.dep(200);
            posts(lab, &["success"], |step| step.set("attempts", 3))
        })
        .seen("dep 1/1 forge 1/1"),
        Row::down("status: one attempt, never pending", "status", |lab| {
            lab.dep(503);
            posts(lab, &["failure"], |step| step)
        })
        .seen("dep 1/1 forge 1/1"),
        Row::down("status: a short wait is never pending", "status", |lab| {
            lab.dep(503);
            posts(lab, &["failure"], |step| step.set("attempts", 5))
        })
        .seen("dep 5/5 forge 1/1"),
        Row::up("status: pending is replaced when up", |lab| {
            lab.server("dep", &format!("{DEP}:80"), |peer| {
                let status = if peer.number == 1 { 503 } else { 200 };
                peer.answer(response(status, "Retry-After: 11\r\n"));
            });
            posts(lab, &["pending", "success"], |step| step.set("attempts", 3))
        })
        .within(11_000..=13_000)
        .seen("dep 2/2 forge 2/2"),
        Row::down(
            "status: forge hangs on pending and after",
            "status",
            |lab| {
                lab.server("dep", &format!("{DEP}:80"), |peer| peer.status(503));
                lab.server("forge", &format!("{FORGE}:80"), Peer::mute);
                let step = lab
                    .step(DEP_URL)
                    .on_forge_at(FORGE_URL)
                    .set("attempts", "unlimited");
                step.set("deadline", "14s").run().logs("COMMIT-STATUS")
            },
        )
        .within(10_000..=14_750),
        Row::unknown("status: unknown is an error", "local", |lab| {
            lab.runner(&format!("ip route add prohibit {DEP}"));
            posts(lab, &["error"], |step| step)
        })
        .seen("forge 1/1"),
        Row::down("status: pending once in ten seconds", "status", |lab| {
            lab.server("dep", &format!("{DEP}:80"), |peer| {
                peer.answer(response(503, "Retry-After: 3\r\n"));
            });
            posts(lab, &["pending", "failure"], |step| step.set("attempts", 6))
        })
        .within(15_000..=17_000)
        .seen("dep 6/6 forge 2/2"),
    ]
}

/// Says that it is busy, for longer than it takes to be pending.
fn busy(peer: &mut Peer) {
    peer.answer(response(503, "Retry-After: 15\r\n"));
}

/// Waits until it is pending, then sends a signal.
fn interrupted(lab: &Lab, signal: &str, play: fn(&mut Peer)) -> Run {
    lab.server("dep", &format!("{DEP}:80"), busy);
    let forge = lab.server("forge", &format!("{FORGE}:80"), play);
    let step = lab
        .step(DEP_URL)
        .on_forge_at(FORGE_URL)
        .set("attempts", "unlimited");
    let running = step.start();
    eventually("a post", || !forge.received().is_empty());
    running.signal(signal).wait()
}

/// A signal while it waits for the dependency.
fn waiting() -> Vec<Row> {
    vec![
        Row::ends("SIGTERM: pending becomes error", "error", "", 143, |lab| {
            lab.server("dep", &format!("{DEP}:80"), busy);
            let log = lab.server("forge", &format!("{FORGE}:80"), take);
            let step = lab.step(DEP_URL).on_forge_at(FORGE_URL).set("attempts", 9);
            let running = step.start();
            eventually("pending", || states(&log) == ["pending"]);
            let run = running.signal("TERM").wait();
            assert_eq!(states(&log), ["pending", "error"]);
            run
        })
        .within(SIGNALLED)
        .seen("dep 1/1 forge 2/2"),
        Row::ends("SIGTERM: forge hangs", "error", "", 143, |lab| {
            interrupted(lab, "TERM", Peer::mute)
        })
        .within(SIGNALLED),
        Row::ends("SIGINT: forge hangs", "error", "", 130, |lab| {
            interrupted(lab, "INT", Peer::mute)
        })
        .within(SIGNALLED),
        Row::ends("SIGTERM: forge trickles", "error", "", 143, |lab| {
            interrupted(lab, "TERM", |peer| {
                peer.answer("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n");
                peer.trickle(" ", Duration::from_millis(20));
            })
        })
        .within(SIGNALLED),
        Row::ends(
            "SIGTERM: forge black-holed, nobody reads",
            "error",
            "",
            143,
            |lab| {
                let dep = lab.server("dep", &format!("{DEP}:80"), busy);
                let step = lab.step(DEP_URL).on_forge_at(FORGE_URL).set("attempts", 9);
                let step = step.env("GITHUB_API_URL", format!("http://{HOLE}"));
                let running = step.unread().start();
                eventually("a request", || !dep.received().is_empty());
                // By now it is pending, and nobody can see that.
                std::thread::sleep(Duration::from_millis(10_500));
                running.signal("TERM").wait()
            },
        )
        .within(SIGNALLED),
        Row::ends("SIGTERM: name server silent", "error", "", 143, |lab| {
            let dns = lab.names(DNS, |_| Reply::silence());
            let running = lab.step("http://dep.test/").set("timeout", "15s").start();
            eventually("a question", || dns.by_udp() > 0);
            running.signal("TERM").wait()
        })
        .within(SIGNALLED),
    ]
}

/// A signal while something else holds it up.
fn ending() -> Vec<Row> {
    vec![
        Row::ends("SIGTERM: control hangs", "error", "", 143, |lab| {
            let control = lab.control(Peer::mute);
            lab.runner(&format!("ip route add unreachable {DEP}"));
            let running = lab
                .step(DEP_URL)
                .set("control", "http://10.77.2.1/")
                .start();
            eventually("a request", || !control.received().is_empty());
            running.signal("TERM").wait()
        })
        .within(SIGNALLED),
        Row::ends("SIGTERM: while the last status hangs", "up", "", 0, |lab| {
            lab.dep(200);
            let forge = lab.server("forge", &format!("{FORGE}:80"), Peer::mute);
            let running = lab.step(DEP_URL).on_forge_at(FORGE_URL).start();
            eventually("a post", || !forge.received().is_empty());
            running.signal("TERM").wait()
        })
        .within(SIGNALLED),
        Row::ends(
            "SIGTERM: while the last pending hangs",
            "error",
            "",
            143,
            |lab| {
                let dep = lab.server("dep", &format!("{DEP}:80"), |peer| {
                    peer.answer(response(503, "Retry-After: 11\r\n"));
                });
                lab.server("forge", &format!("{FORGE}:80"), Peer::mute);
                let running = lab
                    .step(DEP_URL)
                    .on_forge_at(FORGE_URL)
                    .set("attempts", 2)
                    .start();
                eventually("two requests", || dep.requests() == 2);
                std::thread::sleep(Duration::from_millis(300));
                running.signal("TERM").wait()
            },
        )
        .within(SIGNALLED),
        Row::ends("SIGTERM: Gitea's version hangs", "error", "", 143, |lab| {
            let dep = lab.dep(200);
            lab.server("forge", &format!("{FORGE}:80"), Peer::mute);
            let running = lab
                .step(DEP_URL)
                .on_forge_at(FORGE_URL)
                .env("GITEA_ACTIONS", "true")
                .start();
            eventually("a request", || dep.requests() == 1);
            std::thread::sleep(Duration::from_millis(300));
            running.signal("TERM").wait()
        })
        .within(SIGNALLED),
        Row::ends(
            "SIGTERM: summary is a pipe nobody reads",
            "error",
            "",
            143,
            |lab| {
                let dep = lab.dep(503);
                let pipe = lab.fifo("pipe");
                let step = lab.step(DEP_URL).set("attempts", 9).set("interval", "5s");
                let running = step.env("GITHUB_STEP_SUMMARY", pipe).start();
                eventually("a request", || !dep.received().is_empty());
                std::thread::sleep(Duration::from_millis(200));
                running.signal("TERM").wait()
            },
        )
        .within(SIGNALLED),
    ]
}
