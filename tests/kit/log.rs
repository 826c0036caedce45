use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde_json::Value;

/// Who came to a server, and what they asked for.
#[derive(Default)]
pub(crate) struct Log {
    pub(super) connections: AtomicUsize,
    pub(super) open: AtomicUsize,
    pub(super) most_open: AtomicUsize,
    received: Mutex<Vec<Request>>,
    /// When each connection that is over was over.
    pub(super) ends: Mutex<Vec<Instant>>,
}

impl Log {
    pub(crate) fn record(&self, head: String, body: Vec<u8>) -> Request {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        let request = Request {
            number: received.len() + 1,
            at: Instant::now(),
            head,
            body,
        };
        received.push(request.clone());
        request
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The most connections that were open at once.
    pub(crate) fn most_open(&self) -> usize {
        self.most_open.load(Ordering::SeqCst)
    }

    /// The requests in the order in which they came.
    pub(crate) fn received(&self) -> Vec<Request> {
        self.received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.received().len()
    }

    /// When each request came.
    pub(crate) fn times(&self) -> Vec<Instant> {
        self.received().iter().map(|request| request.at).collect()
    }

    /// When each connection ended, in the order in which they did.
    pub(crate) fn ends(&self) -> Vec<Instant> {
        self.ends.lock().unwrap().clone()
    }
}

/// A request, as far as a server has read it.
#[derive(Clone)]
pub(crate) struct Request {
    /// Which request of the server this is, from 1.
    pub(crate) number: usize,
    /// When it had come.
    pub(crate) at: Instant,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// A word of the request line: 0 is the method, 1 the path.
    pub(crate) fn word(&self, place: usize) -> &str {
        self.head.split_whitespace().nth(place).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// The body, if it is JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A header field of a request's head.
pub(crate) fn header<'head>(head: &'head str, name: &str) -> Option<&'head str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let field = fields.find(|field| field.0.eq_ignore_ascii_case(name))?;
    Some(field.1.trim())
}
