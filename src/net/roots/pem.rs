//! Root certificates that a user gives in a PEM file.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

/// How much of a line an error quotes, in characters.
const LINE_LIMIT: usize = 60;
/// A byte order mark, as editors on Windows write it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What is wrong with a file of root certificates, said after the file's name.
#[derive(Debug, thiserror::Error)]
pub enum PemError {
    /// As editors on Windows used to save text.
    #[error("is UTF-16 text; save it as UTF-8")]
    Utf16,
    /// A BEGIN or END line, or the base64 between the two, is damaged.
    #[error("is not a PEM file: {}", words(.0))]
    Malformed(pem::Error),
    /// There is no BEGIN CERTIFICATE in it.
    #[error("has no certificate; it must be a PEM file with BEGIN CERTIFICATE")]
    NoCertificate,
    /// So many of its certificates are not valid X.509.
    #[error("has {} that cannot be read", crate::text::pluralize(*.0, "certificate"))]
    Unreadable(usize),
}

/// Reads the certificates of a PEM file; it must hold one at least.
pub fn parse_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemError> {
    if pem.starts_with(b"\xff\xfe") || pem.starts_with(b"\xfe\xff") {
        return Err(PemError::Utf16);
    }
    // A file that was put together from several has marks in its middle.
    let mut text = Vec::with_capacity(pem.len());
    for line in pem.split_inclusive(|byte| *byte == b'\n') {
        text.extend_from_slice(line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line));
    }
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(PemError::Malformed)?;
    if certificates.is_empty() {
        return Err(PemError::NoCertificate);
    }
    let mut store = RootCertStore::empty();
    match store.add_parsable_certificates(certificates.iter().cloned()) {
        (_, 0) => Ok(certificates),
        (_, bad) => Err(PemError::Unreadable(bad)),
    }
}

/// What is wrong with it: the library shows lines as lists of bytes.
fn words(error: &pem::Error) -> String {
    let line = |bytes: &[u8]| crate::text::sanitize(&String::from_utf8_lossy(bytes), LINE_LIMIT);
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
            let said = parse_pem(&pem).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
            assert!(!said.contains('['), "{said}");
        }
    }
}
