//! gRPC: one call of `Check` of the health service (`grpc.health.v1.Health`), by hand: a path, ten
//! bytes or so, and a status in the trailers.

use std::borrow::Cow;

use super::call::{Call, Reply};
use super::{Answer, Asks, LOGIN_NOT_CHECKED, Page, Protocol, Scheme, Site, Tls};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "grpc",
    title: "gRPC",
    schemes: &[
        Scheme {
            name: "grpc",
            port: None,
            tls: false,
        },
        Scheme {
            name: "grpcs",
            port: None,
            tls: true,
        },
    ],
    tls: Tls::FromTheStart,
    path: Some("the service whose health is asked for (`my.package.Service`); none: the server's"),
    asks: Asks::Call(&CALL),
    page: Page {
        asks: "`Check` of `grpc.health.v1.Health`, over HTTP/2 from the first byte on (over TLS by ALPN)",
        up: "`SERVING`; any status that says that the server works: `UNIMPLEMENTED` (it has no health service), `NOT_FOUND`, `UNAUTHENTICATED`, `PERMISSION_DENIED`, `RESOURCE_EXHAUSTED` and the like; without a gRPC status, an HTTP status below 500",
        down: "`NOT_SERVING`; `UNAVAILABLE`, `INTERNAL`, `UNKNOWN`, `DEADLINE_EXCEEDED`, `DATA_LOSS`; without a gRPC status, an HTTP status from 500 on; the call is turned away (`GOAWAY`, `REFUSED_STREAM`)",
        blind: "services whose health nobody sets; the login",
        log: "nothing",
    },
};

static CALL: Call = Call {
    path: "/grpc.health.v1.Health/Check",
    fields: &[
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("user-agent", "dep-preflight"),
    ],
    body,
    goes_on,
    judge,
    turned_away,
};

/// The statuses of gRPC (its document `statuscodes.md`), by number, and whether the server works.
/// Those that are not are what `google.rpc.Code` maps to 500, 503 and 504.
const STATUSES: [(&str, bool); 17] = [
    ("OK", true),
    ("CANCELLED", true),
    ("UNKNOWN", false),
    ("INVALID_ARGUMENT", true),
    ("DEADLINE_EXCEEDED", false),
    ("NOT_FOUND", true),
    ("ALREADY_EXISTS", true),
    ("PERMISSION_DENIED", true),
    ("RESOURCE_EXHAUSTED", true),
    ("FAILED_PRECONDITION", true),
    ("ABORTED", true),
    ("OUT_OF_RANGE", true),
    ("UNIMPLEMENTED", true),
    ("INTERNAL", false),
    ("UNAVAILABLE", false),
    ("DATA_LOSS", false),
    ("UNAUTHENTICATED", true),
];

/// `HealthCheckRequest`, whose field 1 is the service, as a message that is not compressed.
fn body(site: &Site<'_>) -> Vec<u8> {
    let service = site.path.as_bytes();
    let mut message = Vec::new();
    if !service.is_empty() {
        // Field 1, of bytes with a length before them.
        message.push(0x0a);
        let mut length = service.len();
        while length >= 0x80 {
            message.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
            length >>= 7;
        }
        message.push(u8::try_from(length).unwrap_or_default());
        message.extend_from_slice(service);
    }
    // An address is far from 4 GiB.
    let length = u32::try_from(message.len()).unwrap_or_default();
    let mut body = vec![0];
    body.extend(length.to_be_bytes());
    body.extend(message);
    body
}

/// A status in the head is the last word, and what is not gRPC has no other than its head.
fn goes_on(head: &Reply) -> bool {
    let kind = head.field("content-type").unwrap_or_default();
    head.field("grpc-status").is_none() && kind.starts_with(b"application/grpc")
}

fn judge(reply: &Reply, site: &Site<'_>) -> Option<Answer> {
    let Some(status) = reply.field("grpc-status") else {
        return Some(without_status(reply.status));
    };
    let number = std::str::from_utf8(status).ok()?.parse::<u8>().ok();
    if number == Some(0) {
        return health(&reply.body);
    }
    // "Unknown" is also what gRPC's own libraries make of a number that they do not know.
    let known = STATUSES.get(usize::from(number.unwrap_or(2)));
    let (name, works) = known.copied().unwrap_or(("UNKNOWN", false));
    let message = reply.field("grpc-message").unwrap_or_default();
    let said = match decoded(message) {
        message if message.is_empty() => name.to_owned(),
        message => format!("{name}: {message}"),
    };
    if !works {
        return Some(Answer::not_serving(said).with_code(name));
    }
    let answer = Answer::up(said).with_code(name);
    let note = match name {
        "UNIMPLEMENTED" => Cow::Borrowed("the server has no health service to ask"),
        "NOT_FOUND" if site.path.is_empty() => {
            Cow::Borrowed("the server does not say how it is itself")
        }
        "NOT_FOUND" => Cow::Owned(format!("the server does not know {}", site.path)),
        "UNAUTHENTICATED" | "PERMISSION_DENIED" => Cow::Borrowed(LOGIN_NOT_CHECKED),
        _ => return Some(answer),
    };
    Some(answer.with_note(note))
}

/// What stands in the place of a gRPC server, or before it, answers in HTTP alone.
fn without_status(status: u16) -> Answer {
    let code = status.to_string();
    let said = format!("HTTP status {status}, and no gRPC status");
    if status < 500 {
        let note = "no gRPC status came: it may not be a gRPC server";
        return Answer::up(said).with_code(code).with_note(note);
    }
    Answer::not_serving(said).with_code(code)
}

/// A call that was made, with `HealthCheckResponse` in it.
fn health(body: &[u8]) -> Option<Answer> {
    let status = serving_status(message(body)?)?;
    Some(match status {
        0 => Answer::up("health status UNKNOWN").with_code("OK"),
        1 => Answer::up("SERVING").with_code("OK"),
        2 => Answer::not_serving("NOT_SERVING").with_code("NOT_SERVING"),
        3 => Answer::up("SERVICE_UNKNOWN").with_code("OK"),
        other => Answer::up(format!("health status {other}")).with_code("OK"),
    })
}

/// The message of a body that has one as a whole and not compressed: nobody was told that it might
/// be.
fn message(body: &[u8]) -> Option<&[u8]> {
    let (length, rest) = body.strip_prefix(&[0])?.split_first_chunk()?;
    rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// Field 1, a number; 0 where it is left out. Other fields are passed over.
fn serving_status(message: &[u8]) -> Option<u64> {
    let mut rest = message;
    let mut status = 0;
    while !rest.is_empty() {
        let key = varint(&mut rest)?;
        match key & 7 {
            0 => {
                let value = varint(&mut rest)?;
                if key >> 3 == 1 {
                    status = value;
                }
            }
            1 => rest = rest.get(8..)?,
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                rest = rest.get(length..)?;
            }
            5 => rest = rest.get(4..)?,
            _ => return None,
        }
    }
    Some(status)
}

/// A number of protobuf: seven bits a byte, the lowest first.
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(value);
        }
    }
    None
}

/// A message as `grpc-message` has it: percent-encoded (gRPC over HTTP/2, "Percent-Byte").
fn decoded(message: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(message.len());
    let mut rest = message;
    while let Some((byte, after)) = rest.split_first() {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let encoded = match *rest {
            [b'%', high, low, ..] => digit(high).zip(digit(low)),
            _ => None,
        };
        let decoded = encoded.and_then(|(high, low)| u8::try_from(high << 4 | low).ok());
        bytes.push(decoded.unwrap_or(*byte));
        rest = match decoded {
            Some(_) => rest.get(3..).unwrap_or_default(),
            None => after,
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn turned_away(word: &str) -> Answer {
    // What gRPC's own libraries call it ("HTTP2 Transport Mapping").
    Answer::not_serving(format!("it turns the call away ({word})")).with_code("UNAVAILABLE")
}

#[cfg(test)]
mod tests;
