//! Heads that the HTTP library refuses and curl takes: HTTP/1.0 with `Transfer-Encoding`, a
//! `Content-Length` that is none or is said twice, a carriage return or a tab within a line. A
//! probe wants the status and a few fields, and never the length of a body.

use http::header::{CONTENT_LENGTH, HeaderName, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue};

use super::FIELD_LIMIT;
use crate::net::HEAD_LIMIT;

/// The fields that are kept: where a redirect leads, and when to come back.
const KEPT: [HeaderName; 2] = [LOCATION, RETRY_AFTER];

/// Whether it begins as the head of an answer, and its end is still to come.
pub(super) fn is_unfinished(received: &[u8]) -> bool {
    match last_head(received) {
        Some(head) => status(head).is_some() && length(head).is_none(),
        None => false,
    }
}

/// Status and fields of a complete head; `None` for what curl would not take, either.
pub(super) fn read(received: &[u8]) -> Option<(u16, HeaderMap)> {
    let head = last_head(received)?;
    let head = head.get(..length(head)?)?;
    // Status line and empty line beside the fields.
    let lines = head.split(|byte| *byte == b'\n').count();
    if head.len() > HEAD_LIMIT || lines > FIELD_LIMIT + 3 {
        return None;
    }
    let status = status(head)?;
    let mut headers = HeaderMap::new();
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = line.split_at(colon);
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let Ok(name) = HeaderName::from_bytes(name.trim_ascii()) else {
            continue;
        };
        if name == CONTENT_LENGTH && !is_near_number(value) {
            return None;
        }
        if KEPT.contains(&name)
            && let Ok(value) = HeaderValue::from_bytes(value)
        {
            headers.append(name, value);
        }
    }
    Some((status, headers))
}

/// What follows the heads of interim answers (1xx, without 101); `None` where nothing does.
fn last_head(mut received: &[u8]) -> Option<&[u8]> {
    while let Some(100 | 102..200) = status(received) {
        received = received.get(length(received)?..)?;
    }
    (!received.is_empty()).then_some(received)
}

/// The length of a head, with the empty line at its end.
fn length(head: &[u8]) -> Option<usize> {
    let mut at = 0;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        if matches!(line, b"\n" | b"\r\n") {
            return Some(at);
        }
    }
    None
}

/// The status in a status line of HTTP/1: version, blank or tab, three digits and no fourth.
fn status(head: &[u8]) -> Option<u16> {
    let rest = head.strip_prefix(b"HTTP/1.")?;
    let [b'0' | b'1', b' ' | b'\t', digits @ .., end] = rest.get(..6)? else {
        return None;
    };
    if end.is_ascii_digit() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let status: u16 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (status >= 100).then_some(status)
}

/// Whether a length is one, or begins as one, or is left out: `5`, `+5`, `5.0`, nothing.
fn is_near_number(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"+").unwrap_or(value);
    digits.first().is_none_or(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_curl_takes_is_taken() {
        for (head, expected) in [
            (
                "HTTP/1.0 401 X\r\nTransfer-Encoding: chunked\r\n\r\n",
                Some(401),
            ),
            ("HTTP/1.1 401 X\r\nContent-Length:\r\n\r\n", Some(401)),
            ("HTTP/1.1 401 X\r\nContent-Length: +5\r\n\r\n", Some(401)),
            ("HTTP/1.1 401 X\r\nContent-Length: 5.0\r\n\r\n", Some(401)),
            (
                "HTTP/1.1 401 X\r\nContent-Length: 18446744073709551615\r\n\r\n",
                Some(401),
            ),
            ("HTTP/1.1 401 X\r\nA: b\rc\r\n\r\n", Some(401)),
            ("HTTP/1.1\t401\tX\r\n\r\n", Some(401)),
            ("HTTP/1.1 401\r\n\r\n", Some(401)),
            ("HTTP/1.1 401 X\n\n", Some(401)),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 X\r\n\r\n",
                Some(503),
            ),
            ("HTTP/1.1 401 X\r\nContent-Length: many\r\n\r\n", None),
            ("HTTP/1.1 401 X\r\nContent-Length: -1\r\n\r\n", None),
            ("HTTP/1.1 100 Continue\r\n\r\n", None),
            ("HTTP/3.9 200 OK\r\n\r\n", None),
            ("HTTP/1.2 200 OK\r\n\r\n", None),
            ("HTTP/1.1 4011 X\r\n\r\n", None),
            ("HTTP/1.1 099 X\r\n\r\n", None),
            ("HTTP/1.1 40\r\n\r\n", None),
            ("220 mail.example ESMTP ready\r\n\r\n", None),
            ("", None),
        ] {
            let read = read(head.as_bytes());
            assert_eq!(read.map(|(status, _)| status), expected, "{head:?}");
        }
    }

    #[test]
    fn fields_that_count_are_kept() {
        let head = b"HTTP/1.0 302 X\r\nTransfer-Encoding: chunked\r\nLocation : /there \r\nX: y\r\n\r\nLocation: /body";
        let (_, headers) = read(head).unwrap();
        let kept: Vec<_> = headers.iter().map(|(_, value)| value).collect();
        assert_eq!(kept, ["/there"]);
    }

    #[test]
    fn only_a_head_that_has_begun_is_waited_for() {
        for (received, expected) in [
            ("HTTP/1.1 401 X\r\nA: b\rc", true),
            ("HTTP/1.1 401 X\r\n\r\n", false),
            ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 X\r\n", true),
            ("220 mail.example\r\n", false),
            ("", false),
        ] {
            assert_eq!(is_unfinished(received.as_bytes()), expected, "{received}");
        }
    }
}
