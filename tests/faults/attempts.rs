//! Attempts, connections, waits.

use std::time::{Duration, Instant};

use crate::kit::log::Log;
use crate::kit::peer::Peer;
use crate::kit::run::Run;
use crate::kit::server::response;
use crate::lab::{DEP, Lab, OTHER};
use crate::row::Row;

const DEP_URL: &str = "http://10.77.1.1/";

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = attempts();
    rows.extend(closing());
    rows.extend(retry_after());
    rows
}

/// So many attempts at a dependency that does this; never two connections at once, and all
/// of them closed in the end.
fn tries(lab: &Lab, attempts: u32, play: fn(&mut Peer)) -> Run {
    let dep = lab.server("dep", &format!("{DEP}:80"), play);
    let run = lab
        .step(DEP_URL)
        .set("attempts", attempts)
        .set("timeout", "600ms")
        .run();
    assert_eq!(dep.most_open(), 1, "two in flight");
    run
}

/// The pauses between requests.
fn pauses(log: &Log) -> Vec<Duration> {
    let times = log.times();
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

fn attempts() -> Vec<Row> {
    vec![
        Row::down("one attempt", "status", |lab| {
            tries(lab, 1, |peer| peer.status(503))
        })
        .seen("dep 1/1"),
        Row::down("five attempts at 503", "status", |lab| {
            tries(lab, 5, |peer| peer.status(503))
        })
        .seen("dep 5/5"),
        Row::down("three attempts at a reset", "reset", |lab| {
            tries(lab, 3, Peer::reset)
        })
        .seen("dep 3/0"),
        Row::down(
            "three attempts at a silent one",
            "response-timeout",
            |lab| tries(lab, 3, Peer::mute),
        )
        .within(1800..=4000)
        .seen("dep 3/3"),
        Row::down("three attempts at one that closes", "closed", |lab| {
            tries(lab, 3, |peer| drop(peer.request()))
        })
        .seen("dep 3/3"),
        Row::down(
            "three attempts at a SYN that is dropped",
            "connect-timeout",
            |lab| {
                let hole = "ip daddr 10.77.9.1 tcp flags syn counter";
                lab.runner_filter("output", hole);
                let step = lab.step("http://10.77.9.1/").set("attempts", 3);
                let run = step.set("timeout", "600ms").run();
                assert_eq!(lab.runner_counted(), 3, "SYNs");
                run
            },
        ),
        Row::up("a third attempt that succeeds is the last", |lab| {
            tries(lab, 9, |peer| {
                let status = if peer.number < 3 { 503 } else { 200 };
                peer.status(status);
            })
            .logs("recovered after 2 failed attempts")
        })
        .seen("dep 3/3"),
        Row::down("waits double, with jitter", "status", |lab| {
            let dep = lab.dep(503);
            let run = lab
                .step(DEP_URL)
                .set("attempts", 4)
                .set("interval", "300ms")
                .run();
            for (number, pause) in (0..).zip(pauses(&dep)) {
                let full = Duration::from_millis(300) * (1 << number);
                let slack = Duration::from_millis(250);
                assert!(
                    pause >= full / 2 && pause <= full + slack,
                    "{number}: {pause:?}"
                );
            }
            run
        })
        .seen("dep 4/4"),
        Row::down("a slow 503 is not overtaken by the next", "status", |lab| {
            tries(lab, 3, |peer| {
                if peer.request().is_some() {
                    std::thread::sleep(Duration::from_millis(400));
                    peer.send(response(503, ""));
                }
            })
        })
        .seen("dep 3/3"),
    ]
}

/// An answer that is never over, beside a target that takes two seconds more: how long after
/// the request was the connection closed?
fn closed_after(lab: &Lab, play: fn(&mut Peer)) -> (Run, Duration) {
    let dep = lab.server("dep", &format!("{DEP}:80"), play);
    lab.server("other", &format!("{OTHER}:80"), |peer| {
        peer.request();
        std::thread::sleep(Duration::from_secs(2));
        peer.send(response(200, ""));
    });
    let step = lab.steps(&[("dep", DEP_URL), ("other", "http://10.77.1.2/")]);
    let run = step.set("timeout", "5s").run();
    let closed = dep.ends().first().map(|gone| *gone - dep.times()[0]);
    (run, closed.unwrap_or(Duration::MAX))
}

fn closing() -> Vec<Row> {
    vec![
        Row::up("closed at once when up, body endless", |lab| {
            let (run, closed) = closed_after(lab, |peer| {
                peer.answer("HTTP/1.1 200 OK\r\n\r\n");
                peer.trickle("x", Duration::from_millis(5));
            });
            assert!(
                closed < Duration::from_millis(500),
                "closed after {closed:?}"
            );
            run
        })
        .within(2000..=4000)
        .seen("dep 1/1 other 1/1"),
        Row::up("closed at once when up, kept alive by the peer", |lab| {
            let (run, closed) = closed_after(lab, |peer| {
                peer.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                peer.hang();
            });
            assert!(
                closed < Duration::from_millis(500),
                "closed after {closed:?}"
            );
            run
        })
        .within(2000..=4000)
        .seen("dep 1/1 other 1/1"),
        Row::down("closed at once when down, body endless", "status", |lab| {
            let (run, closed) = closed_after(lab, |peer| {
                peer.answer("HTTP/1.1 500 No\r\nContent-Type: text/plain\r\n\r\n");
                peer.trickle("x", Duration::from_millis(5));
            });
            assert!(
                closed < Duration::from_millis(1000),
                "closed after {closed:?}"
            );
            run
        })
        .within(2000..=4000)
        .seen("dep 1/1 other 1/1"),
        Row::down(
            "closed at once after a timeout",
            "response-timeout",
            |lab| {
                let dep = lab.server("dep", &format!("{DEP}:80"), Peer::mute);
                let step = lab.step(DEP_URL).set("attempts", 2).set("timeout", "400ms");
                let run = step.set("interval", "2s").run();
                let closed = dep.ends()[0] - dep.times()[0];
                assert!(
                    closed < Duration::from_millis(800),
                    "closed after {closed:?}"
                );
                run
            },
        )
        .seen("dep 2/2"),
        Row::up("up at once ends at once", |lab| {
            lab.dep(200);
            lab.step(DEP_URL)
                .set("attempts", "unlimited")
                .set("deadline", "60s")
                .run()
        })
        .within(0..=1000)
        .seen("dep 1/1"),
    ]
}

fn retry_after() -> Vec<Row> {
    vec![
        Row::up("Retry-After in seconds", |lab| {
            let dep = lab.server("dep", &format!("{DEP}:80"), |peer| match peer.number {
                1 => peer.answer(response(503, "Retry-After: 2\r\n")),
                _ => peer.status(200),
            });
            let run = lab.step(DEP_URL).set("attempts", 5).run();
            assert!(pauses(&dep)[0] >= Duration::from_secs(2));
            run
        })
        .within(2000..=4000)
        .seen("dep 2/2"),
        Row::up("Retry-After as a date", |lab| {
            let dep = lab.server("dep", &format!("{DEP}:80"), |peer| match peer.number {
                1 => {
                    let later = std::time::SystemTime::now() + Duration::from_secs(3);
                    let date = httpdate::fmt_http_date(later);
                    peer.answer(response(503, &format!("Retry-After: {date}\r\n")));
                }
                _ => peer.status(200),
            });
            let run = lab.step(DEP_URL).set("attempts", 5).run();
            assert!(pauses(&dep)[0] >= Duration::from_secs(2) - Duration::from_millis(50));
            run
        })
        .within(1900..=5000)
        .seen("dep 2/2"),
        Row::down("Retry-After past the deadline", "status", |lab| {
            lab.server("dep", &format!("{DEP}:80"), |peer| {
                peer.answer(response(503, "Retry-After: 3600\r\n"));
            });
            let began = Instant::now();
            let run = lab.step(DEP_URL).set("attempts", "unlimited").run();
            assert!(began.elapsed() < Duration::from_secs(2));
            run.says("past the deadline")
        })
        .within(0..=1000)
        .seen("dep 1/1"),
    ]
}
