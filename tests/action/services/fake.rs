use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tokio::net::TcpSocket;

use crate::kit::running::eventually;
use crate::kit::server::Server;

use super::Behaviour;

trait Duplex: Read + Write + Send {}
impl<T: Read + Write + Send> Duplex for T {}

/// A server that does as told with each connection, and then listens until the other side leaves.
/// By UDP its port says nothing.
pub(super) struct Fake {
    server: Server,
    heard: Arc<Mutex<Vec<Heard>>>,
    _datagrams: UdpSocket,
}

/// What came over one connection that has ended.
#[derive(Clone)]
pub(super) struct Heard {
    pub(super) bytes: Vec<u8>,
    /// Whether the other side has said that it goes: by the end of its bytes, in TLS by its alert.
    pub(super) took_leave: bool,
    /// The connection, unless it was reset from here.
    pub(super) socket: Option<Arc<TcpStream>>,
}

/// A connection under way.
pub(super) struct Talk {
    io: Box<dyn Duplex>,
    socket: Option<TcpStream>,
    heard: Vec<u8>,
    last: usize,
}

impl Fake {
    pub(super) fn start(behave: Behaviour) -> Self {
        let heard = Arc::<Mutex<Vec<Heard>>>::default();
        let (kept, behave) = (Arc::clone(&heard), Arc::new(behave));
        loop {
            let (kept, behave) = (Arc::clone(&kept), Arc::clone(&behave));
            let server = Server::accepting("", move |connection| {
                let mut talk = Talk::over(connection.socket);
                behave(&mut talk);
                kept.lock().unwrap().push(talk.rest());
            });
            match UdpSocket::bind(server.host()) {
                Ok(datagrams) => {
                    return Self {
                        server: server.maybe(),
                        heard,
                        _datagrams: datagrams,
                    };
                }
                // Somebody else has the port.
                Err(_) => drop(server.maybe()),
            }
        }
    }

    pub(super) fn host(&self) -> String {
        self.server.host()
    }

    /// All that came, once everybody has left.
    pub(super) fn heard(&self) -> Vec<Heard> {
        let all = || self.heard.lock().unwrap().clone();
        let connections = self.server.connections();
        eventually("the end of all connections", || all().len() == connections);
        all()
    }
}

impl Talk {
    fn over(socket: TcpStream) -> Self {
        Self {
            io: Box::new(socket.try_clone().unwrap()),
            socket: Some(socket),
            heard: Vec::new(),
            last: 0,
        }
    }

    /// Says this, and whether it could all be said.
    pub(super) fn say(&mut self, bytes: &[u8]) -> bool {
        self.io
            .write_all(bytes)
            .and_then(|()| self.io.flush())
            .is_ok()
    }

    /// Says it in as many packets as it has bytes.
    pub(super) fn say_slowly(&mut self, bytes: &[u8]) {
        if let Some(socket) = &self.socket {
            socket.set_nodelay(true).unwrap();
        }
        for byte in bytes {
            self.say(&[*byte]);
        }
    }

    /// Waits for so many bytes.
    pub(super) fn hear(&mut self, length: usize) {
        self.last = self.heard.len();
        let mut part = (&mut self.io).take(length as u64);
        part.read_to_end(&mut self.heard).ok();
    }

    /// What it has waited for last.
    pub(super) fn last_heard(&self) -> Vec<u8> {
        self.heard[self.last..].to_vec()
    }

    /// Goes on in TLS.
    pub(super) fn encrypt(&mut self, config: &Arc<ServerConfig>) {
        let session = ServerConnection::new(Arc::clone(config)).unwrap();
        let socket = self.socket.as_ref().unwrap().try_clone().unwrap();
        self.io = Box::new(StreamOwned::new(session, socket));
    }

    /// Says that nothing more will come.
    pub(super) fn end(&mut self) {
        if let Some(socket) = &self.socket {
            socket.shutdown(Shutdown::Write).ok();
        }
    }

    /// Resets the connection.
    pub(super) fn reset(&mut self) {
        if let Some(socket) = self.socket.take() {
            TcpSocket::from_std_stream(socket)
                .set_zero_linger()
                .unwrap();
        }
        self.io = Box::new(io::empty());
    }

    /// Listens to the end. Who is being left has often more to say: that is taken, too.
    fn rest(mut self) -> Heard {
        let took_leave = self.io.read_to_end(&mut self.heard).is_ok();
        self.say(&[0; 2000]);
        self.end();
        Heard {
            bytes: self.heard,
            took_leave,
            socket: self.socket.map(Arc::new),
        }
    }
}
