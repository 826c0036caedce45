//! Writing files that others chose: never waits for a reader that is not there.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Instant;

use crate::durations::SLOW_READER;

/// Opens a file for writing. A pipe that nobody reads is an error at once; the usual way would
/// wait for its reader, past every deadline.
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NONBLOCK.bits();
        options.custom_flags(i32::try_from(flags).unwrap_or_default());
    }
    options.create(true).open(path)
}

/// Appends to a file of the runner, on a line of its own. What cannot be written whole is taken
/// back: half an entry would be an error of the runner's.
pub(crate) fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = open(path, OpenOptions::new().append(true))?;
    let before = file.metadata().ok().filter(Metadata::is_file);
    let before = before.map(|metadata| metadata.len());
    // An earlier `echo -n` of the same step, say. Nothing but a missing line end may be
    // written: to some runners an empty line is an error.
    let start = if before.is_some_and(|length| length > 0) && !ends_in_line_feed(path) {
        "\n"
    } else {
        ""
    };
    let text = [start, text].concat();
    let mut rest = text.as_bytes();
    let written = write(&mut file, &mut rest);
    if written.is_err()
        && let Some(before) = before
    {
        let ours = (text.len() - rest.len()) as u64;
        // Not what somebody else has appended meanwhile.
        if file
            .metadata()
            .is_ok_and(|metadata| metadata.len() == before + ours)
        {
            let _ = file.set_len(before);
        }
    }
    written
}

/// Whether the last line of a file has ended; of one that cannot be read it is assumed.
fn ends_in_line_feed(path: &Path) -> bool {
    let last = || -> io::Result<u8> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(-1))?;
        let mut byte = [0];
        file.read_exact(&mut byte)?;
        Ok(byte[0])
    };
    last().map_or(true, |byte| byte == b'\n')
}

/// Replaces the content of a file of the user. A pipe's reader may be slow, until `latest`.
pub(crate) async fn replace(path: &Path, text: &str, latest: Instant) -> io::Result<()> {
    let mut file = open(path, OpenOptions::new().write(true).truncate(true))?;
    let mut rest = text.as_bytes();
    loop {
        match write(&mut file, &mut rest) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            written => return written,
        }
        if Instant::now() >= latest {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "its reader did not read it in time",
            ));
        }
        tokio::time::sleep(SLOW_READER).await;
    }
}

/// Writes as much as it can; `rest` is what is left.
fn write(file: &mut File, rest: &mut &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        match file.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => *rest = rest.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether a file can be written, without a change to what it holds. What is not a plain file is
/// returned, to be kept until it is written: the reader of a pipe would take its end for the end of
/// the report, and leave.
pub(crate) fn check(path: &Path) -> io::Result<Option<File>> {
    let file = open(path, OpenOptions::new().append(true))?;
    let plain = file.metadata().is_ok_and(|metadata| metadata.is_file());
    Ok((!plain).then_some(file))
}

/// Whether a path leads to standard output: one that a log would be written over, or into.
pub(crate) fn is_stdout(path: &Path) -> bool {
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
        .and_then(|stdout| File::from(stdout).metadata());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_begins_a_line_and_no_empty_one() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("file");
        for (earlier, whole) in [
            ("", "b=2\n"),
            ("a=1", "a=1\nb=2\n"),
            ("a=1\n", "a=1\nb=2\n"),
        ] {
            std::fs::write(&path, earlier).unwrap();
            append(&path, "b=2\n").unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), whole);
        }
    }
}
