//! Between a connection and the HTTP library: counts what comes in, and keeps what the library's
//! own errors do not tell.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf, Take};

use super::dial::Stream;

/// The largest response head, in bytes.
pub(crate) const HEAD_LIMIT: usize = 256 * 1024;
/// What may come before the end of a head, in bytes: the head, interim heads before it, and in
/// HTTP/2 frames that are no part of it. The library skips those without end.
const BEFORE_HEAD: usize = HEAD_LIMIT + 64 * 1024;
/// What may come after it, in bytes: nobody reads more of a body than its start.
const AFTER_HEAD: usize = 64 * 1024;
/// How much of the beginning is kept to tell what the other side is, in bytes.
const START: usize = 64;
/// The most that is read at once, so that a body that follows a head does not count as head.
const AT_ONCE: u64 = 16 * 1024;

/// A connection that is counted.
///
/// Nothing is read before the request is on its way. A server may answer before it has seen one
/// (a busy one's 503, a 408), and the library takes for nonsense what comes while it has asked
/// nothing.
pub(crate) struct Metered {
    stream: Take<Box<dyn Stream>>,
    meter: Arc<Meter>,
    asked: Asked,
}

/// Whether something was written.
enum Asked {
    /// Nothing; whoever wants to read already is woken once something is.
    No(Option<Waker>),
    /// Something, or that failed.
    Yes,
}

/// What was counted. Shared with those who wait for the answer.
#[derive(Debug, Default)]
pub(crate) struct Meter(Mutex<Reading>);

/// See [`Meter`].
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// How many bytes came before the end of the head, or after it.
    count: usize,
    /// Whether the head is over.
    after_head: bool,
    /// What came before the end of the head.
    pub(crate) received: Vec<u8>,
    /// The first of all that came, up to [`START`].
    pub(crate) start: Vec<u8>,
    /// Whether more came than may.
    pub(crate) flooded: bool,
    /// Whether the other side has closed.
    pub(crate) closed: bool,
    /// What reading, or else writing, failed with.
    pub(crate) error: Option<io::Error>,
}

impl Meter {
    /// What was counted so far.
    pub(crate) fn reading(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The head is over, and what was kept of it is let go.
    pub(crate) fn head_is_over(&self) {
        let mut reading = self.reading();
        reading.after_head = true;
        reading.count = 0;
        reading.received = Vec::new();
    }
}

impl Metered {
    /// Counts what comes over this connection.
    pub(crate) fn new(stream: Box<dyn Stream>) -> (Self, Arc<Meter>) {
        let meter = Arc::<Meter>::default();
        let shared = Arc::clone(&meter);
        let stream = stream.take(AT_ONCE);
        let asked = Asked::No(None);
        let metered = Self {
            stream,
            meter,
            asked,
        };
        (metered, shared)
    }

    /// The connection again.
    pub(crate) fn into_inner(self) -> Box<dyn Stream> {
        self.stream.into_inner()
    }

    /// Something was written, or that failed: from now on it may be read.
    fn has_asked(&mut self) {
        if let Asked::No(Some(waker)) = std::mem::replace(&mut self.asked, Asked::Yes) {
            waker.wake();
        }
    }

    /// Keeps an error of writing to a side that is gone. What it said before, an early answer or
    /// a TLS alert, is still to be read, and reading finds the end: so the library is told nothing,
    /// because it would stop reading.
    fn note(&self, error: io::Error) {
        self.meter.reading().error.get_or_insert(error);
    }

    /// Keeps an error, and hands on its kind.
    fn fail<T>(&self, error: io::Error, reads: bool) -> Poll<io::Result<T>> {
        let kind = error.kind();
        let mut reading = self.meter.reading();
        if reads || reading.error.is_none() {
            reading.error = Some(error);
        }
        Poll::Ready(Err(kind.into()))
    }
}

/// Whether the other side has closed or reset the connection.
fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
    )
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Asked::No(waiting) = &mut self.asked {
            *waiting = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let (before, room) = (buffer.filled().len(), buffer.remaining());
        self.stream.set_limit(AT_ONCE);
        if let Err(error) = ready!(Pin::new(&mut self.stream).poll_read(cx, buffer)) {
            return self.fail(error, true);
        }
        let came = buffer.filled().get(before..).unwrap_or_default();
        let mut reading = self.meter.reading();
        reading.closed = came.is_empty() && room > 0;
        reading.count += came.len();
        let wanted = START.saturating_sub(reading.start.len());
        reading.start.extend(came.iter().take(wanted));
        let limit = if reading.after_head {
            AFTER_HEAD
        } else {
            reading.received.extend_from_slice(came);
            BEFORE_HEAD
        };
        if reading.count > limit {
            reading.flooded = true;
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Metered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(self.stream.get_mut()).poll_write(cx, bytes));
        self.has_asked();
        match written {
            Err(error) if is_gone(&error) => {
                self.note(error);
                Poll::Ready(Ok(bytes.len()))
            }
            Err(error) => self.fail(error, false),
            written => Poll::Ready(written),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(Pin::new(self.stream.get_mut()).poll_flush(cx)) {
            Err(error) if is_gone(&error) => {
                self.note(error);
                Poll::Ready(Ok(()))
            }
            Err(error) => self.fail(error, false),
            flushed => Poll::Ready(flushed),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.stream.get_mut()).poll_shutdown(cx)
    }
}
