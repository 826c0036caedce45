use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::net::TcpSocket;

use crate::kit::server::{Head, Log};

/// What a server does next with a connection. After the last step it closes.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    /// Waits for a request.
    Hear,
    /// Waits for so many bytes.
    Take(usize),
    Say(&'static [u8]),
    /// Says the same again and again, with a pause of so many milliseconds.
    Trickle(&'static [u8], u64),
    Hang,
    Reset,
}

/// What a server does with each connection.
pub(crate) type Script = &'static [Step];

trait Duplex: Read + Write + Send {}
impl<T: Read + Write + Send> Duplex for T {}

/// The other side of one connection.
pub(crate) struct Peer {
    io: Box<dyn Duplex>,
    socket: TcpStream,
    log: Arc<Log>,
    aborted: bool,
}

impl Peer {
    /// `socket` is what lies below `io`.
    pub(crate) fn new(
        io: impl Read + Write + Send + 'static,
        socket: TcpStream,
        log: Arc<Log>,
    ) -> Self {
        Self {
            io: Box::new(io),
            socket,
            log,
            aborted: false,
        }
    }

    /// Reads the head of a request.
    pub(crate) fn request(&mut self) -> Option<Head> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.io.read_exact(&mut byte).ok()?;
            head.extend(byte);
        }
        Some(self.log.record(String::from_utf8_lossy(&head).into_owned()))
    }

    /// Reads so many bytes.
    pub(crate) fn read(&mut self, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.io.read_exact(&mut bytes).ok().map(|()| bytes)
    }

    /// Sends, and says whether somebody was there to send to.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.io
            .write_all(bytes.as_ref())
            .and_then(|()| self.io.flush())
            .is_ok()
    }

    /// Sends the same again and again for as long as somebody is there.
    pub(crate) fn trickle(&mut self, bytes: impl AsRef<[u8]>, every: Duration) {
        while self.send(&bytes) {
            thread::sleep(every);
        }
    }

    pub(crate) fn play(&mut self, script: Script) {
        for step in script {
            match step {
                Step::Hear => drop(self.request()),
                Step::Take(length) => drop(self.read(*length)),
                Step::Say(bytes) => _ = self.send(bytes),
                Step::Trickle(bytes, every) => self.trickle(bytes, Duration::from_millis(*every)),
                Step::Hang => self.hang(),
                Step::Reset => self.reset(),
            }
        }
    }

    /// Does nothing until the other side leaves.
    pub(crate) fn hang(&mut self) {
        io::copy(&mut self.io, &mut io::sink()).ok();
    }

    /// Ends the connection with a TCP reset.
    pub(crate) fn reset(&mut self) {
        TcpSocket::from_std_stream(self.socket())
            .set_zero_linger()
            .unwrap();
        self.aborted = true;
    }

    /// The connection itself, to be used without this peer.
    pub(crate) fn socket(&self) -> TcpStream {
        self.socket.try_clone().unwrap()
    }

    /// Ends what was sent. Only once the other side has left is the socket
    /// closed: data that nobody has read would turn the end into a reset.
    pub(crate) fn finish(mut self) {
        if !self.aborted {
            self.socket.shutdown(Shutdown::Write).ok();
            self.hang();
        }
    }
}
