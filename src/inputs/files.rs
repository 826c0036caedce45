//! The files that inputs name, as far as they are read here.

use std::fs::File;
use std::io::{self, Read};

use rustls::pki_types::CertificateDer;

use crate::net::roots::{PemError, parse_pem};

/// More than any sensible file has; a special file may go on for ever.
const LIMIT: u64 = 16 * 1024 * 1024;
/// The name of standard input.
pub(super) const STDIN: &str = "-";

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is not there, or not to be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It is over [`LIMIT`].
    #[error("is larger than 16 MiB")]
    TooLarge,
    /// It holds no text.
    #[error("is not UTF-8 text")]
    NotText,
    /// It holds something else than certificates.
    #[error(transparent)]
    Certificates(#[from] PemError),
}

/// Reads a text; `-` is standard input.
pub(super) fn text(path: &str) -> Result<String, FileError> {
    let bytes = if path == STDIN {
        read(io::stdin().lock())?
    } else {
        read(File::open(path)?)?
    };
    String::from_utf8(bytes).map_err(|_| FileError::NotText)
}

/// Reads root certificates.
pub(super) fn certificates(path: &str) -> Result<Vec<CertificateDer<'static>>, FileError> {
    let pem = read(File::open(path)?)?;
    Ok(parse_pem(&pem)?)
}

fn read(from: impl Read) -> Result<Vec<u8>, FileError> {
    let mut content = Vec::new();
    from.take(LIMIT + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LIMIT {
        return Err(FileError::TooLarge);
    }
    Ok(content)
}
