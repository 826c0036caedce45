use std::fs;

use h2::Reason;
use rustls::version::{TLS12, TLS13};

use crate::kit::certificates::{Certified, trusted_pem};
use crate::kit::http2::{Http2, plain_http2};
use crate::kit::peer::Action::{Hang, Hear, Reset, Say, Take};
use crate::kit::peer::Script;
use crate::kit::run::Run;
use crate::kit::server::{Server, redirect};
use crate::kit::step::Preflight;
use crate::kit::tls::Tls;

/// A step that trusts the authority of the tests.
fn trusting(server: &Server) -> Preflight {
    Preflight::probing(server.url()).trusting()
}

#[test]
fn certificates_are_judged() {
    let table = [
        (Certified::Well, ""),
        (Certified::Expired, "tls-expired"),
        (Certified::NotYetValid, "tls-expired"),
        (Certified::OtherName, "tls-hostname"),
        (Certified::NoName, "tls-hostname"),
        (Certified::UnknownIssuer, "tls-untrusted"),
        (Certified::SelfSigned, "tls-untrusted"),
        (Certified::SelfSignedCa, "tls-untrusted"),
    ];
    for (certified, cause) in table {
        for version in [&TLS12, &TLS13] {
            let server = Tls::new(certified).only(version).healthy();
            let run = trusting(&server).run();
            run.found(if cause.is_empty() { "up" } else { "down" }, cause);
            let detail = run.attempts()[0]["detail"].to_string();
            assert!(
                cause != "tls-expired" || detail.contains("clock"),
                "{detail}\n{run}"
            );
            let names = match certified {
                Certified::OtherName => "for another name: other.example\"",
                Certified::NoName => "names no host",
                _ => "",
            };
            assert!(detail.contains(names), "{detail}\n{run}");
            assert!(
                cause.is_empty() || server.requests() == 0,
                "a request was sent\n{run}"
            );
        }
    }
}

/// OpenSSL's two variables say where the system's roots are.
#[test]
fn the_environment_can_name_the_systems_roots() {
    let server = Tls::new(Certified::Well).healthy();
    for (variable, place) in [
        ("SSL_CERT_FILE", "roots/0123abcd.0"),
        ("SSL_CERT_DIR", "roots"),
    ] {
        let step = Preflight::probing(server.url());
        fs::create_dir(step.path("roots")).unwrap();
        let step = step.file("roots/0123abcd.0", trusted_pem());
        let place = step.path(place);
        step.env(variable, place).run().up();
    }
}

/// Without the input, nobody trusts the authority of the tests; with it, all that stand in the file
/// are trusted, whatever is written between them, after the byte order mark of an editor.
#[test]
fn the_roots_of_the_input_are_trusted() {
    let of_authority = Tls::new(Certified::Well);
    let own = [Certified::SelfSigned, Certified::SelfSignedCa].map(Tls::new);
    let marked = format!("\u{feff}{}", trusted_pem());
    let several = format!("# Ours\n{}\n# Theirs\n{}\n", own[0].pem(), trusted_pem());
    let table = [
        (&of_authority, None, "tls-untrusted"),
        (&of_authority, Some(&marked), ""),
        (&of_authority, Some(&several), ""),
        (&own[0], Some(&several), ""),
        (&own[0], Some(&own[0].pem()), ""),
        (&own[1], Some(&own[1].pem()), ""),
    ];
    for (tls, roots, cause) in table {
        let server = tls.healthy();
        let step = Preflight::probing(server.url());
        let step = match roots {
            Some(roots) => step
                .file("roots.pem", roots)
                .set("ca-certificates", "roots.pem"),
            None => step,
        };
        let result = if cause.is_empty() { "up" } else { "down" };
        step.run().found(result, cause);
    }
}

/// It is TLS's own 401. TLS 1.3 says so only after the handshake, where a request may have been
/// sent already.
#[test]
fn a_server_that_wants_a_client_certificate_is_up() {
    for version in [&TLS12, &TLS13] {
        let server = Tls::new(Certified::Well)
            .only(version)
            .wanting_client_certificate()
            .healthy();
        let run = trusting(&server).run();
        run.up();
        assert_eq!(run.output("http-status"), "", "{run}");
        let note = "it asked for a client certificate; the login was not checked";
        assert_eq!(run.target(0)["note"], note, "{run}");
        assert!(run.stdout.contains(note), "{run}");
    }
}

/// For https and for services over TLS; beside what else there is to note, and whosever it is.
#[test]
fn a_certificate_that_ends_soon_is_noted() {
    let note = |run: &Run| {
        let note = run.up().target(0)["note"].clone();
        note.as_str().unwrap_or_default().to_owned()
    };
    for (hours, expected) in [
        (5, "the certificate ends within 24 hours"),
        (25, "the certificate ends in 1 day"),
        (6 * 24 + 1, "the certificate ends in 6 days"),
        (14 * 24 + 1, ""),
    ] {
        for version in [&TLS12, &TLS13] {
            let server = Tls::new(Certified::EndingIn(hours)).only(version).healthy();
            for scheme in ["https", "tls"] {
                let url = format!("{scheme}://{}", server.host());
                let run = Preflight::probing(url).trusting().run();
                assert_eq!(note(&run), expected, "{run}");
                assert!(run.stdout.contains(expected), "{run}");
            }
        }
    }
    let ending = Tls::new(Certified::EndingIn(6 * 24 + 1));
    let server = ending.start(|peer| peer.status(401));
    let both = "it answered; the login was not checked; the certificate ends in 6 days";
    assert_eq!(note(&trusting(&server).run()), both);
    let server = Tls::new(Certified::EndingIn(6 * 24 + 1))
        .wanting_client_certificate()
        .healthy();
    let asked = "it asked for a client certificate; the login was not checked; the certificate ends in 6 days";
    assert_eq!(note(&trusting(&server).run()), asked);
    // It is the first of two servers.
    let last = Tls::new(Certified::Well).healthy();
    let location = last.url();
    let first = ending.start(move |peer| peer.answer(redirect(&location)));
    let whose = "the certificate of 127.0.0.1 ends in 6 days";
    assert_eq!(note(&trusting(&first).run()), whose);
    // What is down has a cause, and no note.
    let server = ending.start(|peer| peer.status(503));
    let run = trusting(&server).run();
    assert!(run.down("status").target(0)["note"].is_null(), "{run}");
}

#[track_caller]
fn fails(server: &Server, name: &str, cause: &str) -> Run {
    let run = trusting(server).set("timeout", "1500ms").run();
    assert_eq!((name, run.output("cause")), (name, cause), "{run}");
    run.down(cause);
    run
}

#[test]
fn handshakes_fail_in_many_ways() {
    // An alert is a record of type 21, of two bytes: fatal, and which.
    let table: [(&str, Script, &str); 7] = [
        (
            "plain text",
            &[Take(1), Say(b"HTTP/1.1 400 Bad Request\r\n\r\n")],
            "tls",
        ),
        (
            "a mail server",
            &[Say(b"220 mail.example ESMTP ready\r\n")],
            "tls",
        ),
        (
            "handshake_failure",
            &[Take(1), Say(&[21, 3, 3, 0, 2, 2, 40])],
            "tls",
        ),
        (
            "unrecognized_name",
            &[Take(1), Say(&[21, 3, 3, 0, 2, 2, 112])],
            "tls",
        ),
        ("closed", &[Take(1)], "closed"),
        ("reset", &[Take(1), Reset], "reset"),
        ("unfinished", &[Hang], "response-timeout"),
    ];
    for (name, script, cause) in table {
        let run = fails(&Server::script(script).scheme("https"), name, cause);
        // An alert is called by the name that the standard has for it.
        if name.contains('_') {
            run.shows(&[name]);
        }
    }
}

/// After the handshake it is the same as without TLS.
#[test]
fn behind_tls_causes_are_the_same() {
    let table: [(&str, Script, &str); 5] = [
        ("closed without a word", &[Hear], "closed"),
        (
            "closed within the head",
            &[Hear, Say(b"HTTP/1.1 200 OK\r\nA: ")],
            "closed",
        ),
        ("reset", &[Hear, Reset], "reset"),
        ("junk", &[Hear, Say(b"220 hello\r\n\r\n")], "protocol"),
        ("silent", &[Hear, Hang], "response-timeout"),
    ];
    for (name, script, cause) in table {
        fails(
            &Tls::new(Certified::Well).start(|peer| peer.play(script)),
            name,
            cause,
        );
    }
}

/// A library may send a request again that HTTP/2 calls safe to be sent
/// again: the server must get as many as there are attempts.
#[test]
fn http2_causes_are_told_apart() {
    let table = [
        (Http2::Answers(200), ""),
        (Http2::Answers(404), ""),
        (Http2::Answers(503), "status"),
        (Http2::Resets(Reason::INTERNAL_ERROR), "reset"),
        (Http2::Resets(Reason::REFUSED_STREAM), "reset"),
        (Http2::GoesAway(Reason::NO_ERROR), "closed"),
        (Http2::GoesAway(Reason::ENHANCE_YOUR_CALM), "closed"),
        (Http2::TurnsAway(Reason::NO_ERROR), "closed"),
        (Http2::KeepsSilent, "response-timeout"),
    ];
    for (behaviour, cause) in table {
        let server = Tls::new(Certified::Well).http2(behaviour);
        let run = trusting(&server)
            .set("attempts", 2)
            .set("timeout", "1500ms")
            .run();
        assert_eq!(run.output("cause"), cause, "{behaviour:?}\n{run}");
        let sent = if cause.is_empty() { 1 } else { 2 };
        assert_eq!(
            (server.requests(), run.attempts().len()),
            (sent, sent),
            "{behaviour:?}\n{run}"
        );
    }
}

/// IIS asks for it where Windows authentication or a client certificate is wanted. The service
/// answers, so it is up; once per attempt, and no longer than the attempt.
#[test]
fn a_server_that_asks_for_http1_is_asked_over_http1() {
    let asking = [
        Http2::Resets(Reason::HTTP_1_1_REQUIRED),
        Http2::TurnsAway(Reason::HTTP_1_1_REQUIRED),
        // It would answer, and does not: it is not waited for.
        Http2::Dismisses(Reason::HTTP_1_1_REQUIRED),
    ];
    for behaviour in asking {
        let unauthorized = "HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n";
        let server = Tls::new(Certified::Well).http2_or_1(behaviour, unauthorized);
        let run = trusting(&server).run();
        run.up();
        assert_eq!(run.output("http-status"), "401", "{behaviour:?}\n{run}");
        let lines: Vec<_> = server.received();
        assert_eq!(lines.len(), 2, "{behaviour:?}\n{run}");
        assert_eq!(lines[1].word(2), "HTTP/1.1", "{behaviour:?}\n{run}");
        assert_eq!(run.attempts().len(), 1, "{behaviour:?}\n{run}");
        let silent = Tls::new(Certified::Well).http2_or_1(behaviour, "");
        let run = trusting(&silent).run();
        run.down("closed").shows(&["HTTP/1.1 in place of HTTP/2"]);
        assert_eq!(silent.requests(), 2, "{behaviour:?}\n{run}");
    }
}

/// What a server answers counts, whatever it asks for in the same breath.
#[test]
fn an_answer_over_http2_is_not_asked_for_again() {
    let reset = &[0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 13][..];
    let go_away = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 13][..];
    for frame in [reset, go_away] {
        let well = "HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n";
        let server = Tls::new(Certified::Well).http2_or_1(Http2::AnswersAnd(frame), well);
        let run = trusting(&server).run();
        run.down("status");
        assert_eq!(run.output("http-status"), "500", "{run}");
        assert_eq!(server.requests(), 1, "{run}");
    }
}

/// HTTP/2 has no such header: a server would refuse it, or answer for another host.
#[test]
fn a_target_that_names_its_host_is_asked_over_http1() {
    let unavailable = "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n";
    let server = Tls::new(Certified::Well).http2_or_1(Http2::Answers(400), unavailable);
    let headers = "{Host: foo.example}";
    let targets = format!("llm: {{url: '{}', headers: {headers}}}", server.url());
    let run = trusting(&server).unset("url").set("targets", targets).run();
    run.down("status").shows(&["503"]);
    assert!(!run.stdout.contains("in place of HTTP/2"), "{run}");
    let heads = server.received();
    assert_eq!(heads[0].header("host"), Some("foo.example"), "{run}");
}

/// Without TLS nothing says that a server speaks HTTP/2 alone, and HTTP/1.1
/// is what it is asked in.
#[test]
fn plain_http2_is_another_protocol() {
    let server = plain_http2(Http2::Answers(404));
    let run = Preflight::probing(server.url()).set("attempts", 1).run();
    run.found("down", "protocol");
}

/// Where the time went, as far as there was something to go through.
#[test]
fn phases_are_measured() {
    let server = Tls::new(Certified::Well).healthy();
    let run = trusting(&server).run();
    let phases = &run.attempts()[0]["phases"];
    for phase in ["connect_ms", "tls_ms", "response_ms"] {
        assert!(phases[phase].is_number(), "{phase}\n{run}");
    }
    let plain = Server::status(200);
    let run = Preflight::probing(plain.url()).run();
    assert!(run.attempts()[0]["phases"]["tls_ms"].is_null(), "{run}");
}

/// TLS and plain meet: what failed says what to write instead.
#[test]
fn who_speaks_tls_to_a_plain_port_or_the_other_way_round_is_told() {
    const ALERT: Script = &[Take(1), Say(&[21, 3, 3, 0, 2, 2, 70])];
    let table: [(Script, &str, &str, &str, &str); 9] = [
        (&[Hang], "rediss", "", "response-timeout", "is it redis://"),
        (
            &[Take(1), Say(b"-ERR unknown command\r\n"), Hang],
            "rediss",
            "",
            "tls",
            "is it redis://",
        ),
        (
            &[Take(1), Say(b"AMQP\0\0\x09\x01")],
            "amqps",
            "",
            "tls",
            "is it amqp://",
        ),
        (&[Take(1), Reset], "kafkas", "", "reset", "is it kafka://"),
        (
            &[Hang],
            "redis",
            ", tls: true",
            "response-timeout",
            "leave out `tls: true`",
        ),
        (&[Take(1)], "tls", "", "closed", "is it tcp://"),
        (ALERT, "redis", "", "protocol", "write rediss://"),
        (ALERT, "cassandra", "", "protocol", "set `tls: true`"),
        (ALERT, "http", "", "protocol", "write https://"),
    ];
    for (script, scheme, option, cause, words) in table {
        let server = Server::script(script);
        let targets = format!("dep: {{url: '{scheme}://{}'{option}}}", server.host());
        let run = Preflight::new()
            .set("targets", targets)
            .set("attempts", 1)
            .set("timeout", "700ms")
            .run();
        run.down(cause).shows(&[words]);
        assert!(!run.stdout.contains("plain HTTP"), "{run}");
    }
}
