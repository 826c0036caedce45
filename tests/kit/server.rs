use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::net::TcpSocket;

use crate::kit::peer::{Peer, Script, Step};

/// Whether somebody must have come by the time that the server is dropped.
#[derive(Clone, Copy, PartialEq)]
enum Visits {
    Wanted,
    Unwanted,
    Allowed,
}

/// A server on a loopback port of its own, in threads of its own.
///
/// Dropped, it asserts that it was hit, unless it was told otherwise.
pub(crate) struct Server {
    scheme: &'static str,
    address: SocketAddr,
    log: Arc<Log>,
    visits: Visits,
    stop: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

/// Who came, and what they asked for.
#[derive(Default)]
pub(crate) struct Log {
    connections: AtomicUsize,
    heads: Mutex<Vec<Head>>,
}

impl Log {
    pub(crate) fn record(&self, text: String) -> Head {
        let mut heads = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        let head = Head {
            number: heads.len() + 1,
            text,
        };
        heads.push(head.clone());
        head
    }
}

/// The head of a request.
#[derive(Clone)]
pub(crate) struct Head {
    /// Which request of the server this is, from 1.
    pub(crate) number: usize,
    pub(crate) text: String,
}

impl Head {
    /// A word of the request line: 0 is the method, 1 the path.
    pub(crate) fn word(&self, place: usize) -> &str {
        self.text.split_whitespace().nth(place).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self
            .text
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'));
        fields
            .filter(|field| field.0.eq_ignore_ascii_case(name))
            .map(|field| field.1.trim())
            .next()
    }
}

impl Server {
    /// Does as told with each connection.
    pub(crate) fn accepting(
        scheme: &'static str,
        serve: impl Fn(TcpStream, Arc<Log>) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (log, stop, serve) = (
            Arc::<Log>::default(),
            Arc::<AtomicBool>::default(),
            Arc::new(serve),
        );
        let (own_log, own_stop) = (Arc::clone(&log), Arc::clone(&stop));
        let acceptor = thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                if own_stop.load(Ordering::SeqCst) {
                    break;
                }
                own_log.connections.fetch_add(1, Ordering::SeqCst);
                let (serve, log) = (Arc::clone(&serve), Arc::clone(&own_log));
                thread::spawn(move || serve(socket, log));
            }
        });
        Self {
            scheme,
            address,
            log,
            visits: Visits::Wanted,
            stop,
            acceptor: Some(acceptor),
        }
    }

    /// Does as told with each connection, in plain HTTP.
    pub(crate) fn start(serve: impl Fn(&mut Peer) + Send + Sync + 'static) -> Self {
        Self::accepting("http", move |socket, log| {
            let mut peer = Peer::new(socket.try_clone().unwrap(), socket, log);
            serve(&mut peer);
            peer.finish();
        })
    }

    /// Does the same with each connection.
    pub(crate) fn script(script: Script) -> Self {
        Self::start(move |peer| peer.play(script))
    }

    /// Sends these bytes to every request.
    pub(crate) fn reply(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self::start(move |peer| {
            if peer.request().is_some() {
                peer.send(&bytes);
            }
        })
    }

    /// Answers every request with this status.
    pub(crate) fn status(status: u16) -> Self {
        Self::reply(response(status, ""))
    }

    /// Answers the n-th request with the n-th of these; the last one stays.
    pub(crate) fn replies<R: AsRef<[u8]> + Send + Sync + 'static>(
        replies: impl Into<Vec<R>>,
    ) -> Self {
        let replies = replies.into();
        Self::start(move |peer| {
            if let Some(head) = peer.request() {
                peer.send(&replies[head.number.min(replies.len()) - 1]);
            }
        })
    }

    /// Takes the request, and says nothing.
    pub(crate) fn silent() -> Self {
        Self::script(&[Step::Hear, Step::Hang])
    }

    /// Nobody may come here.
    pub(crate) fn unhit(mut self) -> Self {
        self.visits = Visits::Unwanted;
        self
    }

    /// Whether somebody comes does not matter.
    pub(crate) fn maybe(mut self) -> Self {
        self.visits = Visits::Allowed;
        self
    }

    /// The same server by another scheme.
    pub(crate) fn scheme(mut self, scheme: &'static str) -> Self {
        self.scheme = scheme;
        self
    }

    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn url(&self) -> String {
        self.at("/")
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.log.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> usize {
        self.heads().len()
    }

    pub(crate) fn heads(&self) -> Vec<Head> {
        self.log
            .heads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the acceptor.
        let woken = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take().filter(|_| woken.is_ok()) {
            acceptor.join().ok();
        }
        if thread::panicking() {
            return;
        }
        match (self.visits, self.connections()) {
            (Visits::Wanted, 0) => panic!("nobody came to {}", self.url()),
            (Visits::Unwanted, 1..) => panic!("somebody came to {}", self.url()),
            _ => {}
        }
    }
}

/// An answer without a body. `fields` are whole lines.
pub(crate) fn response(status: u16, fields: &str) -> String {
    format!("HTTP/1.1 {status} Status\r\n{fields}Connection: close\r\n\r\n")
}

/// A redirect to this address.
pub(crate) fn redirect(location: impl std::fmt::Display) -> String {
    response(302, &format!("Location: {location}\r\n"))
}

/// A port that refuses, and that no other server can get meanwhile.
pub(crate) struct Refusing(TcpSocket);

impl Refusing {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        Self(socket)
    }

    pub(crate) fn host(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.host())
    }
}
