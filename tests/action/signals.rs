use crate::forge::{Forge, Kind};
use crate::harness::{Preflight, eventually};
use crate::server::{Server, response};

const SIGNALS: [(&str, i32); 2] = [("INT", 130), ("TERM", 143)];

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
        }
    }
}

/// Nobody waits for ever on a status that says `pending`.
#[test]
fn a_pending_status_is_replaced() {
    for (signal, code) in SIGNALS {
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
    }
}

/// A forge that hangs may not keep a runner that wants to end the job.
#[test]
fn a_second_signal_ends_it() {
    let forge = Forge::in_mood(Kind::Github, crate::forge::Mood::Hangs);
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
