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

/// Whether a path leads to standard output: one that a log would be written over, or into.
#[must_use]
pub fn is_stdout(path: &Path) -> bool {
    const NAMES: [&str; 3] = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
    NAMES.iter().any(|name| path == Path::new(name)) || is_the_file_of_stdout(path)
}

/// Whether standard output was sent to this very file (`--report-file f > f`).
#[cfg(unix)]
fn is_the_file_of_stdout(path: &Path) -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;
    let stdout = io::stdout()
        .as_fd()
        .try_clone_to_owned()
        .and_then(|stdout| std::fs::File::from(stdout).metadata());
    let (Ok(file), Ok(stdout)) = (std::fs::metadata(path), stdout) else {
        return false;
    };
    // A device can be written twice and nothing is lost: /dev/null, a terminal.
    file.is_file() && (file.dev(), file.ino()) == (stdout.dev(), stdout.ino())
}

#[cfg(not(unix))]
fn is_the_file_of_stdout(_: &Path) -> bool {
    false
}
