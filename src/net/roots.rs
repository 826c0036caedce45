//! Whom to believe: the system's root certificates, Mozilla's where there are none, and the
//! user's own.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Reads the certificates of a PEM file; it must hold one at least.
pub fn parse_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("is not a PEM file: {error}"))?;
    if certificates.is_empty() {
        return Err("has no certificate; it must be a PEM file with BEGIN CERTIFICATE".to_owned());
    }
    let mut store = RootCertStore::empty();
    match store.add_parsable_certificates(certificates.iter().cloned()) {
        (_, 0) => Ok(certificates),
        (_, bad) => Err(format!(
            "has {} that cannot be read",
            crate::text::count(bad, "certificate")
        )),
    }
}

/// The user's own roots alone.
#[must_use]
pub fn only(own: &[CertificateDer<'static>]) -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(own.iter().cloned());
    store
}

/// The system's roots, Mozilla's where there are none, and the user's own. Takes milliseconds,
/// so nobody calls it before a certificate is to be judged.
#[must_use]
pub fn all(own: &[CertificateDer<'static>]) -> RootCertStore {
    let mut store = RootCertStore::empty();
    // A system with some unreadable certificates still has the others.
    let system = rustls_native_certs::load_native_certs();
    store.add_parsable_certificates(system.certs);
    if store.is_empty() {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    store.add_parsable_certificates(own.iter().cloned());
    store
}
