use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::kit::server::count;

pub(crate) const A: u16 = 1;
pub(crate) const AAAA: u16 = 28;
const CNAME: u16 = 5;
pub(crate) const SRV: u16 = 33;

pub(crate) const SERVFAIL: u8 = 2;
pub(crate) const NXDOMAIN: u8 = 3;
pub(crate) const REFUSED: u8 = 5;

/// What a name server was asked.
pub(crate) struct Question {
    /// In lower case, without the last dot.
    pub(crate) name: String,
    pub(crate) kind: u16,
    pub(crate) tcp: bool,
}

/// What it answers.
#[derive(Default)]
pub(crate) struct Reply {
    silent: bool,
    code: u8,
    truncated: bool,
    garbage: bool,
    /// How many records are missing.
    missing: usize,
    records: Vec<Record>,
    delay: Duration,
}

enum Record {
    Address(String, IpAddr),
    Alias(String, String),
    /// Owner, priority, port, target.
    Service(String, u16, u16, String),
}

impl Reply {
    /// Nothing at all.
    pub(crate) fn silence() -> Self {
        Self {
            silent: true,
            ..Self::default()
        }
    }

    /// An error.
    pub(crate) fn code(code: u8) -> Self {
        Self {
            code,
            ..Self::default()
        }
    }

    /// The name exists, without such a record.
    pub(crate) fn empty() -> Self {
        Self::default()
    }

    /// Truncated: to be asked again by TCP.
    pub(crate) fn truncated() -> Self {
        Self {
            truncated: true,
            ..Self::default()
        }
    }

    /// Bytes that are no answer.
    pub(crate) fn garbage() -> Self {
        Self {
            garbage: true,
            ..Self::default()
        }
    }

    /// One record less than it says.
    pub(crate) fn short() -> Self {
        Self {
            missing: 1,
            ..Self::default()
        }
    }

    /// Those of these addresses that were asked for.
    pub(crate) fn of(question: &Question, addresses: &[&str]) -> Self {
        Self::default().and(question, &question.name, addresses)
    }

    /// Addresses of another name, after an alias.
    pub(crate) fn and(mut self, question: &Question, name: &str, addresses: &[&str]) -> Self {
        let found = addresses.iter().map(|text| text.parse::<IpAddr>().unwrap());
        let wanted = found.filter(|ip| ip.is_ipv4() == (question.kind == A));
        self.records
            .extend(wanted.map(|ip| Record::Address(name.to_owned(), ip)));
        self
    }

    /// An alias.
    pub(crate) fn alias(mut self, from: &str, to: &str) -> Self {
        self.records
            .push(Record::Alias(from.to_owned(), to.to_owned()));
        self
    }

    /// A place where a service is, with a priority.
    pub(crate) fn service(mut self, question: &Question, priority: u16, at: &str) -> Self {
        let (host, port) = at.split_once(':').unwrap();
        let (owner, port) = (question.name.clone(), port.parse().unwrap());
        let record = Record::Service(owner, priority, port, host.to_owned());
        self.records.push(record);
        self
    }

    /// Later.
    pub(crate) fn after(mut self, millis: u64) -> Self {
        self.delay = Duration::from_millis(millis);
        self
    }

    fn bytes(&self, asked: &[u8]) -> Vec<u8> {
        if self.garbage {
            return b"this is not a name server".to_vec();
        }
        let end = question_end(asked);
        let mut out = asked[..2].to_vec();
        // An answer, recursion desired and available.
        out.extend([0x81 | u8::from(self.truncated) << 1, 0x80 | self.code]);
        let records = self.records.len() + self.missing;
        let records = u16::try_from(records).unwrap().to_be_bytes();
        out.extend([0, 1, records[0], records[1], 0, 0, 0, 0]);
        out.extend(&asked[12..end]);
        for record in &self.records {
            let (owner, kind, data) = match record {
                Record::Address(owner, IpAddr::V4(ip)) => (owner, A, ip.octets().to_vec()),
                Record::Address(owner, IpAddr::V6(ip)) => (owner, AAAA, ip.octets().to_vec()),
                Record::Alias(owner, to) => (owner, CNAME, encoded(to)),
                Record::Service(owner, priority, port, target) => {
                    let numbers = [*priority, 0, *port].map(u16::to_be_bytes);
                    let data = [numbers.as_flattened(), &encoded(target)].concat();
                    (owner, SRV, data)
                }
            };
            out.extend(encoded(owner));
            out.extend(kind.to_be_bytes());
            // Class, 60 s to live, length.
            out.extend([0, 1, 0, 0, 0, 60]);
            out.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            out.extend(data);
        }
        out
    }
}

fn encoded(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        out.push(u8::try_from(label.len()).unwrap());
        out.extend(label.as_bytes());
    }
    out.push(0);
    out
}

/// Where the first question ends: behind its name, type and class.
fn question_end(asked: &[u8]) -> usize {
    let mut at = 12;
    while asked[at] != 0 {
        at += usize::from(asked[at]) + 1;
    }
    at + 5
}

fn question(asked: &[u8], tcp: bool) -> Question {
    let end = question_end(asked);
    let (mut labels, mut at) = (Vec::new(), 12);
    while asked[at] != 0 {
        let next = at + 1 + usize::from(asked[at]);
        labels.push(String::from_utf8_lossy(&asked[at + 1..next]).to_lowercase());
        at = next;
    }
    Question {
        name: labels.join("."),
        kind: u16::from_be_bytes([asked[end - 4], asked[end - 3]]),
        tcp,
    }
}

/// How often a name server was asked.
#[derive(Default)]
pub(crate) struct Log {
    udp: AtomicUsize,
    tcp: AtomicUsize,
}

impl Log {
    pub(crate) fn by_udp(&self) -> usize {
        self.udp.load(Ordering::SeqCst)
    }

    pub(crate) fn by_tcp(&self) -> usize {
        self.tcp.load(Ordering::SeqCst)
    }
}

/// A name server at an address, port 53, until the process ends.
pub(crate) fn start(
    at: &str,
    answer: impl Fn(&Question) -> Reply + Send + Sync + 'static,
) -> Arc<Log> {
    let ip: IpAddr = at.parse().unwrap();
    let log = Arc::<Log>::default();
    let answer = Arc::new(answer);
    let udp = UdpSocket::bind((ip, 53)).unwrap();
    let tcp = TcpListener::bind((ip, 53)).unwrap();
    let (by_udp, udp_log) = (Arc::clone(&answer), Arc::clone(&log));
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok((length, from)) = udp.recv_from(&mut bytes) {
            count(&udp_log.udp);
            let asked = bytes[..length].to_vec();
            let reply = by_udp(&question(&asked, false));
            let udp = udp.try_clone().unwrap();
            thread::spawn(move || {
                thread::sleep(reply.delay);
                if !reply.silent {
                    udp.send_to(&reply.bytes(&asked), from).ok();
                }
            });
        }
    });
    let tcp_log = Arc::clone(&log);
    thread::spawn(move || {
        for socket in tcp.incoming().map_while(Result::ok) {
            let (answer, log) = (Arc::clone(&answer), Arc::clone(&tcp_log));
            thread::spawn(move || by_tcp(socket, &*answer, &log));
        }
    });
    log
}

/// Questions by TCP have their length in front.
fn by_tcp(mut socket: TcpStream, answer: &dyn Fn(&Question) -> Reply, log: &Log) -> Option<()> {
    loop {
        let mut length = [0; 2];
        socket.read_exact(&mut length).ok()?;
        let mut asked = vec![0; usize::from(u16::from_be_bytes(length))];
        socket.read_exact(&mut asked).ok()?;
        count(&log.tcp);
        let reply = answer(&question(&asked, true));
        if reply.silent {
            continue;
        }
        let bytes = reply.bytes(&asked);
        let mut out = u16::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
        out.extend(bytes);
        socket.write_all(&out).ok()?;
    }
}
