//! Stage 3: one attempt to reach one target.
//!
//! A probe makes a single attempt and says what came of it. How often it is tried is
//! decided by `run::retry`, what it means by `verdict`. HTTP has a probe of its own; every other
//! protocol is one of `crate::protocol`, which [`conversation`] speaks.

pub(crate) mod cause;
pub(crate) mod conversation;
pub(crate) mod failure;
pub(crate) mod http;
pub(crate) mod pulse;
mod timed;

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::net::{Network, machine};
use crate::text;
pub use cause::Cause;
use pulse::Pulse;

/// How to ask a target, by protocol.
#[derive(Debug)]
pub enum Probe {
    /// HTTP or HTTPS.
    Http(http::HttpProbe),
    /// Any other protocol.
    Service(conversation::ServiceProbe),
}

/// The time that one attempt has.
#[derive(Debug, Clone, Copy)]
pub struct AttemptBudget<'a> {
    /// The target's own timeout.
    pub timeout: Duration,
    /// When the attempt must be over, whatever its timeout says.
    pub latest: Instant,
    /// Whether the runner itself stood still meanwhile.
    pub pulse: &'a Pulse,
}

impl Probe {
    /// Tries once. Returns within the budget, or a moment after it where the runner stood still
    /// at its end (`net::timer`).
    pub async fn attempt(&self, network: &Network, budget: AttemptBudget<'_>) -> Attempt {
        match self {
            Self::Http(probe) => probe.attempt(network, budget).await,
            // Boxed, so that the attempts of HTTP do not carry its size.
            Self::Service(probe) => Box::pin(probe.attempt(network, budget)).await,
        }
    }

    /// The protocol's name in the report.
    #[must_use]
    pub const fn protocol(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Service(probe) => probe.service.protocol.name,
        }
    }

    /// The address that is asked, fit to be shown, cut to `limit` characters.
    #[must_use]
    pub fn address(&self, limit: usize) -> String {
        match self {
            Self::Http(probe) => probe.address(limit),
            Self::Service(probe) => text::truncate(&probe.service.to_string(), limit),
        }
    }

    /// Whether the target's address says that it is on this machine.
    #[must_use]
    pub fn is_on_this_machine(&self) -> bool {
        match self {
            Self::Http(probe) => http::is_this_machine_host(&probe.url),
            Self::Service(probe) => machine::is_own_host(&probe.service.host),
        }
    }
}

/// What came of one attempt.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// When it began.
    pub started: Instant,
    /// How long it took.
    pub duration: Duration,
    /// The peer: the target's, or the proxy's where one stands on the way. Where a name has
    /// several addresses and none answered, the first that was tried.
    pub address: Option<SocketAddr>,
    /// Why it failed, or `None` if the target is up.
    pub cause: Option<Cause>,
    /// The status of the last answer, if one came.
    pub http_status: Option<u16>,
    /// What was answered, in the protocol's own words: `401`, `57P03`, `-LOADING`.
    pub code: Option<String>,
    /// What happened, for people: one line, clean, no query values.
    pub detail: String,
    /// What an `up` leaves open, where the protocol knows.
    pub note: Option<Cow<'static, str>>,
    /// Where redirects ended, if there were any.
    pub final_url: Option<String>,
    /// Where the time went.
    pub phases: Phases,
    /// How long the target asked not to be retried, from the end of the attempt.
    pub retry_after: Option<Duration>,
    /// Whether a proxy stood on the way; `address` is the proxy's then.
    pub through_proxy: bool,
    /// Whether it failed because the step's deadline cut it short of its own timeout.
    pub cut_short: bool,
    /// Evidence of life that came back.
    pub evidence: Evidence,
}

impl Attempt {
    /// One about which nothing is known yet.
    pub(crate) fn blank() -> Self {
        Self {
            started: Instant::now(),
            duration: Duration::ZERO,
            address: None,
            cause: None,
            http_status: None,
            code: None,
            detail: String::new(),
            final_url: None,
            phases: Phases::default(),
            retry_after: None,
            note: None,
            cut_short: false,
            through_proxy: false,
            evidence: Evidence::default(),
        }
    }

    /// Another note, behind those that there are.
    pub(crate) fn add_note(&mut self, note: impl Into<Cow<'static, str>>) {
        self.note = join(self.note.take(), Some(note.into()));
    }

    /// Whether the target is up.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        self.cause.is_none()
    }
}

/// Two notes as one.
#[must_use]
pub(crate) fn join(
    first: Option<Cow<'static, str>>,
    second: Option<Cow<'static, str>>,
) -> Option<Cow<'static, str>> {
    match (first, second) {
        (Some(first), Some(second)) => Some(Cow::Owned(format!("{first}; {second}"))),
        (first, second) => first.or(second),
    }
}

/// Evidence of life, by where they came from: one from this machine itself, loopback or any of its
/// own addresses, says nothing about the way out of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evidence {
    /// From another machine.
    pub remote: bool,
    /// From this machine.
    pub this_machine: bool,
}

impl Evidence {
    /// A sign from this address; one without an address is from elsewhere.
    pub fn add(&mut self, from: Option<SocketAddr>) {
        match from {
            Some(address) if machine::is_own(address.ip()) => self.this_machine = true,
            _ => self.remote = true,
        }
    }

    /// A sign from this machine, or from elsewhere.
    pub fn add_from(&mut self, this_machine: bool) {
        if this_machine {
            self.this_machine = true;
        } else {
            self.remote = true;
        }
    }

    /// Both together.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self {
            remote: self.remote || other.remote,
            this_machine: self.this_machine || other.this_machine,
        }
    }
}

/// Where the time of an attempt went, redirects added up. A phase that was not reached, or
/// not completed, is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Phases {
    /// Name resolution.
    pub dns: Option<Duration>,
    /// TCP, and the proxy's tunnel where there is one.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From the request to the response head.
    pub response: Option<Duration>,
}

impl Phases {
    /// Phase by phase, the sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let add = |a: Option<Duration>, b: Option<Duration>| match (a, b) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        };
        Self {
            dns: add(self.dns, other.dns),
            connect: add(self.connect, other.connect),
            tls: add(self.tls, other.tls),
            response: add(self.response, other.response),
        }
    }
}
