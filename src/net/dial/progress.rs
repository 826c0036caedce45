//! How far a connection came: read by the timeout around it, and where it failed.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::tls::Handshake;

/// What a connection is at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Nothing yet.
    #[default]
    Start,
    /// A name server is asked.
    Name,
    /// Addresses are connected to.
    Connect,
    /// TLS with the proxy.
    ProxyTls,
    /// A SOCKS proxy was greeted, and does not know yet where the tunnel is to lead.
    Greeting,
    /// The proxy is asked for a tunnel.
    Tunnel,
    /// TLS with the destination.
    Tls,
    /// The connection stands.
    Open,
}

impl Stage {
    /// All of them, in their order.
    pub(crate) const ALL: [Self; 8] = [
        Self::Start,
        Self::Name,
        Self::Connect,
        Self::ProxyTls,
        Self::Greeting,
        Self::Tunnel,
        Self::Tls,
        Self::Open,
    ];
}

/// Shared by a connection that is being made and the timeout around it.
#[derive(Debug, Default)]
pub(crate) struct Progress(Mutex<Seen>);

/// What was seen of a connection so far.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    /// What it is at, or where it failed.
    pub(crate) stage: Stage,
    /// Where it can go: the addresses that the name has, in the order in which they came.
    pub(crate) addresses: Vec<SocketAddr>,
    /// The address that was connected to; before that, the one whose failure says most.
    pub(crate) peer: Option<SocketAddr>,
    /// Whether an address refused, while others may still answer.
    pub(crate) refused: bool,
    /// Whether an address waits because the runner has no file descriptor for it.
    pub(crate) held_back: bool,
    /// TLS with the proxy.
    pub(crate) proxy_handshake: Option<Arc<Handshake>>,
    /// TLS with the destination.
    pub(crate) handshake: Option<Arc<Handshake>>,
    /// When each stage began.
    entered: [Option<Instant>; Stage::ALL.len()],
}

impl Progress {
    /// Another stage begins.
    pub(super) fn enter(&self, stage: Stage) {
        self.note(|seen| {
            seen.stage = stage;
            if let Some(entered) = seen.entered.get_mut(stage as usize) {
                *entered = Some(Instant::now());
            }
        });
    }

    /// Takes something down.
    pub(super) fn note(&self, write: impl FnOnce(&mut Seen)) {
        write(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Addresses that can be connected to have come.
    pub(super) fn add(&self, addresses: &[IpAddr], port: u16) {
        self.note(|seen| {
            let new = addresses.iter().map(|ip| SocketAddr::new(*ip, port));
            seen.addresses.extend(new);
        });
    }

    /// What was seen so far.
    pub(crate) fn seen(&self) -> Seen {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Seen {
    /// The address to name: the one that was connected to, or whose failure says most, or that
    /// was tried first.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.peer.or_else(|| self.addresses.first().copied())
    }

    fn entered(&self, stage: Stage) -> Option<Instant> {
        self.entered.get(stage as usize).copied().flatten()
    }

    /// How long the name took; `None` where there was none, or no answer.
    pub(crate) fn name_took(&self) -> Option<Duration> {
        Some(
            self.entered(Stage::Connect)?
                .saturating_duration_since(self.entered(Stage::Name)?),
        )
    }

    /// How long TCP took, with the proxy's tunnel where there is one.
    pub(crate) fn connect_took(&self) -> Option<Duration> {
        let end = self.entered(Stage::Tls).or(self.entered(Stage::Open))?;
        Some(end.saturating_duration_since(self.entered(Stage::Connect)?))
    }

    /// How long TLS with the destination took.
    pub(crate) fn tls_took(&self) -> Option<Duration> {
        Some(
            self.entered(Stage::Open)?
                .saturating_duration_since(self.entered(Stage::Tls)?),
        )
    }

    /// Why the certificate of a server was refused with which TLS went on all the same.
    pub(crate) fn refused_certificate(&self) -> Option<&rustls::Error> {
        self.handshake.as_ref()?.refused()
    }

    /// How long the destination's certificate is still valid, where it is good.
    pub(crate) fn certificate_left(&self) -> Option<Duration> {
        self.handshake.as_ref()?.left()
    }

    /// Since when its addresses are tried.
    pub(crate) fn tried_since(&self) -> Option<Instant> {
        self.entered(Stage::Connect)
    }

    /// Since when the connection stands.
    pub(crate) fn open_since(&self) -> Option<Instant> {
        self.entered(Stage::Open)
    }
}
