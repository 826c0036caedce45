//! What each stage's error comes to.

use std::io;
use std::net::SocketAddr;

use super::scene::Scene;
use super::{Failure, tls};
use crate::net::dial::{DialError, SocksReply, Stage, TunnelError};
use crate::net::http1::Broken;
use crate::net::is_local;
use crate::net::resolver::NameError;
use crate::probe::Cause;
use crate::probe::conversation::{Silent, what_it_is};
use crate::protocol::foreign;
use crate::text;

/// There is no connection.
pub(super) fn dial(error: &DialError, scene: &Scene<'_>) -> Failure {
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
        return tls::explain(error, scene);
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
        _ => not_the_protocol(&why(error), scene),
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
        TunnelError::Http(Broken::WantsTls) => (
            Cause::Proxy,
            format!("{peer} gave no answer to CONNECT (it wants TLS)"),
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

/// The connection stood, and no complete answer came.
pub(super) fn http(broken: &Broken, scene: &Scene<'_>) -> Failure {
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
        Broken::WantsHttp1 => not_the_protocol("it asks for HTTP/1.1", scene),
        Broken::WantsTls => wants_tls(scene),
        Broken::NotHttp(why) => not_the_protocol(why, scene),
        Broken::Unsent(why) => {
            Failure::new(Cause::Local, format!("the request cannot be made: {why}"))
        }
    }
}

/// The connection stood, and no answer in the service's own protocol came.
pub(super) fn service(silent: &Silent, scene: &Scene<'_>) -> Failure {
    match silent {
        Silent::Io(error) => connection(error, scene),
        Silent::Closed => closed(scene),
        Silent::Foreign(bytes) if foreign::wants_tls(bytes) => wants_tls(scene),
        Silent::Foreign(bytes) => not_the_protocol(&what_it_is(bytes), scene),
    }
}

/// It answers with an alert of TLS.
fn wants_tls(scene: &Scene<'_>) -> Failure {
    let mut failure = not_the_protocol("it wants TLS", scene);
    failure.detail.push_str(&scene.with_tls());
    failure
}

fn not_the_protocol(why: &str, scene: &Scene<'_>) -> Failure {
    let why = text::sanitize(why, text::PIECE);
    let why = match why.as_str() {
        // The library's word for a head beyond the limits.
        "message head is too large" => "its head is beyond the limits of 256 KiB and 256 fields",
        other => other,
    };
    let peer = scene.peer();
    Failure::new(
        Cause::Protocol,
        format!(
            "{peer} answered, but not in {} that can be read ({why})",
            scene.protocol
        ),
    )
}

fn reset(scene: &Scene<'_>) -> Failure {
    let hint = during_tls(scene);
    Failure::new(
        Cause::Reset,
        format!("connection reset by {}{hint}", scene.peer()),
    )
}

fn closed(scene: &Scene<'_>) -> Failure {
    let when = match scene.seen.stage {
        Stage::ProxyTls | Stage::Tls => "during the TLS handshake",
        _ => "before a complete answer",
    };
    let hint = during_tls(scene);
    Failure::new(
        Cause::Closed,
        format!("{} closed the connection {when}{hint}", scene.peer()),
    )
}

/// Some ports that speak without TLS hang up when they hear it.
fn during_tls(scene: &Scene<'_>) -> String {
    match scene.seen.stage {
        Stage::Tls => scene.without_tls(),
        _ => String::new(),
    }
}

fn why(error: &io::Error) -> String {
    text::sanitize(&error.to_string(), text::PIECE)
}
