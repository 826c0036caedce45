//! The server that is measured against: one thread, epoll, as many ports as asked for, and an
//! answer of 200 after a fixed delay. It must never be what is slow.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};

use crate::Result;
use crate::sys::{self, Epoll};

/// As long as the kernel allows (net.core.somaxconn).
pub const BACKLOG: i32 = 65_535;
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 3\r\n\r\nok\n";
const END: &[u8] = b"\r\n\r\n";
const STDIN: i32 = 0;

/// A running server. It ends with this value, or with the process that has it.
pub struct Server {
    child: Child,
    _stdin: ChildStdin,
    pub ports: Vec<u16>,
}

impl Server {
    /// Starts this program again as a server; `tls` is a folder with `cert.pem` and `key.pem`.
    pub fn start(ports: usize, delay: Duration, tls: Option<&Path>) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("serve")
            .arg(ports.to_string())
            .arg(delay.as_millis().to_string())
            .args(tls);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take().ok_or("no stdin")?;
        let stdout = child.stdout.take().ok_or("no stdout")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let ports: Vec<u16> = line
            .split_whitespace()
            .map(str::parse)
            .collect::<std::result::Result<_, _>>()?;
        if ports.is_empty() {
            return Err("the server did not start".into());
        }
        Ok(Self {
            child,
            _stdin: stdin,
            ports,
        })
    }

    pub fn port(&self) -> u16 {
        self.ports[0]
    }

    pub fn cpu(&self) -> Duration {
        sys::cpu_time(self.child.id()).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Connection {
    stream: TcpStream,
    tls: Option<Box<ServerConnection>>,
    /// How much of the blank line that ends a head was seen.
    seen: usize,
    /// Whether it was asked in Redis's protocol.
    redis: bool,
    serial: u64,
}

/// What became of a connection after it was read from.
enum Progress {
    Waiting,
    Asked,
    Gone,
}

impl Connection {
    fn read(&mut self) -> Progress {
        let mut buffer = [0; 4096];
        match &mut self.tls {
            None => match self.stream.read(&mut buffer) {
                Ok(0) => Progress::Gone,
                // Where a redis target sends its `PING`, which comes in one piece.
                Ok(_) if buffer[0] == b'*' => {
                    self.redis = true;
                    Progress::Asked
                }
                Ok(count) => scan(&mut self.seen, &buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => Progress::Waiting,
                Err(_) => Progress::Gone,
            },
            Some(tls) => {
                match tls.read_tls(&mut self.stream) {
                    Ok(0) => return Progress::Gone,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        return Progress::Waiting;
                    }
                    Ok(_) if tls.process_new_packets().is_ok() => {}
                    _ => return Progress::Gone,
                }
                while tls.wants_write() {
                    if tls.write_tls(&mut self.stream).is_err() {
                        return Progress::Gone;
                    }
                }
                match tls.reader().read(&mut buffer) {
                    Ok(0) => Progress::Gone,
                    Ok(count) => scan(&mut self.seen, &buffer[..count]),
                    Err(_) => Progress::Waiting,
                }
            }
        }
    }

    /// Whether it could be said. The answer is far smaller than the socket's buffer.
    fn answer(&mut self) -> bool {
        match &mut self.tls {
            None if self.redis => self.stream.write_all(b"+PONG\r\n").is_ok(),
            None => self.stream.write_all(ANSWER).is_ok(),
            Some(tls) => {
                tls.writer().write_all(ANSWER).is_ok() && tls.write_tls(&mut self.stream).is_ok()
            }
        }
    }
}

fn scan(seen: &mut usize, bytes: &[u8]) -> Progress {
    for byte in bytes {
        *seen = match *byte {
            byte if byte == END[*seen] => *seen + 1,
            b'\r' => 1,
            _ => 0,
        };
        if *seen == END.len() {
            *seen = 0;
            return Progress::Asked;
        }
    }
    Progress::Waiting
}

/// The subcommand `serve PORTS DELAY_MS [TLS_FOLDER]`: prints its ports, serves until standard
/// input closes.
pub fn serve(args: &[String]) -> Result<()> {
    let [ports, delay, rest @ ..] = args else {
        return Err("serve PORTS DELAY_MS [TLS_FOLDER]".into());
    };
    sys::raise_file_limit()?;
    let delay = Duration::from_millis(delay.parse()?);
    let tls = match rest.first() {
        Some(folder) => Some(Arc::new(tls_config(Path::new(folder))?)),
        None => None,
    };
    let listeners: Vec<TcpListener> = (0..ports.parse::<usize>()?)
        .map(|_| listen())
        .collect::<io::Result<_>>()?;
    for listener in &listeners {
        print!("{} ", listener.local_addr()?.port());
    }
    println!();
    Loop::new(listeners, delay, tls)?.run()
}

fn listen() -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    sys::set_backlog(&listener, BACKLOG)?;
    Ok(listener)
}

fn tls_config(folder: &Path) -> Result<ServerConfig> {
    let cert = CertificateDer::from_pem_slice(&fs::read(folder.join("cert.pem"))?)?;
    let key = PrivateKeyDer::from_pem_slice(&fs::read(folder.join("key.pem"))?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![cert], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

struct Loop {
    epoll: Epoll,
    listeners: Vec<TcpListener>,
    delay: Duration,
    tls: Option<Arc<ServerConfig>>,
    /// By file descriptor.
    connections: Vec<Option<Connection>>,
    /// Answers that are due. Every delay is the same, so they stand in order.
    due: VecDeque<(Instant, usize, u64)>,
    serial: u64,
}

impl Loop {
    fn new(
        listeners: Vec<TcpListener>,
        delay: Duration,
        tls: Option<Arc<ServerConfig>>,
    ) -> io::Result<Self> {
        let epoll = Epoll::new()?;
        epoll.add(STDIN, sys::IN)?;
        for listener in &listeners {
            epoll.add(listener.as_raw_fd(), sys::IN)?;
        }
        Ok(Self {
            epoll,
            listeners,
            delay,
            tls,
            connections: Vec::new(),
            due: VecDeque::new(),
            serial: 0,
        })
    }

    fn run(mut self) -> Result<()> {
        let mut events = sys::no_events();
        loop {
            let next = self.due.front();
            let limit = next.map(|(due, ..)| due.saturating_duration_since(Instant::now()));
            let count = self.epoll.wait(&mut events, limit)?;
            for event in &events[..count] {
                let fd = event.u64 as i32;
                if fd == STDIN {
                    return Ok(());
                }
                match self.listeners.iter().position(|one| one.as_raw_fd() == fd) {
                    Some(index) => self.accept(index)?,
                    None => self.read(fd as usize),
                }
            }
            self.answer_due();
        }
    }

    fn accept(&mut self, index: usize) -> Result<()> {
        while let Ok(stream) = sys::accept(&self.listeners[index]) {
            let tls = match &self.tls {
                Some(config) => Some(Box::new(ServerConnection::new(Arc::clone(config))?)),
                None => None,
            };
            // Without this an answer after TLS 1.3's tickets waits for a client's delayed
            // acknowledgement: 40 ms, now and then.
            stream.set_nodelay(true)?;
            let fd = stream.as_raw_fd();
            self.epoll.add(fd, sys::IN)?;
            if self.connections.len() <= fd as usize {
                self.connections.resize_with(fd as usize + 1, || None);
            }
            self.serial += 1;
            self.connections[fd as usize] = Some(Connection {
                stream,
                tls,
                seen: 0,
                redis: false,
                serial: self.serial,
            });
        }
        Ok(())
    }

    fn read(&mut self, fd: usize) {
        let Some(place) = self.connections.get_mut(fd) else {
            return;
        };
        let Some(connection) = place else { return };
        match connection.read() {
            Progress::Waiting => {}
            Progress::Gone => *place = None,
            Progress::Asked if self.delay.is_zero() => {
                if !connection.answer() {
                    *place = None;
                }
            }
            Progress::Asked => {
                self.due
                    .push_back((Instant::now() + self.delay, fd, connection.serial));
            }
        }
    }

    fn answer_due(&mut self) {
        let now = Instant::now();
        while let Some((due, fd, serial)) = self.due.front().copied() {
            if due > now {
                return;
            }
            self.due.pop_front();
            let place = &mut self.connections[fd];
            if let Some(connection) = place
                && connection.serial == serial
                && !connection.answer()
            {
                *place = None;
            }
        }
    }
}
