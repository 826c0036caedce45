//! The request that failed, as far as it came, in words.

use std::time::Duration;

use super::Twin;
use crate::net::dial::{Seen, Stage};
use crate::net::proxy::Proxy;
use crate::probe::Cause;
use crate::text;

/// The request that failed, as far as it came.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    /// The host that was to be reached.
    pub(crate) host: &'a str,
    /// What it was to be asked in, as people call it.
    pub(crate) protocol: &'static str,
    /// The proxy on the way, if there is one.
    pub(crate) proxy: Option<&'a Proxy>,
    /// How far it came.
    pub(crate) seen: &'a Seen,
    /// How long the attempt was allowed to take.
    pub(crate) limit: Limit,
    /// Whether a redirect led here, so that the runner has a way out.
    pub(crate) redirected: bool,
    /// Whether the server asked for HTTP/1.1 before.
    pub(crate) http1: bool,
    /// How the same would be asked with TLS, or without.
    pub(crate) twin: Twin,
}

/// How long an attempt was allowed to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The time that it had.
    pub time: Duration,
    /// The target's timeout.
    pub timeout: Duration,
}

impl Limit {
    /// Whether the run's deadline left it less than its timeout.
    #[must_use]
    pub(crate) fn is_cut_short(&self) -> bool {
        self.time < self.timeout
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let time = text::show_duration(self.time);
        if self.is_cut_short() {
            let timeout = text::show_duration(self.timeout);
            write!(
                f,
                "the {time} that the step's deadline left it (its timeout is {timeout})"
            )
        } else {
            f.write_str(&time)
        }
    }
}

impl Scene<'_> {
    /// The peer in words. Before a connection stands there may be several.
    pub(super) fn peer(&self) -> String {
        let seen = self.seen;
        match (self.proxy, seen.address()) {
            (Some(proxy), _) => format!("the proxy {}", proxy.shown),
            (None, None) => self.target(),
            (None, Some(one)) if seen.stage > Stage::Connect || seen.addresses.len() < 2 => {
                one.to_string()
            }
            (None, Some(one)) => format!("{one} (and {} more)", seen.addresses.len() - 1),
        }
    }

    /// The host that was to be reached, fit to be shown.
    pub(super) fn target(&self) -> String {
        text::sanitize(self.host, text::PIECE)
    }

    /// Whether a failure now is about the way to the proxy, or about its tunnel.
    pub(super) fn is_before_target(&self) -> bool {
        match self.proxy {
            Some(proxy) if proxy.speaks_for_target => self.seen.stage < Stage::Open,
            Some(_) => self.seen.stage < Stage::Tls,
            None => false,
        }
    }

    /// The host that was being spoken to: the proxy's, until it has made its tunnel.
    pub(super) fn host_spoken_to(&self) -> String {
        match self.proxy {
            Some(proxy) if proxy.speaks_for_target || self.is_before_target() => {
                text::sanitize(&proxy.host, text::PIECE)
            }
            _ => self.target(),
        }
    }

    /// What to ask about a port that did not answer in TLS.
    pub(super) fn without_tls(&self) -> String {
        let handshake = self.seen.handshake.as_ref();
        // It speaks TLS.
        if handshake.is_some_and(|handshake| handshake.asked_for_certificate()) {
            return String::new();
        }
        self.twin.without_tls()
    }

    /// What to write for a port that wants TLS, where it was spoken to without.
    pub(super) fn with_tls(&self) -> String {
        // It may be the proxy that wants it.
        if self.seen.handshake.is_some() || self.proxy.is_some() {
            return String::new();
        }
        self.twin.with_tls()
    }

    /// Whether a proxy that is to answer itself, for plain HTTP, did not answer like one.
    pub(super) fn is_cut_by_proxy(&self, cause: Cause) -> bool {
        self.proxy.is_some_and(|proxy| proxy.speaks_for_target)
            && matches!(
                cause,
                Cause::Reset | Cause::Closed | Cause::Protocol | Cause::Tls
            )
    }
}
