//! Certificates of every kind, made anew for each run.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, Issuer,
    KeyPair, date_time_ymd,
};

/// Who signs certificates.
pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

/// The authority that the tests trust, where they say so.
pub(crate) static TRUSTED: LazyLock<Authority> =
    LazyLock::new(|| authority("Trusted by the tests"));

/// One that nobody trusts.
static UNKNOWN: LazyLock<Authority> = LazyLock::new(|| authority("Unknown to everybody"));

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// The PEM of the authority that the tests trust.
pub(crate) fn trusted_pem() -> String {
    TRUSTED.pem()
}

/// The PEM of the one that nobody trusts.
pub(crate) fn unknown_pem() -> String {
    UNKNOWN.pem()
}

/// What is right or wrong with a certificate.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Certified {
    Well,
    Expired,
    NotYetValid,
    OtherName,
    NoName,
    UnknownIssuer,
    SelfSigned,
    SelfSignedCa,
    /// Well, for so many hours more.
    EndingIn(u64),
}

/// A server's certificate, and its key.
pub(crate) struct Identity {
    pub(crate) certificate: Certificate,
    pub(crate) key: KeyPair,
}

impl Identity {
    /// For the host of this name or address.
    pub(crate) fn new(host: &str, certified: Certified) -> Self {
        let name = match certified {
            Certified::OtherName => "other.example",
            _ => host,
        };
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        match certified {
            Certified::NoName => params.subject_alt_names.clear(),
            Certified::Expired => params.not_after = date_time_ymd(2001, 1, 1),
            Certified::EndingIn(hours) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
                let left = Duration::from_secs(hours * 3600);
                params.not_after = date_time_ymd(1970, 1, 1) + now + left;
            }
            Certified::NotYetValid => params.not_before = date_time_ymd(3001, 1, 1),
            Certified::SelfSignedCa => params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            _ => {}
        }
        let key = KeyPair::generate().unwrap();
        let by = |issuer: &Issuer<'static, KeyPair>| params.signed_by(&key, issuer);
        let certificate = match certified {
            Certified::SelfSigned | Certified::SelfSignedCa => params.self_signed(&key),
            Certified::UnknownIssuer => by(&UNKNOWN),
            _ => by(&TRUSTED),
        };
        let certificate = certificate.unwrap();
        Self { certificate, key }
    }
}
