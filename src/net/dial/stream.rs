//! What a connection is to those who speak over it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// Bytes both ways.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {
    /// Says goodbye where TLS has a word for it (`close_notify`). It is sent if it can be sent at
    /// once, and never waited for.
    fn take_leave(&mut self) {}
}

/// Closing it says enough.
impl Stream for TcpStream {}

impl Stream for TlsStream<Box<dyn Stream>> {
    fn take_leave(&mut self) {
        let _ = Pin::new(self).poll_shutdown(&mut Context::from_waker(Waker::noop()));
    }
}

/// A stream of which something was read already.
pub(crate) struct Prefixed {
    read: io::Cursor<Vec<u8>>,
    stream: Box<dyn Stream>,
}

impl Prefixed {
    /// The stream with `read` before all else.
    pub(crate) fn before(read: Vec<u8>, stream: Box<dyn Stream>) -> Box<dyn Stream> {
        if read.is_empty() {
            return stream;
        }
        Box::new(Self {
            read: io::Cursor::new(read),
            stream,
        })
    }
}

impl Stream for Prefixed {
    fn take_leave(&mut self) {
        self.stream.take_leave();
    }
}

impl AsyncRead for Prefixed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.read).poll_read(cx, buffer) {
            Poll::Ready(Ok(())) if buffer.filled().len() == before => {
                Pin::new(&mut self.stream).poll_read(cx, buffer)
            }
            read => read,
        }
    }
}

impl AsyncWrite for Prefixed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
