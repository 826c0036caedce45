//! Trust anchors: the system's root certificates, Mozilla's where there are none, and the
//! user's own.

mod pem;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

pub use self::pem::parse_pem;

/// The user's own roots alone.
#[must_use]
pub(crate) fn only(own: &[CertificateDer<'static>]) -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(own.iter().cloned());
    store
}

/// The system's roots, Mozilla's where there are none, and the user's own. Takes milliseconds,
/// so nobody calls it before a certificate is to be judged.
#[must_use]
pub(crate) fn all(own: &[CertificateDer<'static>]) -> RootCertStore {
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
