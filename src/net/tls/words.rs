//! What a TLS error says, in words: the library shows the names of its types.

use std::fmt::Debug;

use super::is_ca_as_end_entity;
use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

/// What went wrong with a handshake; what is wrong with a certificate says [`certificate`].
#[must_use]
pub(crate) fn handshake(error: &Error) -> String {
    match error {
        Error::AlertReceived(alert) => {
            // By the name that the standard has for it.
            let name = match alert {
                AlertDescription::UnrecognisedName => "unrecognized_name".to_owned(),
                other => plain(other).replace(' ', "_"),
            };
            format!("the server sent the alert {name} ({})", u8::from(*alert))
        }
        Error::InvalidMessage(why) => format!("what came back is not TLS ({})", plain(why)),
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "the server sent a message that does not belong there".to_owned()
        }
        Error::PeerIncompatible(why) => {
            let why = match why {
                PeerIncompatible::NoKxGroupsInCommon => {
                    "no key exchange group in common".to_owned()
                }
                PeerIncompatible::NoCipherSuitesInCommon => "no cipher suite in common".to_owned(),
                PeerIncompatible::NoSignatureSchemesInCommon => {
                    "no signature scheme in common".to_owned()
                }
                PeerIncompatible::ServerDoesNotSupportTls12Or13 => {
                    "it speaks neither TLS 1.2 nor TLS 1.3".to_owned()
                }
                other => plain(other),
            };
            format!("the server does not fit this client: {why}")
        }
        Error::PeerMisbehaved(why) => format!("the server broke the rules: {}", plain(why)),
        Error::NoCertificatesPresented => "the server sent no certificate".to_owned(),
        Error::DecryptError => "what the server sent cannot be decrypted".to_owned(),
        Error::PeerSentOversizedRecord => "the server sent a record that is too large".to_owned(),
        Error::InvalidCertificate(error) => {
            format!("the certificate is not valid: {}", certificate(error))
        }
        Error::General(why) => why.clone(),
        Error::Other(other) => other.to_string(),
        other => plain(other),
    }
}

/// What is wrong with a certificate, to follow a colon.
#[must_use]
pub(crate) fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::BadEncoding => "it cannot be decoded".to_owned(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not yet valid".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name".to_owned()
        }
        CertificateError::UnknownIssuer => "it is not signed by a trusted root".to_owned(),
        other if is_ca_as_end_entity(other) => "it is not signed by a trusted root".to_owned(),
        CertificateError::BadSignature => "its signature is wrong".to_owned(),
        CertificateError::Revoked => "it was revoked".to_owned(),
        CertificateError::UnhandledCriticalExtension => {
            "it has a critical extension that is not known here".to_owned()
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. } => {
            "its signature algorithm is not supported here".to_owned()
        }
        CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "its signature algorithm is not supported here with its issuer's key".to_owned()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it is not one for servers".to_owned()
        }
        CertificateError::Other(other) => plain(&other.0),
        other => plain(other),
    }
}

/// The hosts that a certificate is for, without what kind of name each is.
#[must_use]
pub(crate) fn hosts(presented: &[String]) -> Vec<&str> {
    let hosts = presented.iter().filter_map(|name| {
        let (kind, name) = name.strip_suffix(')')?.split_once('(')?;
        matches!(kind, "DnsName" | "IpAddress").then_some(name.trim_matches('"'))
    });
    hosts.collect()
}

/// The name of a variant as words: `NoKxGroupsInCommon` is `no kx groups in common`. What it
/// holds is left out.
fn plain(error: &dyn Debug) -> String {
    let debug = format!("{error:?}");
    let name = debug
        .split(|c: char| !c.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default();
    let mut words = String::new();
    let mut before = ' ';
    for (at, letter) in name.char_indices() {
        let next = name.get(at + 1..).and_then(|rest| rest.chars().next());
        let begins = letter.is_ascii_uppercase()
            && (before.is_ascii_lowercase()
                || before.is_ascii_uppercase() && next.is_some_and(|c| c.is_ascii_lowercase()));
        if begins {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
        before = letter;
    }
    words
}

#[cfg(test)]
mod tests {
    use rustls::{InvalidMessage, OtherError, PeerMisbehaved};

    use super::*;

    #[test]
    fn handshakes_fail_in_words() {
        for (error, expected) in [
            (
                Error::AlertReceived(AlertDescription::HandshakeFailure),
                "the server sent the alert handshake_failure (40)",
            ),
            (
                Error::AlertReceived(AlertDescription::UnknownCA),
                "the server sent the alert unknown_ca (48)",
            ),
            (
                Error::InvalidMessage(InvalidMessage::InvalidContentType),
                "what came back is not TLS (invalid content type)",
            ),
            (
                Error::PeerIncompatible(PeerIncompatible::NoKxGroupsInCommon),
                "the server does not fit this client: no key exchange group in common",
            ),
            (
                Error::PeerMisbehaved(PeerMisbehaved::TooManyEmptyFragments),
                "the server broke the rules: too many empty fragments",
            ),
        ] {
            assert_eq!(handshake(&error), expected);
        }
    }

    #[test]
    fn certificates_are_wrong_in_words() {
        let algorithms = CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: vec![42, 134],
            supported_algorithms: Vec::new(),
        };
        let other = OtherError(std::sync::Arc::new(
            webpki::Error::PathLenConstraintViolated,
        ));
        for (error, expected) in [
            (algorithms, "its signature algorithm is not supported here"),
            (CertificateError::BadEncoding, "it cannot be decoded"),
            (
                CertificateError::Other(other),
                "path len constraint violated",
            ),
            (
                CertificateError::ApplicationVerificationFailure,
                "application verification failure",
            ),
        ] {
            assert_eq!(certificate(&error), expected);
        }
    }

    #[test]
    fn names_of_hosts_stand_for_themselves() {
        let presented = [
            "DnsName(\"a.example\")",
            "DnsName(\"*.b.example\")",
            "IpAddress(10.0.0.1)",
            "IpAddress(::1)",
            "UniformResourceIdentifier(\"spiffe://c.example/\")",
            "DirectoryName",
            "Unsupported(0x81)",
        ]
        .map(str::to_owned);
        let expected = ["a.example", "*.b.example", "10.0.0.1", "::1"];
        assert_eq!(hosts(&presented), expected);
    }
}
