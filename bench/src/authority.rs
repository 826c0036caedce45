//! A private certificate authority and one server certificate, as a company has them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::certificates::{Certified, Identity, trusted_pem};
use crate::sys::Replaced;

/// Where Debian and Ubuntu keep the roots that the system trusts.
const SYSTEM: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Writes `ca.pem`, `cert.pem` and `key.pem` for 127.0.0.1.
pub fn write(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let Identity { certificate, key } = Identity::new("127.0.0.1", Certified::Well);
    fs::write(folder.join("ca.pem"), trusted_pem())?;
    fs::write(folder.join("cert.pem"), certificate.pem())?;
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
