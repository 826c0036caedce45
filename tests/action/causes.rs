use std::net::TcpStream;
use std::time::Duration;

use tokio::net::TcpSocket;

use crate::kit::peer::Action::{Hang, Hear, Reset, Say, Trickle};
use crate::kit::peer::Script;
use crate::kit::server::{Refusing, Server};
use crate::kit::step::Preflight;

/// Long enough for a loopback answer on a busy machine, short enough to wait
/// for: for servers that never answer.
const SHORT: &str = "700ms";

#[test]
fn a_port_without_a_listener_is_refused() {
    let port = Refusing::new();
    let run = Preflight::probing(port.url()).run();
    run.down("refused").shows(&[&port.host()]);
    assert_eq!(run.attempts()[0]["address"], port.host(), "{run}");
}

/// A library that tries again behind our back would come twice.
#[test]
fn a_peer_that_breaks_off_is_told_by_how_it_does() {
    let table: [(&str, Script, &str); 8] = [
        ("reset at once", &[Reset], "reset"),
        ("reset after the request", &[Hear, Reset], "reset"),
        (
            "reset within the head",
            &[Hear, Say(b"HTTP/1.1 200 OK\r\nA: "), Reset],
            "reset",
        ),
        ("closed at once", &[], "closed"),
        ("closed after the request", &[Hear], "closed"),
        (
            "closed within the status line",
            &[Hear, Say(b"HTTP/1.1 2")],
            "closed",
        ),
        (
            "closed within the head",
            &[Hear, Say(b"HTTP/1.1 200 OK\r\nA: b\r\n")],
            "closed",
        ),
        (
            "closed after an interim answer",
            &[Hear, Say(b"HTTP/1.1 100 Continue\r\n\r\n")],
            "closed",
        ),
    ];
    for (name, script, cause) in table {
        let server = Server::script(script);
        let run = Preflight::probing(server.url()).run();
        assert_eq!((name, run.output("cause")), (name, cause), "{run}");
        run.down(cause);
        assert_eq!(server.connections(), 1, "{name}\n{run}");
    }
}

#[test]
fn a_head_that_does_not_come_is_a_timeout() {
    let table: [(&str, Script); 3] = [
        ("silent", &[Hear, Hang]),
        ("half a head", &[Hear, Say(b"HTTP/1.1 200 OK\r\nA: "), Hang]),
        (
            "a trickle",
            &[Hear, Say(b"HTTP/1.1 200 OK\r\nA: "), Trickle(b"b", 20)],
        ),
    ];
    for (name, script) in table {
        let server = Server::script(script);
        let run = Preflight::probing(server.url()).set("timeout", SHORT).run();
        assert_eq!(
            (name, run.output("cause")),
            (name, "response-timeout"),
            "{run}"
        );
        run.down("response-timeout");
        assert!(
            run.attempts()[0]["duration_ms"].as_u64().unwrap() >= 700,
            "{run}"
        );
    }
}

#[test]
fn what_is_not_http_is_told_apart() {
    let table: [(&str, &[u8]); 8] = [
        ("SMTP", b"220 mail.example ESMTP ready\r\n"),
        ("SSH", b"SSH-2.0-OpenSSH_9.9\r\n"),
        ("Redis", b"-ERR unknown command 'GET'\r\n"),
        ("a database", b"\x4a\x00\x00\x00\x0a8.0.36\x00\x01\x02"),
        ("garbage", b"\xff\xfe\xfd\xfc\xfb\xfa\r\n\r\n"),
        ("TLS alert", b"\x15\x03\x01\x00\x02\x02\x0a"),
        ("another version", b"HTTP/3.9 200 OK\r\n\r\n"),
        (
            "a length that is none",
            b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        ),
    ];
    for (name, bytes) in table {
        // Mail servers speak first, others answer in their own language.
        for hears in [0, 1] {
            let server = Server::start(move |peer| {
                peer.play(&[Hear][..hears]);
                peer.send(bytes);
                peer.hang();
            });
            let run = Preflight::probing(server.url()).run();
            assert_eq!((name, run.output("cause")), (name, "protocol"), "{run}");
            run.down("protocol");
            let message = run.message();
            assert!(
                message.contains("answer"),
                "it says that something answered: {message}\n{run}"
            );
        }
    }
}

#[test]
fn heads_are_read_up_to_the_limits() {
    let fields = |count: usize| "X-Field: y\r\n".repeat(count);
    let long = |kib: usize| format!("X-Field: {}\r\n", "y".repeat(1013)).repeat(kib);
    let one = |kib: usize| format!("X: {}\r\n", "y".repeat(kib * 1024));
    let table = [
        ("200 fields", fields(200), "up"),
        ("256 fields", fields(256), "up"),
        ("257 fields", fields(257), "down"),
        ("3000 fields", fields(3000), "down"),
        ("200 KiB", long(200), "up"),
        ("one field of 200 KiB", one(200), "up"),
        ("one field of 300 KiB", one(300), "down"),
    ];
    for (name, head, verdict) in table {
        let server = Server::reply(format!("HTTP/1.1 200 OK\r\n{head}\r\n"));
        let run = Preflight::probing(server.url()).run();
        assert_eq!((name, run.output("result")), (name, verdict), "{run}");
        run.found(verdict, if verdict == "up" { "" } else { "protocol" });
    }
    let endless = Server::start(|peer| {
        peer.play(&[Hear, Say(b"HTTP/1.1 200 OK\r\nX: ")]);
        peer.trickle("y".repeat(65536), Duration::ZERO);
    });
    Preflight::probing(endless.url()).run().down("protocol");
}

/// A proxy or a browser would take these answers: the service is up.
#[test]
fn odd_header_fields_are_ignored() {
    let table: [(&str, &[u8]); 7] = [
        ("a byte beyond ASCII", b"X-Name: caf\xe9\r\n"),
        ("a control character", b"X-Name: a\x01b\r\n"),
        ("a blank before the colon", b"X-Name : a\r\n"),
        ("a name with a blank", b"X Name: a\r\n"),
        ("no colon", b"What is this\r\n"),
        ("an empty name", b": a\r\n"),
        ("a folded value", b"X-Name: a\r\n b\r\n"),
    ];
    for (name, field) in table {
        let server =
            Server::reply([b"HTTP/1.1 200 OK\r\n", field, b"Content-Length: 0\r\n\r\n"].concat());
        let run = Preflight::probing(server.url()).run();
        assert_eq!((name, run.output("result")), (name, "up"), "{run}");
    }
}

#[test]
fn a_full_queue_is_a_connect_timeout() {
    let queue = FullQueue::new();
    let run = Preflight::probing(queue.url())
        .set("timeout", "300ms")
        .run();
    run.down("connect-timeout");
    assert_eq!(
        run.attempts()[0]["phases"]["connect_ms"],
        serde_json::Value::Null,
        "{run}"
    );
}

/// The kernel has no way to these addresses, whatever the network: nothing is
/// sent.
#[test]
fn an_address_without_a_route_is_unreachable() {
    for host in ["224.0.0.1", "255.255.255.255"] {
        let run = Preflight::probing(format!("http://{host}:9/")).run();
        run.down("unreachable").shows(&[host]);
    }
}

/// Rule 5: what the runner lacks is not the dependency's fault.
#[test]
fn a_runner_without_descriptors_blames_nobody() {
    let table = [
        "ulimit -n 5",
        "ulimit -n 6",
        "ulimit -n 7",
        "ulimit -n 8",
        "ulimit -n 9",
        "ulimit -n 10",
        "ulimit -n 12",
    ];
    for shell in table {
        let server = Server::status(200).maybe();
        let run = Preflight::probing(server.url()).shell(shell).run();
        let known = matches!(run.code, Some(0 | 1 | 75));
        assert!(known && run.lines("DEP-DOWN").is_empty(), "{shell}\n{run}");
        assert!(!run.stderr.contains("panicked"), "{shell}\n{run}");
    }
}

/// A port whose queue is full: who knocks gets no answer at all.
pub(crate) struct FullQueue {
    listener: tokio::net::TcpListener,
    /// In the queue.
    _waiting: Vec<TcpStream>,
    _runtime: tokio::runtime::Runtime,
}

impl FullQueue {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .unwrap();
        let entered = runtime.enter();
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let knock = || TcpStream::connect_timeout(&address, Duration::from_millis(250)).ok();
        let waiting = std::iter::from_fn(knock).collect();
        drop(entered);
        Self {
            listener,
            _waiting: waiting,
            _runtime: runtime,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.listener.local_addr().unwrap())
    }
}

/// What the HTTP library refuses, curl judges by the status line.
#[test]
fn odd_heads_are_judged_by_their_status() {
    let table = [
        ("HTTP/1.0", "Transfer-Encoding: chunked"),
        ("HTTP/1.1", "Content-Length:"),
        ("HTTP/1.1", "Content-Length: +5"),
        ("HTTP/1.1", "Content-Length: 5.0"),
        ("HTTP/1.1", "Content-Length: 18446744073709551615"),
        ("HTTP/1.1", "Content-Length: 5\r\nContent-Length: 6"),
        ("HTTP/1.1", "X-Odd: a\rb"),
        ("HTTP/1.1", "X-Odd\t: a\tb"),
    ];
    for (version, field) in table {
        for (status, verdict) in [(401, "up"), (503, "down")] {
            let head = format!("{version} {status} X\r\nRetry-After: 3600\r\n{field}\r\n\r\n");
            // In one piece, and byte by byte.
            let whole = Server::reply(head.clone());
            let bytes = head;
            let pieces = Server::start(move |peer| {
                peer.play(&[Hear]);
                for byte in bytes.bytes() {
                    peer.send([byte]);
                    std::thread::sleep(Duration::from_micros(100));
                }
            });
            for server in [whole, pieces] {
                let run = Preflight::probing(server.url()).set("attempts", 2).run();
                assert_eq!((field, run.output("result")), (field, verdict), "{run}");
                assert_eq!(run.output("http-status"), status.to_string(), "{run}");
                let waits = run.stdout.contains("retried only after");
                assert_eq!(waits, status == 503, "{field}\n{run}");
            }
        }
    }
}
