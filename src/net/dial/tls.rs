//! The TLS stage, and what it shows of the other side.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use tokio_rustls::TlsConnector;

use super::stream::Stream;
use crate::net::tls::{TlsSettings, ends};

/// One handshake: the certificate's verifier, and the answer to a server that asks for a client
/// certificate (none), with a note of both.
#[derive(Debug)]
pub(crate) struct Handshake {
    verifier: Arc<dyn ServerCertVerifier>,
    /// The server's certificate was judged good, and it has shown that it has the key.
    trusted: AtomicBool,
    asked: AtomicBool,
    /// How long the certificate that was judged good is still valid.
    left: OnceLock<Duration>,
    /// Whether a certificate that is refused ends the handshake.
    at_once: bool,
    /// Why the certificate was refused, where that did not end it.
    refused: OnceLock<Error>,
}

impl Handshake {
    pub(super) fn new(settings: &TlsSettings) -> Self {
        Self {
            verifier: Arc::clone(&settings.verifier),
            trusted: AtomicBool::new(false),
            asked: AtomicBool::new(false),
            left: OnceLock::new(),
            at_once: true,
            refused: OnceLock::new(),
        }
    }

    /// One that goes on with a server whose certificate is refused. Who makes it looks at
    /// [`Self::refused`], and believes nothing that such a server says.
    pub(super) fn judged_late(settings: &TlsSettings) -> Self {
        Self {
            at_once: false,
            ..Self::new(settings)
        }
    }

    /// One that has seen this.
    #[cfg(test)]
    pub(crate) fn seen(trusted: bool, asked: bool) -> Self {
        let settings = TlsSettings::new(Vec::new()).unwrap();
        let mut handshake = Self::new(&settings);
        *handshake.trusted.get_mut() = trusted;
        *handshake.asked.get_mut() = asked;
        handshake
    }

    /// Whether the server asked for a client certificate.
    pub(crate) fn asked_for_certificate(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Whether the server's own certificate is good.
    pub(crate) fn is_trusted(&self) -> bool {
        self.trusted.load(Ordering::Relaxed) && self.refused.get().is_none()
    }

    /// How long the server's certificate is still valid, where it is good.
    pub(crate) fn left(&self) -> Option<Duration> {
        self.left.get().copied().filter(|_| self.is_trusted())
    }

    /// Why the server's certificate was refused, where the handshake went on all the same.
    pub(crate) fn refused(&self) -> Option<&Error> {
        self.refused.get()
    }

    fn note<T>(&self, judged: Result<T, Error>) -> Result<T, Error> {
        self.trusted.store(judged.is_ok(), Ordering::Relaxed);
        judged
    }
}

/// Makes the handshake. Returns the protocol that was agreed on as well.
pub(super) async fn connect(
    settings: &TlsSettings,
    handshake: &Arc<Handshake>,
    server: ServerName<'static>,
    protocols: &[&[u8]],
    stream: Box<dyn Stream>,
) -> io::Result<(Box<dyn Stream>, Option<Vec<u8>>)> {
    let mut config = settings.config.clone();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    config.client_auth_cert_resolver = Arc::clone(handshake) as _;
    config
        .dangerous()
        .set_certificate_verifier(Arc::clone(handshake) as _);
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(server, stream).await?;
    let alpn = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
    Ok((Box::new(stream), alpn))
}

/// The one of the configuration, whose last word is noted: the signature is checked once the
/// certificate is judged good.
impl ServerCertVerifier for Handshake {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judged = self.verifier.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match judged {
            Err(error) if !self.at_once => {
                _ = self.refused.set(error);
                Ok(ServerCertVerified::assertion())
            }
            Ok(verified) => {
                if let Some(left) = ends::left(end_entity, now) {
                    _ = self.left.set(left);
                }
                Ok(verified)
            }
            refused => refused,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.note(self.verifier.verify_tls12_signature(message, cert, signed))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.note(self.verifier.verify_tls13_signature(message, cert, signed))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

/// No client certificate is ever sent.
impl ResolvesClientCert for Handshake {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_judgement_is_kept_and_no_milder() {
        let settings = TlsSettings::new(Vec::new()).unwrap();
        let made = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let name = ServerName::try_from("a.example").unwrap();
        let judge = |handshake: &Handshake| {
            let now = UnixTime::now();
            handshake.verify_server_cert(made.cert.der(), &[], &name, &[], now)
        };
        let at_once = Handshake::new(&settings);
        let error = judge(&at_once).err();
        assert!(matches!(error, Some(Error::InvalidCertificate(_))));
        assert_eq!(at_once.refused(), None);
        let late = Handshake::judged_late(&settings);
        judge(&late).unwrap();
        assert_eq!(late.refused(), error.as_ref());
        // The server does have the certificate's key.
        late.trusted.store(true, Ordering::Relaxed);
        assert!(!late.is_trusted());
    }
}
