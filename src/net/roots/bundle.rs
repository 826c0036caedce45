//! The system's bundle: the file with all root certificates that distributions make.
//!
//! rustls-native-certs reads it, and after it every file of a directory that has the same
//! certificates once more, which takes five times as many instructions as the rest of a run with
//! one https target. So the bundle alone is read first, by a parser that knows the form in which
//! distributions write it and nothing else. Whatever is written in another way is left to
//! rustls-native-certs.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";

/// Where the bundle is. `None` where the environment names other places.
pub(super) fn path() -> Option<PathBuf> {
    let elsewhere = [openssl_probe::ENV_CERT_FILE, openssl_probe::ENV_CERT_DIR];
    if elsewhere.iter().any(|name| env::var_os(name).is_some()) {
        return None;
    }
    openssl_probe::probe().cert_file
}

/// Reads a bundle. `None` if it cannot be read, or has anything but certificates, each line of
/// them in its usual form, and comments between them.
pub(super) fn read(path: &Path) -> Option<RootCertStore> {
    parse(&fs::read(path).ok()?)
}

fn parse(pem: &[u8]) -> Option<RootCertStore> {
    let mut store = RootCertStore::empty();
    let (mut base64, mut der) = (Vec::new(), Vec::new());
    let mut inside = false;
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', pem) {
        let line = pem.get(start..end)?;
        start = end + 1;
        match line {
            BEGIN if !inside => inside = true,
            END if inside => {
                let estimate = base64::decoded_len_estimate(base64.len());
                if estimate > der.len() {
                    der.resize(estimate, 0);
                }
                let len = BASE64_STANDARD.decode_slice(&base64, &mut der).ok()?;
                // rustls leaves out a certificate that it cannot parse; so does this.
                store.add_parsable_certificates([CertificateDer::from(der.get(..len)?)]);
                base64.clear();
                inside = false;
            }
            [b'-', ..] => return None,
            _ if inside => base64.extend_from_slice(line),
            _ => {}
        }
    }
    let complete = !inside && start == pem.len();
    complete.then_some(store)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};
    use rustls::pki_types::pem::PemObject;

    use super::*;

    fn certificate(name: &str) -> String {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&KeyPair::generate().unwrap());
        certificate.unwrap().pem().replace('\r', "")
    }

    /// What rustls-native-certs makes of a file.
    fn reference(pem: &[u8]) -> RootCertStore {
        let mut store = RootCertStore::empty();
        let certificates = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok);
        store.add_parsable_certificates(certificates);
        store
    }

    #[test]
    fn a_bundle_is_read_as_the_library_reads_it() {
        let [a, b] = ["A", "B"].map(certificate);
        let wide = a.lines().filter(|line| !line.starts_with('-'));
        let wide = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            wide.collect::<String>()
        );
        for (pem, len) in [
            (String::new(), 0),
            ("# nothing\n".to_owned(), 0),
            (format!("{a}{b}"), 2),
            (format!("# A - one\n\n{a}\n# B\n=====\n{b}\n"), 2),
            (wide, 1),
        ] {
            let store = parse(pem.as_bytes()).unwrap();
            assert_eq!(store.len(), len, "{pem}");
            assert_eq!(store.roots, reference(pem.as_bytes()).roots, "{pem}");
        }
    }

    #[test]
    fn an_unusual_bundle_is_left_to_the_library() {
        let [a, b] = ["A", "B"].map(certificate);
        for pem in [
            format!("\u{feff}{a}{b}"),
            format!("{a}{b}").replace('\n', "\r\n"),
            format!("{a}{b}").trim_end().to_owned(),
            format!("{a}{}", b.replace("-----END", "-----end")),
            format!("{}{b}", a.replace("-----END CERTIFICATE-----\n", "")),
            format!("{}{b}", a.replace("-----BEGIN CERTIFICATE-----\n", "")),
            format!("{}{b}", a.replace("MII", "!II")),
            format!("{}{b}", a.replace("MII", "M=I")),
            format!("{a}{}", b.replace("CERTIFICATE", "TRUSTED CERTIFICATE")),
            format!("{a}{}", b.replace("CERTIFICATE", "PRIVATE KEY")),
            format!("{a}# {b}"),
            format!("{a}{}", b.replace("CERTIFICATE-----", "CERTIFICATE----- ")),
        ] {
            assert!(parse(pem.as_bytes()).is_none(), "{pem}");
        }
    }

    #[test]
    fn damage_never_adds_a_root() {
        let whole = ["A", "B", "C"].map(certificate).concat().into_bytes();
        for at in 0..whole.len() {
            let [mut changed, mut without] = [whole.clone(), whole.clone()];
            changed[at] = b"-A\n=#"[at % 5];
            without.remove(at);
            for pem in [&changed, &without, &whole[..at].to_vec()] {
                let known = reference(pem).roots;
                let read = parse(pem).unwrap_or_else(RootCertStore::empty).roots;
                assert!(
                    read.iter().all(|root| known.contains(root)),
                    "{}",
                    String::from_utf8_lossy(pem)
                );
            }
        }
    }
}
