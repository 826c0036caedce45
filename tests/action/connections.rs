use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::version::{TLS12, TLS13};

use crate::kit::certificates::{Certified, trusted_pem};
use crate::kit::peer::Action::Reset;
use crate::kit::running::eventually;
use crate::kit::server::{Server, redirect, response};
use crate::kit::step::Preflight;
use crate::kit::tls::Tls;

const SECURE: &str = "https://dep.invalid/health";

/// What a proxy says first counts: it is not asked again.
#[test]
fn a_proxy_is_asked_for_a_tunnel_once() {
    let table = [
        ("502 X", "down", "proxy-upstream"),
        ("503 X", "down", "proxy-upstream"),
        ("407 X", "unknown", "proxy"),
        ("403 X", "unknown", "proxy"),
        (
            "302 X\r\nLocation: http://login.example/",
            "unknown",
            "proxy",
        ),
    ];
    for (says, result, cause) in table {
        // A second question would be answered with silence.
        let proxy = Server::replies([format!("HTTP/1.1 {says}\r\n\r\n"), String::new()]);
        let run = Preflight::probing(SECURE)
            .env("https_proxy", proxy.url())
            .run();
        run.found(result, cause);
        assert_eq!((says, proxy.connections()), (says, 1), "{run}");
    }
}

/// RFC 9110, 9.3.6: any 2xx opens the tunnel. Interim answers come before it, and heads are
/// longer where companies write them.
#[test]
fn a_tunnel_is_open_after_any_success() {
    let long = format!(
        "HTTP/1.1 200 OK\r\nX-Policy: {}\r\n\r\n",
        "y".repeat(20_000)
    );
    for says in [
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        &long,
    ] {
        let server = Tls::new(Certified::Well).healthy();
        let (there, head) = (server.host(), says.to_owned());
        let proxy = Server::start(move |peer| {
            peer.request();
            let onward = TcpStream::connect(&there).unwrap();
            peer.send(&head);
            peer.relay(onward);
        });
        let step = Preflight::probing(server.url()).env("https_proxy", proxy.url());
        let step = step.file("ca.pem", trusted_pem());
        step.set("ca-certificates", "ca.pem").run().up();
        assert_eq!(proxy.connections(), 1, "{says}");
    }
}

/// A SOCKS 4a proxy, which has one answer for all that it cannot or will not do.
#[test]
fn a_socks4_proxy_leads_the_way() {
    for (says, result) in [(0x5a, "up"), (0x5b, "unknown")] {
        let server = if says == 0x5a {
            Server::status(200)
        } else {
            Server::status(200).unhit()
        };
        let there = server.host();
        let proxy = Server::start(move |peer| {
            // Version, command, port, an address that is none, user, name.
            let asked = peer.read(8).unwrap();
            assert_eq!(asked, [4, 1, 0, 80, 0, 0, 0, 1]);
            for expected in ["carl", "dep.invalid"] {
                let text = peer.read(expected.len() + 1).unwrap();
                assert_eq!(text, [expected.as_bytes(), &[0]].concat());
            }
            peer.send([0, says, 0, 0, 0, 0, 0, 0]);
            if says == 0x5a {
                let onward = TcpStream::connect(&there).unwrap();
                peer.relay(onward);
            }
        });
        let proxy_url = format!("socks4://carl@{}", proxy.host());
        let run = Preflight::probing("http://dep.invalid/")
            .env("all_proxy", proxy_url)
            .run();
        run.found(result, if result == "up" { "" } else { "proxy" })
            .hides(&["carl"]);
    }
}

/// A busy server may send its 503, and any server a 408, before it has read a request; or it hangs
/// up.
#[test]
fn what_comes_before_the_request_counts() {
    let table = [
        (response(408, "").into_bytes(), ""),
        (response(503, "").into_bytes(), "status"),
        (b"220 mail.example ESMTP\r\n".to_vec(), "protocol"),
        (Vec::new(), "closed"),
    ];
    for (says, cause) in table {
        // In one piece with the word that the way is open.
        let answer = [&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], &says].concat();
        let proxy = Server::start(move |peer| {
            peer.read(3);
            peer.send([5, 0]);
            peer.read(4 + 1 + "dep.invalid".len() + 2);
            peer.send(&answer);
        });
        let run = Preflight::probing("http://dep.invalid/")
            .env("all_proxy", format!("socks5://{}", proxy.host()))
            .run();
        let result = if cause.is_empty() { "up" } else { "down" };
        run.found(result, cause);
    }
}

/// An end without a word could be anybody's: servers log it as an error.
#[test]
fn every_answer_is_taken_leave_of() {
    let requests = 3;
    let left = Arc::<AtomicUsize>::default();
    let has_left = Arc::clone(&left);
    let server = Tls::new(Certified::Well).start(move |peer| {
        match peer.request().map(|head| head.number) {
            Some(1) => peer.send(redirect("/")),
            Some(2) => peer.send(response(503, "")),
            _ => peer.send(response(200, "")),
        };
        if peer.takes_leave() {
            has_left.fetch_add(1, Ordering::SeqCst);
        }
    });
    let step = Preflight::probing(server.url()).file("ca.pem", trusted_pem());
    let step = step.set("attempts", 2).set("interval", "100ms");
    step.set("ca-certificates", "ca.pem").run().up();
    eventually("the leave that was taken", || {
        left.load(Ordering::SeqCst) == requests
    });
}

/// Whoever hangs up in place of an alert may mean the same, or may not.
#[test]
fn a_server_that_asks_for_a_client_certificate_and_hangs_up_is_down() {
    for reset in [false, true] {
        for version in [&TLS12, &TLS13] {
            let server = Tls::new(Certified::Well)
                .only(version)
                .offering_client_certificate()
                .start(move |peer| {
                    peer.request();
                    if reset {
                        peer.play(&[Reset]);
                    }
                });
            let step = Preflight::probing(server.url()).file("ca.pem", trusted_pem());
            let run = step.set("ca-certificates", "ca.pem").run();
            run.down(if reset { "reset" } else { "closed" });
            run.shows(&["asked for a client certificate"]);
        }
    }
}

/// One that asks, and does without.
#[test]
fn a_client_certificate_that_is_not_required_is_not_missed() {
    let server = Tls::new(Certified::Well).offering_client_certificate();
    let server = server.start(|peer| {
        peer.request();
        peer.send(response(503, ""));
    });
    let step = Preflight::probing(server.url()).file("ca.pem", trusted_pem());
    let run = step.set("ca-certificates", "ca.pem").run();
    run.down("status");
    assert!(!run.message().contains("client certificate"), "{run}");
}

/// It is only TLS's 401 where the server is who it should be.
#[test]
fn a_stranger_that_wants_a_client_certificate_is_not_up() {
    for (certified, cause) in [
        (Certified::UnknownIssuer, "tls-untrusted"),
        (Certified::OtherName, "tls-hostname"),
        (Certified::Expired, "tls-expired"),
    ] {
        for version in [&TLS12, &TLS13] {
            let server = Tls::new(certified)
                .only(version)
                .wanting_client_certificate()
                .healthy();
            let step = Preflight::probing(server.url()).file("ca.pem", trusted_pem());
            step.set("ca-certificates", "ca.pem").run().down(cause);
        }
    }
}

/// A proxy that is spoken to in TLS itself.
#[test]
fn a_proxy_may_want_tls_for_itself() {
    let step = |url: &str, proxy: &Server| {
        let step = Preflight::probing(url).env("all_proxy", proxy.url());
        let step = step.file("ca.pem", trusted_pem());
        step.set("ca-certificates", "ca.pem").run()
    };
    let proxy = Tls::new(Certified::Well).healthy();
    step("http://dep.invalid/health", &proxy).up();
    assert_eq!(proxy.received()[0].word(1), "http://dep.invalid/health");
    let proxy = Tls::new(Certified::Well).start(|peer| {
        peer.request();
        peer.send(response(502, ""));
    });
    step(SECURE, &proxy).down("proxy-upstream");
    assert_eq!(proxy.received()[0].word(0), "CONNECT");

    for url in ["http://dep.invalid/health", SECURE] {
        for version in [&TLS12, &TLS13] {
            let proxy = Tls::new(Certified::Well).only(version);
            let proxy = proxy.wanting_client_certificate().healthy();
            let run = step(url, &proxy);
            run.found("unknown", "proxy");
            run.shows(&["asked for a client certificate", &proxy.host()]);
        }
    }
}
