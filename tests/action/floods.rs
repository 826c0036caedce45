use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::kit::certificates::{Certified, trusted_pem};
use crate::kit::http2::Http2;
use crate::kit::run::Run;
use crate::kit::running::eventually;
use crate::kit::server::{Refusing, Server, redirect, response};
use crate::kit::step::Preflight;
use crate::kit::tls::Tls;

/// What is passed over before an answer.
const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";
const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n";

/// A server that answers each request with this without end, and whether its last client has
/// left.
fn flooding(bytes: &'static str, every: Duration) -> (Server, Arc<AtomicBool>) {
    let left = Arc::<AtomicBool>::default();
    let has_left = Arc::clone(&left);
    let server = Server::start(move |peer| {
        peer.request();
        let many = if every.is_zero() {
            64 * 1024 / bytes.len()
        } else {
            1
        };
        peer.trickle(bytes.repeat(many), every);
        has_left.store(true, Ordering::SeqCst);
    });
    (server, left)
}

#[track_caller]
fn ends(run: &Run, place: usize, verdict: &str, cause: Option<&str>) {
    let target = run.target(place);
    assert_eq!(target["verdict"], verdict, "{run}");
    assert_eq!(target["cause"].as_str(), cause, "{run}");
}

/// One thread serves all targets: one of them may not have it for itself.
#[test]
fn interim_answers_without_end_keep_nobody_waiting() {
    for bytes in [CONTINUE, HINTS] {
        let (flood, left) = flooding(bytes, Duration::ZERO);
        let slow = Server::start(|peer| {
            peer.request();
            thread::sleep(Duration::from_millis(300));
            peer.send(response(401, ""));
        });
        let (healthy, gone) = (Server::status(200), Refusing::new());
        let run = Preflight::targets(&[
            ("flood", flood.url()),
            ("slow", slow.url()),
            ("healthy", healthy.url()),
            ("gone", gone.url()),
        ])
        .set("timeout", "2s")
        .run();
        ends(&run, 0, "down", Some("protocol"));
        ends(&run, 1, "up", None);
        ends(&run, 2, "up", None);
        ends(&run, 3, "down", Some("refused"));
        let flooded = run.target(0)["duration_ms"].as_u64().unwrap();
        assert!(flooded < 2000, "{flooded} ms\n{run}");
        eventually("the end of the connection", || left.load(Ordering::SeqCst));
    }
}

#[test]
fn a_flood_behind_a_redirect_is_the_hop_s() {
    let (flood, left) = flooding(CONTINUE, Duration::ZERO);
    let start = Server::reply(redirect(flood.url()));
    let run = Preflight::probing(start.url()).run();
    run.down("protocol").shows(&[&flood.host(), "256 KiB"]);
    eventually("the end of the connection", || left.load(Ordering::SeqCst));
}

#[test]
fn a_proxy_that_floods_is_the_runner_s_fault() {
    for url in ["http://dep.invalid/", "https://dep.invalid/"] {
        let (proxy, left) = flooding(CONTINUE, Duration::ZERO);
        let step = Preflight::probing(url).env("all_proxy", proxy.url());
        step.run().found("unknown", "proxy").shows(&[&proxy.host()]);
        eventually("the end of the connection", || left.load(Ordering::SeqCst));
    }
}

/// So slow that the timeout is first.
#[test]
fn a_trickle_of_interim_answers_ends_with_the_attempt() {
    let (trickle, left) = flooding(HINTS, Duration::from_millis(20));
    let run = Preflight::probing(trickle.url())
        .set("timeout", "700ms")
        .run();
    run.down("response-timeout");
    eventually("the end of the connection", || left.load(Ordering::SeqCst));
}

/// A body without end is of no interest: its start is shown.
#[test]
fn a_body_without_end_is_left() {
    let left = Arc::<AtomicBool>::default();
    let has_left = Arc::clone(&left);
    let server = Server::start(move |peer| {
        peer.request();
        peer.send("HTTP/1.1 503 X\r\nContent-Type: text/plain\r\n\r\nstarting ");
        peer.trickle("y".repeat(65_536), Duration::ZERO);
        has_left.store(true, Ordering::SeqCst);
    });
    let run = Preflight::probing(server.url()).run();
    run.down("status").shows(&["starting yyy"]);
    eventually("the end of the connection", || left.load(Ordering::SeqCst));
}

#[test]
fn frames_without_end_keep_nobody_waiting() {
    let table: [(&str, &[u8], &[u8]); 5] = [
        ("SETTINGS", b"", &[0, 0, 0, 4, 0, 0, 0, 0, 0]),
        (
            "PING",
            b"",
            &[0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8],
        ),
        (
            "WINDOW_UPDATE",
            b"",
            &[0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        ),
        (
            "interim answers",
            b"",
            &[0, 0, 5, 1, 4, 0, 0, 0, 1, 8, 3, b'1', b'0', b'3'],
        ),
        (
            "CONTINUATION",
            &[0, 0, 5, 1, 0, 0, 0, 0, 1, 8, 3, b'2', b'0', b'0'],
            &[0, 0, 5, 9, 0, 0, 0, 0, 1, 0, 1, b'x', 1, b'y'],
        ),
    ];
    for (name, first, then) in table {
        let flood = Tls::new(Certified::Well).http2(Http2::Floods(first, then));
        let healthy = Server::status(200);
        let targets = [("flood", flood.url()), ("healthy", healthy.url())];
        let step = Preflight::targets(&targets).set("timeout", "5s");
        let step = step.file("ca.pem", trusted_pem());
        let run = step.set("ca-certificates", "ca.pem").run();
        let took = run.target(0)["duration_ms"].as_u64().unwrap();
        assert!(took < 4000, "{name}: {took} ms\n{run}");
        ends(&run, 0, "down", Some("protocol"));
        ends(&run, 1, "up", None);
    }
}
