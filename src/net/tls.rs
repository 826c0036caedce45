//! The TLS configuration of every client, with two hooks that tell how far a handshake came.

mod verifier;
pub(crate) mod words;

use std::sync::Arc;
use std::time::Instant;

use rustls::client::{
    ClientSessionStore, ResolvesClientCert, Resumption, Tls12ClientSessionValue,
    Tls13ClientSessionValue,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, ClientConfig, Error, NamedGroup, SignatureScheme};

use self::verifier::LateRoots;
use super::roots::ThisSystem;
use super::trace;

/// Builds the configuration. `own` are the user's certificates to trust.
pub(crate) fn config(own: Vec<CertificateDer<'static>>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(LateRoots::new(
            provider,
            own,
            Box::new(ThisSystem),
        )))
        .with_client_cert_resolver(Arc::new(NoCertificate));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.resumption = Resumption::store(Arc::new(NoteHello));
    Ok(config)
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

/// No client certificate is ever sent; that one was asked for is worth a word.
#[derive(Debug)]
struct NoCertificate;

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        trace::note(|trace| trace.client_certificate_wanted = true);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// A session store that stores nothing. It is asked when a client hello is made, which is
/// how we know that TCP stands: the library has no other hook between the two.
#[derive(Debug)]
struct NoteHello;

impl ClientSessionStore for NoteHello {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        trace::note(|trace| {
            trace.hello = Some(Instant::now());
            trace.hellos = trace.hellos.saturating_add(1);
        });
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: Tls13ClientSessionValue) {}

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}
