use http::{HeaderMap, HeaderName, HeaderValue};

use super::super::transcript::hex;
use super::*;

fn fields(fields: &[(&'static str, &str)]) -> HeaderMap {
    let fields = fields.iter().map(|(name, value)| {
        let value = HeaderValue::from_str(value).unwrap();
        (HeaderName::from_static(name), value)
    });
    fields.collect()
}

/// A gRPC answer: this body, and these trailers.
fn reply(body: &str, trailers: &[(&'static str, &str)]) -> Reply {
    Reply {
        status: 200,
        headers: fields(&[("content-type", "application/grpc")]),
        body: hex(body),
        trailers: fields(trailers),
    }
}

/// One whose status is in its only head.
fn only_head(trailers: &[(&'static str, &str)]) -> Reply {
    let mut reply = reply("", &[]);
    reply.headers.extend(fields(trailers));
    reply
}

#[track_caller]
fn judged(reply: &Reply, path: &str) -> Answer {
    let site = Site {
        path,
        ..Site::default()
    };
    judge(reply, &site).unwrap()
}

/// It is that, with this code.
#[track_caller]
fn answers(reply: &Reply, is_serving: bool, code: &str) -> Answer {
    let answer = judged(reply, "my.Service");
    let found = (answer.is_serving, answer.code.as_deref());
    assert_eq!(found, (is_serving, Some(code)), "{answer:?}");
    answer
}

const OK: &[(&str, &str)] = &[("grpc-status", "0")];

#[test]
fn it_asks_for_the_server_or_for_a_service() {
    assert_eq!(body(&Site::default()), hex("0000000000"));
    let asked = |path| {
        body(&Site {
            path,
            ..Site::default()
        })
    };
    assert_eq!(asked("my.Service"), hex("00 0000000c 0a 0a \"my.Service\""));
    let long = "s".repeat(300);
    let message = asked(&long);
    assert!(message.starts_with(&hex("00 0000012f 0a ac02 \"sss\"")));
    assert_eq!(message.len(), 308);
}

/// grpcio 1.85: the body of `SERVING`, and that of a health nobody has set.
#[test]
fn a_server_that_serves_or_does_not_know_is_up() {
    let serving = answers(&reply("00 00000002 0801", OK), true, "OK");
    assert_eq!(serving.said, "SERVING");
    assert_eq!(serving.note, None);
    let unknown = answers(&reply("00 00000000", OK), true, "OK");
    assert_eq!(unknown.said, "health status UNKNOWN");
    answers(&reply("00 00000002 0803", OK), true, "OK");
    answers(&reply("00 00000003 08ff01", OK), true, "OK");
}

#[test]
fn a_server_that_does_not_serve_is_down() {
    answers(&reply("00 00000002 0802", OK), false, "NOT_SERVING");
    // Among fields that a later version may have.
    let message = "00 00000016 12 02 \"hi\" 19 0000000000000000 25 00000000 28 07 08 02";
    answers(&reply(message, OK), false, "NOT_SERVING");
}

#[test]
fn an_ok_without_a_whole_message_is_not_the_protocol() {
    for body in [
        "",
        "00",
        "00 00000002 08",
        "00 ffffffff 0801",
        // Compressed.
        "01 00000002 0801",
        // A field that is cut, one of no type, a number without end.
        "00 00000001 08",
        "00 00000002 0a05",
        "00 00000001 0f",
        "00 0000000c 08 ffffffffffffffffffffff",
    ] {
        assert_eq!(judge(&reply(body, OK), &Site::default()), None, "{body}");
    }
}

#[test]
fn statuses_of_a_server_that_works_are_up() {
    for (number, code) in [
        ("1", "CANCELLED"),
        ("3", "INVALID_ARGUMENT"),
        ("5", "NOT_FOUND"),
        ("6", "ALREADY_EXISTS"),
        ("7", "PERMISSION_DENIED"),
        ("8", "RESOURCE_EXHAUSTED"),
        ("9", "FAILED_PRECONDITION"),
        ("10", "ABORTED"),
        ("11", "OUT_OF_RANGE"),
        ("12", "UNIMPLEMENTED"),
        ("16", "UNAUTHENTICATED"),
    ] {
        let status = [("grpc-status", number)];
        answers(&reply("", &status), true, code);
        answers(&only_head(&status), true, code);
    }
}

#[test]
fn statuses_of_a_server_that_does_not_are_down() {
    for (number, code) in [
        ("2", "UNKNOWN"),
        ("4", "DEADLINE_EXCEEDED"),
        ("13", "INTERNAL"),
        ("14", "UNAVAILABLE"),
        ("15", "DATA_LOSS"),
        // What there is none of.
        ("17", "UNKNOWN"),
        ("-1", "UNKNOWN"),
        ("", "UNKNOWN"),
        ("99999999999999999999", "UNKNOWN"),
    ] {
        let status = [("grpc-status", number)];
        answers(&reply("", &status), false, code);
        answers(&only_head(&status), false, code);
    }
}

#[test]
fn the_trailers_have_the_last_word() {
    let mut both = only_head(OK);
    both.trailers = fields(&[("grpc-status", "14")]);
    answers(&both, false, "UNAVAILABLE");
}

#[test]
fn notes_say_what_was_not_checked() {
    let of = |number, path| {
        let answer = judged(&only_head(&[("grpc-status", number)]), path);
        answer.note.unwrap_or_default().into_owned()
    };
    assert_eq!(of("16", ""), LOGIN_NOT_CHECKED);
    assert_eq!(of("7", ""), LOGIN_NOT_CHECKED);
    assert_eq!(of("12", ""), "the server has no health service to ask");
    assert_eq!(of("5", "my.Service"), "the server does not know my.Service");
    assert_eq!(of("5", ""), "the server does not say how it is itself");
    assert_eq!(of("8", ""), "");
}

/// The message is the server's, percent-encoded where it has to be.
#[test]
fn a_message_is_shown() {
    let said = |message| {
        let status = [("grpc-status", "14"), ("grpc-message", message)];
        judged(&reply("", &status), "").said
    };
    assert_eq!(said("upstream"), "UNAVAILABLE: upstream");
    assert_eq!(said("100%25, caf%C3%A9"), "UNAVAILABLE: 100%, caf\u{e9}");
    assert_eq!(said("50% %zz %4"), "UNAVAILABLE: 50% %zz %4");
    assert_eq!(said("%ff"), "UNAVAILABLE: \u{fffd}");
    assert_eq!(said(""), "UNAVAILABLE");
}

/// nginx before a gRPC server that is gone, or in its place.
#[test]
fn without_a_grpc_status_the_one_of_http_counts() {
    for (status, is_serving) in [
        (200, true),
        (302, true),
        (404, true),
        (499, true),
        (500, false),
        (502, false),
        (503, false),
    ] {
        let reply = Reply {
            status,
            headers: fields(&[("content-type", "text/html")]),
            ..Reply::default()
        };
        let answer = answers(&reply, is_serving, &status.to_string());
        assert_eq!(answer.note.is_some(), is_serving);
        assert!(!goes_on(&reply));
    }
}

#[test]
fn a_body_is_read_where_the_head_is_not_all() {
    assert!(goes_on(&reply("", &[])));
    assert!(!goes_on(&only_head(&[("grpc-status", "12")])));
    assert!(!goes_on(&Reply::default()));
}

#[test]
fn a_call_that_is_turned_away_is_down() {
    let answer = turned_away("REFUSED_STREAM");
    assert!(!answer.is_serving);
    assert_eq!(answer.code.as_deref(), Some("UNAVAILABLE"));
    assert!(answer.said.contains("REFUSED_STREAM"));
}
