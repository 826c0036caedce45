use std::time::Duration;

use super::super::Seen;
use super::*;

/// What an address does, and after how many milliseconds.
#[derive(Clone, Copy)]
enum Does {
    Answer(u64),
    Fail(u64, io::ErrorKind),
    Silent,
    /// Fails at once for lack of file descriptors (`EMFILE`).
    NoFiles,
}
use Does::{Answer, Fail, NoFiles, Silent};
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
        NoFiles => Err(io::Error::from_raw_os_error(24)),
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
        let (got, after, seen) = play_with(&[], &three, 0, spare);
        assert_eq!((got, after), (won, took));
        assert_eq!(seen.held_back, spare == 0);
    }
    // Nothing waits where the last address was tried.
    let two = [Fail(10, ConnectionRefused), Silent];
    assert!(!play_with(&[], &two, 0, 0).2.held_back);
    let refusing = [Fail(10, ConnectionRefused), Answer(0)];
    assert_eq!(play_with(&[], &refusing, 0, 0).0, Ok(2));
}

/// It says nothing about an address, which may be the one that answers.
#[test]
fn an_address_without_a_file_descriptor_waits_for_one() {
    let (got, took, seen) = play(&[], &[Silent, NoFiles], 0);
    assert_eq!((got, took), (Err(TimedOut), 10_000));
    assert!(seen.held_back);
    let (got, took, seen) = play(&[], &[Answer(900), NoFiles], 0);
    assert_eq!((got, took), (Ok(1), 900));
    assert!(seen.held_back);
    let (got, took, _) = play(&[], &[NoFiles, NoFiles], 0);
    assert!(matches!(got, Err(kind) if kind != TimedOut), "{got:?}");
    assert_eq!(took, 0);
}
