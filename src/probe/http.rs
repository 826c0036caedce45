//! The HTTP probe: any answer that is expected means up; only the head is awaited.

mod answer;
mod hop;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::HeaderMap;
use reqwest::{Response, Url};

use answer::{is_beyond_limits, next_url, phrase, read_text, retry_after};
use hop::{Hop, Shared, lock, peers_of, phases_of};

use super::classify::{self, Failure, Scene};
use super::{Attempt, Budget, Cause, Phases, Signs, tunnel};
use crate::net::client::NetworkError;
use crate::net::trace::{self, Trace};
use crate::net::{Network, machine};
use crate::target::{Method, StatusSet};
use crate::text;

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
    pub async fn attempt(&self, network: &Network, budget: Budget) -> Attempt {
        let started = Instant::now();
        let until = budget.latest.min(started + budget.timeout);
        let limit = until.saturating_duration_since(started);
        let walk = Shared::default();
        let (ended, proxy_there) = {
            let walking =
                tokio::time::timeout_at(until.into(), self.walk(network, &walk, budget, until));
            let looking = look_at_proxy(network, &walk, started + limit / 2, limit / 2);
            tokio::pin!(walking, looking);
            let mut proxy_there = None;
            let ended = loop {
                tokio::select! {
                    biased;
                    ended = &mut walking => break ended,
                    there = &mut looking, if proxy_there.is_none() => proxy_there = Some(there),
                }
            };
            (ended, proxy_there)
        };
        let mut attempt = match ended {
            Ok(Ok(answer)) => self.judge(answer, &walk, until).await,
            Ok(Err(broken)) => self.fail(&walk, limit, |scene| match &broken {
                Broken::Client(error) => Failure::new(Cause::Local, error.to_string()),
                Broken::Request(error) => classify::error(error, scene),
                Broken::Proxy(failure) => failure.clone(),
            }),
            Err(_) => {
                let mut attempt = self.fail(&walk, limit, |scene| {
                    classify::timeout(scene, proxy_there.flatten())
                });
                attempt.cut_short = limit < budget.timeout;
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
        budget: Budget,
        until: Instant,
    ) -> Result<Response, Broken> {
        let timeout = budget.timeout;
        let client = network.client(timeout).map_err(Broken::Client)?;
        let mut url = self.url.clone();
        let mut method = reqwest::Method::from(self.method);
        loop {
            let proxy = network.proxies.on_the_way(&url);
            let hop = Hop {
                proxy: proxy.clone().ok().flatten(),
                url: url.clone(),
                trace: Arc::default(),
                sent: Instant::now(),
            };
            lock(walk).hop = Some(hop.clone());
            if let Err(unusable) = proxy {
                let failure = Failure::new(Cause::Proxy, unusable.to_string());
                return Err(Broken::Proxy(failure));
            }
            let mut request = client.request(method.clone(), url.clone());
            if url.origin() == self.url.origin() {
                request = request.headers(self.headers.clone());
            }
            let answer = match trace::watch(Arc::clone(&hop.trace), request.send()).await {
                Ok(answer) => answer,
                Err(error) => return Err(explain(network, &hop, error, timeout, until).await),
            };
            let phases = phases_of(&hop, Some(Instant::now()));
            let mut state = lock(walk);
            // An error through a plain proxy may be the proxy's own.
            let status = answer.status().as_u16();
            if !hop.speaks_for_target() || status < 500 && status != 407 {
                hop.sign(answer.remote_addr(), &mut state.signs);
            }
            let next = next_url(&answer, &url).filter(|_| state.followed < self.redirects);
            let Some(next) = next else {
                return Ok(answer);
            };
            state.phases = state.phases.plus(phases);
            state.followed += 1;
            // RFC 9110, 15.4.4: 303 says that the answer is to be fetched with GET.
            if answer.status() == 303 && method != reqwest::Method::HEAD {
                method = reqwest::Method::GET;
            }
            url = next;
        }
    }

    /// Judges the last answer.
    async fn judge(&self, answer: Response, walk: &Shared, until: Instant) -> Attempt {
        let headed = Instant::now();
        let status = answer.status().as_u16();
        let (hop, before, signs, followed) = {
            let state = lock(walk);
            (state.hop.clone(), state.phases, state.signs, state.followed)
        };
        let proxy = hop.as_ref().and_then(|hop| hop.proxy.clone());
        let speaks_for_target = proxy.as_ref().is_some_and(|proxy| proxy.speaks_for_target);
        let mut attempt = Attempt {
            address: answer.remote_addr(),
            through_proxy: proxy.is_some(),
            http_status: Some(status),
            phases: before.plus(
                hop.map(|hop| phases_of(&hop, Some(headed)))
                    .unwrap_or_default(),
            ),
            final_url: (followed > 0).then(|| self.show(answer.url(), text::LONG)),
            signs,
            ..blank()
        };
        if let Some(proxy) = proxy.filter(|_| speaks_for_target && status == 407) {
            attempt.cause = Some(Cause::Proxy);
            attempt.detail = format!("the proxy {} wants a login (407)", proxy.shown);
            return attempt;
        }
        if is_beyond_limits(&answer) {
            attempt.cause = Some(Cause::Protocol);
            attempt.http_status = None;
            attempt.detail = String::from(
                "something answered, with a head beyond the limits of 256 KiB and 256 fields",
            );
            return attempt;
        }
        if self.expect.contains(status) {
            attempt.detail = phrase(status);
            return attempt;
        }
        attempt.cause = Some(Cause::Status);
        attempt.retry_after = retry_after(answer.headers(), SystemTime::now());
        let from = if followed > 0 {
            format!(" from {}", self.show(answer.url(), text::PIECE))
        } else {
            String::new()
        };
        let own = if speaks_for_target {
            "; this may be the answer of the proxy on the way, not the target's own"
        } else {
            ""
        };
        let last = answer.url().clone();
        let said = match read_text(answer, until).await {
            Some(said) => format!(": {}", self.masked(&said, &last, text::PIECE)),
            None => String::new(),
        };
        attempt.detail = format!("{}{from}{own}{said}", phrase(status));
        attempt
    }

    /// An attempt that got no answer, with what is known of how far it came.
    fn fail(&self, walk: &Shared, limit: Duration, why: impl Fn(&Scene<'_>) -> Failure) -> Attempt {
        let state = lock(walk);
        let Some(hop) = &state.hop else {
            let scene = Scene {
                host: "",
                peers: &[],
                proxy: None,
                trace: &Trace::default(),
                limit,
            };
            let failure = why(&scene);
            return Attempt {
                cause: Some(failure.cause),
                detail: failure.detail,
                ..blank()
            };
        };
        let seen = hop.seen();
        let peers = peers_of(hop, &seen);
        let failure = why(&Scene {
            host: hop.url.host_str().unwrap_or_default(),
            peers: &peers,
            proxy: hop.proxy.as_ref(),
            trace: &seen,
            limit,
        });
        let address = peers.first().copied();
        let mut signs = state.signs;
        // What a plain proxy does to a connection is its own doing.
        if failure.cause.is_sign_of_life() && !hop.speaks_for_target() {
            hop.sign(address, &mut signs);
        }
        let redirected = state.followed > 0;
        let shown = self.show(&hop.url, text::PIECE);
        Attempt {
            address,
            cause: Some(failure.cause),
            detail: if redirected {
                format!("redirected to {shown}: {}", failure.detail)
            } else {
                failure.detail
            },
            final_url: redirected.then_some(shown),
            phases: state.phases.plus(phases_of(hop, None)),
            signs,
            through_proxy: hop.proxy.is_some(),
            ..blank()
        }
    }

    /// An address on the way, fit to be shown. A redirect may carry what was sent in its path.
    fn show(&self, url: &Url, limit: usize) -> String {
        self.masked(&text::show_url(url, limit), url, limit)
    }

    /// Foreign text without what was sent.
    fn masked(&self, foreign: &str, url: &Url, limit: usize) -> String {
        let headers: Vec<_> = self
            .headers
            .values()
            .filter_map(|value| value.to_str().ok())
            .collect();
        text::show_body(foreign, &[&self.url, url], &headers, limit)
    }
}

/// An attempt about which nothing is known yet.
fn blank() -> Attempt {
    Attempt {
        started: Instant::now(),
        duration: Duration::ZERO,
        address: None,
        cause: None,
        http_status: None,
        detail: String::new(),
        final_url: None,
        phases: Phases::default(),
        retry_after: None,
        cut_short: false,
        through_proxy: false,
        signs: Signs::default(),
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
    let tunnel = seen.dialled.is_some() && !hop.greeted(&seen) && seen.connected.is_none();
    if let Some(proxy) = hop
        .proxy
        .as_ref()
        .filter(|proxy| tunnel && !proxy.speaks_for_target)
    {
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
    if hop.greeted(&seen) || seen.connected.is_some() {
        return None;
    }
    Some(tunnel::is_there(network, proxy, limit).await)
}

/// Whether an address names this machine itself.
#[must_use]
pub fn is_loopback_host(url: &Url) -> bool {
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
    fn loopback_hosts() {
        for (url, expected) in [
            ("http://127.9.9.9/", true),
            ("http://[::1]:8/", true),
            ("http://[::ffff:127.0.0.1]/", true),
            ("http://a.localhost/", true),
            ("http://192.0.2.1/", false),
            ("http://localhost.example/", false),
        ] {
            assert_eq!(
                is_loopback_host(&Url::parse(url).unwrap()),
                expected,
                "{url}"
            );
        }
    }
}
