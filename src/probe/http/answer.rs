//! What an answer says beside its status: where it leads, when to come back, what went wrong.

use std::time::{Duration, Instant, SystemTime};

use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Response, Url};

use crate::net::client::{FIELD_LIMIT, HEAD_LIMIT};

/// How much of an unexpected answer's body is read for the detail text, in bytes.
const BODY_LIMIT: usize = 1024;

/// How long that may take. The verdict is known by then; a slow body must not hold it up.
const BODY_TIME: Duration = Duration::from_millis(500);

/// The address that a redirect points to, if it is one that is followed: http or https. User
/// info in it is dropped.
pub(super) fn next_url(answer: &Response, from: &Url) -> Option<Url> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = answer.headers().get(LOCATION)?;
    let location = String::from_utf8_lossy(location.as_bytes());
    let mut next = from.join(&location).ok()?;
    if !matches!(next.scheme(), "http" | "https") {
        return None;
    }
    next.set_username("").ok()?;
    next.set_password(None).ok()?;
    next.set_fragment(None);
    // What the HTTP library cannot ask for is not followed.
    next.as_str().parse::<::http::Uri>().ok()?;
    Some(next)
}

pub(super) fn is_beyond_limits(answer: &Response) -> bool {
    // Name, colon, blank, value, line end.
    let size: usize = answer
        .headers()
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    answer.headers().len() > FIELD_LIMIT || size > HEAD_LIMIT
}

/// `HTTP 503 Service Unavailable`, with the standard's words, not the server's.
pub(super) fn phrase(status: u16) -> String {
    let words = reqwest::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason());
    match words {
        Some(words) => format!("HTTP {status} {words}"),
        None => format!("HTTP {status}"),
    }
}

/// The start of a body that people can read. Pages of markup say less than the status.
pub(super) async fn read_text(mut answer: Response, until: Instant) -> Option<String> {
    let kind = answer.headers().get(reqwest::header::CONTENT_TYPE)?;
    let kind = kind.to_str().ok()?.to_ascii_lowercase();
    if !(kind.starts_with("text/plain")
        || kind.starts_with("application/") && kind.contains("json"))
    {
        return None;
    }
    let mut body = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = answer.chunk().await {
            body.extend_from_slice(chunk.get(..BODY_LIMIT - body.len()).unwrap_or(&chunk));
            if body.len() >= BODY_LIMIT {
                break;
            }
        }
    };
    // A body that is late is done without.
    let _ = tokio::time::timeout_at(until.min(Instant::now() + BODY_TIME).into(), reading).await;
    let said = String::from_utf8_lossy(&body).trim().to_owned();
    (!said.is_empty()).then_some(said)
}

/// How long `Retry-After` asks to wait: seconds or a date (RFC 9110, 10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are longer than anybody waits.
        return Some(Duration::from_secs(
            value.parse().unwrap_or(u64::from(u32::MAX)),
        ));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_takes_seconds_and_dates() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (value, expected) in [
            ("120", Some(120)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            ("Sun, 06 Nov 1994 08:40:37 GMT", Some(0)),
            ("99999999999999999999999", Some(u64::from(u32::MAX))),
            ("soon", None),
            ("-5", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            assert_eq!(
                retry_after(&headers, now),
                expected.map(Duration::from_secs),
                "{value}"
            );
        }
    }
}
