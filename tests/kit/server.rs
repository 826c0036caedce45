//! Servers on loopback, or on addresses of a test's own network, that keep who came.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use tokio::net::TcpSocket;

use crate::kit::log::{Log, Request};
use crate::kit::peer::{Action, Peer, Script};

/// A connection that a server has accepted.
pub(crate) struct Connection {
    pub(crate) socket: TcpStream,
    /// Which connection of the server this is, from 1.
    pub(crate) number: usize,
    pub(crate) log: Arc<Log>,
}

/// Accepts connections until told to stop, and does as told with each, in a thread of its own.
fn accept(
    listener: TcpListener,
    stop: Arc<AtomicBool>,
    serve: impl Fn(Connection) + Send + Sync + 'static,
) -> (Arc<Log>, JoinHandle<()>) {
    let (log, serve) = (Arc::<Log>::default(), Arc::new(serve));
    let kept = Arc::clone(&log);
    let acceptor = thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            if stop.load(Ordering::SeqCst) {
                break;
            }
            let connection = Connection {
                socket,
                number: count(&kept.connections),
                log: Arc::clone(&kept),
            };
            kept.most_open
                .fetch_max(count(&kept.open), Ordering::SeqCst);
            let (serve, log) = (Arc::clone(&serve), Arc::clone(&kept));
            thread::spawn(move || {
                serve(connection);
                log.open.fetch_sub(1, Ordering::SeqCst);
                log.ends.lock().unwrap().push(Instant::now());
            });
        }
    });
    (log, acceptor)
}

/// The number of something, and one more.
pub(crate) fn count(counter: &AtomicUsize) -> usize {
    counter.fetch_add(1, Ordering::SeqCst) + 1
}

/// Serves plain HTTP at this address until the process ends, whoever comes.
pub(crate) fn serve(at: &str, play: impl Fn(&mut Peer) + Send + Sync + 'static) -> Arc<Log> {
    serve_raw(at, in_plain(play))
}

/// The same with whole connections.
pub(crate) fn serve_raw(at: &str, serve: impl Fn(Connection) + Send + Sync + 'static) -> Arc<Log> {
    let listener = TcpListener::bind(at).unwrap_or_else(|why| panic!("{at}: {why}"));
    accept(listener, Arc::default(), serve).0
}

fn in_plain(
    play: impl Fn(&mut Peer) + Send + Sync + 'static,
) -> impl Fn(Connection) + Send + Sync + 'static {
    move |connection| {
        let socket = connection.socket.try_clone().unwrap();
        Peer::new(socket, connection).serve(&play);
    }
}

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

impl Server {
    /// Does as told with each connection.
    pub(crate) fn accepting(
        scheme: &'static str,
        serve: impl Fn(Connection) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), Arc::default());
        let (log, acceptor) = accept(listener, Arc::clone(&stop), serve);
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
    pub(crate) fn start(play: impl Fn(&mut Peer) + Send + Sync + 'static) -> Self {
        Self::accepting("http", in_plain(play))
    }

    /// Does the same with each connection.
    pub(crate) fn script(script: Script) -> Self {
        Self::start(move |peer| peer.play(script))
    }

    /// Sends these bytes to every request.
    pub(crate) fn reply(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Self {
        Self::start(move |peer| peer.answer(&bytes))
    }

    /// Answers every request with this status.
    pub(crate) fn status(status: u16) -> Self {
        Self::start(move |peer| peer.status(status))
    }

    /// Answers the n-th request with the n-th of these; the last one stays.
    pub(crate) fn replies<R: AsRef<[u8]> + Send + Sync + 'static>(
        replies: impl Into<Vec<R>>,
    ) -> Self {
        let replies = replies.into();
        Self::start(move |peer| {
            if let Some(request) = peer.request() {
                peer.send(&replies[request.number.min(replies.len()) - 1]);
            }
        })
    }

    /// Takes the request, and says nothing.
    pub(crate) fn silent() -> Self {
        Self::script(&[Action::Hear, Action::Hang])
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
        self.log.connections()
    }

    pub(crate) fn requests(&self) -> usize {
        self.log.requests()
    }

    pub(crate) fn received(&self) -> Vec<Request> {
        self.log.received()
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
