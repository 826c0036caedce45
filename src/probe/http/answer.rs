//! What an answer says beside its status: where it leads, when to come back, what went wrong.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use hyper::body::Bytes;
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER};

use crate::durations::ERROR_BODY;
use crate::net::machine::is_link_local;
use crate::net::{HEAD_LIMIT, http1, http2};

/// How much of an unexpected answer's body is read for the detail text, in bytes.
const BODY_LIMIT: usize = 1024;

/// The head of an answer, and its body as long as somebody may want to read it.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) from: SocketAddr,
    /// Whether it is a redirect to a link-local address, which is not followed.
    pub(super) withheld: bool,
    body: Option<Body>,
}

/// What follows the head, by the version of HTTP. Boxed: a connection is large.
pub(super) enum Body {
    Http1(Box<http1::Answer>),
    Http2(Box<http2::Answer>),
}

impl Body {
    async fn chunk(&mut self) -> Option<Bytes> {
        match self {
            Self::Http1(answer) => answer.chunk().await,
            Self::Http2(answer) => answer.chunk().await,
        }
    }
}

/// Where an answer leads.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Leads {
    /// To another address.
    To(Url),
    /// To a link-local address.
    Withheld,
    /// Nowhere: it is not a redirect, or not one to an address that could be asked.
    Nowhere,
}

impl Answer {
    /// An answer in HTTP/1 from this address.
    pub(super) fn http1(mut answer: http1::Answer, from: SocketAddr) -> Self {
        Self {
            status: answer.status(),
            headers: answer.take_headers(),
            from,
            withheld: false,
            body: Some(Body::Http1(Box::new(answer))),
        }
    }

    /// An answer in HTTP/2 from this address.
    pub(super) fn http2(mut answer: http2::Answer, from: SocketAddr) -> Self {
        Self {
            status: answer.status(),
            headers: answer.take_headers(),
            from,
            withheld: false,
            body: Some(Body::Http2(Box::new(answer))),
        }
    }

    /// Where it leads, if it is a redirect: to an http or https address. User info in it is
    /// dropped.
    pub(super) fn leads(&self, from: &Url) -> Leads {
        if !matches!(self.status, 301 | 302 | 303 | 307 | 308) {
            return Leads::Nowhere;
        }
        match self.headers.get(LOCATION).map(|at| next_url(at, from)) {
            Some(Some(url)) if is_link_local_host(&url) => Leads::Withheld,
            Some(Some(url)) => Leads::To(url),
            _ => Leads::Nowhere,
        }
    }

    /// Closes the connection, as the protocol has it.
    pub(super) fn leave(&mut self) {
        match self.body.take() {
            Some(Body::Http1(answer)) => answer.leave(),
            Some(Body::Http2(answer)) => answer.leave(),
            None => {}
        }
    }

    pub(super) fn is_beyond_limits(&self) -> bool {
        // Name, colon, blank, value, line end.
        let size: usize = self
            .headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 4)
            .sum();
        self.headers.len() > http1::FIELD_LIMIT || size > HEAD_LIMIT
    }

    /// The start of the body, if people can read it. Pages of markup say less than the status.
    pub(super) async fn read_text(&mut self, until: Instant) -> Option<String> {
        let answer = self.body.as_mut()?;
        let kind = self.headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let kind = kind.to_ascii_lowercase();
        if !(kind.starts_with("text/plain")
            || kind.starts_with("application/") && kind.contains("json"))
        {
            return None;
        }
        let mut body = Vec::new();
        let reading = async {
            while let Some(chunk) = answer.chunk().await {
                body.extend_from_slice(chunk.get(..BODY_LIMIT - body.len()).unwrap_or(&chunk));
                if body.len() >= BODY_LIMIT {
                    break;
                }
            }
        };
        // A body that is late is done without.
        let latest = until.min(Instant::now() + ERROR_BODY);
        let _ = tokio::time::timeout_at(latest.into(), reading).await;
        let said = String::from_utf8_lossy(&body).trim().to_owned();
        (!said.is_empty()).then_some(said)
    }
}

fn next_url(location: &HeaderValue, from: &Url) -> Option<Url> {
    let location = String::from_utf8_lossy(location.as_bytes());
    // To the same place again, says the standard; to nowhere, say those who send it.
    if location.trim().is_empty() {
        return None;
    }
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

/// Whether an address is link-local as it is written.
fn is_link_local_host(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host.parse().is_ok_and(is_link_local)
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
    fn redirects_lead_somewhere_or_nowhere() {
        let from = Url::parse("http://h.example/a/b?c").unwrap();
        let to = |url: &str| Leads::To(Url::parse(url).unwrap());
        for (status, location, leads) in [
            (302, "/x", to("http://h.example/x")),
            (
                308,
                "https://u:p@other.example/?q#f",
                to("https://other.example/?q"),
            ),
            (302, "", Leads::Nowhere),
            (302, " \t ", Leads::Nowhere),
            (302, "ftp://h.example/", Leads::Nowhere),
            (302, "file:///etc/passwd", Leads::Nowhere),
            (302, "http://169.254.169.254/latest", Leads::Withheld),
            (302, "http://0xa9fea9fe/", Leads::Withheld),
            (302, "//[fe80::1]/", Leads::Withheld),
            (302, "http://[::ffff:169.254.1.1]/", Leads::Withheld),
            (200, "/x", Leads::Nowhere),
            (304, "/x", Leads::Nowhere),
        ] {
            let answer = Answer {
                status,
                headers: HeaderMap::from_iter([(LOCATION, location.parse().unwrap())]),
                from: SocketAddr::from(([127, 0, 0, 1], 80)),
                withheld: false,
                body: None,
            };
            assert_eq!(answer.leads(&from), leads, "{location:?}");
        }
    }

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
