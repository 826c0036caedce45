//! What a server does with one connection, well or badly.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::net::TcpSocket;

use crate::kit::log::{Log, Request, header};
use crate::kit::server::{Connection, response};

/// What a server does next with a connection. After the last action it closes.
#[derive(Clone, Copy)]
pub(crate) enum Action {
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
pub(crate) type Script = &'static [Action];

trait Duplex: Read + Write + Send {}
impl<T: Read + Write + Send> Duplex for T {}

/// The other side of one connection.
pub(crate) struct Peer {
    io: Box<dyn Duplex>,
    socket: TcpStream,
    log: Arc<Log>,
    /// Which connection of the server this is, from 1.
    pub(crate) number: usize,
    aborted: bool,
}

impl Peer {
    /// Speaks through `io`, which lies above the connection.
    pub(crate) fn new(io: impl Read + Write + Send + 'static, connection: Connection) -> Self {
        Self {
            io: Box::new(io),
            socket: connection.socket,
            log: connection.log,
            number: connection.number,
            aborted: false,
        }
    }

    /// Does as told with it, from its beginning to its end.
    pub(crate) fn serve(mut self, play: impl Fn(&mut Self)) {
        play(&mut self);
        self.finish();
    }

    /// Reads a request, with its body if it says how long that is.
    pub(crate) fn request(&mut self) -> Option<Request> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.io.read_exact(&mut byte).ok()?;
            head.extend(byte);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let length = header(&head, "content-length").and_then(|length| length.parse().ok());
        let body = self.read(length.unwrap_or(0))?;
        Some(self.log.record(head, body))
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

    /// Answers a request with this.
    pub(crate) fn answer(&mut self, bytes: impl AsRef<[u8]>) {
        if self.request().is_some() {
            self.send(bytes);
        }
    }

    /// Answers a request with this status.
    pub(crate) fn status(&mut self, status: u16) {
        self.answer(response(status, ""));
    }

    /// Sends the same again and again for as long as somebody is there.
    pub(crate) fn trickle(&mut self, bytes: impl AsRef<[u8]>, every: Duration) {
        while self.send(&bytes) {
            thread::sleep(every);
        }
    }

    pub(crate) fn play(&mut self, script: Script) {
        for action in script {
            match action {
                Action::Hear => drop(self.request()),
                Action::Take(length) => drop(self.read(*length)),
                Action::Say(bytes) => _ = self.send(bytes),
                Action::Trickle(bytes, every) => {
                    self.trickle(bytes, Duration::from_millis(*every));
                }
                Action::Hang => self.hang(),
                Action::Reset => self.reset(),
            }
        }
    }

    /// Takes a request, and says nothing.
    pub(crate) fn mute(&mut self) {
        self.request();
        self.hang();
    }

    /// Does nothing until the other side leaves.
    pub(crate) fn hang(&mut self) {
        io::copy(&mut self.io, &mut io::sink()).ok();
    }

    /// Waits until the other side leaves, and says whether it took its leave as TLS has it.
    pub(crate) fn takes_leave(&mut self) -> bool {
        io::copy(&mut self.io, &mut io::sink()).is_ok()
    }

    /// Ends the connection with a TCP reset.
    pub(crate) fn reset(&mut self) {
        TcpSocket::from_std_stream(self.socket())
            .set_zero_linger()
            .unwrap();
        self.aborted = true;
    }

    /// Leads everything on to another server, and back, until both have ended.
    pub(crate) fn relay(&mut self, to: TcpStream) {
        let (mut there, mut back) = (to.try_clone().unwrap(), to);
        let (mut from, mut home) = (self.socket(), self.socket());
        let returning = thread::spawn(move || copy(&mut back, &mut home));
        copy(&mut from, &mut there);
        returning.join().unwrap();
    }

    /// The connection itself, to be used without this peer.
    fn socket(&self) -> TcpStream {
        self.socket.try_clone().unwrap()
    }

    /// Ends what was sent. Only once the other side has left is the socket
    /// closed: data that nobody has read would turn the end into a reset.
    fn finish(mut self) {
        if !self.aborted {
            self.socket.shutdown(Shutdown::Write).ok();
            self.hang();
        }
    }
}

fn copy(from: &mut TcpStream, to: &mut TcpStream) {
    io::copy(from, to).ok();
    to.shutdown(Shutdown::Write).ok();
}
