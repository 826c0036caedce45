//! The closed vocabulary of causes: why an attempt failed, in one word.
//!
//! Place in the flow: made by a probe, judged by `verdict`, shown by every report.

use serde::{Serialize, Serializer};

/// Why an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The name did not resolve.
    Dns,
    /// The host answered with a refusal.
    Refused,
    /// There is no route to the host or network.
    Unreachable,
    /// No TCP connection within the attempt's timeout.
    ConnectTimeout,
    /// The certificate is out of date, or not yet valid.
    TlsExpired,
    /// The certificate is for another name.
    TlsHostname,
    /// The certificate is not signed by a trusted root.
    TlsUntrusted,
    /// Any other TLS failure.
    Tls,
    /// The connection, or the HTTP/2 stream, was reset.
    Reset,
    /// The peer closed before a complete response head.
    Closed,
    /// Connected, but no complete response head in time.
    ResponseTimeout,
    /// What came back is not the target's protocol, or its head is beyond the limits.
    Protocol,
    /// The proxy on the way cannot be reached, wants a login, or forbids the way.
    Proxy,
    /// The proxy could not reach the dependency.
    ProxyUpstream,
    /// The runner could not even try, or stood still.
    Local,
    /// An answer whose status is not expected.
    Status,
    /// It answers in its own protocol, and says that it cannot serve now.
    NotServing,
}

impl Cause {
    /// All causes, in the order of the table in the README.
    pub const ALL: [Self; 17] = [
        Self::Dns,
        Self::Refused,
        Self::Unreachable,
        Self::ConnectTimeout,
        Self::TlsExpired,
        Self::TlsHostname,
        Self::TlsUntrusted,
        Self::Tls,
        Self::Reset,
        Self::Closed,
        Self::ResponseTimeout,
        Self::Protocol,
        Self::Proxy,
        Self::ProxyUpstream,
        Self::Local,
        Self::Status,
        Self::NotServing,
    ];

    /// The cause as outputs, report and messages write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::ConnectTimeout => "connect-timeout",
            Self::TlsExpired => "tls-expired",
            Self::TlsHostname => "tls-hostname",
            Self::TlsUntrusted => "tls-untrusted",
            Self::Tls => "tls",
            Self::Reset => "reset",
            Self::Closed => "closed",
            Self::ResponseTimeout => "response-timeout",
            Self::Protocol => "protocol",
            Self::Proxy => "proxy",
            Self::ProxyUpstream => "proxy-upstream",
            Self::Local => "local",
            Self::Status => "status",
            Self::NotServing => "not-serving",
        }
    }

    /// Whether the fault lies on the runner's side, whatever else was seen.
    #[must_use]
    pub const fn is_runners_side(self) -> bool {
        matches!(self, Self::Proxy | Self::Local)
    }

    /// Whether nothing came back, so that the runner's own network may be at fault.
    #[must_use]
    pub const fn is_silence(self) -> bool {
        matches!(self, Self::Dns | Self::Unreachable | Self::ConnectTimeout)
    }

    /// Whether something came back from the far side: a status, a refusal, a reset, a TLS
    /// failure or other bytes. An answer of the proxy is not the far side's.
    #[must_use]
    pub const fn is_evidence(self) -> bool {
        match self {
            Self::Refused
            | Self::TlsExpired
            | Self::TlsHostname
            | Self::TlsUntrusted
            | Self::Tls
            | Self::Reset
            | Self::Closed
            | Self::Protocol
            | Self::Status
            | Self::NotServing => true,
            Self::Dns
            | Self::Unreachable
            | Self::ConnectTimeout
            | Self::ResponseTimeout
            | Self::Proxy
            | Self::ProxyUpstream
            | Self::Local => false,
        }
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
