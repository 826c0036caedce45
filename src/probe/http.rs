//! The HTTP probe: any answer that is expected means up; only the head is awaited.

mod answer;
mod hop;
mod judge;
mod method;
mod status_set;

use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::header::{HOST, HeaderMap};
use reqwest::{Response, Url};

pub use method::Method;
pub use status_set::StatusSet;

use answer::{Answer, Leads};
use hop::{Hop, Shared, Told, has_query, lock, peers_of};

use super::classify::{self, Failure, Limit, Scene};
use super::pulse;
use super::{Attempt, AttemptBudget, Cause, tunnel};
use crate::net::client::NetworkError;
use crate::net::proxy::Proxy;
use crate::net::timer::in_time;
use crate::net::trace::{self, Trace};
use crate::net::{Network, machine};

/// How to ask one HTTP service.
#[derive(Debug)]
pub struct HttpProbe {
    /// The address to ask.
    pub url: Url,
    /// The method.
    pub method: Method,
    /// Headers for the target's own origin.
    pub headers: HeaderMap,
    /// Which statuses are up.
    pub expect: StatusSet,
    /// How many redirects to follow.
    pub redirects: u32,
}

/// Why a walk ended without an answer.
enum Broken {
    Client(NetworkError),
    Request(reqwest::Error),
    Proxy(Failure),
}

impl HttpProbe {
    /// Tries once.
    pub async fn attempt(&self, network: &Network, budget: AttemptBudget<'_>) -> Attempt {
        let started = Instant::now();
        let until = budget.latest.min(started + budget.timeout).max(started);
        let limit = Limit {
            time: until.saturating_duration_since(started),
            timeout: budget.timeout,
        };
        let stood = budget.pulse.stood_still();
        let walk = Shared::default();
        let (waited, proxy_there) = {
            let mut walking = pin!(self.walk(network, &walk, budget.timeout, until));
            let half = limit.time / 2;
            let mut looking = pin!(look_at_proxy(network, &walk, started + half, half));
            let mut walking = pin!(in_time(until, walking.as_mut()));
            let mut proxy_there = None;
            let waited = loop {
                tokio::select! {
                    biased;
                    waited = &mut walking => break waited,
                    there = &mut looking, if proxy_there.is_none() => proxy_there = Some(there),
                }
            };
            (waited, proxy_there.flatten())
        };
        let stood = budget.pulse.stood_still().saturating_sub(stood);
        let standstill = |wait| pulse::is_standstill(stood, waited.late, wait);
        let mut attempt = match waited.done {
            Some(Ok((hop, answer))) => self.judge(answer, &hop, &walk, until).await,
            ended => {
                let broken = ended.and_then(Result::err);
                let timed_out = broken.as_ref().is_none_or(Broken::is_timer);
                let mut attempt = self.fail(&walk, limit, |scene| {
                    let failure = match &broken {
                        Some(broken) if !timed_out => broken.classify(scene),
                        _ => classify::timeout(scene, proxy_there),
                    };
                    match failure.waited.and_then(standstill) {
                        Some(stood) => classify::stood_still(scene, stood),
                        None => failure,
                    }
                });
                attempt.cut_short = timed_out && limit.is_cut_short();
                attempt
            }
        };
        attempt.started = started;
        attempt.duration = started.elapsed();
        attempt
    }

    /// Asks, and follows redirects to the last answer.
    async fn walk(
        &self,
        network: &Network,
        walk: &Shared,
        timeout: Duration,
        until: Instant,
    ) -> Result<(Hop, Answer), Broken> {
        let mut method = reqwest::Method::from(self.method);
        let mut hop = self.first_hop(network);
        // The redirect that led to this hop.
        let mut before: Option<(Hop, Answer)> = None;
        loop {
            lock(walk).hop = Some(hop.clone());
            let mut answer = match self.ask(network, &hop, &method, timeout).await {
                Ok(answer) => Answer::from(answer),
                Err(Broken::Request(error)) if classify::asks_for_http1(&error) && !hop.http1 => {
                    let mut state = lock(walk);
                    state.over(&hop, None);
                    hop.sign(
                        peers_of(&hop, &hop.seen()).first().copied(),
                        &mut state.evidence,
                    );
                    hop = hop.over_http1();
                    continue;
                }
                Err(Broken::Request(error)) if classify::is_withheld(&error) => {
                    // Judged by the redirect itself, as if the address were written in it.
                    let Some((redirect, mut answer)) = before else {
                        return Err(Broken::Request(error));
                    };
                    answer.withheld = true;
                    let mut state = lock(walk);
                    state.hop = Some(redirect.clone());
                    state.followed -= 1;
                    return Ok((redirect, answer));
                }
                Err(Broken::Request(error)) => {
                    return Err(explain(network, &hop, error, timeout, until).await);
                }
                Err(broken) => return Err(broken),
            };
            let mut state = lock(walk);
            state.over(&hop, Some(Instant::now()));
            // An error through a plain proxy may be the proxy's own.
            let status = answer.status;
            if !hop.speaks_for_target() || status < 500 && status != 407 {
                hop.sign(answer.from, &mut state.evidence);
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
            before = Some((hop, answer.without_body()));
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
            proxy: proxy_of(network, &self.url),
            url: self.url.clone(),
            trace: Arc::default(),
            sent: Instant::now(),
            http1: self.names_a_host(),
            told: Told {
                now: has_query(&self.url) || !self.headers.is_empty(),
                ..Told::default()
            },
        }
    }

    fn next_hop(&self, network: &Network, from: &Hop, url: Url) -> Hop {
        let proxy = proxy_of(network, &url);
        let trace = Trace {
            // Behind a proxy, it is the proxy's address that is looked up here.
            redirected: proxy.is_none(),
            ..Trace::default()
        };
        Hop {
            proxy,
            trace: Arc::new(Mutex::new(trace)),
            sent: Instant::now(),
            http1: from.http1 && url.origin() == from.url.origin()
                || self.names_a_host() && url.origin() == self.url.origin(),
            told: from.told.redirected(&url, &self.url),
            url,
        }
    }

    async fn ask(
        &self,
        network: &Network,
        hop: &Hop,
        method: &reqwest::Method,
        timeout: Duration,
    ) -> Result<Response, Broken> {
        if let Err(unusable) = network.proxies.on_the_way(&hop.url) {
            let failure = Failure::new(Cause::Proxy, unusable.to_string());
            return Err(Broken::Proxy(failure));
        }
        let client = if hop.http1 {
            network.http1_client(timeout)
        } else {
            network.client(timeout)
        };
        let client = client.map_err(Broken::Client)?;
        let mut request = client.request(method.clone(), hop.url.clone());
        if hop.url.origin() == self.url.origin() {
            request = request.headers(self.headers.clone());
        }
        trace::watch(Arc::clone(&hop.trace), request.send())
            .await
            // The address has a query that must not show.
            .map_err(|error| Broken::Request(error.without_url()))
    }
}

/// The proxy on the way, if it can be used; [`HttpProbe::ask`] says so where it cannot.
fn proxy_of(network: &Network, url: &Url) -> Option<Proxy> {
    network.proxies.on_the_way(url).ok().flatten()
}

impl Broken {
    fn classify(&self, scene: &Scene<'_>) -> Failure {
        match self {
            Self::Client(error) => Failure::new(Cause::Local, error.to_string()),
            Self::Request(error) => classify::error(error, scene),
            Self::Proxy(failure) => failure.clone(),
        }
    }

    /// Whether it is the library's own connect timeout that ended it. It comes after ours,
    /// unless both are late.
    fn is_timer(&self) -> bool {
        match self {
            Self::Request(error) => error.is_timeout() && !classify::says_why(error),
            Self::Client(_) | Self::Proxy(_) => false,
        }
    }
}

/// A failed request: where a tunnel was refused, the proxy is asked what it meant.
async fn explain(
    network: &Network,
    hop: &Hop,
    error: reqwest::Error,
    timeout: Duration,
    until: Instant,
) -> Broken {
    let seen = hop.seen();
    let proxy = hop.proxy.as_ref();
    let tunnel = seen.dialled.is_some() && !seen.greeted(proxy) && seen.connected.is_none();
    if let Some(proxy) = proxy.filter(|proxy| tunnel && !proxy.speaks_for_target) {
        let said_why = classify::says_why(&error);
        if !said_why && !proxy.takes_connect {
            return Broken::Proxy(tunnel::of_socks(&error, &hop.url, proxy));
        }
        let left = until.saturating_duration_since(Instant::now());
        if !said_why
            && let Ok(failure) =
                tokio::time::timeout(left, tunnel::ask(network, &hop.url, proxy, timeout)).await
        {
            return Broken::Proxy(failure);
        }
    }
    Broken::Request(error)
}

/// Half-way through an attempt that still waits for a proxy's tunnel, looks whether the proxy
/// takes connections at all. `None` where no proxy is waited for.
async fn look_at_proxy(
    network: &Network,
    walk: &Shared,
    when: Instant,
    limit: Duration,
) -> Option<bool> {
    tokio::time::sleep_until(when.into()).await;
    let hop = lock(walk).hop.clone()?;
    let proxy = hop
        .proxy
        .as_ref()
        .filter(|proxy| !proxy.speaks_for_target)?;
    let seen = hop.seen();
    if seen.greeted(Some(proxy)) || seen.connected.is_some() {
        return None;
    }
    Some(tunnel::is_there(network, proxy, limit).await)
}

/// Whether an address names this machine itself.
#[must_use]
pub fn is_this_machine_host(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    match host.parse::<IpAddr>() {
        Ok(ip) => machine::is_own(ip),
        Err(_) => {
            let host = host.trim_end_matches('.');
            host == "localhost" || host.ends_with(".localhost")
        }
    }
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
