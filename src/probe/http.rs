//! The HTTP probe: any answer that is expected means up; only the head is awaited.

mod answer;
mod hop;
mod judge;
mod method;
mod request;
mod status_set;

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use reqwest::Url;
use reqwest::header::{HOST, HeaderMap};

pub use method::Method;
pub use status_set::StatusSet;

use answer::{Answer, Leads};
use hop::{Hop, Shared, Told, has_query, lock};

use super::failure::{self, Unanswered};
use super::timed::Timed;
use super::{Attempt, AttemptBudget};
use crate::net::dial::{Destination, DialError, dial};
use crate::net::http1::Broken;
use crate::net::{Network, http1, http2, machine};

/// What is offered in TLS, the preferred one first.
const BOTH: &[&[u8]] = &[HTTP2, HTTP1];
const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// How to ask one HTTP service.
#[derive(Debug)]
pub struct HttpProbe {
    /// The address to ask.
    pub url: Url,
    /// Whether it is shown as `ws` or `wss`, as it was written.
    pub websocket: bool,
    /// The method.
    pub method: Method,
    /// Headers for the target's own origin.
    pub headers: HeaderMap,
    /// Which statuses are up.
    pub expect: StatusSet,
    /// How many redirects to follow.
    pub redirects: u32,
}

impl HttpProbe {
    /// The address as it was written, fit to be shown, cut to `limit` characters.
    pub(super) fn address(&self, limit: usize) -> String {
        let shown = crate::text::show_url(&self.url, limit);
        match shown.strip_prefix("http") {
            Some(rest) if self.websocket => format!("ws{rest}"),
            _ => shown,
        }
    }

    /// Tries once.
    pub async fn attempt(&self, network: &Network, budget: AttemptBudget<'_>) -> Attempt {
        let timed = Timed::begin(budget);
        let walk = Shared::default();
        let (done, ended) = timed.run(pin!(self.walk(network, &walk))).await;
        let attempt = match done {
            Some(Ok((hop, mut answer))) => {
                let attempt = self.judge(&mut answer, &hop, &walk, timed.until).await;
                answer.leave();
                attempt
            }
            Some(Err(why)) if is_login_wanted(&why, &walk) => self.wants_login(&walk),
            done => {
                let why = done.and_then(Result::err);
                let why = why.as_ref();
                let attempt = self.fail(&walk, ended.limit(), |scene| ended.explain(why, scene));
                Attempt {
                    cut_short: ended.was_cut_short(why),
                    ..attempt
                }
            }
        };
        timed.close(attempt)
    }

    /// Asks, and follows redirects to the last answer.
    async fn walk(&self, network: &Network, walk: &Shared) -> Result<(Hop, Answer), Unanswered> {
        let mut method = reqwest::Method::from(self.method);
        let mut hop = self.first_hop(network);
        // The redirect that led to this hop.
        let mut before: Option<(Hop, Answer)> = None;
        loop {
            lock(walk).hop = Some(hop.clone());
            let mut answer = match self.ask(network, &hop, &method).await {
                Ok(answer) => answer,
                Err(Unanswered::Http(Broken::WantsHttp1)) if !hop.http1 => {
                    let mut state = lock(walk);
                    state.over(&hop, None);
                    hop.sign(hop.seen().address(), &mut state.evidence);
                    hop = hop.over_http1();
                    continue;
                }
                Err(why @ Unanswered::Dial(DialError::LinkLocal)) => {
                    // Judged by the redirect itself, as if the address were written in it.
                    let Some((redirect, mut answer)) = before else {
                        return Err(why);
                    };
                    answer.withheld = true;
                    let mut state = lock(walk);
                    state.hop = Some(redirect.clone());
                    state.followed -= 1;
                    return Ok((redirect, answer));
                }
                Err(why) => return Err(why),
            };
            let mut state = lock(walk);
            state.over(&hop, Some(Instant::now()));
            // An error through a plain proxy may be the proxy's own.
            let status = answer.status;
            if !hop.speaks_for_target() || status < 500 && status != 407 {
                hop.sign(Some(answer.from), &mut state.evidence);
            }
            let next = match answer.leads(&hop.url) {
                Leads::To(next) if state.followed < self.redirects => next,
                Leads::Withheld => {
                    answer.withheld = true;
                    return Ok((hop, answer));
                }
                Leads::To(_) | Leads::Nowhere => return Ok((hop, answer)),
            };
            state.followed += 1;
            if self.expect.contains(status) {
                state.expected = Some(status);
            }
            // RFC 9110, 15.4.4: 303 says that the answer is to be fetched with GET.
            if status == 303 && method != reqwest::Method::HEAD {
                method = reqwest::Method::GET;
            }
            let following = self.next_hop(network, &hop, next);
            answer.leave();
            before = Some((hop, answer));
            hop = following;
        }
    }

    /// Whether the target's own headers name another host than its address does. HTTP/2 has no
    /// such header, and servers refuse one that contradicts the address.
    fn names_a_host(&self) -> bool {
        self.headers.contains_key(HOST)
    }

    fn first_hop(&self, network: &Network) -> Hop {
        Hop {
            proxy: network.proxies.on_the_way(&self.url),
            url: self.url.clone(),
            progress: Arc::default(),
            redirected: false,
            http1: self.names_a_host(),
            told: Told {
                now: has_query(&self.url) || !self.headers.is_empty(),
                ..Told::default()
            },
        }
    }

    fn next_hop(&self, network: &Network, from: &Hop, url: Url) -> Hop {
        Hop {
            proxy: network.proxies.on_the_way(&url),
            progress: Arc::default(),
            redirected: true,
            http1: from.http1 && url.origin() == from.url.origin()
                || self.names_a_host() && url.origin() == self.url.origin(),
            told: from.told.redirected(&url, &self.url),
            url,
        }
    }

    /// One request, over a connection of its own.
    async fn ask(
        &self,
        network: &Network,
        hop: &Hop,
        method: &reqwest::Method,
    ) -> Result<Answer, Unanswered> {
        let proxy = hop.proxy.as_ref();
        let proxy = proxy.map_err(|unusable| Unanswered::Proxy(unusable.clone()))?;
        let whole = request::uri(&hop.url).map_err(Unanswered::Http)?;
        let encrypted = hop.url.scheme() == "https";
        let host = hop.url.host_str().unwrap_or_default();
        let to = Destination {
            host: host.trim_matches(['[', ']']),
            port: hop.url.port_or_known_default().unwrap_or_default(),
            proxy: proxy.as_ref(),
            tls: encrypted.then_some(if hop.http1 { &[HTTP1] } else { BOTH }),
            redirected: hop.redirected,
        };
        let connection = dial(network, &to, &hop.progress)
            .await
            .map_err(Unanswered::Dial)?;
        let (stream, from) = (connection.stream, connection.peer);
        let answered = if connection.alpn.as_deref() == Some(HTTP2) {
            let request = request::http2(whole, method, self.headers_for(&hop.url));
            let answered = http2::ask(stream, request).await;
            answered.map(|answer| Answer::http2(answer, from))
        } else {
            let request = request::http1(hop, whole, method, self.headers_for(&hop.url));
            let answered = http1::ask(stream, request).await;
            answered.map(|answer| Answer::http1(answer, from))
        };
        answered.map_err(Unanswered::Http)
    }

    /// The target's own headers go to its own origin only.
    fn headers_for(&self, url: &Url) -> HeaderMap {
        if url.origin() == self.url.origin() {
            self.headers.clone()
        } else {
            HeaderMap::new()
        }
    }
}

/// Whether the last request failed because the server wants a client certificate.
fn is_login_wanted(why: &Unanswered, walk: &Shared) -> bool {
    let hop = lock(walk).hop.clone();
    hop.is_some_and(|hop| failure::wants_login(why, &hop.seen()))
}

/// Whether an address names this machine itself.
#[must_use]
pub fn is_this_machine_host(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    machine::is_own_host(host.trim_matches(['[', ']']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_this_machine() {
        for (url, expected) in [
            ("http://127.9.9.9/", true),
            ("http://[::1]:8/", true),
            ("http://[::ffff:127.0.0.1]/", true),
            ("http://a.localhost/", true),
            ("http://192.0.2.1/", false),
            ("http://localhost.example/", false),
        ] {
            assert_eq!(
                is_this_machine_host(&Url::parse(url).unwrap()),
                expected,
                "{url}"
            );
        }
    }
}
