//! From an error of the HTTP library to a cause.
//!
//! The types in the error chain tell: I/O error kinds, the resolver's, rustls's, h2's and
//! hyper's errors. No message is searched for words.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError};

use super::Cause;
use crate::net::guard::LinkLocal;
use crate::net::proxy::Proxy;
use crate::net::resolver::NameError;
use crate::net::tls::{is_ca_as_end_entity, words};
use crate::net::trace::Trace;
use crate::net::{client, is_local};
use crate::text;

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
    /// A failure.
    pub fn new(cause: Cause, detail: impl Into<String>) -> Self {
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

    /// The same failure, in other words.
    fn told(self, cause: Cause, detail: String) -> Self {
        Self {
            cause,
            detail,
            waited: self.waited,
        }
    }
}

/// The request that failed, as far as it came.
#[derive(Debug)]
pub struct Scene<'a> {
    /// The host that was to be reached.
    pub host: &'a str,
    /// The addresses that were tried, the first ones first.
    pub peers: &'a [SocketAddr],
    /// The proxy on the way, if there is one.
    pub proxy: Option<&'a Proxy>,
    /// How far it came.
    pub trace: &'a Trace,
    /// How long the attempt was allowed to take.
    pub limit: Limit,
    /// Whether a redirect led here, so that the runner has a way out.
    pub redirected: bool,
    /// Whether the server asked for HTTP/1.1 before.
    pub http1: bool,
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
    /// Whether the step's deadline left it less than its timeout.
    #[must_use]
    pub fn is_cut_short(&self) -> bool {
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
    /// The peer in words.
    fn peer(&self) -> String {
        match (self.proxy, self.peers) {
            (Some(proxy), _) => format!("the proxy {}", proxy.shown),
            (None, []) => text::sanitize(self.host, text::PIECE),
            (None, [one]) => one.to_string(),
            (None, [one, rest @ ..]) => format!("{one} (and {} more)", rest.len()),
        }
    }

    fn greeted(&self) -> bool {
        self.trace.greeted(self.proxy)
    }

    /// Whether a failure now is about the way to the proxy, or about its tunnel.
    fn before_target(&self) -> bool {
        self.proxy.is_some() && self.trace.connected.is_none() && !self.greeted()
    }

    /// The host that was being spoken to: the proxy's, until it has made its tunnel.
    fn host_spoken_to(&self) -> &str {
        match self.proxy {
            Some(proxy) if self.before_target() => &proxy.host,
            _ => self.host,
        }
    }

    /// Whether a proxy that is to answer itself, for plain HTTP, did not answer like one.
    fn cut_by_proxy(&self, cause: Cause) -> bool {
        self.proxy.is_some_and(|proxy| proxy.speaks_for_target)
            && matches!(cause, Cause::Reset | Cause::Closed | Cause::Protocol)
    }
}

/// The attempt ran out of time. `proxy_answers` says whether the proxy takes connections,
/// where that was looked into.
#[must_use]
pub fn timeout(scene: &Scene<'_>, proxy_answers: Option<bool>) -> Failure {
    let limit = scene.limit;
    let trace = scene.trace;
    if trace.connected.is_some() {
        return Failure::after(
            limit.time,
            Cause::ResponseTimeout,
            format!(
                "connected to {}, but no complete answer within {limit}",
                scene.peer()
            ),
        );
    }
    if scene.greeted() {
        return Failure::after(
            limit.time,
            Cause::ResponseTimeout,
            format!(
                "connected to {}, but the TLS handshake was not finished within {limit}",
                scene.peer()
            ),
        );
    }
    let name_pending = trace.name_asked.is_some() && trace.name_answered.is_none();
    match scene.proxy {
        Some(proxy) if name_pending => Failure::after(
            limit.time,
            Cause::Proxy,
            format!("the proxy {} did not resolve within {limit}", proxy.shown),
        ),
        // The proxy is there and has not said anything about the way to the target.
        Some(proxy) if proxy_answers == Some(true) => Failure::after(
            limit.time,
            Cause::ConnectTimeout,
            format!(
                "no connection to {} through the proxy {} within {limit}",
                text::sanitize(scene.host, text::PIECE),
                proxy.shown
            ),
        ),
        Some(proxy) => Failure::after(
            limit.time,
            Cause::Proxy,
            format!("no connection to the proxy {} within {limit}", proxy.shown),
        ),
        None if name_pending => Failure::after(
            limit.time,
            Cause::Dns,
            format!(
                "{} did not resolve: no answer from the name server within {limit}",
                text::sanitize(scene.host, text::PIECE)
            ),
        ),
        None => Failure::after(
            limit.time,
            Cause::ConnectTimeout,
            format!("no connection to {} within {limit}", scene.peer()),
        ),
    }
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

/// The request failed with an error.
#[must_use]
pub fn error(error: &(dyn Error + 'static), scene: &Scene<'_>) -> Failure {
    let failure = match find(error) {
        Found::Name(error) => name(error, scene),
        Found::Tls(error) => tls(error, scene),
        Found::Io(error) => io(error, scene),
        Found::Reset => Failure::new(
            Cause::Reset,
            format!(
                "{} reset the HTTP/2 stream before a complete answer",
                scene.peer()
            ),
        ),
        Found::Closed => closed(scene),
        Found::NotHttp => Failure::new(
            Cause::Protocol,
            format!(
                "{} answered, but not in HTTP that can be read ({})",
                scene.peer(),
                in_true_words(&client::describe(error))
            ),
        ),
        Found::Nothing => by_progress(error, scene),
    };
    let failure = client_certificate(failure, scene);
    let failure = over_http1(failure, scene);
    if (scene.before_target() || scene.cut_by_proxy(failure.cause)) && failure.cause != Cause::Local
    {
        return at_proxy(failure, scene);
    }
    failure
}

/// The library says the same of a head beyond the limits and of a `Content-Length` of 2^64 - 1,
/// and lets nobody tell one from the other. Nothing but the words depends on this.
fn in_true_words(why: &str) -> &str {
    match why {
        "message head is too large" => {
            "its head is beyond the limits of 256 KiB and 256 fields, or announces a body longer than any"
        }
        other => other,
    }
}

/// Whether a type in the error chain tells the cause. A tunnel that a proxy refused has none.
#[must_use]
pub(crate) fn says_why(error: &(dyn Error + 'static)) -> bool {
    !matches!(find(error), Found::Nothing)
}

/// Whether an HTTP/2 server asks for HTTP/1.1 (RFC 9113, 7): by a reset of the stream, or by the
/// reason that it goes away for.
#[must_use]
pub(crate) fn asks_for_http1(error: &(dyn Error + 'static)) -> bool {
    chain(error)
        .filter_map(|error| error.downcast_ref::<h2::Error>())
        .any(|error| error.is_remote() && error.reason() == Some(h2::Reason::HTTP_1_1_REQUIRED))
}

/// Whether a redirect was not followed because its name has only link-local addresses.
#[must_use]
pub(crate) fn is_withheld(error: &(dyn Error + 'static)) -> bool {
    chain(error).any(<dyn Error>::is::<LinkLocal>)
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

/// What the chain holds that has a meaning of its own.
enum Found<'a> {
    Name(&'a NameError),
    Tls(&'a rustls::Error),
    Io(&'a io::Error),
    Reset,
    Closed,
    NotHttp,
    Nothing,
}

fn find<'a>(error: &'a (dyn Error + 'static)) -> Found<'a> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(name) = error.downcast_ref::<NameError>() {
            return Found::Name(name);
        }
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Found::Tls(tls);
        }
        if let Some(io) = error.downcast_ref::<io::Error>() {
            // An I/O error can carry another one; its `source` skips it.
            return match io.get_ref().map(|inner| find(inner)) {
                None | Some(Found::Nothing) => Found::Io(io),
                Some(found) => found,
            };
        }
        if let Some(h2) = error.downcast_ref::<h2::Error>() {
            return http2(h2);
        }
        if let Some(hyper) = error.downcast_ref::<hyper::Error>() {
            if hyper.is_parse() {
                return Found::NotHttp;
            }
            if hyper.is_incomplete_message() {
                return Found::Closed;
            }
            if hyper.source().is_none() && (hyper.is_canceled() || hyper.is_closed()) {
                return Found::Closed;
            }
        }
        current = error.source();
    }
    Found::Nothing
}

fn http2(error: &h2::Error) -> Found<'_> {
    if let Some(io) = error.get_io() {
        return Found::Io(io);
    }
    // What our own side complains about is not HTTP/2 as it should be.
    if error.is_library() {
        return Found::NotHttp;
    }
    if error.is_reset() {
        Found::Reset
    } else {
        Found::Closed
    }
}

fn name(error: &NameError, scene: &Scene<'_>) -> Failure {
    let host = scene.host_spoken_to();
    let cause = if error.is_local() {
        Cause::Local
    } else {
        Cause::Dns
    };
    let detail = text::sanitize(&format!("{host} did not resolve: {error}"), text::PIECE);
    Failure {
        waited: error.waited(),
        ..Failure::new(cause, detail)
    }
}

fn tls(error: &rustls::Error, scene: &Scene<'_>) -> Failure {
    let host = text::sanitize(scene.host_spoken_to(), text::PIECE);
    let rustls::Error::InvalidCertificate(certificate) = error else {
        let why = text::sanitize(&words::handshake(error), text::PIECE);
        let hint = match error {
            rustls::Error::InvalidMessage(_) => "; does the port speak plain HTTP?",
            rustls::Error::AlertReceived(AlertDescription::NoApplicationProtocol) => {
                "; it speaks neither HTTP/1.1 nor HTTP/2"
            }
            _ => "",
        };
        return Failure::new(Cause::Tls, format!("TLS with {host} failed: {why}{hint}"));
    };
    match certificate {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            let why = match certificate {
                CertificateError::ExpiredContext { not_after, .. } => {
                    format!("expired at {}", date(not_after.as_secs()))
                }
                CertificateError::NotValidYetContext { not_before, .. } => {
                    format!("is not valid before {}", date(not_before.as_secs()))
                }
                CertificateError::NotValidYet => "is not yet valid".to_owned(),
                _ => "has expired".to_owned(),
            };
            let clock = humantime::format_rfc3339_seconds(std::time::SystemTime::now());
            Failure::new(
                Cause::TlsExpired,
                format!("the certificate of {host} {why}; the runner's clock says {clock}"),
            )
        }
        CertificateError::NotValidForName => Failure::new(
            Cause::TlsHostname,
            format!("the certificate of {host} is for another name"),
        ),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names = words::hosts(presented);
            let why = if names.is_empty() {
                "names no host (subjectAltName)".to_owned()
            } else {
                let names = text::sanitize(&names.join(", "), text::PIECE);
                format!("is for another name: {names}")
            };
            Failure::new(
                Cause::TlsHostname,
                format!("the certificate of {host} {why}"),
            )
        }
        CertificateError::UnknownIssuer => untrusted(&host),
        other if is_ca_as_end_entity(other) => untrusted(&host),
        other => Failure::new(
            Cause::Tls,
            format!(
                "the certificate of {host} is not valid: {}",
                text::sanitize(&words::certificate(other), text::PIECE)
            ),
        ),
    }
}

fn untrusted(host: &str) -> Failure {
    Failure::new(
        Cause::TlsUntrusted,
        format!(
            "the certificate of {host} is not signed by a trusted root; a private CA goes into the input ca-certificates"
        ),
    )
}

fn date(unix_seconds: u64) -> String {
    std::time::UNIX_EPOCH
        .checked_add(Duration::from_secs(unix_seconds))
        .map_or_else(String::new, |time| {
            humantime::format_rfc3339_seconds(time).to_string()
        })
}

fn io(error: &io::Error, scene: &Scene<'_>) -> Failure {
    let peer = scene.peer();
    let stands = scene.trace.connected.is_some() || scene.greeted();
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            Failure::new(Cause::Refused, format!("connection refused by {peer}"))
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
            Failure::new(Cause::Reset, format!("connection reset by {peer}"))
        }
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown => Failure::new(
            Cause::Unreachable,
            format!("no route to {peer} ({})", why(error)),
        ),
        io::ErrorKind::NotConnected if !stands => {
            Failure::new(Cause::Unreachable, format!("no route to {peer}"))
        }
        io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::NotConnected
        | io::ErrorKind::WriteZero => closed(scene),
        io::ErrorKind::TimedOut if stands => Failure::after(
            scene.limit.time,
            Cause::ResponseTimeout,
            format!("connected to {peer}, which then fell silent"),
        ),
        io::ErrorKind::TimedOut => Failure::after(
            scene.limit.time,
            Cause::ConnectTimeout,
            format!("no connection to {peer} within {}", scene.limit),
        ),
        // A link-local address without a zone, and the like: it is the address that has no way.
        io::ErrorKind::InvalidInput if !stands => Failure::new(
            Cause::Unreachable,
            format!("no route to {peer} ({})", why(error)),
        ),
        // The runner could try the hop before this one, so it is this one's address that it
        // may not, or cannot, go to.
        _ if !stands && scene.redirected && is_local(error) && !is_used_up(error, scene) => {
            Failure::new(
                Cause::Unreachable,
                format!("no route to {peer} ({})", why(error)),
            )
        }
        // A connection that stands was possible; what it says now is the far side's.
        _ if !stands && is_local(error) => Failure::new(
            Cause::Local,
            format!(
                "the runner cannot open a connection to {peer}: {}",
                why(error)
            ),
        ),
        _ if scene.greeted() && scene.trace.connected.is_none() => Failure::new(
            Cause::Tls,
            format!("TLS with {peer} failed: {}", why(error)),
        ),
        _ if stands => Failure::new(
            Cause::Protocol,
            format!("{peer} answered, but not in HTTP ({})", why(error)),
        ),
        // EHOSTDOWN and the like have no kind of their own.
        _ => Failure::new(
            Cause::Unreachable,
            format!("no route to {peer} ({})", why(error)),
        ),
    }
}

/// Whether the runner has no more of something: files, memory, ports. Where IPv6 is switched
/// off, its addresses fail like ports that are used up.
fn is_used_up(error: &io::Error, scene: &Scene<'_>) -> bool {
    /// `EMFILE`, `ENFILE` and `ENOBUFS` on Linux.
    const CODES: [i32; 3] = [24, 23, 105];
    match error.kind() {
        io::ErrorKind::AddrNotAvailable => scene.peers.iter().all(SocketAddr::is_ipv4),
        io::ErrorKind::OutOfMemory => true,
        _ => error
            .raw_os_error()
            .is_some_and(|code| CODES.contains(&code)),
    }
}

fn why(error: &io::Error) -> String {
    text::sanitize(&error.to_string(), text::PIECE)
}

fn closed(scene: &Scene<'_>) -> Failure {
    let when = if scene.greeted() && scene.trace.connected.is_none() {
        "during the TLS handshake"
    } else {
        "before a complete answer"
    };
    Failure::new(
        Cause::Closed,
        format!("{} closed the connection {when}", scene.peer()),
    )
}

/// No type in the chain says anything: how far the request came has to do.
fn by_progress(error: &(dyn Error + 'static), scene: &Scene<'_>) -> Failure {
    let why = client::describe(error);
    let peer = scene.peer();
    if scene.trace.connected.is_some() {
        Failure::new(
            Cause::Protocol,
            format!("{peer} answered, but not in HTTP ({why})"),
        )
    } else if scene.greeted() {
        Failure::new(Cause::Tls, format!("TLS with {peer} failed ({why})"))
    } else if ServerName::try_from(scene.host.trim_matches(['[', ']'])).is_err()
        && scene.trace.name_asked.is_none()
    {
        // The library gives up on the name before anything is sent; its error has no type.
        let host = text::sanitize(scene.host, text::PIECE);
        Failure::new(
            Cause::Tls,
            format!("TLS with {host} is not possible: no certificate can be for such a name"),
        )
    } else if scene.trace.dialled.is_some() {
        // The library's own connect timeout, which ends together with ours.
        timeout(scene, None)
    } else {
        Failure::new(Cause::Local, format!("the request cannot be made: {why}"))
    }
}

/// A server that demands a client certificate says so in an alert, or just hangs up.
fn client_certificate(failure: Failure, scene: &Scene<'_>) -> Failure {
    let hung_up = matches!(failure.cause, Cause::Tls | Cause::Reset | Cause::Closed);
    if scene.trace.client_certificate_wanted && hung_up {
        let detail = format!(
            "{} demands a client certificate, and none is ever sent ({})",
            text::sanitize(scene.host_spoken_to(), text::PIECE),
            failure.detail
        );
        return failure.told(Cause::Tls, detail);
    }
    failure
}

/// What came of asking again, as the server wanted.
fn over_http1(failure: Failure, scene: &Scene<'_>) -> Failure {
    if scene.http1 {
        let detail = format!(
            "asked for HTTP/1.1 in place of HTTP/2, and then: {}",
            failure.detail
        );
        let cause = failure.cause;
        return failure.told(cause, detail);
    }
    failure
}

/// Whatever went wrong before the target had a say is the proxy's.
fn at_proxy(failure: Failure, scene: &Scene<'_>) -> Failure {
    match scene.proxy {
        Some(proxy) if failure.cause != Cause::Proxy => {
            let detail = format!(
                "the proxy {} cannot be used: {}",
                proxy.shown, failure.detail
            );
            failure.told(Cause::Proxy, detail)
        }
        _ => failure,
    }
}
