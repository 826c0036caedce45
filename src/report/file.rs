//! Writing files that others chose: never waits for a reader.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

/// Opens a file for writing. A pipe that nobody reads is an error at once; the usual way would
/// wait for its reader, past every deadline.
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<std::fs::File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NONBLOCK.bits();
        options.custom_flags(i32::try_from(flags).unwrap_or_default());
    }
    options.create(true).open(path)
}

/// Appends to a file of the runner.
pub fn append(path: &Path, text: &str) -> io::Result<()> {
    open(path, OpenOptions::new().append(true))?.write_all(text.as_bytes())
}

/// Replaces the content of a file of the user.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    open(path, OpenOptions::new().write(true).truncate(true))?.write_all(text.as_bytes())
}

/// Whether a file can be written, without a change to what it holds.
pub fn check(path: &Path) -> io::Result<()> {
    open(path, OpenOptions::new().append(true)).map(drop)
}
