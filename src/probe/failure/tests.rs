use std::io;

use rustls::Error;

use super::*;
use crate::net::dial::{SocksReply, TunnelError};
use crate::net::proxy::{Proxy, Tunnel};
use crate::net::resolver::NameError;

pub(super) const LIMIT: Limit = Limit {
    time: Duration::from_secs(2),
    timeout: Duration::from_secs(2),
};

/// By which way.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Way {
    Straight,
    /// Through a proxy's tunnel.
    Tunnel,
    /// By a proxy that speaks for the target.
    Forwarded,
}
use Way::{Forwarded, Straight, Tunnel as Tunnelled};

pub(super) fn proxy(speaks_for_target: bool) -> Proxy {
    Proxy {
        login: None,
        shown: "proxy.test:3128".to_owned(),
        host: "proxy.test".to_owned(),
        port: 3128,
        speaks_for_target,
        encrypted: false,
        tunnel: Tunnel::Connect,
    }
}

pub(super) fn on_stage<T>(stage: Stage, way: Way, play: impl FnOnce(&Scene<'_>) -> T) -> T {
    let mut seen = Seen::default();
    seen.stage = stage;
    let addresses = ["10.0.0.1:80", "10.0.0.2:80"];
    seen.addresses = addresses.map(|at| at.parse().unwrap()).to_vec();
    let proxy = proxy(way == Forwarded);
    play(&Scene {
        protocol: "HTTP",
        host: "dep.test",
        proxy: (way != Straight).then_some(&proxy),
        seen: &seen,
        limit: LIMIT,
        redirected: false,
        http1: false,
        twin: Twin::Http("https"),
    })
}

pub(super) fn io(kind: io::ErrorKind) -> io::Error {
    kind.into()
}

pub(super) fn tls(error: Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[track_caller]
pub(super) fn fails(stage: Stage, way: Way, why: &Unanswered, cause: Cause, word: &str) {
    let failure = on_stage(stage, way, |scene| explain(why, scene));
    let found = (failure.cause, failure.detail.contains(word));
    assert_eq!(found, (cause, true), "{why:?}: {}", failure.detail);
}

/// The address that was not tried may be the one that answers.
#[test]
fn a_timeout_for_lack_of_file_descriptors_is_the_runner_s() {
    for (refused, cause) in [(false, Cause::Local), (true, Cause::Refused)] {
        let failure = on_stage(Stage::Connect, Straight, |scene| {
            let mut seen = scene.seen.clone();
            (seen.held_back, seen.refused) = (true, refused);
            let scene = Scene {
                protocol: "HTTP",
                seen: &seen,
                ..*scene
            };
            timeout(&scene)
        });
        assert_eq!(failure.cause, cause, "{}", failure.detail);
    }
}

#[test]
fn a_timeout_says_what_was_under_way() {
    for (stage, way, cause, words) in [
        (
            Stage::Name,
            Straight,
            Cause::Dns,
            "dep.test did not resolve",
        ),
        (
            Stage::Name,
            Tunnelled,
            Cause::Proxy,
            "the proxy proxy.test:3128 did not resolve",
        ),
        (
            Stage::Connect,
            Straight,
            Cause::ConnectTimeout,
            "no connection to 10.0.0.1:80 (and 1 more) within 2.0 s",
        ),
        (
            Stage::Connect,
            Tunnelled,
            Cause::Proxy,
            "no connection to the proxy",
        ),
        (
            Stage::Connect,
            Forwarded,
            Cause::Proxy,
            "no connection to the proxy",
        ),
        (
            Stage::ProxyTls,
            Tunnelled,
            Cause::Proxy,
            "connected to the proxy",
        ),
        (
            Stage::Greeting,
            Tunnelled,
            Cause::Proxy,
            "did not answer in SOCKS",
        ),
        (
            Stage::Tunnel,
            Tunnelled,
            Cause::ConnectTimeout,
            "no connection to dep.test through the proxy proxy.test:3128",
        ),
        (
            Stage::Tls,
            Straight,
            Cause::ResponseTimeout,
            "connected to 10.0.0.1:80, but the TLS",
        ),
        (
            Stage::Tls,
            Tunnelled,
            Cause::ResponseTimeout,
            "but the TLS handshake",
        ),
        (
            Stage::Open,
            Straight,
            Cause::ResponseTimeout,
            "but no complete answer",
        ),
        (
            Stage::Open,
            Forwarded,
            Cause::ResponseTimeout,
            "connected to the proxy",
        ),
    ] {
        let failure = on_stage(stage, way, timeout);
        assert_eq!(failure.cause, cause, "{}", failure.detail);
        assert!(failure.detail.contains(words), "{}", failure.detail);
        assert_eq!(failure.waited, Some(LIMIT.time));
    }
}

#[test]
fn a_refusal_counts_while_others_are_silent() {
    let mut seen = Seen::default();
    seen.stage = Stage::Connect;
    seen.refused = true;
    seen.addresses = vec![
        "10.0.0.1:80".parse().unwrap(),
        "10.0.0.2:80".parse().unwrap(),
    ];
    seen.peer = seen.addresses.get(1).copied();
    let failure = timeout(&Scene {
        protocol: "HTTP",
        host: "dep.test",
        proxy: None,
        seen: &seen,
        limit: LIMIT,
        redirected: false,
        http1: false,
        twin: Twin::Http("https"),
    });
    assert_eq!(failure.cause, Cause::Refused);
    assert_eq!(
        failure.detail,
        "connection refused by 10.0.0.2:80 (and 1 more)"
    );
    assert_eq!(failure.waited, None);
}

#[test]
fn names() {
    let name = |error| Unanswered::Dial(DialError::Name(error));
    let nowhere = || name(NameError::NoSuchName);
    fails(
        Stage::Name,
        Straight,
        &nowhere(),
        Cause::Dns,
        "dep.test did not resolve",
    );
    fails(
        Stage::Name,
        Tunnelled,
        &nowhere(),
        Cause::Proxy,
        "proxy.test did not resolve",
    );
    let local = || name(NameError::Local("no files".to_owned()));
    fails(Stage::Name, Straight, &local(), Cause::Local, "no files");
    fails(Stage::Name, Tunnelled, &local(), Cause::Local, "no files");
}

#[test]
fn connections() {
    use io::ErrorKind as Kind;
    for (kind, cause) in [
        (Kind::ConnectionRefused, Cause::Refused),
        (Kind::ConnectionReset, Cause::Reset),
        (Kind::HostUnreachable, Cause::Unreachable),
        (Kind::NetworkUnreachable, Cause::Unreachable),
        (Kind::NotConnected, Cause::Unreachable),
        (Kind::InvalidInput, Cause::Unreachable),
        (Kind::TimedOut, Cause::ConnectTimeout),
        (Kind::PermissionDenied, Cause::Local),
        (Kind::AddrNotAvailable, Cause::Local),
        (Kind::Other, Cause::Unreachable),
    ] {
        let why = || Unanswered::Dial(DialError::Connect(io(kind)));
        fails(
            Stage::Connect,
            Straight,
            &why(),
            cause,
            "10.0.0.1:80 (and 1 more)",
        );
        if cause != Cause::Local {
            fails(
                Stage::Connect,
                Tunnelled,
                &why(),
                Cause::Proxy,
                "cannot be used",
            );
        }
    }
}

/// The runner could try the hop before it.
#[test]
fn where_a_redirect_leads_is_not_the_runners_fault() {
    for (kind, cause) in [
        (io::ErrorKind::PermissionDenied, Cause::Unreachable),
        (io::ErrorKind::OutOfMemory, Cause::Local),
    ] {
        let why = Unanswered::Dial(DialError::Connect(io(kind)));
        let failure = on_stage(Stage::Connect, Straight, |scene| {
            let scene = Scene {
                protocol: "HTTP",
                redirected: true,
                ..*scene
            };
            explain(&why, &scene)
        });
        assert_eq!(failure.cause, cause, "{}", failure.detail);
    }
}

#[test]
fn connections_that_stood() {
    use io::ErrorKind as Kind;
    for (kind, in_tls, open) in [
        (Kind::ConnectionReset, Cause::Reset, Cause::Reset),
        (Kind::UnexpectedEof, Cause::Closed, Cause::Closed),
        (Kind::BrokenPipe, Cause::Closed, Cause::Closed),
        (
            Kind::HostUnreachable,
            Cause::Unreachable,
            Cause::Unreachable,
        ),
        (
            Kind::TimedOut,
            Cause::ResponseTimeout,
            Cause::ResponseTimeout,
        ),
        (Kind::InvalidData, Cause::Tls, Cause::Protocol),
    ] {
        let handshake = || Unanswered::Dial(DialError::Tls(io(kind)));
        let request = || Unanswered::Http(Broken::Io(io(kind)));
        fails(Stage::Tls, Straight, &handshake(), in_tls, "10.0.0.1:80");
        fails(Stage::Tls, Tunnelled, &handshake(), in_tls, "the proxy");
        fails(Stage::Open, Straight, &request(), open, "10.0.0.1:80");
        fails(Stage::Open, Tunnelled, &request(), open, "the proxy");
    }
}

#[test]
fn tunnels() {
    let tunnel = |error| Unanswered::Dial(DialError::Tunnel(error));
    for (error, cause, word) in [
        (
            TunnelError::Status(407),
            Cause::Proxy,
            "wants a login (407)",
        ),
        (
            TunnelError::Status(403),
            Cause::Proxy,
            "forbids the way to dep.test",
        ),
        (
            TunnelError::Status(502),
            Cause::ProxyUpstream,
            "could not reach dep.test",
        ),
        (
            TunnelError::Status(302),
            Cause::Proxy,
            "does not make a tunnel",
        ),
        (
            TunnelError::Http(Broken::Closed),
            Cause::Proxy,
            "closed the connection",
        ),
        (
            TunnelError::Http(Broken::NotHttp("odd".to_owned())),
            Cause::Proxy,
            "(odd)",
        ),
        (
            TunnelError::Io(io(io::ErrorKind::ConnectionReset)),
            Cause::Proxy,
            "reset",
        ),
        (
            TunnelError::Socks(SocksReply::Unreached("host unreachable")),
            Cause::ProxyUpstream,
            "could not reach dep.test (host unreachable)",
        ),
        (
            TunnelError::Socks(SocksReply::Refused("general failure")),
            Cause::Proxy,
            "made no connection to dep.test (general failure)",
        ),
    ] {
        fails(Stage::Tunnel, Tunnelled, &tunnel(error), cause, word);
    }
}

#[test]
fn answers_that_are_none() {
    for (broken, cause) in [
        (Broken::Closed, Cause::Closed),
        (Broken::Reset, Cause::Reset),
        (Broken::NotHttp("odd".to_owned()), Cause::Protocol),
        (Broken::WantsHttp1, Cause::Protocol),
    ] {
        let why = Unanswered::Http(broken);
        let (straight, forwarded) = (
            on_stage(Stage::Open, Straight, |scene| explain(&why, scene)),
            on_stage(Stage::Open, Forwarded, |scene| explain(&why, scene)),
        );
        assert_eq!(straight.cause, cause, "{}", straight.detail);
        assert_eq!(forwarded.cause, Cause::Proxy, "{}", forwarded.detail);
    }
    let unsent = Unanswered::Http(Broken::Unsent("too long".to_owned()));
    fails(Stage::Start, Straight, &unsent, Cause::Local, "too long");
}
