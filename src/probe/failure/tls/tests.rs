use std::io::ErrorKind;
use std::sync::Arc;

use rustls::{AlertDescription, CertificateError, Error};

use super::super::tests::{LIMIT, Way, fails, io, on_stage, tls};
use super::super::*;
use crate::net::dial::Handshake;
use Way::{Forwarded, Straight, Tunnel as Tunnelled};

#[test]
fn certificates() {
    let bad = |error| Unanswered::Dial(DialError::Tls(tls(Error::InvalidCertificate(error))));
    for (error, cause, word) in [
        (CertificateError::Expired, Cause::TlsExpired, "clock"),
        (
            CertificateError::NotValidYet,
            Cause::TlsExpired,
            "not yet valid",
        ),
        (
            CertificateError::NotValidForName,
            Cause::TlsHostname,
            "another name",
        ),
        (
            CertificateError::UnknownIssuer,
            Cause::TlsUntrusted,
            "ca-certificates",
        ),
        (
            CertificateError::BadSignature,
            Cause::TlsUntrusted,
            "does not match",
        ),
        (CertificateError::Revoked, Cause::Tls, "revoked"),
    ] {
        fails(Stage::Tls, Straight, &bad(error), cause, word);
    }
    let expired = tls(Error::InvalidCertificate(CertificateError::Expired));
    let of_proxy = Unanswered::Dial(DialError::ProxyTls(expired));
    let word = "the certificate of proxy.test has expired";
    fails(Stage::ProxyTls, Tunnelled, &of_proxy, Cause::Proxy, word);
    let nameless = Unanswered::Dial(DialError::HostWithoutCertificate);
    fails(
        Stage::Start,
        Straight,
        &nameless,
        Cause::Tls,
        "no certificate can be for such a name",
    );
    let plain = tls(Error::InvalidMessage(
        rustls::InvalidMessage::InvalidContentType,
    ));
    let plain = Unanswered::Dial(DialError::Tls(plain));
    fails(
        Stage::Tls,
        Straight,
        &plain,
        Cause::Tls,
        "does the port speak plain HTTP?",
    );
}

/// Another client may connect where this one has nothing in common with the server.
#[test]
fn own_limits_are_named() {
    let algorithm = CertificateError::UnsupportedSignatureAlgorithmContext {
        signature_algorithm_id: vec![42],
        supported_algorithms: Vec::new(),
    };
    for (error, word) in [
        (
            Error::AlertReceived(AlertDescription::HandshakeFailure),
            "this probe speaks TLS 1.2 and 1.3",
        ),
        (
            Error::PeerIncompatible(rustls::PeerIncompatible::NoCipherSuitesInCommon),
            "this probe speaks TLS 1.2 and 1.3",
        ),
        (
            Error::InvalidCertificate(algorithm),
            "not supported here (RSA, P-256, P-384 and Ed25519 are)",
        ),
    ] {
        let why = Unanswered::Dial(DialError::Tls(tls(error)));
        fails(Stage::Tls, Straight, &why, Cause::Tls, word);
    }
}

/// Only where the server's own certificate is good, it had asked, and it says no by an alert.
#[test]
fn a_client_certificate_that_is_wanted() {
    let alert = |alert| tls(Error::AlertReceived(alert));
    let required = || alert(AlertDescription::CertificateRequired);
    for (trusted, asked, error, expected) in [
        (true, true, required(), true),
        (true, true, alert(AlertDescription::HandshakeFailure), true),
        (true, true, alert(AlertDescription::BadCertificate), true),
        (true, true, alert(AlertDescription::InternalError), false),
        (true, true, io(ErrorKind::ConnectionReset), false),
        (true, false, required(), false),
        (false, true, required(), false),
    ] {
        let mut seen = Seen::default();
        seen.stage = Stage::Tls;
        seen.handshake = Some(Arc::new(Handshake::seen(trusted, asked)));
        let during = DialError::Tls(error);
        let why = Unanswered::Dial(during);
        assert_eq!(wants_login(&why, &seen), expected, "{why:?}");
        // It may just hang up.
        let hung_up = Unanswered::Http(Broken::Closed);
        assert!(!wants_login(&hung_up, &seen));
        let failure = explain(
            &hung_up,
            &Scene {
                protocol: "HTTP",
                host: "dep.test",
                proxy: None,
                seen: &seen,
                limit: LIMIT,
                redirected: false,
                http1: false,
                twin: Twin::Http("https"),
            },
        );
        assert_eq!(failure.cause, Cause::Closed);
        let hint = failure.detail.contains("client certificate");
        assert_eq!(hint, asked, "{}", failure.detail);
    }
    let of_proxy = Unanswered::Dial(DialError::ProxyTls(required()));
    assert!(!wants_login(&of_proxy, &Seen::default()));
}

/// What a port says, or does not, that speaks without TLS.
#[test]
fn a_port_that_does_not_answer_in_tls_may_speak_without() {
    let plain = || {
        let error = rustls::InvalidMessage::InvalidContentType;
        let error = tls(Error::InvalidMessage(error));
        Some(Unanswered::Dial(DialError::Tls(error)))
    };
    let failed = |kind| Some(Unanswered::Dial(DialError::Tls(io(kind))));
    for (twin, words) in [
        (Twin::Scheme("redis"), "; is it redis://, without TLS?"),
        (Twin::Option, "leave out `tls: true`"),
        (Twin::None, ""),
    ] {
        for (why, cause) in [
            (plain(), Cause::Tls),
            (failed(ErrorKind::UnexpectedEof), Cause::Closed),
            (failed(ErrorKind::ConnectionReset), Cause::Reset),
            (None, Cause::ResponseTimeout),
        ] {
            for asked in [false, true] {
                let failure = on_stage(Stage::Tls, Straight, |scene| {
                    let mut seen = scene.seen.clone();
                    seen.handshake = Some(Arc::new(Handshake::seen(false, asked)));
                    let scene = Scene {
                        protocol: "Redis",
                        seen: &seen,
                        twin,
                        ..*scene
                    };
                    match &why {
                        Some(why) => explain(why, &scene),
                        None => timeout(&scene),
                    }
                });
                assert_eq!(failure.cause, cause, "{}", failure.detail);
                // Who asks for a certificate does speak TLS.
                let is_asking = failure.detail.contains("without TLS")
                    || failure.detail.contains("`tls: true`");
                assert_eq!(is_asking, !asked && !words.is_empty(), "{}", failure.detail);
                assert!(
                    asked || failure.detail.ends_with(words),
                    "{}",
                    failure.detail
                );
            }
        }
    }
}

#[test]
fn a_port_that_wants_tls_is_told_how_to_get_it() {
    let alert = b"\x15\x03\x03\0\x02\x02\x46".to_vec();
    for (twin, words) in [
        (Twin::Scheme("rediss"), "(it wants TLS); write rediss://"),
        (Twin::Option, "; set `tls: true` beside the url"),
        (Twin::None, "(it wants TLS)"),
    ] {
        let failure = on_stage(Stage::Open, Straight, |scene| {
            let scene = Scene { twin, ..*scene };
            explain(&Unanswered::Service(Silent::Foreign(alert.clone())), &scene)
        });
        assert_eq!(failure.cause, Cause::Protocol);
        assert!(failure.detail.ends_with(words), "{}", failure.detail);
    }
    let why = Unanswered::Http(Broken::WantsTls);
    let words = "it wants TLS); write https://";
    fails(Stage::Open, Straight, &why, Cause::Protocol, words);
    let failure = on_stage(Stage::Open, Forwarded, |scene| explain(&why, scene));
    assert!(!failure.detail.contains("https"), "{}", failure.detail);
}

/// It speaks TLS, and does not want what the target is asked in.
#[test]
fn no_common_protocol_over_tls() {
    let alert = || {
        tls(Error::AlertReceived(
            AlertDescription::NoApplicationProtocol,
        ))
    };
    let why = Unanswered::Dial(DialError::Tls(alert()));
    let words = "it speaks neither HTTP/1.1 nor HTTP/2";
    fails(Stage::Tls, Straight, &why, Cause::Tls, words);
    let failure = on_stage(Stage::Tls, Straight, |scene| {
        let scene = Scene {
            protocol: "gRPC",
            twin: Twin::Scheme("grpc"),
            ..*scene
        };
        explain(&why, &scene)
    });
    assert_eq!(failure.cause, Cause::Protocol);
    assert!(
        failure.detail.contains("no gRPC over it"),
        "{}",
        failure.detail
    );
}
