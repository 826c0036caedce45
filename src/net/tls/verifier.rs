//! Judges the certificates of servers, by roots that are read as late as can be.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::is_ca_as_end_entity;
use crate::net::roots;

/// The usual verification, with roots that are read once the first certificate is judged, and
/// the system's only if the user's own do not suffice: reading those takes longer than all
/// the rest of a step with one target.
#[derive(Debug)]
pub(super) struct LateRoots {
    provider: Arc<CryptoProvider>,
    own: Vec<CertificateDer<'static>>,
    by_own: OnceLock<Verifier>,
    by_all: OnceLock<Verifier>,
}

type Verifier = Result<Arc<WebPkiServerVerifier>, Error>;

impl LateRoots {
    /// `own` are the user's certificates to trust.
    pub(super) fn new(provider: Arc<CryptoProvider>, own: Vec<CertificateDer<'static>>) -> Self {
        Self {
            provider,
            own,
            by_own: OnceLock::new(),
            by_all: OnceLock::new(),
        }
    }

    fn verifier<'a>(
        &self,
        place: &'a OnceLock<Verifier>,
        store: impl FnOnce() -> RootCertStore,
    ) -> Result<&'a WebPkiServerVerifier, Error> {
        let made = place.get_or_init(|| {
            let provider = Arc::clone(&self.provider);
            WebPkiServerVerifier::builder_with_provider(Arc::new(store()), provider)
                .build()
                .map_err(|error| Error::General(error.to_string()))
        });
        made.as_deref().map_err(Clone::clone)
    }
}

impl ServerCertVerifier for LateRoots {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judge = |verifier: &WebPkiServerVerifier| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        if !self.own.is_empty()
            && let Ok(verified) = judge(self.verifier(&self.by_own, || roots::only(&self.own))?)
        {
            return Ok(verified);
        }
        match judge(self.verifier(&self.by_all, || roots::all(&self.own))?) {
            // A self-signed certificate that the user named, byte for byte, is trusted though
            // it is marked as a CA: webpki has judged its dates before that mark, the name
            // is judged here.
            Err(Error::InvalidCertificate(error))
                if is_ca_as_end_entity(&error) && self.own.iter().any(|own| own == end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
