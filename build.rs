//! Gives the program the digest of the sources that it is built from, for `--version`.
//!
//! `scripts/source-digest` computes the same with a shell and `sha256sum`: the SHA-256 of what
//! `sha256sum` prints for these files, in the order of their paths. No time, no folder and no
//! git in it, so that everybody who builds these sources gets the same digest.

use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

/// What determines the program, beside the compiler. A file that `src/` includes from elsewhere
/// belongs here and in `scripts/source-digest`; `scripts/check-dist` builds without any other.
const SOURCES: [&str; 4] = ["build.rs", "Cargo.lock", "Cargo.toml", "src"];

fn main() -> io::Result<()> {
    let mut files = Vec::new();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
        collect(source, &mut files)?;
    }
    files.sort_unstable();

    let mut listing = Sha256::new();
    for file in files {
        let content = Sha256::digest(fs::read(&file)?);
        listing.update(format!("{content:x}  {file}\n"));
    }
    let digest = format!("{:x}", listing.finalize());
    println!("cargo::rustc-env=DEP_PREFLIGHT_SOURCE_DIGEST={digest:.16}");
    Ok(())
}

/// Adds a file, or all files below a folder; the paths have forward slashes on every system.
fn collect(path: &str, files: &mut Vec<String>) -> io::Result<()> {
    if Path::new(path).is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name();
        collect(&format!("{path}/{}", name.to_string_lossy()), files)?;
    }
    Ok(())
}
