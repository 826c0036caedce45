use std::thread;
use std::time::Duration;

use crate::kit::forge::{Behaviour, Forge, Kind};
use crate::kit::running::eventually;
use crate::kit::server::{Server, response};
use crate::kit::step::Preflight;

const SIGNALS: [(&str, i32); 3] = [("INT", 130), ("TERM", 143), ("HUP", 143)];

/// While an attempt hangs, and while the next one is waited for.
#[test]
fn an_interrupted_step_reports_what_it_has() {
    for (signal, code) in SIGNALS {
        for server in [
            Server::silent(),
            Server::reply(response(503, "Retry-After: 50\r\n")),
        ] {
            let healthy = Server::status(200);
            let targets = [("slow", server.url()), ("healthy", healthy.url())];
            let step = Preflight::targets(&targets)
                .set("timeout", "50s")
                .set("attempts", "unlimited");
            let running = step.set("report-file", "report.json").start();
            eventually("both requests", || {
                server.requests() == 1 && healthy.requests() == 1
            });
            let run = running.signal(signal).wait();
            assert_eq!(run.code, Some(code), "{run}");
            let report: serde_json::Value = serde_json::from_str(&run.read("report.json")).unwrap();
            assert_eq!(report["targets"][1]["name"], "healthy", "{run}");
            assert!(!run.summary.is_empty(), "{run}");
            // Nobody looked long enough to say anything about the network.
            assert!(run.annotated("error", "RUNNER-NET").is_empty(), "{run}");
            let told = run.annotated("warning", "INTERRUPTED");
            assert!(told.starts_with("slow"), "{told}\n{run}");
            assert!(told.contains("the step was interrupted"), "{told}\n{run}");
            assert_eq!(run.annotations.len(), 1, "{run}");
        }
    }
}

/// Nobody waits for ever on a status that says `pending`.
#[test]
fn a_pending_status_is_replaced() {
    thread::scope(|scope| {
        for (signal, code) in SIGNALS {
            scope.spawn(move || {
                let forge = Forge::new(Kind::Github);
                let server = Server::reply(response(503, "Retry-After: 50\r\n"));
                let step = Preflight::probing(server.url())
                    .set("attempts", "unlimited")
                    .on(&forge);
                let running = step.start();
                eventually("pending", || forge.posted("state") == ["pending"]);
                let run = running.signal(signal).wait();
                assert_eq!(run.code, Some(code), "{run}");
                assert_eq!(forge.posted("state"), ["pending", "error"], "{run}");
            });
        }
    });
}

/// Started by `nohup`, it outlives its terminal.
#[test]
fn a_hangup_that_is_ignored_stays_ignored() {
    let server = Server::start(|peer| {
        peer.request();
        thread::sleep(Duration::from_millis(300));
        peer.send(response(200, ""));
    });
    let running = Preflight::probing(server.url())
        .shell("trap '' HUP")
        .start();
    eventually("a request", || server.requests() == 1);
    let run = running.signal_in_vain("HUP").wait();
    run.up();
}

/// A runner that stood still over the deadline: a container that was paused, a machine that
/// moved. One voice says how it ended, whoever wakes first, and the log has it.
#[test]
fn a_standstill_over_the_deadline_is_told_once() {
    thread::scope(|scope| {
        for attempt in 0..6 {
            scope.spawn(move || {
                let forge = Forge::behaving(Kind::Github, Behaviour::Hangs).maybe();
                let silent = attempt % 2 == 0;
                let server = if silent {
                    Server::silent()
                } else {
                    Server::status(503)
                };
                let step = Preflight::probing(server.url())
                    .on(&forge)
                    .set("control", "off");
                let running = step.set("timeout", "30s").set("deadline", "2s").start();
                eventually("a request, or a post", || {
                    server.requests() == 1 && (silent || forge.posts().len() == 1)
                });
                let run = running.freeze_until(Duration::from_millis(2500)).wait();
                assert!(["down", "unknown"].contains(&run.output("result")), "{run}");
                let told = run.lines("DEP-DOWN:").len() + run.lines("RUNNER-NET:").len();
                assert_eq!(told, 1, "{run}");
                assert!(run.annotated("error", "INTERNAL").is_empty(), "{run}");
                let last = run.stdout.lines().last().unwrap_or_default();
                assert!(last.contains("exit code"), "{run}");
                assert!(!run.summary.is_empty(), "{run}");
            });
        }
    });
}

/// A forge that hangs may not keep a runner that wants to end the job.
#[test]
fn a_second_signal_ends_it() {
    let forge = Forge::behaving(Kind::Github, Behaviour::Hangs);
    let server = Server::reply(response(503, "Retry-After: 50\r\n"));
    let step = Preflight::probing(server.url())
        .set("attempts", "unlimited")
        .on(&forge);
    let running = step.start();
    eventually("the first post", || forge.posts().len() == 1);
    let run = running.signal("TERM").signal("TERM").wait();
    assert_eq!(run.code, Some(143), "{run}");
    assert!(run.took.as_secs() < 40, "{run}");
}
