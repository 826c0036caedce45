//! From the stage that failed, and its error, to a cause and a sentence.
//!
//! The stages' own types tell: no message is searched for words.

mod tls;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::Cause;
use crate::net::dial::{DialError, Seen, SocksReply, Stage, TunnelError};
use crate::net::http1::Broken;
use crate::net::is_local;
use crate::net::proxy::{Proxy, Unusable};
use crate::net::resolver::NameError;
use crate::text;

/// Why a request has no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// The environment names a proxy that cannot be used.
    Proxy(Unusable),
    /// There is no connection.
    Dial(DialError),
    /// The connection stood, and no complete answer came.
    Http(Broken),
}

/// Why an attempt failed, and what to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The cause.
    pub cause: Cause,
    /// What happened, for people.
    pub detail: String,
    /// If it is a timer that says so, how long it waited: where the runner stood still
    /// meanwhile, it says nothing.
    pub waited: Option<Duration>,
}

impl Failure {
    fn new(cause: Cause, detail: impl Into<String>) -> Self {
        Self {
            cause,
            detail: detail.into(),
            waited: None,
        }
    }

    /// A failure that a timer found, after so long.
    fn after(waited: Duration, cause: Cause, detail: impl Into<String>) -> Self {
        Self {
            waited: Some(waited),
            ..Self::new(cause, detail)
        }
    }
}

/// The request that failed, as far as it came.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    /// The host that was to be reached.
    pub(crate) host: &'a str,
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
    fn peer(&self) -> String {
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
    fn target(&self) -> String {
        text::sanitize(self.host, text::PIECE)
    }

    /// Whether a failure now is about the way to the proxy, or about its tunnel.
    fn is_before_target(&self) -> bool {
        match self.proxy {
            Some(proxy) if proxy.speaks_for_target => self.seen.stage < Stage::Open,
            Some(_) => self.seen.stage < Stage::Tls,
            None => false,
        }
    }

    /// The host that was being spoken to: the proxy's, until it has made its tunnel.
    fn host_spoken_to(&self) -> String {
        match self.proxy {
            Some(proxy) if proxy.speaks_for_target || self.is_before_target() => {
                text::sanitize(&proxy.host, text::PIECE)
            }
            _ => self.target(),
        }
    }

    /// Whether a proxy that is to answer itself, for plain HTTP, did not answer like one.
    fn is_cut_by_proxy(&self, cause: Cause) -> bool {
        self.proxy.is_some_and(|proxy| proxy.speaks_for_target)
            && matches!(
                cause,
                Cause::Reset | Cause::Closed | Cause::Protocol | Cause::Tls
            )
    }
}

/// The attempt ran out of time in this stage.
#[must_use]
pub(crate) fn timeout(scene: &Scene<'_>) -> Failure {
    let (limit, peer, target) = (scene.limit, scene.peer(), scene.target());
    let (cause, detail) = match (scene.seen.stage, scene.proxy) {
        (Stage::Start | Stage::Name, Some(proxy)) => (
            Cause::Proxy,
            format!("the proxy {} did not resolve within {limit}", proxy.shown),
        ),
        (Stage::Start | Stage::Name, None) => (
            Cause::Dns,
            format!("{target} did not resolve: no answer from the name server within {limit}"),
        ),
        (Stage::Connect, Some(proxy)) => (
            Cause::Proxy,
            format!("no connection to the proxy {} within {limit}", proxy.shown),
        ),
        // One address refused, others were silent: what was said counts.
        (Stage::Connect, None) if scene.seen.refused => {
            (Cause::Refused, format!("connection refused by {peer}"))
        }
        (Stage::Connect, None) => (
            Cause::ConnectTimeout,
            format!("no connection to {peer} within {limit}"),
        ),
        (Stage::ProxyTls, _) => (
            Cause::Proxy,
            format!("connected to {peer}, but the TLS handshake was not finished within {limit}"),
        ),
        // The proxy is there and has not said anything about the way to the target.
        (Stage::Tunnel, _) => (
            Cause::ConnectTimeout,
            format!("no connection to {target} through {peer} within {limit}"),
        ),
        (Stage::Tls, _) => (
            Cause::ResponseTimeout,
            format!("connected to {peer}, but the TLS handshake was not finished within {limit}"),
        ),
        (Stage::Open, _) => (
            Cause::ResponseTimeout,
            format!("connected to {peer}, but no complete answer within {limit}"),
        ),
    };
    // A refusal is no timer's finding.
    if cause == Cause::Refused {
        return Failure::new(cause, detail);
    }
    Failure::after(limit.time, cause, detail)
}

/// The attempt ran out of time, but it was the runner that stood still.
#[must_use]
pub(crate) fn stood_still(scene: &Scene<'_>, stood: Duration) -> Failure {
    Failure::new(
        Cause::Local,
        format!(
            "the runner itself stood still for {}, so that nothing came from {} says nothing about it",
            text::show_duration(stood),
            scene.peer()
        ),
    )
}

/// Whether it failed because the server wants a client certificate: its own was judged good, it
/// asked for one, and after our empty answer it refused with an alert. That is TLS's own 401, and
/// the service is up.
#[must_use]
pub(crate) fn wants_login(why: &Unanswered, seen: &Seen) -> bool {
    let (Unanswered::Dial(DialError::Tls(error)) | Unanswered::Http(Broken::Io(error))) = why
    else {
        return false;
    };
    seen.handshake
        .as_ref()
        .is_some_and(|handshake| handshake.is_trusted() && handshake.asked_for_certificate())
        && tls::is_refusal(error)
}

/// The request failed.
#[must_use]
pub(crate) fn explain(why: &Unanswered, scene: &Scene<'_>) -> Failure {
    let failure = match why {
        Unanswered::Proxy(unusable) => Failure::new(Cause::Proxy, unusable.to_string()),
        Unanswered::Dial(error) => dial(error, scene),
        Unanswered::Http(broken) => http(broken, scene),
    };
    let failure = with_hint(failure, scene);
    let failure = over_http1(failure, scene);
    if scene.is_before_target() && failure.cause != Cause::Local
        || scene.is_cut_by_proxy(failure.cause)
    {
        return at_proxy(failure, scene);
    }
    failure
}

fn dial(error: &DialError, scene: &Scene<'_>) -> Failure {
    match error {
        DialError::Name(error) => name(error, scene),
        DialError::LinkLocal => Failure::new(
            Cause::Unreachable,
            format!("no route to {}: it is link-local", scene.target()),
        ),
        DialError::Connect(error) => connect(error, scene),
        DialError::ProxyTls(error) | DialError::Tls(error) => connection(error, scene),
        DialError::Tunnel(error) => tunnel(error, scene),
        DialError::HostWithoutCertificate => Failure::new(
            Cause::Tls,
            format!(
                "TLS with {} is not possible: no certificate can be for such a name",
                scene.target()
            ),
        ),
    }
}

fn name(error: &NameError, scene: &Scene<'_>) -> Failure {
    let cause = if error.is_local() {
        Cause::Local
    } else {
        Cause::Dns
    };
    let detail = format!("{} did not resolve: {error}", scene.host_spoken_to());
    Failure {
        waited: error.waited(),
        ..Failure::new(cause, text::sanitize(&detail, text::PIECE))
    }
}

/// No connection: what the system says about it.
fn connect(error: &io::Error, scene: &Scene<'_>) -> Failure {
    let peer = scene.peer();
    let no_route = || {
        Failure::new(
            Cause::Unreachable,
            format!("no route to {peer} ({})", why(error)),
        )
    };
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            Failure::new(Cause::Refused, format!("connection refused by {peer}"))
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => reset(scene),
        io::ErrorKind::NotConnected => {
            Failure::new(Cause::Unreachable, format!("no route to {peer}"))
        }
        io::ErrorKind::TimedOut => Failure::after(
            scene.limit.time,
            Cause::ConnectTimeout,
            format!("no connection to {peer} within {}", scene.limit),
        ),
        // A link-local address without a zone, and the like: it is the address that has no way.
        io::ErrorKind::InvalidInput => no_route(),
        // The runner could try the hop before this one, so it is this one's address that it
        // may not, or cannot, go to.
        _ if is_local(error) && (!scene.redirected || is_used_up(error, scene)) => Failure::new(
            Cause::Local,
            format!(
                "the runner cannot open a connection to {peer}: {}",
                why(error)
            ),
        ),
        // EHOSTDOWN and the like have no kind of their own.
        _ => no_route(),
    }
}

/// Whether the runner has no more of something: files, memory, ports. Where IPv6 is switched
/// off, its addresses fail like ports that are used up.
fn is_used_up(error: &io::Error, scene: &Scene<'_>) -> bool {
    /// `EMFILE`, `ENFILE` and `ENOBUFS` on Linux.
    const CODES: [i32; 3] = [24, 23, 105];
    match error.kind() {
        io::ErrorKind::AddrNotAvailable => scene.seen.addresses.iter().all(SocketAddr::is_ipv4),
        io::ErrorKind::OutOfMemory => true,
        _ => error
            .raw_os_error()
            .is_some_and(|code| CODES.contains(&code)),
    }
}

/// A connection that stood has failed: what the system says about it, or TLS.
fn connection(error: &io::Error, scene: &Scene<'_>) -> Failure {
    let peer = scene.peer();
    if let Some(error) = tls::inside(error) {
        return tls::explain(error, &scene.host_spoken_to());
    }
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => reset(scene),
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown => Failure::new(
            Cause::Unreachable,
            format!("no route to {peer} ({})", why(error)),
        ),
        io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::NotConnected
        | io::ErrorKind::WriteZero => closed(scene),
        io::ErrorKind::TimedOut => Failure::after(
            scene.limit.time,
            Cause::ResponseTimeout,
            format!("connected to {peer}, which then fell silent"),
        ),
        _ if matches!(scene.seen.stage, Stage::ProxyTls | Stage::Tls) => Failure::new(
            Cause::Tls,
            format!("TLS with {peer} failed: {}", why(error)),
        ),
        _ => not_http(&why(error), scene),
    }
}

fn tunnel(error: &TunnelError, scene: &Scene<'_>) -> Failure {
    let (peer, target) = (scene.peer(), scene.target());
    let (cause, detail) = match error {
        TunnelError::Status(407) => (Cause::Proxy, format!("{peer} wants a login (407)")),
        TunnelError::Status(status @ 500..=599) => (
            Cause::ProxyUpstream,
            format!("{peer} could not reach {target} (CONNECT was answered with {status})"),
        ),
        TunnelError::Status(status @ 400..=499) => (
            Cause::Proxy,
            format!("{peer} forbids the way to {target} (CONNECT was answered with {status})"),
        ),
        TunnelError::Status(status) => (
            Cause::Proxy,
            format!(
                "{peer} does not make a tunnel to {target} (CONNECT was answered with {status})"
            ),
        ),
        TunnelError::Http(Broken::NotHttp(why)) => (
            Cause::Proxy,
            format!("{peer} gave no answer to CONNECT ({why})"),
        ),
        TunnelError::Http(broken) => return http(broken, scene),
        TunnelError::Io(error) => return connection(error, scene),
        TunnelError::Socks(SocksReply::Unreached(why)) => (
            Cause::ProxyUpstream,
            format!("{peer} could not reach {target} ({why})"),
        ),
        TunnelError::Socks(SocksReply::Refused(why)) => (
            Cause::Proxy,
            format!("{peer} made no connection to {target} ({why})"),
        ),
        TunnelError::Unspeakable => (
            Cause::Proxy,
            format!("{peer} cannot be asked for a way to {target}"),
        ),
    };
    Failure::new(cause, detail)
}

fn http(broken: &Broken, scene: &Scene<'_>) -> Failure {
    match broken {
        Broken::Io(error) => connection(error, scene),
        Broken::Closed => closed(scene),
        Broken::Reset => Failure::new(
            Cause::Reset,
            format!(
                "{} reset the HTTP/2 stream before a complete answer",
                scene.peer()
            ),
        ),
        Broken::WantsHttp1 => not_http("it asks for HTTP/1.1", scene),
        Broken::NotHttp(why) => not_http(why, scene),
        Broken::Unsent(why) => {
            Failure::new(Cause::Local, format!("the request cannot be made: {why}"))
        }
    }
}

fn not_http(why: &str, scene: &Scene<'_>) -> Failure {
    let why = text::sanitize(why, text::PIECE);
    let why = match why.as_str() {
        // The library's word for a head beyond the limits.
        "message head is too large" => "its head is beyond the limits of 256 KiB and 256 fields",
        other => other,
    };
    let peer = scene.peer();
    Failure::new(
        Cause::Protocol,
        format!("{peer} answered, but not in HTTP that can be read ({why})"),
    )
}

fn reset(scene: &Scene<'_>) -> Failure {
    Failure::new(
        Cause::Reset,
        format!("connection reset by {}", scene.peer()),
    )
}

fn closed(scene: &Scene<'_>) -> Failure {
    let when = match scene.seen.stage {
        Stage::ProxyTls | Stage::Tls => "during the TLS handshake",
        _ => "before a complete answer",
    };
    Failure::new(
        Cause::Closed,
        format!("{} closed the connection {when}", scene.peer()),
    )
}

fn why(error: &io::Error) -> String {
    text::sanitize(&error.to_string(), text::PIECE)
}

/// A server that wants a client certificate may just hang up without it.
fn with_hint(mut failure: Failure, scene: &Scene<'_>) -> Failure {
    let last = scene.seen.handshake.as_ref();
    let handshake = last.or(scene.seen.proxy_handshake.as_ref());
    let asked = handshake.is_some_and(|handshake| handshake.asked_for_certificate());
    if asked && matches!(failure.cause, Cause::Tls | Cause::Reset | Cause::Closed) {
        failure.detail.push_str(
            "; it had asked for a client certificate, and none is ever sent: that may be why",
        );
    }
    failure
}

/// What came of asking again, as the server wanted.
fn over_http1(mut failure: Failure, scene: &Scene<'_>) -> Failure {
    if scene.http1 {
        let detail = failure.detail;
        failure.detail = format!("asked for HTTP/1.1 in place of HTTP/2, and then: {detail}");
    }
    failure
}

/// Whatever went wrong before the target had a say is the proxy's. What it says about the way to
/// the target stands for itself.
fn at_proxy(mut failure: Failure, scene: &Scene<'_>) -> Failure {
    if let Some(proxy) = scene.proxy
        && !matches!(failure.cause, Cause::Proxy | Cause::ProxyUpstream)
    {
        let detail = failure.detail;
        failure.detail = format!("the proxy {} cannot be used: {detail}", proxy.shown);
        failure.cause = Cause::Proxy;
    }
    failure
}

#[cfg(test)]
mod tests;
