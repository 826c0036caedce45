use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tokio::net::TcpSocket;

use crate::lab::count;

/// Who came to a server, and when.
pub(crate) struct Log {
    label: &'static str,
    pub(crate) connections: AtomicUsize,
    pub(crate) tcp_questions: AtomicUsize,
    open: AtomicUsize,
    /// The most connections that were open at once.
    pub(crate) most_open: AtomicUsize,
    requests: Mutex<Vec<(Instant, String)>>,
    /// When each connection that is gone was closed by the other side.
    gone: Mutex<Vec<Instant>>,
}

impl Log {
    pub(crate) fn new(label: &'static str) -> Arc<Self> {
        Arc::new(Self {
            label,
            connections: AtomicUsize::default(),
            tcp_questions: AtomicUsize::default(),
            open: AtomicUsize::default(),
            most_open: AtomicUsize::default(),
            requests: Mutex::default(),
            gone: Mutex::default(),
        })
    }

    /// Requests, with body, in the order in which they came.
    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|(_, text)| text.clone()).collect()
    }

    /// When each request came.
    pub(crate) fn times(&self) -> Vec<Instant> {
        self.requests
            .lock()
            .unwrap()
            .iter()
            .map(|(at, _)| *at)
            .collect()
    }

    /// When each connection was closed by the other side.
    pub(crate) fn gone(&self) -> Vec<Instant> {
        self.gone.lock().unwrap().clone()
    }

    /// `dep 1/1`.
    pub(crate) fn seen(&self) -> String {
        let second = if self.label == "dns" {
            self.tcp_questions.load(Ordering::SeqCst)
        } else {
            self.requests.lock().unwrap().len()
        };
        let first = self.connections.load(Ordering::SeqCst);
        format!("{} {first}/{second}", self.label)
    }
}

/// A server, in threads of its own, until the process ends.
pub(crate) fn start(
    label: &'static str,
    at: &str,
    play: impl Fn(&mut Peer) + Send + Sync + 'static,
) -> Arc<Log> {
    let log = Log::new(label);
    let listener = TcpListener::bind(at).unwrap_or_else(|error| panic!("{at}: {error}"));
    let (play, kept) = (Arc::new(play), Arc::clone(&log));
    thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let number = count(&log.connections);
            log.most_open.fetch_max(count(&log.open), Ordering::SeqCst);
            let (play, log) = (Arc::clone(&play), Arc::clone(&log));
            thread::spawn(move || {
                let mut peer = Peer {
                    socket,
                    log,
                    number,
                    aborted: false,
                };
                play(&mut peer);
                peer.finish();
            });
        }
    });
    kept
}

/// The other side of a connection.
pub(crate) struct Peer {
    pub(crate) socket: TcpStream,
    log: Arc<Log>,
    /// Which connection of the server this is, from 1.
    pub(crate) number: usize,
    aborted: bool,
}

impl Peer {
    /// Reads a request, with its body.
    pub(crate) fn request(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.socket.read_exact(&mut byte).ok()?;
            bytes.extend(byte);
        }
        let head = String::from_utf8_lossy(&bytes).to_lowercase();
        let length = head.split("content-length:").nth(1);
        let length = length.and_then(|rest| rest.lines().next()?.trim().parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        self.socket.read_exact(&mut body).ok()?;
        bytes.extend(body);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        self.log
            .requests
            .lock()
            .unwrap()
            .push((Instant::now(), text.clone()));
        Some(text)
    }

    /// Answers a request with this status.
    pub(crate) fn status(&mut self, status: u16) {
        self.answer(&response(status, ""));
    }

    /// Answers a request with this.
    pub(crate) fn answer(&mut self, bytes: &str) {
        if self.request().is_some() {
            self.say(bytes);
        }
    }

    /// Sends, and says whether somebody was there to send to.
    pub(crate) fn say(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.socket.write_all(bytes.as_ref()).is_ok()
    }

    /// Sends the same again and again for as long as somebody is there.
    pub(crate) fn trickle(&mut self, bytes: &str, every: Duration) {
        while self.say(bytes) {
            thread::sleep(every);
        }
    }

    /// Takes the request, and says nothing.
    pub(crate) fn mute(&mut self) {
        self.request();
        self.hang();
    }

    /// Does nothing until the other side leaves.
    pub(crate) fn hang(&mut self) {
        io::copy(&mut self.socket, &mut io::sink()).ok();
    }

    /// Ends the connection with a TCP reset.
    pub(crate) fn reset(&mut self) {
        let socket = self.socket.try_clone().unwrap();
        TcpSocket::from_std_stream(socket)
            .set_zero_linger()
            .unwrap();
        self.aborted = true;
    }

    fn finish(mut self) {
        if !self.aborted {
            self.socket.shutdown(Shutdown::Write).ok();
            self.hang();
            self.log.gone.lock().unwrap().push(Instant::now());
        }
        self.log.open.fetch_sub(1, Ordering::SeqCst);
    }
}

/// An answer without a body. `fields` are whole lines.
pub(crate) fn response(status: u16, fields: &str) -> String {
    format!("HTTP/1.1 {status} Status\r\n{fields}Content-Length: 0\r\nConnection: close\r\n\r\n")
}

/// A forge that takes every status.
pub(crate) fn forge(peer: &mut Peer) {
    if let Some(request) = peer.request() {
        let body = request.split("\r\n\r\n").nth(1).unwrap_or_default();
        let sent: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        let created = serde_json::json!({
            "id": 1, "state": sent["state"], "description": sent["description"],
            "context": sent["context"], "target_url": sent["target_url"],
            "creator": {"id": 2, "login": "actions-user"}, "created_at": "2026-01-31T12:00:00Z",
        })
        .to_string();
        let length = created.len();
        peer.say(format!(
            "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{created}"
        ));
    }
}

/// The states that a forge was sent, in order.
pub(crate) fn states(log: &Log) -> Vec<String> {
    let posts = log
        .requests()
        .into_iter()
        .filter(|text| text.starts_with("POST "));
    let bodies = posts.filter_map(|text| {
        let body = text.split("\r\n\r\n").nth(1)?.to_owned();
        serde_json::from_str::<serde_json::Value>(&body).ok()
    });
    bodies
        .map(|body| body["state"].as_str().unwrap_or_default().to_owned())
        .collect()
}
