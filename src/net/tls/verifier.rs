//! Judges the certificates of servers, by roots that are read as late as can be.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::is_ca_as_end_entity;
use crate::net::roots::{self, System};

/// The usual verification, with roots that are read once the first certificate is judged, and no
/// more of them than it takes to trust that one: reading all of the system's takes longer than
/// the rest of a step with one target. They are all read before a certificate is refused.
#[derive(Debug)]
pub(super) struct LateRoots {
    provider: Arc<CryptoProvider>,
    own: Vec<CertificateDer<'static>>,
    system: Box<dyn System>,
    by_own: OnceLock<Verifier>,
    by_bundle: OnceLock<Verifier>,
    by_all: OnceLock<Verifier>,
}

type Verifier = Result<Arc<WebPkiServerVerifier>, Error>;

impl LateRoots {
    /// `own` are the user's certificates to trust, beside the system's.
    pub(super) fn new(
        provider: Arc<CryptoProvider>,
        own: Vec<CertificateDer<'static>>,
        system: Box<dyn System>,
    ) -> Self {
        Self {
            provider,
            own,
            system,
            by_own: OnceLock::new(),
            by_bundle: OnceLock::new(),
            by_all: OnceLock::new(),
        }
    }

    /// The verifier that is kept in this place, made if this is its first use. An error if there
    /// are no such roots.
    fn verifier<'a>(
        &self,
        place: &'a OnceLock<Verifier>,
        read: impl FnOnce() -> RootCertStore,
    ) -> Result<&'a WebPkiServerVerifier, Error> {
        let made = place.get_or_init(|| {
            let provider = Arc::clone(&self.provider);
            WebPkiServerVerifier::builder_with_provider(Arc::new(read()), provider)
                .build()
                .map_err(|error| Error::General(error.to_string()))
        });
        made.as_deref().map_err(Clone::clone)
    }

    fn by_own(&self) -> Result<&WebPkiServerVerifier, Error> {
        self.verifier(&self.by_own, || roots::only(&self.own))
    }

    fn by_bundle(&self) -> Result<&WebPkiServerVerifier, Error> {
        self.verifier(&self.by_bundle, || self.system.bundle())
    }

    fn by_all(&self) -> Result<&WebPkiServerVerifier, Error> {
        self.verifier(&self.by_all, || roots::all(&*self.system, &self.own))
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
        let judge = |verifier: Result<&WebPkiServerVerifier, Error>| {
            verifier?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        match judge(self.by_own()) {
            // A self-signed certificate that the user named, byte for byte, is trusted though
            // it is marked as a CA: webpki has judged its dates before that mark, the name
            // is judged here.
            Err(Error::InvalidCertificate(error))
                if is_ca_as_end_entity(&error) && self.own.iter().any(|own| own == end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            by_own => by_own
                .or_else(|_| judge(self.by_bundle()))
                .or_else(|_| judge(self.by_all())),
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
    use rustls::CertificateError;
    use rustls::crypto::ring;

    use super::*;

    const NAME: &str = "a.example";

    /// A system, and how often each of its two places was read.
    #[derive(Debug)]
    struct Counting {
        bundle: Vec<CertificateDer<'static>>,
        certificates: Vec<CertificateDer<'static>>,
        reads: Arc<[AtomicUsize; 2]>,
    }

    impl System for Counting {
        fn bundle(&self) -> RootCertStore {
            self.reads[0].fetch_add(1, Ordering::Relaxed);
            roots::only(&self.bundle)
        }

        fn certificates(&self) -> Vec<CertificateDer<'static>> {
            self.reads[1].fetch_add(1, Ordering::Relaxed);
            self.certificates.clone()
        }
    }

    /// A root with this name, and a certificate for [`NAME`] that it signed.
    fn authority(root: &str) -> (CertificateDer<'static>, CertificateDer<'static>) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, root);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let params = CertificateParams::new([NAME.to_owned()]).unwrap();
        let leaf = params.signed_by(&KeyPair::generate().unwrap(), &root);
        (root.der().clone(), leaf.unwrap().der().clone())
    }

    /// A verifier, and how often it has read the bundle and everything.
    fn late(
        own: &[CertificateDer<'static>],
        bundle: &[CertificateDer<'static>],
        certificates: &[CertificateDer<'static>],
    ) -> (LateRoots, Arc<[AtomicUsize; 2]>) {
        let reads = Arc::default();
        let system = Counting {
            bundle: bundle.to_vec(),
            certificates: certificates.to_vec(),
            reads: Arc::clone(&reads),
        };
        let provider = Arc::new(ring::default_provider());
        let verifier = LateRoots::new(provider, own.to_vec(), Box::new(system));
        (verifier, reads)
    }

    #[track_caller]
    fn judges(
        (verifier, reads): &(LateRoots, Arc<[AtomicUsize; 2]>),
        certificate: &CertificateDer<'_>,
        refused: Option<&CertificateError>,
        expected_reads: [usize; 2],
    ) {
        let name = ServerName::try_from(NAME).unwrap();
        for _ in 0..2 {
            let judged = verifier.verify_server_cert(certificate, &[], &name, &[], UnixTime::now());
            let expected = refused.cloned().map(Error::InvalidCertificate);
            assert_eq!(judged.err(), expected);
            let reads = reads.each_ref().map(|reads| reads.load(Ordering::Relaxed));
            assert_eq!(reads, expected_reads);
        }
    }

    #[test]
    fn all_roots_are_read_before_a_certificate_is_refused_and_no_more_than_it_takes_to_trust_it() {
        let (root, leaf) = authority("A root");
        let (older, _) = authority("A root");
        let (other, _) = authority("Another root");
        let [root, older, other, none] = [vec![root], vec![older], vec![other], vec![]];
        for (own, bundle, certificates, reads) in [
            (&root, &other, &other, [0, 0]),
            (&none, &root, &root, [1, 0]),
            (&other, &root, &root, [1, 0]),
            (&none, &other, &root, [1, 1]),
            (&none, &older, &root, [1, 1]),
            (&other, &none, &root, [1, 1]),
        ] {
            judges(&late(own, bundle, certificates), &leaf, None, reads);
        }
        for (bundle, certificates) in [
            (&other, &other),
            // Mozilla's take their place.
            (&none, &none),
        ] {
            let unknown = CertificateError::UnknownIssuer;
            judges(
                &late(&none, bundle, certificates),
                &leaf,
                Some(&unknown),
                [1, 1],
            );
        }
    }

    #[test]
    fn a_self_signed_certificate_that_the_user_named_needs_no_other_root() {
        for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
            let mut params = CertificateParams::new([NAME.to_owned()]).unwrap();
            params.is_ca = is_ca;
            let certificate = params.self_signed(&KeyPair::generate().unwrap());
            let certificate = certificate.unwrap().der().clone();
            let own = [certificate.clone()];
            judges(&late(&own, &[], &[]), &certificate, None, [0, 0]);
        }
    }
}
