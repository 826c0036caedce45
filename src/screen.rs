//! The only module that writes to standard output and standard error.
//!
//! The log goes to standard output. Where the report is wanted there, for a program that reads
//! it, the log goes to standard error.
//!
//! A thread of its own writes, so that a reader who does not read cannot hold up the run
//! beyond its deadline. Lines end in a line feed each: some runners drop a last line without.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::durations::{SLOW_READER, TERMINAL_LINGER};

/// The tone of a line, shown as a colour to people and not at all to machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// No colour.
    Plain,
    /// Green.
    Good,
    /// Red.
    Bad,
    /// Yellow.
    Doubtful,
}

/// Where the log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Out,
    /// Standard error: standard output is for the report.
    Err,
}

impl Stream {
    fn is_terminal(self) -> bool {
        match self {
            Self::Out => io::stdout().is_terminal(),
            Self::Err => io::stderr().is_terminal(),
        }
    }

    fn write(self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Out => write_whole(&mut io::stdout().lock(), bytes),
            Self::Err => write_whole(&mut io::stderr().lock(), bytes),
        }
    }
}

/// The log.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    sender: Sender<Message>,
    live: bool,
    linger: bool,
    /// Where lines go by themselves, because no thread could be started to write them.
    direct: Option<Stream>,
}

enum Message {
    Line(String, Tone),
    Live(String),
    Done(Sender<()>),
}

impl Screen {
    /// Opens it. In CI there are neither colours nor live lines, terminal or not: some
    /// runners give the step a pseudo-terminal.
    pub(crate) fn open(in_ci: bool, stream: Stream) -> Self {
        let terminal = stream.is_terminal();
        let live = terminal && !in_ci && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let colours = live && coloured(std::env::var_os("NO_COLOR").as_deref());
        let (sender, receiver) = mpsc::channel();
        let writer = thread::Builder::new()
            .name("screen".to_owned())
            .spawn(move || write_all(&receiver, stream, colours));
        Self {
            sender,
            live,
            linger: terminal && in_ci,
            direct: writer.is_err().then_some(stream),
        }
    }

    /// Whether a person watches: live lines make sense.
    pub(crate) const fn is_live(&self) -> bool {
        self.live
    }

    /// Writes a line.
    pub(crate) fn line(&self, text: impl Into<String>) {
        self.toned(text, Tone::Plain);
    }

    /// Writes a line in a colour.
    pub(crate) fn toned(&self, text: impl Into<String>, tone: Tone) {
        let text = text.into();
        if let Some(stream) = self.direct {
            let line = text.replace(['\n', '\r'], " ") + "\n";
            let _ = stream.write(line.as_bytes());
            return;
        }
        // A failed send means that the writer is gone, and with it the reader.
        let _ = self.sender.send(Message::Line(text, tone));
    }

    /// Shows what is going on below the lines so far, in place of what was shown before.
    pub(crate) fn live(&self, text: impl Into<String>) {
        if self.live {
            let _ = self.sender.send(Message::Live(text.into()));
        }
    }

    /// Waits until all is written, until `latest` at most; before a failed exit, a little
    /// longer where a runner would lose the last line.
    pub(crate) fn close(&self, failed: bool, latest: Instant) {
        let (sender, receiver) = mpsc::channel();
        if self.sender.send(Message::Done(sender)).is_err() {
            return;
        }
        let left = |latest: Instant| latest.saturating_duration_since(Instant::now());
        let written = receiver.recv_timeout(left(latest)).is_ok();
        if written && failed && self.linger {
            thread::sleep(TERMINAL_LINGER.min(left(latest)));
        }
    }
}

/// Writes the report to standard output, where no log goes then, and waits until `latest` at
/// most for whoever reads it.
pub(crate) async fn report(text: String, latest: Instant) -> io::Result<()> {
    let (sender, receiver) = oneshot::channel();
    thread::Builder::new()
        .name("report".to_owned())
        .spawn(move || {
            // Nobody waits any more where this cannot be sent.
            let _ = sender.send(Stream::Out.write(text.as_bytes()));
        })?;
    match tokio::time::timeout_at(latest.into(), receiver).await {
        Ok(Ok(written)) => written,
        _ => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "its reader did not read it in time",
        )),
    }
}

fn write_all(receiver: &Receiver<Message>, stream: Stream, colours: bool) {
    let mut shown = false;
    let mut batch = Vec::new();
    while let Ok(first) = receiver.recv() {
        let mut done = Vec::new();
        for message in std::iter::once(first).chain(receiver.try_iter()) {
            match message {
                Message::Line(text, tone) => {
                    clear(&mut batch, &mut shown);
                    batch.extend_from_slice(
                        paint(&text.replace(['\n', '\r'], " "), tone, colours).as_bytes(),
                    );
                    batch.push(b'\n');
                }
                Message::Live(text) => {
                    clear(&mut batch, &mut shown);
                    batch.extend_from_slice(text.replace(['\n', '\r'], " ").as_bytes());
                    shown = true;
                }
                Message::Done(sender) => {
                    clear(&mut batch, &mut shown);
                    done.push(sender);
                }
            }
        }
        // Nobody reads any more: not our fault, and not the target's.
        let _ = stream.write(&batch);
        batch.clear();
        for sender in done {
            let _ = sender.send(());
        }
    }
}

/// Writes all of it, however slow the reader is: [`Screen::close`] does not wait longer than it
/// may. A parent can have made the stream one that does not wait by itself.
fn write_whole(out: &mut impl Write, mut rest: &[u8]) -> io::Result<()> {
    loop {
        let done = if rest.is_empty() {
            out.flush().map(|()| None)
        } else {
            out.write(rest).map(Some)
        };
        match done {
            Ok(None) => return Ok(()),
            Ok(Some(0)) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(Some(written)) => rest = rest.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(SLOW_READER),
            Err(error) => return Err(error),
        }
    }
}

/// Takes back the live line.
fn clear(batch: &mut Vec<u8>, shown: &mut bool) {
    if std::mem::take(shown) {
        batch.extend_from_slice(b"\r\x1b[2K");
    }
}

/// Whether colours are wanted: an empty `NO_COLOR` counts as none, by its own convention.
fn coloured(no_color: Option<&OsStr>) -> bool {
    no_color.is_none_or(OsStr::is_empty)
}

fn paint(text: &str, tone: Tone, colours: bool) -> String {
    let code = match tone {
        Tone::Plain => None,
        Tone::Good => Some(32),
        Tone::Bad => Some(31),
        Tone::Doubtful => Some(33),
    };
    match code.filter(|_| colours) {
        Some(code) => format!("\x1b[{code}m{text}\x1b[0m"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_no_color_counts_as_unset() {
        assert!(coloured(None) && coloured(Some("".as_ref())));
        assert!(!coloured(Some("1".as_ref())));
    }

    /// Takes a few bytes every other time, and asks to wait in between.
    struct Slow(Vec<u8>, bool);

    impl Slow {
        fn wait(&mut self) -> io::Result<()> {
            self.1 = !self.1;
            if self.1 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(())
        }
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.wait()?;
            let taken = bytes.len().min(3);
            self.0.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            self.wait()
        }
    }

    #[test]
    fn a_reader_that_asks_to_wait_gets_all() {
        let mut slow = Slow(Vec::new(), false);
        write_whole(&mut slow, b"one line\nand another\n").unwrap();
        assert_eq!(slow.0, b"one line\nand another\n");
    }
}
