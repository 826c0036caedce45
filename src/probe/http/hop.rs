//! One request on the way from redirect to redirect, and how far it came.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use reqwest::Url;

use super::is_loopback_host;
use crate::net::proxy::Proxy;
use crate::net::trace::Trace;
use crate::probe::{Phases, Signs};

/// One request on the way from redirect to redirect. Shared with the timeout around it.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) hop: Option<Hop>,
    /// Phases of the hops before.
    pub(super) phases: Phases,
    pub(super) signs: Signs,
    /// How many redirects were followed.
    pub(super) followed: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Hop {
    pub(super) url: Url,
    pub(super) proxy: Option<Proxy>,
    pub(super) trace: Arc<Mutex<Trace>>,
    pub(super) sent: Instant,
}

impl Hop {
    /// Whether a TLS handshake with the target itself has begun.
    pub(super) fn greeted(&self, seen: &Trace) -> bool {
        let to_proxy = self.proxy.as_ref().is_some_and(|proxy| proxy.encrypted);
        seen.hellos > u8::from(to_proxy)
    }

    /// Takes down a sign of life. Through a proxy it is the target's all the same, so it counts
    /// by where the target is, not by where the proxy is.
    pub(super) fn sign(&self, from: Option<SocketAddr>, signs: &mut Signs) {
        match &self.proxy {
            Some(_) => signs.add_from(is_loopback_host(&self.url)),
            None => signs.add(from),
        }
    }

    pub(super) fn speaks_for_target(&self) -> bool {
        self.proxy
            .as_ref()
            .is_some_and(|proxy| proxy.speaks_for_target)
    }

    pub(super) fn seen(&self) -> Trace {
        self.trace
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

pub(super) type Shared = Arc<Mutex<Walk>>;

pub(super) fn lock(walk: &Shared) -> std::sync::MutexGuard<'_, Walk> {
    walk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The addresses that a request could go to, with their port.
pub(super) fn peers_of(hop: &Hop, seen: &Trace) -> Vec<SocketAddr> {
    let (host, port) = match &hop.proxy {
        Some(proxy) => (proxy.host.as_str(), proxy.port),
        None => (
            hop.url
                .host_str()
                .unwrap_or_default()
                .trim_matches(['[', ']']),
            hop.url.port_or_known_default().unwrap_or_default(),
        ),
    };
    match host.parse::<IpAddr>() {
        Ok(literal) => vec![SocketAddr::new(literal, port)],
        Err(_) => seen
            .addresses
            .iter()
            .map(|ip| SocketAddr::new(*ip, port))
            .collect(),
    }
}

pub(super) fn phases_of(hop: &Hop, headed: Option<Instant>) -> Phases {
    let seen = hop.seen();
    let span =
        |from: Option<Instant>, to: Option<Instant>| Some(to?.saturating_duration_since(from?));
    let encrypted = seen.hello.is_some();
    let tcp = if encrypted {
        seen.hello
    } else {
        seen.connected
    };
    Phases {
        dns: span(seen.name_asked, seen.name_answered),
        connect: span(seen.name_answered.or(seen.dialled), tcp),
        tls: span(seen.hello, seen.connected),
        response: span(seen.connected.or(Some(hop.sent)), headed),
    }
}
