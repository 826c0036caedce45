use h2::Reason;

use crate::kit::certificates::Certified;
use crate::kit::http2::{Http2, plain_http2};
use crate::kit::peer::Action::{Hang, Reset, Say, Take};
use crate::kit::peer::Script;
use crate::kit::run::Run;
use crate::kit::server::Server;
use crate::kit::step::Preflight;
use crate::kit::tls::Tls;

const SERVING: Http2 = Http2::Calls(Some(b"\0\0\0\0\x02\x08\x01"), 0);
const NOT_SERVING: Http2 = Http2::Calls(Some(b"\0\0\0\0\x02\x08\x02"), 0);

#[track_caller]
fn ask(server: Server, scheme: &'static str) -> (Server, Run) {
    let server = server.scheme(scheme);
    let run = Preflight::probing(server.url())
        .trusting()
        .set("attempts", 1)
        .set("timeout", "1500ms")
        .run();
    (server, run)
}

#[test]
fn a_call_is_answered_or_not() {
    let table = [
        (SERVING, "", "OK"),
        (NOT_SERVING, "not-serving", "NOT_SERVING"),
        (Http2::Calls(None, 12), "", "UNIMPLEMENTED"),
        (Http2::Calls(None, 14), "not-serving", "UNAVAILABLE"),
        (Http2::Calls(Some(b""), 16), "", "UNAUTHENTICATED"),
        // Without its message.
        (Http2::Calls(Some(b"\0\0"), 0), "protocol", ""),
        (Http2::Calls(None, 0), "protocol", ""),
        // No gRPC.
        (Http2::Answers(404), "", "404"),
        (Http2::Answers(502), "not-serving", "502"),
        (
            Http2::Resets(Reason::REFUSED_STREAM),
            "not-serving",
            "UNAVAILABLE",
        ),
        (Http2::Resets(Reason::INTERNAL_ERROR), "reset", ""),
        (
            Http2::GoesAway(Reason::ENHANCE_YOUR_CALM),
            "not-serving",
            "UNAVAILABLE",
        ),
        (
            Http2::TurnsAway(Reason::NO_ERROR),
            "not-serving",
            "UNAVAILABLE",
        ),
        (Http2::TurnsAway(Reason::HTTP_1_1_REQUIRED), "protocol", ""),
        (Http2::KeepsSilent, "response-timeout", ""),
        (
            Http2::Stops(b"\0\0\0\0\x02\x08\x01"),
            "response-timeout",
            "",
        ),
    ];
    for (behaviour, cause, code) in table {
        let plain = plain_http2(behaviour);
        let encrypted = Tls::new(Certified::Well).http2(behaviour);
        for (server, scheme) in [(plain, "grpc"), (encrypted, "grpcs")] {
            let (server, run) = ask(server, scheme);
            let found = (run.output("cause"), run.output("code"));
            assert_eq!(found, (cause, code), "{behaviour:?}\n{run}");
            run.found(if cause.is_empty() { "up" } else { "down" }, cause);
            let requests = server.received();
            assert_eq!(requests.len(), 1, "{behaviour:?}\n{run}");
            let request = &requests[0];
            // One of the kit's behaviours does not read what was asked.
            if !matches!(behaviour, Http2::TurnsAway(_)) {
                assert_eq!(request.word(0), "POST");
                let path = "/grpc.health.v1.Health/Check";
                assert!(request.word(1).ends_with(path), "{}", request.word(1));
                assert_eq!(request.header("te"), Some("trailers"));
                assert_eq!(request.header("content-type"), Some("application/grpc"));
            }
        }
    }
}

#[test]
fn the_option_asks_for_tls_too() {
    let server = Tls::new(Certified::Well).http2(SERVING).scheme("grpc");
    let targets = format!("dep: {{url: '{}', tls: true}}", server.url());
    let step = Preflight::new().set("targets", targets).trusting();
    assert_eq!(step.run().up().output("code"), "OK");
}

/// TLS with a server that does not speak HTTP/2: one that knows of no ALPN, and one that refuses.
#[test]
fn tls_without_http2_is_another_protocol() {
    let server = Tls::new(Certified::Well).speaking(&[]);
    let (_server, run) = ask(server, "grpcs");
    run.down("protocol").shows(&["ALPN"]);
}

#[test]
fn what_is_not_http2_is_told_apart() {
    let table: [(Script, &str, &str); 7] = [
        (
            &[Take(24), Say(b"HTTP/1.1 400 Bad Request\r\n\r\n")],
            "protocol",
            "an HTTP server",
        ),
        (
            &[Say(b"SSH-2.0-OpenSSH_9.9\r\n"), Hang],
            "protocol",
            "an SSH server",
        ),
        (
            &[Take(24), Say(&[21, 3, 3, 0, 2, 2, 70])],
            "protocol",
            "wants TLS",
        ),
        (
            &[Take(24), Say(b"-ERR unknown command 'PRI'\r\n"), Hang],
            "protocol",
            "Redis",
        ),
        (&[Take(24)], "closed", ""),
        (&[Take(24), Reset], "reset", ""),
        (&[Hang], "response-timeout", ""),
    ];
    for (script, cause, words) in table {
        let (_server, run) = ask(Server::script(script), "grpc");
        run.down(cause).shows(&[words]);
    }
}

#[test]
fn a_server_that_wants_a_client_certificate_is_up() {
    let tls = Tls::new(Certified::Well).wanting_client_certificate();
    let (_server, run) = ask(tls.http2(SERVING), "grpcs");
    assert_eq!(run.up().output("code"), "client-certificate");
}
