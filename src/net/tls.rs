//! The TLS settings of every connection: whom to believe, and no memory of earlier connections.

pub(crate) mod ends;
mod verifier;
pub(crate) mod words;

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, ClientConfig, Error};

use self::verifier::LateRoots;
use super::roots::ThisSystem;

/// What all connections have in common.
#[derive(Debug, Clone)]
pub(crate) struct TlsSettings {
    /// Versions, algorithms and the verifier; no client certificate.
    pub(crate) config: ClientConfig,
    /// The configuration's verifier, which it does not give back.
    pub(crate) verifier: Arc<dyn ServerCertVerifier>,
}

impl TlsSettings {
    /// Builds them. `own` are the user's certificates to trust.
    pub(crate) fn new(own: Vec<CertificateDer<'static>>) -> Result<Self, Error> {
        let provider = Arc::new(ring::default_provider());
        let roots = LateRoots::new(Arc::clone(&provider), own, Box::new(ThisSystem));
        let verifier: Arc<dyn ServerCertVerifier> = Arc::new(roots);
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&verifier))
            .with_no_client_auth();
        // Each connection is judged by itself.
        config.resumption = Resumption::disabled();
        Ok(Self { config, verifier })
    }
}

/// Whether a certificate was refused because it is marked as a CA and stands at the end of a
/// chain, as `openssl req -x509` makes them. webpki says so before it looks for a signer.
#[must_use]
pub(crate) fn is_ca_as_end_entity(error: &CertificateError) -> bool {
    match error {
        CertificateError::Other(other) => matches!(
            other.0.downcast_ref::<webpki::Error>(),
            Some(webpki::Error::CaUsedAsEndEntity)
        ),
        _ => false,
    }
}
