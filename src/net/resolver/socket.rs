//! The sockets that name servers are asked through.
//!
//! The DNS library leaves its UDP sockets unconnected, so that it never hears of a closed port
//! and waits as long as for a silent server. These are connected. They also take down why a
//! server could not be asked, which the library does not hand on, and do not believe a timer
//! that is late before they have looked for an answer.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hickory_resolver::net::runtime::{
    DnsUdpSocket, RuntimeProvider, Time, TokioRuntimeProvider, TokioTime,
};
use tokio::io::{Interest, ReadBuf};
use tokio::net::UdpSocket;

use crate::net::timer::within;

/// The largest answer that is read from a UDP socket.
const DATAGRAM: usize = 4096;
/// The fixed part of a DNS message.
const HEADER: usize = 12;

/// Opens the sockets of one name server.
#[derive(Clone)]
pub(super) struct Sockets {
    /// The library knows it without its zone.
    server: SocketAddr,
    tokio: TokioRuntimeProvider,
    trouble: Trouble,
}

/// The last error of a server's sockets, gone with the next answer. All questions to the server
/// share it.
#[derive(Clone, Default)]
struct Trouble(Arc<Mutex<Option<io::Error>>>);

impl Trouble {
    fn last(&self) -> MutexGuard<'_, Option<io::Error>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what an error says, and hands it on.
    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result {
            *self.last() = Some(copy(error));
        }
        result
    }

    /// As [`Self::note`]; what is not an error is an answer.
    fn note_answer<T>(&self, result: io::Result<T>) -> io::Result<T> {
        *self.last() = result.as_ref().err().map(copy);
        result
    }
}

/// An I/O error cannot be cloned; its code can.
fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

impl Sockets {
    /// Sockets to this server.
    pub(super) fn to(server: SocketAddr) -> Self {
        Self {
            server,
            tokio: TokioRuntimeProvider::default(),
            trouble: Trouble::default(),
        }
    }

    /// Why the server could not be asked, if that is why.
    pub(super) fn trouble(&self) -> Option<io::Error> {
        self.trouble.last().as_ref().map(copy)
    }
}

/// The library's timers.
pub(super) struct Timers;

impl Time for Timers {
    fn delay_for<'a>(duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        TokioTime::delay_for(duration)
    }

    fn timeout<'a, F>(
        duration: Duration,
        future: F,
    ) -> Pin<Box<dyn Future<Output = io::Result<F::Output>> + Send + 'a>>
    where
        F: 'static + Future + Send + 'a,
    {
        Box::pin(async move {
            let done = within(duration, future).await;
            done.ok_or_else(|| io::ErrorKind::TimedOut.into())
        })
    }
}

type Opening<T> = Pin<Box<dyn Send + Future<Output = io::Result<T>>>>;

impl RuntimeProvider for Sockets {
    type Handle = <TokioRuntimeProvider as RuntimeProvider>::Handle;
    type Timer = Timers;
    type Udp = Connected;
    type Tcp = <TokioRuntimeProvider as RuntimeProvider>::Tcp;

    fn create_handle(&self) -> Self::Handle {
        self.tokio.create_handle()
    }

    fn connect_tcp(
        &self,
        _: SocketAddr,
        local: Option<SocketAddr>,
        wait: Option<Duration>,
    ) -> Opening<Self::Tcp> {
        let (trouble, opening) = (
            self.trouble.clone(),
            self.tokio.connect_tcp(self.server, local, wait),
        );
        Box::pin(async move { trouble.note_answer(opening.await) })
    }

    fn bind_udp(&self, local: SocketAddr, known: SocketAddr) -> Opening<Self::Udp> {
        let (server, trouble) = (self.server, self.trouble.clone());
        Box::pin(async move {
            let opening = async {
                let socket = UdpSocket::bind(local).await?;
                socket.connect(server).await?;
                Ok(socket)
            };
            let socket = trouble.note(opening.await)?;
            Ok(Connected {
                socket,
                known,
                trouble,
            })
        })
    }
}

/// A UDP socket that hears from one server only, and of its closed port.
pub(super) struct Connected {
    socket: UdpSocket,
    /// The server as the library knows it.
    known: SocketAddr,
    trouble: Trouble,
}

impl Connected {
    /// Waits for an answer, or for word that the port is closed. The latter makes a socket not
    /// readable, and has to be waited for by itself.
    async fn receive(&self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            let interest = Interest::READABLE | Interest::ERROR;
            let ready = self.socket.ready(interest).await?;
            if ready.is_error() {
                if let Some(error) = self.socket.take_error()? {
                    return Err(error);
                }
                // Somebody else had it: marks the socket as one without an error.
                let _ = self.socket.try_io(Interest::ERROR, || {
                    Err::<(), _>(io::ErrorKind::WouldBlock.into())
                });
            }
            match self.socket.try_recv(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                received => return received,
            }
        }
    }
}

impl DnsUdpSocket for Connected {
    type Time = Timers;

    fn recv_from<'a, 'b, 'c>(
        &'a self,
        buffer: &'b mut [u8],
    ) -> Pin<Box<dyn Future<Output = io::Result<(usize, SocketAddr)>> + Send + 'c>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(async move {
            let mut bytes = [0; DATAGRAM];
            let received = self.receive(&mut bytes).await;
            let length = self.trouble.note_answer(received)?;
            let answer = bytes.get(..length).unwrap_or_default();
            Ok((hand_over(answer, buffer), self.known))
        })
    }

    fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<(usize, SocketAddr)>> {
        let mut read = ReadBuf::new(buffer);
        ready!(self.socket.poll_recv(cx, &mut read))?;
        Poll::Ready(Ok((read.filled().len(), self.known)))
    }

    fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        _: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        let sent = ready!(self.socket.poll_send(cx, bytes));
        Poll::Ready(self.trouble.note(sent))
    }
}

/// Copies an answer into the library's buffer. One that is larger than the library takes, as
/// some servers send them without being told that they may, becomes a truncated one: header
/// and question, to be asked again by TCP.
fn hand_over(answer: &[u8], buffer: &mut [u8]) -> usize {
    let length = match question_end(answer) {
        Some(end) if answer.len() > buffer.len() => end,
        _ => answer.len(),
    }
    .min(buffer.len());
    for (to, from) in buffer.iter_mut().zip(answer) {
        *to = *from;
    }
    if length < answer.len()
        && let Some([_, _, flags, _, _, _, counts @ ..]) = buffer.first_chunk_mut::<HEADER>()
    {
        *flags |= 0b10;
        *counts = [0; 6];
    }
    length
}

/// Where the only question of a message ends: behind its name, type and class.
fn question_end(message: &[u8]) -> Option<usize> {
    if message.get(4..6)? != [0, 1] {
        return None;
    }
    let mut at = HEADER;
    loop {
        match *message.get(at)? {
            0 => return Some(at + 5).filter(|end| *end <= message.len()),
            length @ 1..64 => at += usize::from(length) + 1,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::timer::tests::run;

    #[test]
    fn a_closed_port_is_heard_of() {
        let closed = std::net::UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let server = closed.local_addr().unwrap();
        drop(closed);
        run(async {
            let sockets = Sockets::to(server);
            let any = SocketAddr::from(([127, 0, 0, 1], 0));
            let socket = sockets.bind_udp(any, server).await.unwrap();
            socket.send_to(b"question", server).await.unwrap();
            let error = socket.recv_from(&mut [0; 512]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
            let trouble = sockets.trouble().unwrap();
            assert_eq!(trouble.kind(), io::ErrorKind::ConnectionRefused);
        });
    }

    /// Many questions fail at once, and each of them is told why.
    #[test]
    fn trouble_lasts_until_the_next_answer() {
        let server = std::net::UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let at = server.local_addr().unwrap();
        run(async {
            let sockets = Sockets::to(at);
            let any = SocketAddr::from(([127, 0, 0, 1], 0));
            let socket = sockets.bind_udp(any, at).await.unwrap();
            let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
            socket.trouble.note(Err::<(), _>(refused)).unwrap_err();
            for _ in 0..2 {
                let trouble = sockets.trouble().unwrap();
                assert_eq!(trouble.kind(), io::ErrorKind::ConnectionRefused);
            }
            let from = socket.socket.local_addr().unwrap();
            server.send_to(b"answer", from).unwrap();
            socket.recv_from(&mut [0; 512]).await.unwrap();
            assert!(sockets.trouble().is_none());
            let listener = std::net::TcpListener::bind(any).unwrap();
            let at = listener.local_addr().unwrap();
            let sockets = Sockets::to(at);
            let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
            sockets.trouble.note(Err::<(), _>(refused)).unwrap_err();
            sockets.connect_tcp(at, None, None).await.unwrap();
            assert!(sockets.trouble().is_none());
        });
    }

    /// An answer about `a.test` with so many bytes of records.
    fn answer(records: usize) -> Vec<u8> {
        let mut bytes = vec![7, 7, 0x81, 0x80, 0, 1, 0, 9, 0, 2, 0, 3];
        bytes.extend(b"\x01a\x04test\0\0\x01\0\x01");
        bytes.resize(bytes.len() + records, 0xee);
        bytes
    }

    #[test]
    fn an_answer_that_fits_is_left_alone() {
        let (whole, mut buffer) = (answer(100), [0; 512]);
        let length = hand_over(&whole, &mut buffer);
        assert_eq!(buffer[..length], whole);
    }

    #[test]
    fn an_answer_that_is_too_large_becomes_a_truncated_one() {
        let (whole, mut buffer) = (answer(600), [0; 512]);
        let length = hand_over(&whole, &mut buffer);
        let mut expected = answer(0);
        expected[2] |= 0b10;
        expected[6..12].fill(0);
        assert_eq!(buffer[..length], expected);
    }

    #[test]
    fn garbage_is_cut_and_nothing_else() {
        for garbage in [vec![0xff; 600], vec![0; 600], vec![b'a'; 600], vec![]] {
            let mut buffer = [0; 512];
            let length = hand_over(&garbage, &mut buffer);
            assert_eq!(length, garbage.len().min(512));
        }
    }
}
