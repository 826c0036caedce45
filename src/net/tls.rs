//! The TLS configuration of every client: roots that are loaded late, and two hooks that
//! tell how far a handshake came.

pub(crate) mod words;

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{
    ClientSessionStore, ResolvesClientCert, Resumption, Tls12ClientSessionValue,
    Tls13ClientSessionValue, WebPkiServerVerifier, verify_server_name,
};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, NamedGroup, RootCertStore,
    SignatureScheme,
};

use super::{roots, trace};

/// Builds the configuration. `own` are the user's certificates to trust.
pub(crate) fn config(own: Vec<CertificateDer<'static>>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(LateRoots {
            provider,
            own,
            by_own: OnceLock::new(),
            by_all: OnceLock::new(),
        }))
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

/// The usual verification, with roots that are read once the first certificate is judged, and
/// the system's only if the user's own do not suffice: reading those takes longer than all
/// the rest of a step with one target.
#[derive(Debug)]
struct LateRoots {
    provider: Arc<CryptoProvider>,
    own: Vec<CertificateDer<'static>>,
    by_own: OnceLock<Verifier>,
    by_all: OnceLock<Verifier>,
}

type Verifier = Result<Arc<WebPkiServerVerifier>, Error>;

impl LateRoots {
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
