use crate::kit::peer::Action::{Hang, Trickle};
use crate::kit::server::{Server, response};
use crate::kit::step::Preflight;

/// Rule 1 and 2: below 500 the service answered, from 500 on it is down.
#[test]
fn every_status_has_its_verdict() {
    // Without a Location there is nothing to follow.
    let up = [
        200, 201, 204, 206, 299, 300, 301, 304, 400, 401, 403, 404, 405, 407, 408, 418, 429, 451,
        499,
    ];
    let down = [500, 501, 502, 503, 504, 511, 599, 600, 999];
    let table = up.map(|status| (status, "up")).into_iter();
    let table = table.chain(down.map(|status| (status, "down")));
    for (status, verdict) in table {
        let server = Server::status(status);
        let run = Preflight::probing(server.url()).run();
        run.found(verdict, if verdict == "up" { "" } else { "status" });
        assert_eq!(run.output("http-status"), status.to_string(), "{run}");
        assert_eq!(server.requests(), 1, "{run}");
    }
}

/// The codes and the outputs of the README's table, by what was found.
#[test]
fn results_reach_every_output() {
    let table = [
        (
            Server::status(200),
            "up",
            "0",
            r#"["127.0.0.1"]"#,
            "[]",
            "",
            "200",
        ),
        (
            Server::status(401),
            "up",
            "0",
            r#"["127.0.0.1"]"#,
            "[]",
            "",
            "401",
        ),
        (
            Server::status(503),
            "down",
            "70",
            "[]",
            r#"["127.0.0.1"]"#,
            "status",
            "503",
        ),
        (
            Server::reply("junk"),
            "down",
            "70",
            "[]",
            r#"["127.0.0.1"]"#,
            "protocol",
            "",
        ),
    ];
    for (server, result, code, up, down, cause, status) in table {
        let run = Preflight::probing(server.url()).run();
        let rows = [
            ("result", result),
            ("exit-code", code),
            ("up", up),
            ("down", down),
            ("unknown", "[]"),
            ("cause", cause),
            ("http-status", status),
            ("report-file", ""),
        ];
        for (output, value) in rows {
            // Arrays may be broken over lines.
            let found = run.output(output).replace([' ', '\n'], "");
            assert_eq!(found, value, "{output}\n{run}");
        }
        run.output("duration-ms").parse::<u64>().unwrap();
        assert!(
            result == "up" || run.output("message").contains("127.0.0.1"),
            "{run}"
        );
    }
}

/// An `up` that a login, a path or a quota might spoil says so.
#[test]
fn notes_say_what_was_not_checked() {
    let table = [
        (200, false),
        (204, false),
        (400, false),
        (401, true),
        (403, true),
        (404, true),
        (405, false),
        (429, true),
        (503, false),
    ];
    for (status, noted) in table {
        let server = Server::status(status);
        let run = Preflight::probing(server.url()).run();
        let note = &run.target(0)["note"];
        assert_eq!(note.is_string(), noted, "{status}: {note}\n{run}");
        if let Some(note) = note.as_str() {
            assert!(run.lines("UP 127.0.0.1")[0].contains(note), "{run}");
        }
    }
}

/// What a set has in it is proven in `src/inputs/values.rs`.
#[test]
fn expect_says_what_is_up() {
    let table = [
        ("<400", 404, "down"),
        ("<600", 503, "up"),
        ("2xx", 200, "up"),
        ("2xx", 304, "down"),
        ("2xx", 401, "down"),
        ("200,204,3xx", 302, "up"),
        ("5xx", 503, "up"),
        ("5xx", 200, "down"),
        ("418", 418, "up"),
    ];
    for (expect, status, verdict) in table {
        let server = Server::status(status);
        let run = Preflight::probing(server.url()).set("expect", expect).run();
        run.found(verdict, if verdict == "up" { "" } else { "status" });
    }
}

#[test]
fn the_method_is_the_one_asked_for() {
    for method in ["GET", "HEAD", "OPTIONS"] {
        // A HEAD's answer may name the length of a body that does not come.
        let server = Server::reply("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
        Preflight::probing(server.at("/health?x=1"))
            .set("method", method)
            .run()
            .up();
        assert_eq!(server.received()[0].word(0), method);
        assert_eq!(server.received()[0].word(1), "/health?x=1");
    }
    let server = Server::status(200);
    Preflight::probing(server.url()).run().up();
    assert_eq!(server.received()[0].word(0), "GET", "the default");
}

/// Rule 3: nothing that says who asks.
#[test]
fn requests_carry_no_credential() {
    let server = Server::status(200);
    Preflight::probing(server.url())
        .set("token", crate::kit::step::TOKEN)
        .run()
        .up();
    let head = &server.received()[0];
    for name in ["authorization", "proxy-authorization", "cookie", "referer"] {
        assert_eq!(head.header(name), None, "{}", head.head);
    }
    assert!(
        head.header("user-agent")
            .is_some_and(|agent| agent.contains("dep-preflight")),
        "{}",
        head.head
    );
    assert_eq!(head.header("host"), Some(server.host().as_str()));
}

/// Only the head counts, whatever the body does.
#[test]
fn bodies_are_not_waited_for() {
    for (status, verdict) in [
        ("200 OK", "up"),
        ("404 Not Found", "up"),
        ("503 Service Unavailable", "down"),
    ] {
        for body in [&[Hang][..], &[Trickle(b"x", 0)]] {
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: 99999999999\r\n\r\n");
            let server = Server::start(move |peer| {
                peer.request();
                peer.send(&head);
                peer.play(body);
            });
            let run = Preflight::probing(server.url()).set("timeout", "2s").run();
            run.found(verdict, if verdict == "up" { "" } else { "status" });
            assert!(status.starts_with(run.output("http-status")), "{run}");
        }
    }
}

/// A body that is cut off, or encoded in a way that nobody can read, is none
/// of our business.
#[test]
fn broken_bodies_are_up() {
    let table = [
        "Content-Length: 10\r\n\r\nab",
        "Transfer-Encoding: chunked\r\n\r\nnot a chunk",
        "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\njunk",
    ];
    for rest in table {
        for (status, result, cause) in [(200, "up", ""), (503, "down", "status")] {
            let server = Server::start(move |peer| {
                peer.request();
                peer.send(format!("HTTP/1.1 {status} X\r\n{rest}"));
                peer.reset();
            });
            let run = Preflight::probing(server.url()).run();
            run.found(result, cause);
        }
    }
}

#[test]
fn interim_answers_are_not_the_answer() {
    let table = [
        ("HTTP/1.1 100 Continue\r\n\r\n", 200, "up"),
        (
            "HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n",
            200,
            "up",
        ),
        (
            "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n",
            404,
            "up",
        ),
        ("HTTP/1.1 100 Continue\r\n\r\n", 503, "down"),
    ];
    for (interim, status, verdict) in table {
        let server = Server::reply(interim.to_owned() + &response(status, ""));
        let run = Preflight::probing(server.url()).run();
        assert_eq!(
            (run.output("result"), run.output("http-status")),
            (verdict, status.to_string().as_str()),
            "{run}"
        );
    }
}

#[test]
fn old_and_odd_answers_are_answers() {
    let table = [
        ("HTTP/1.0 200 OK\r\n\r\n", "200"),
        (
            "HTTP/1.0 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n",
            "401",
        ),
        ("HTTP/1.1 200\r\n\r\n", "200"),
        ("HTTP/1.1 200 \r\n\r\n", "200"),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            "101",
        ),
        ("HTTP/1.1 200 OK\n\n", "200"),
    ];
    for (answer, status) in table {
        let server = Server::reply(answer);
        let run = Preflight::probing(server.url()).run();
        run.up();
        assert_eq!(run.output("http-status"), status, "{run}");
    }
}

/// A name that the system knows, and a server on one of its addresses only.
#[test]
fn localhost_is_found() {
    let server = Server::status(200);
    let run = Preflight::probing(format!("http://localhost:{}/", server.port())).run();
    run.up();
    assert_eq!(run.target(0)["name"], "localhost", "{run}");
    assert_eq!(run.attempts()[0]["address"], server.host(), "{run}");
}
