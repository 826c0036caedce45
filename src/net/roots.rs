//! Trust anchors: the system's root certificates, Mozilla's where there are none, and the
//! user's own.

#[cfg(all(unix, not(target_os = "macos")))]
mod bundle;
mod pem;

use std::fmt;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

pub(crate) use self::pem::PemError;
pub use self::pem::parse_pem;

/// Where the system's roots come from.
pub(crate) trait System: fmt::Debug + Send + Sync {
    /// Those of them that are read fast, or none: enough to trust a server, not to refuse one.
    fn bundle(&self) -> RootCertStore;

    /// All of them. Takes milliseconds.
    fn certificates(&self) -> Vec<CertificateDer<'static>>;
}

/// The system that this program runs on.
#[derive(Debug)]
pub(crate) struct ThisSystem;

impl System for ThisSystem {
    #[cfg(all(unix, not(target_os = "macos")))]
    fn bundle(&self) -> RootCertStore {
        bundle::path()
            .and_then(|path| bundle::read(&path))
            .unwrap_or_else(RootCertStore::empty)
    }

    #[cfg(not(all(unix, not(target_os = "macos"))))]
    fn bundle(&self) -> RootCertStore {
        // Roots come from the keychain or from Windows' store; neither has a bundle.
        RootCertStore::empty()
    }

    fn certificates(&self) -> Vec<CertificateDer<'static>> {
        // A system with some unreadable certificates still has the others.
        rustls_native_certs::load_native_certs().certs
    }
}

/// The user's own roots alone.
#[must_use]
pub(crate) fn only(own: &[CertificateDer<'static>]) -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(own.iter().cloned());
    store
}

/// All of the system's roots, Mozilla's where there are none, and the user's own.
#[must_use]
pub(crate) fn all(system: &dyn System, own: &[CertificateDer<'static>]) -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(system.certificates());
    if store.is_empty() {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    store.add_parsable_certificates(own.iter().cloned());
    store
}
