//! A private certificate authority and one server certificate, as a company has them.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::Result;
use crate::sys::Replaced;

/// Where Debian and Ubuntu keep the roots that the system trusts.
const SYSTEM: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Writes `ca.pem`, `cert.pem` and `key.pem` for 127.0.0.1.
pub fn write(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "the bench's authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let cert = CertificateParams::new(names)?.signed_by(&key, &authority)?;
    fs::write(folder.join("ca.pem"), authority.pem())?;
    fs::write(folder.join("cert.pem"), cert.pem())?;
    fs::write(folder.join("key.pem"), key.serialize_pem())?;
    Ok(())
}

/// Adds the authority in this folder to those that the system trusts, as far as this process and
/// its children can see, until what comes back is dropped. `None` where that cannot be.
pub fn trust(folder: &Path) -> Result<Option<Replaced>> {
    let Ok(mut roots) = fs::read(SYSTEM) else {
        return Ok(None);
    };
    roots.extend(fs::read(folder.join("ca.pem"))?);
    let file: PathBuf = folder.join("system.pem");
    fs::write(&file, roots)?;
    Ok(Replaced::new(&file, Path::new(SYSTEM)).ok())
}
