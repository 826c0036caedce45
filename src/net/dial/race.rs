//! The TCP stage: addresses race (RFC 8305).
//!
//! The next one starts 250 ms after the last, or at once when one has failed, and none that has
//! started is given up while the attempt lasts. Addresses that a name server sends late join in.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::Poll;

use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

use super::progress::Progress;
use crate::durations::NEXT_ADDRESS;
use crate::net::resolver::{Found, Rest};
use crate::net::{is_local, is_out_of_files};

/// The most connections that are tried at once. With more silent addresses than that, the
/// others wait for one of these to fail.
const AT_ONCE: usize = 16;

/// How many connections all attempts together may try beside the first of each: the runner has
/// only so many file descriptors.
#[derive(Debug)]
pub(crate) struct Spare(Semaphore);

/// More than any system allows.
impl Default for Spare {
    fn default() -> Self {
        Self::new(usize::from(u16::MAX))
    }
}

impl Spare {
    /// Room for `most`.
    pub(crate) const fn new(most: usize) -> Self {
        Self(Semaphore::const_new(most))
    }

    /// Leaves room for `most`, if there is more.
    pub(crate) fn limit(&self, most: usize) {
        let surplus = self.0.available_permits().saturating_sub(most);
        self.0.forget_permits(surplus);
    }
}

/// Connects to the first address that answers. Where none does, the error that says most.
pub(super) async fn connect(
    found: Found<'_>,
    port: u16,
    progress: &Progress,
    spare: &Spare,
) -> io::Result<(TcpStream, SocketAddr)> {
    let (socket, peer) = race(found, port, progress, spare, TcpStream::connect).await?;
    // A handshake is a conversation. Where it cannot be set it is slower.
    let _ = socket.set_nodelay(true);
    Ok((socket, peer))
}

/// The first address with which `connect` succeeds, and what came of it.
pub(super) async fn race<'a, S, F>(
    found: Found<'a>,
    port: u16,
    progress: &'a Progress,
    spare: &'a Spare,
    connect: impl Fn(SocketAddr) -> F,
) -> io::Result<(S, SocketAddr)>
where
    F: Future<Output = io::Result<S>> + Send + 'a,
{
    let mut race = Race::new(found, port, progress, spare);
    loop {
        race.start_those_due(&connect);
        if race.is_over() {
            return Err(race.lost());
        }
        let next = race.next_start();
        tokio::select! {
            biased;
            (address, done) = tried(&mut race.trying), if !race.trying.is_empty() => match done {
                Ok(socket) => {
                    progress.note(|seen| seen.peer = Some(address));
                    return Ok((socket, address));
                }
                Err(error) => race.failed(address, error),
            },
            late = others(&mut race.rest), if race.rest.is_some() => race.join(&late),
            () = at(next), if next.is_some() => {}
        }
    }
}

/// A connection that is tried.
type Trying<'a, S> = Pin<Box<dyn Future<Output = (SocketAddr, io::Result<S>)> + Send + 'a>>;

struct Race<'a, S> {
    port: u16,
    progress: &'a Progress,
    spare: &'a Spare,
    /// Addresses that have not started, by family.
    six: VecDeque<IpAddr>,
    four: VecDeque<IpAddr>,
    /// Whether it is the turn of IPv4.
    turn_of_four: bool,
    /// Addresses that are yet to come.
    rest: Option<Rest<'a>>,
    trying: Vec<Trying<'a, S>>,
    /// When the next one may start.
    due: Instant,
    failure: Option<Failure>,
}

/// The failure that says most.
struct Failure {
    address: SocketAddr,
    error: io::Error,
    weight: u8,
}

impl<'a, S> Race<'a, S> {
    fn new(found: Found<'a>, port: u16, progress: &'a Progress, spare: &'a Spare) -> Self {
        let mut race = Self {
            port,
            progress,
            spare,
            six: VecDeque::new(),
            four: VecDeque::new(),
            turn_of_four: false,
            rest: found.rest,
            trying: Vec::new(),
            due: Instant::now(),
            failure: None,
        };
        race.enter(&found.first);
        race
    }

    /// The rest of the addresses has come.
    fn join(&mut self, late: &[IpAddr]) {
        self.rest = None;
        self.enter(late);
    }

    fn enter(&mut self, addresses: &[IpAddr]) {
        self.progress.add(addresses, self.port);
        for ip in addresses {
            match ip {
                IpAddr::V6(_) => self.six.push_back(*ip),
                IpAddr::V4(_) => self.four.push_back(*ip),
            }
        }
    }

    fn is_waiting(&self) -> bool {
        !(self.six.is_empty() && self.four.is_empty())
    }

    fn is_over(&self) -> bool {
        self.trying.is_empty() && !self.is_waiting() && self.rest.is_none()
    }

    /// When the next one starts if nothing happens before.
    fn next_start(&self) -> Option<Instant> {
        (self.is_waiting() && self.trying.len() < AT_ONCE).then_some(self.due)
    }

    fn start_those_due<F>(&mut self, connect: impl Fn(SocketAddr) -> F)
    where
        F: Future<Output = io::Result<S>> + Send + 'a,
    {
        while self.trying.len() < AT_ONCE && self.due <= Instant::now() {
            if !self.is_waiting() {
                return;
            }
            // The first one of an attempt needs none.
            let place = if self.trying.is_empty() {
                None
            } else if let Ok(place) = self.spare.0.try_acquire() {
                Some(place)
            } else {
                self.hold_back();
                return;
            };
            let Some(ip) = self.next() else { return };
            self.progress.note(|seen| seen.held_back = false);
            let address = SocketAddr::new(ip, self.port);
            let connecting = connect(address);
            self.trying.push(Box::pin(async move {
                let done = connecting.await;
                drop(place);
                (address, done)
            }));
            self.due = Instant::now() + NEXT_ADDRESS;
        }
    }

    /// There is no file descriptor for the next address: it waits for one.
    fn hold_back(&mut self) {
        self.due = Instant::now() + NEXT_ADDRESS;
        self.progress.note(|seen| seen.held_back = true);
    }

    /// The next address: the families take turns.
    fn next(&mut self) -> Option<IpAddr> {
        let (turn, other) = if self.turn_of_four {
            (&mut self.four, &mut self.six)
        } else {
            (&mut self.six, &mut self.four)
        };
        let next = turn.pop_front().or_else(|| other.pop_front())?;
        self.turn_of_four = next.is_ipv6();
        Some(next)
    }

    fn failed(&mut self, address: SocketAddr, error: io::Error) {
        if is_out_of_files(&error) && !self.trying.is_empty() {
            match address.ip() {
                ip @ IpAddr::V6(_) => self.six.push_front(ip),
                ip @ IpAddr::V4(_) => self.four.push_front(ip),
            }
            self.hold_back();
            return;
        }
        self.due = Instant::now();
        let weight = weight(&error);
        if self
            .failure
            .as_ref()
            .is_some_and(|last| last.weight >= weight)
        {
            return;
        }
        // What an address says counts even if time runs out while others are silent.
        if error.kind() == io::ErrorKind::ConnectionRefused {
            self.progress.note(|seen| {
                seen.peer = Some(address);
                seen.refused = true;
            });
        }
        self.failure = Some(Failure {
            address,
            error,
            weight,
        });
    }

    /// All have failed.
    fn lost(self) -> io::Error {
        let Some(failure) = self.failure else {
            return io::ErrorKind::NotConnected.into();
        };
        self.progress.note(|seen| seen.peer = Some(failure.address));
        failure.error
    }
}

/// How much a failure says: an answer from the far side before silence, that before the lack of
/// a way, and last what the runner itself lacks.
fn weight(error: &io::Error) -> u8 {
    match error.kind() {
        io::ErrorKind::ConnectionRefused
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted => 3,
        io::ErrorKind::TimedOut => 2,
        _ if is_local(error) => 0,
        _ => 1,
    }
}

/// The first of these that is done, one way or the other.
async fn tried<S>(trying: &mut Vec<Trying<'_, S>>) -> (SocketAddr, io::Result<S>) {
    let (at, done) = poll_fn(|cx| {
        for (at, one) in trying.iter_mut().enumerate() {
            if let Poll::Ready(done) = one.as_mut().poll(cx) {
                return Poll::Ready((at, done));
            }
        }
        Poll::Pending
    })
    .await;
    drop(trying.swap_remove(at));
    done
}

async fn others(rest: &mut Option<Rest<'_>>) -> Vec<IpAddr> {
    match rest {
        Some(rest) => rest.await,
        None => pending().await,
    }
}

async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => pending().await,
    }
}
