//! The TCP stage: addresses race (RFC 8305).
//!
//! The next one starts 250 ms after the last, or at once when one has failed, and none that has
//! started is given up while the attempt lasts. Addresses that a name server sends late join in.

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
use crate::net::is_local;
use crate::net::resolver::{Found, Rest};

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

async fn race<S, F>(
    found: Found<'_>,
    port: u16,
    progress: &Progress,
    spare: &Spare,
    connect: impl Fn(SocketAddr) -> F,
) -> io::Result<(S, SocketAddr)>
where
    F: Future<Output = io::Result<S>> + Send + 'static,
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
        F: Future<Output = io::Result<S>> + Send + 'static,
    {
        while self.trying.len() < AT_ONCE && self.due <= Instant::now() {
            let place = self.spare.0.try_acquire().ok();
            if place.is_none() && !self.trying.is_empty() {
                self.due = Instant::now() + NEXT_ADDRESS;
                return;
            }
            let place = place.filter(|_| !self.trying.is_empty());
            let Some(ip) = self.next() else { return };
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Seen;
    use super::*;

    /// What an address does, and after how many milliseconds.
    #[derive(Clone, Copy)]
    enum Does {
        Answer(u64),
        Fail(u64, io::ErrorKind),
        Silent,
    }
    use Does::{Answer, Fail, Silent};
    use io::ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, TimedOut};

    async fn does(what: Does) -> io::Result<()> {
        match what {
            Answer(after) => {
                tokio::time::sleep(Duration::from_millis(after)).await;
                Ok(())
            }
            Fail(after, kind) => {
                tokio::time::sleep(Duration::from_millis(after)).await;
                Err(kind.into())
            }
            Silent => pending().await,
        }
    }

    /// The race of these addresses, numbered from 1: those of IPv6 first, then those of IPv4; the
    /// `late` last ones of IPv4 come after 400 ms. Who won or what was said, after how long, and
    /// who was told about before.
    fn play(six: &[Does], four: &[Does], late: usize) -> (Result<u8, io::ErrorKind>, u64, Seen) {
        play_with(six, four, late, 99)
    }

    /// The same, with so many connections to spare.
    fn play_with(
        six: &[Does],
        four: &[Does],
        late: usize,
        spare: usize,
    ) -> (Result<u8, io::ErrorKind>, u64, Seen) {
        let plan: Vec<_> = [six, four].concat();
        let address = |index: usize| -> IpAddr {
            let number = u8::try_from(index + 1).unwrap();
            if index < six.len() {
                [0xfd77, 0, 0, 0, 0, 0, 0, number.into()].into()
            } else {
                [10, 77, 0, number].into()
            }
        };
        let all: Vec<_> = (0..plan.len()).map(address).collect();
        let (first, rest) = all.split_at(plan.len() - late);
        let (first, rest) = (first.to_vec(), rest.to_vec());
        let rest: Option<Rest<'static>> = (late > 0).then(|| -> Rest<'static> {
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(400)).await;
                rest
            })
        });
        let number = |address: SocketAddr| match address.ip() {
            IpAddr::V4(ip) => ip.octets()[3],
            IpAddr::V6(ip) => ip.octets()[15],
        };
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (begun, progress, spare) = (Instant::now(), Progress::default(), Spare::new(spare));
            let connect = |address| does(plan[usize::from(number(address)) - 1]);
            let racing = race(Found { first, rest }, 80, &progress, &spare, connect);
            let won = tokio::time::timeout(Duration::from_secs(10), racing).await;
            let won = won.unwrap_or_else(|_| Err(TimedOut.into()));
            let won = won.map(|((), address)| number(address));
            let took = u64::try_from(begun.elapsed().as_millis()).unwrap();
            (won.map_err(|error| error.kind()), took, progress.seen())
        })
    }

    #[test]
    fn addresses_race() {
        for (six, four, late, won, took) in [
            // One alone, and both families alive.
            (&[][..], &[Answer(30)][..], 0, Ok(1), 30),
            (&[Answer(30)], &[Answer(10)], 0, Ok(1), 30),
            // However many there are, each has all the time.
            (&[], &[Answer(300); 8], 0, Ok(1), 300),
            (&[], &[Answer(900); 8], 0, Ok(1), 900),
            // The next one 250 ms later, or at once after a failure; families take turns.
            (&[Silent], &[Answer(10)], 0, Ok(2), 260),
            (&[Silent, Silent], &[Silent, Answer(10)], 0, Ok(4), 760),
            (&[Fail(0, HostUnreachable)], &[Answer(10)], 0, Ok(2), 10),
            (
                &[],
                &[Fail(20, ConnectionRefused), Answer(10)],
                0,
                Ok(2),
                30,
            ),
            // An earlier one may still win.
            (&[], &[Answer(600), Silent, Silent], 0, Ok(1), 600),
            // Late ones join.
            (&[Fail(0, HostUnreachable)], &[Answer(10)], 1, Ok(2), 410),
            (&[Silent], &[Answer(10)], 1, Ok(2), 410),
            (&[Answer(450)], &[Silent], 1, Ok(1), 450),
        ] {
            let (got, after, _) = play(six, four, late);
            assert_eq!((got, after), (won, took), "{} {}", six.len(), four.len());
        }
    }

    #[test]
    fn the_failure_that_says_most_counts_whatever_the_order() {
        let refused = Fail(5, ConnectionRefused);
        let no_way = Fail(0, HostUnreachable);
        let no_family = Fail(0, AddrNotAvailable);
        let gave_up = Fail(900, TimedOut);
        for (one, other, expected) in [
            (refused, no_way, ConnectionRefused),
            (refused, no_family, ConnectionRefused),
            (refused, gave_up, ConnectionRefused),
            (gave_up, no_way, TimedOut),
            (no_way, no_family, HostUnreachable),
        ] {
            for both in [[one, other], [other, one]] {
                assert_eq!(play(&[], &both, 0).0, Err(expected), "{expected}");
            }
        }
        // What was refused is known while another is silent.
        for both in [[refused, Silent], [Silent, refused]] {
            let (got, took, seen) = play(&[], &both, 0);
            assert_eq!((got, took), (Err(TimedOut), 10_000));
            assert!(seen.refused);
        }
        let (_, _, seen) = play(&[], &[no_way, Silent], 0);
        assert!(!seen.refused);
    }

    #[test]
    fn sockets_are_bounded() {
        let mut last = vec![Silent; AT_ONCE];
        last.push(Answer(0));
        assert_eq!(play(&[], &last, 0).0, Err(TimedOut));
        last[0] = Fail(6000, ConnectionRefused);
        let (got, took, _) = play(&[], &last, 0);
        assert_eq!((got, took), (Ok(17), 6000));
        // All attempts together: with nothing to spare there is one at a time.
        let three = [Silent, Fail(0, ConnectionRefused), Answer(0)];
        for (spare, won, took) in [(0, Err(TimedOut), 10_000), (1, Ok(3), 250)] {
            let (got, after, _) = play_with(&[], &three, 0, spare);
            assert_eq!((got, after), (won, took));
        }
        let refusing = [Fail(10, ConnectionRefused), Answer(0)];
        assert_eq!(play_with(&[], &refusing, 0, 0).0, Ok(2));
    }
}
