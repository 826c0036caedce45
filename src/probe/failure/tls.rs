//! What a TLS error means.

use std::io;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError, Error};

use super::{Failure, Scene, Twin};
use crate::net::tls::{is_ca_as_end_entity, words};
use crate::probe::Cause;
use crate::text;

/// What is offered to servers. Where there is nothing in common, another client may well connect.
const OFFERED: &str = "; this probe speaks TLS 1.2 and 1.3 with ECDHE over X25519, P-256 and P-384, AES-GCM and ChaCha20-Poly1305";
/// Which keys and signatures are understood in certificates.
const UNDERSTOOD: &str = " (RSA, P-256, P-384 and Ed25519 are)";

/// The TLS error that an I/O error carries, if it is one.
pub(super) fn inside(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// Whether it is an alert that says no to a client without a certificate: TLS 1.3 has one of its
/// own, earlier ones and some servers of today use the general ones.
pub(super) fn is_refusal(error: &io::Error) -> bool {
    matches!(
        inside(error),
        Some(Error::AlertReceived(
            AlertDescription::CertificateRequired
                | AlertDescription::HandshakeFailure
                | AlertDescription::BadCertificate
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
        ))
    )
}

/// Why TLS with the host failed that was being spoken to.
pub(super) fn explain(error: &Error, scene: &Scene<'_>) -> Failure {
    let host = scene.host_spoken_to();
    let is_http = matches!(scene.twin, Twin::Http(_));
    let Error::InvalidCertificate(certificate) = error else {
        let why = text::sanitize(&words::handshake(error), text::PIECE);
        let hint = match error {
            Error::InvalidMessage(_) if is_http => "; does the port speak plain HTTP?",
            Error::InvalidMessage(_) => &scene.without_tls(),
            Error::AlertReceived(AlertDescription::NoApplicationProtocol) if is_http => {
                "; it speaks neither HTTP/1.1 nor HTTP/2"
            }
            // It does speak TLS, and not what the target is asked in.
            Error::AlertReceived(AlertDescription::NoApplicationProtocol) => {
                return Failure::new(
                    Cause::Protocol,
                    format!(
                        "{host} speaks TLS, but no {} over it: {why}",
                        scene.protocol
                    ),
                );
            }
            Error::PeerIncompatible(_)
            | Error::AlertReceived(
                AlertDescription::HandshakeFailure
                | AlertDescription::ProtocolVersion
                | AlertDescription::InsufficientSecurity,
            ) => OFFERED,
            _ => "",
        };
        return Failure::new(Cause::Tls, format!("TLS with {host} failed: {why}{hint}"));
    };
    let (cause, why) = match certificate {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => (Cause::TlsExpired, period(certificate)),
        CertificateError::NotValidForName => (Cause::TlsHostname, "is for another name".to_owned()),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names = words::hosts(presented);
            let why = if names.is_empty() {
                "names no host (subjectAltName)".to_owned()
            } else {
                let names = text::sanitize(&names.join(", "), text::PIECE);
                format!("is for another name: {names}")
            };
            (Cause::TlsHostname, why)
        }
        CertificateError::UnknownIssuer => (Cause::TlsUntrusted, untrusted()),
        // Signed by somebody of a trusted root's name: a private CA that was made anew, as a rule.
        CertificateError::BadSignature => (
            Cause::TlsUntrusted,
            format!("has a signature that does not match: it {}", untrusted()),
        ),
        other if is_ca_as_end_entity(other) => (Cause::TlsUntrusted, untrusted()),
        other => {
            let why = text::sanitize(&words::certificate(other), text::PIECE);
            let hint = match other {
                CertificateError::UnsupportedSignatureAlgorithmContext { .. }
                | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                    UNDERSTOOD
                }
                _ => "",
            };
            (Cause::Tls, format!("is not valid: {why}{hint}"))
        }
    };
    Failure::new(cause, format!("the certificate of {host} {why}"))
}

fn untrusted() -> String {
    "is not signed by a trusted root; a private CA goes into the input ca-certificates".to_owned()
}

/// When it is valid, against the runner's clock.
fn period(certificate: &CertificateError) -> String {
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
    format!("{why}; the runner's clock says {clock}")
}

fn date(unix_seconds: u64) -> String {
    std::time::UNIX_EPOCH
        .checked_add(Duration::from_secs(unix_seconds))
        .map_or_else(String::new, |time| {
            humantime::format_rfc3339_seconds(time).to_string()
        })
}

#[cfg(test)]
mod tests;
