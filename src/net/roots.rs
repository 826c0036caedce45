//! Trust anchors: the system's root certificates, Mozilla's where there are none, and the
//! user's own.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

/// How much of a line is shown.
const LINE: usize = 60;
/// A byte order mark, as editors on Windows write it.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads the certificates of a PEM file; it must hold one at least.
pub fn parse_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    if pem.starts_with(b"\xff\xfe") || pem.starts_with(b"\xfe\xff") {
        return Err("is UTF-16 text; save it as UTF-8".to_owned());
    }
    // A file that was put together from several has marks in its middle.
    let mut text = Vec::with_capacity(pem.len());
    for line in pem.split_inclusive(|byte| *byte == b'\n') {
        text.extend_from_slice(line.strip_prefix(MARK).unwrap_or(line));
    }
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("is not a PEM file: {}", words(&error)))?;
    if certificates.is_empty() {
        return Err("has no certificate; it must be a PEM file with BEGIN CERTIFICATE".to_owned());
    }
    let mut store = RootCertStore::empty();
    match store.add_parsable_certificates(certificates.iter().cloned()) {
        (_, 0) => Ok(certificates),
        (_, bad) => Err(format!(
            "has {} that cannot be read",
            crate::text::pluralize(bad, "certificate")
        )),
    }
}

/// What is wrong with it: the library shows lines as lists of bytes.
fn words(error: &pem::Error) -> String {
    let line = |bytes: &[u8]| crate::text::sanitize(&String::from_utf8_lossy(bytes), LINE);
    match error {
        pem::Error::MissingSectionEnd { end_marker } => {
            format!("the line -----END {}----- is missing", line(end_marker))
        }
        pem::Error::IllegalSectionStart { line: start } => {
            format!("the line {} is not a whole one", line(start))
        }
        pem::Error::Base64Decode(_) => "what stands in a certificate is not base64".to_owned(),
        other => other.to_string(),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> String {
        let made = rcgen::generate_simple_self_signed(["a.example".to_owned()]);
        made.unwrap().cert.pem()
    }

    #[test]
    fn byte_order_marks_are_done_without() {
        let marked = format!("\u{feff}{}", certificate());
        let together = format!("{marked}{marked}").replace('\n', "\r\n");
        for (pem, expected) in [(marked, 1), (together, 2)] {
            assert_eq!(parse_pem(pem.as_bytes()).unwrap().len(), expected);
        }
    }

    #[test]
    fn what_is_wrong_is_said_in_words() {
        let whole = certificate();
        let utf16: Vec<u8> = format!("\u{feff}{whole}")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for (pem, expected) in [
            (utf16, "UTF-16"),
            (b"hello".to_vec(), "BEGIN CERTIFICATE"),
            (
                whole.replace("-----END CERTIFICATE-----", "").into_bytes(),
                "the line -----END CERTIFICATE----- is missing",
            ),
            (
                whole
                    .replace("CERTIFICATE-----", "CERTIFICATE")
                    .into_bytes(),
                "the line -----BEGIN CERTIFICATE is not a whole one",
            ),
            (
                b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n".to_vec(),
                "not base64",
            ),
            (
                b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec(),
                "1 certificate that cannot be read",
            ),
        ] {
            let said = parse_pem(&pem).unwrap_err();
            assert!(said.contains(expected), "{said}");
            assert!(!said.contains('['), "{said}");
        }
    }
}
