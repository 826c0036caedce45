use std::future::{pending, ready};

use hickory_resolver::proto::rr::rdata::{self, SRV};

use super::*;
use crate::net::timer::tests::{overtaken, run};

const SIX: [u16; 8] = [0xfd77, 0, 0, 1, 0, 0, 0, 1];
const FOUR: [u8; 4] = [10, 77, 1, 1];

fn six() -> Vec<IpAddr> {
    vec![SIX.into()]
}

fn four() -> Vec<IpAddr> {
    vec![FOUR.into()]
}

const fn answer(turn: usize, addresses: Vec<IpAddr>) -> Answer {
    Answer {
        turn: Some(turn),
        addresses,
    }
}

fn now<'a>(addresses: Vec<IpAddr>) -> Asking<'a> {
    at(0, addresses)
}

fn at<'a>(turn: usize, addresses: Vec<IpAddr>) -> Asking<'a> {
    Box::pin(ready(Ok(answer(turn, addresses))))
}

fn failed<'a>(error: NetError) -> Asking<'a> {
    Box::pin(ready(Err(error)))
}

/// What came at once, and what comes later, if something does.
async fn found(six: Asking<'_>, four: Asking<'_>) -> (Vec<IpAddr>, Option<Vec<IpAddr>>) {
    let found = first_of(six, four).await.unwrap();
    let late = match found.rest {
        Some(rest) => Some(rest.await),
        None => None,
    };
    (found.first, late)
}

#[test]
fn the_other_family_joins_when_it_comes() {
    run(async {
        let late = |addresses: Vec<IpAddr>| -> Asking<'_> {
            Box::pin(async move {
                tokio::time::sleep(2 * IPV6_HEAD_START).await;
                Ok(answer(0, addresses))
            })
        };
        let both = [six(), four()].concat();
        assert_eq!(found(now(six()), late(four())).await, (six(), Some(four())));
        assert_eq!(found(late(six()), now(four())).await, (four(), Some(six())));
        let soon = overtaken(1, ());
        let soon: Asking<'_> = Box::pin(async move {
            soon.await;
            Ok(answer(0, six()))
        });
        assert_eq!(found(soon, now(four())).await, (both, None));
    });
}

#[test]
fn a_family_without_an_address_is_not_waited_for_again() {
    run(async {
        assert_eq!(found(now(Vec::new()), now(four())).await, (four(), None));
        let odd = || failed(NetError::Timeout);
        assert_eq!(found(odd(), now(four())).await, (four(), None));
        assert_eq!(found(now(six()), odd()).await, (six(), Some(Vec::new())));
    });
}

#[test]
fn the_earlier_name_of_a_search_list_is_meant() {
    run(async {
        for (six_at, four_at, expected) in [
            (1, 1, [six(), four()].concat()),
            (0, 1, six()),
            (1, 2, six()),
            (1, 0, four()),
            (usize::MAX, 2, four()),
        ] {
            let (mut all, late) = found(at(six_at, six()), at(four_at, four())).await;
            all.extend(late.unwrap_or_default());
            assert_eq!(all, expected, "{six_at} {four_at}");
            let waits: Asking<'_> = Box::pin(async move {
                tokio::time::sleep(2 * IPV6_HEAD_START).await;
                Ok(answer(six_at, six()))
            });
            let (first, late) = found(waits, at(four_at, four())).await;
            let expected = if six_at == four_at { six() } else { Vec::new() };
            assert_eq!(
                (first, late),
                (four(), Some(expected)),
                "{six_at} {four_at}"
            );
        }
        let (all, _) = found(at(1, six()), failed(NetError::Timeout)).await;
        assert_eq!(all, six());
        // An alias may be anybody's.
        let alias: Asking<'_> = Box::pin(ready(Ok(Answer {
            turn: None,
            addresses: four(),
        })));
        let (all, _) = found(at(1, six()), alias).await;
        assert_eq!(all, [six(), four()].concat());
    });
}

#[test]
fn turns_go_by_the_search_list() {
    let name = |text: &str| HostName::from_ascii(text).unwrap();
    let mut conf = ResolvConf {
        search: vec![name("a.test"), name("b.test")],
        ..ResolvConf::default()
    };
    let last = usize::MAX;
    for (ndots, short, asked, expected) in [
        (1, "dep", "dep.a.test.", Some(1)),
        (1, "dep", "dep.b.test.", Some(2)),
        (1, "dep", "dep.", Some(last)),
        (1, "dep.x", "dep.x.", Some(0)),
        (5, "dep.x", "dep.x.", Some(last)),
        (5, "dep.x", "dep.x.a.test.", Some(1)),
        (5, "dep.x.", "dep.x.", Some(0)),
        (1, "dep", "alias.test.", None),
    ] {
        conf.ndots = ndots;
        let server = Server::new(SocketAddr::from((FOUR, 53)), &conf).unwrap();
        let turn = server.turn(&name(short), &name(asked));
        assert_eq!(turn, expected, "{short} {asked}");
    }
}

#[test]
fn the_error_about_ipv4_counts() {
    run(async {
        let wrong = || failed(NetError::Message("wrong"));
        let error = first_of(wrong(), failed(NetError::Timeout)).await;
        assert!(matches!(error, Err(Some(NetError::Timeout))));
        let error = first_of(failed(NetError::Timeout), now(Vec::new())).await;
        assert!(matches!(error, Err(None)));
        let never: Asking<'_> = Box::pin(pending());
        let waited = timer::within(IPV6_HEAD_START, first_of(never, wrong())).await;
        assert!(waited.is_none());
    });
}

#[test]
fn ipv6_is_read_before_a_late_head_start_is_over() {
    run(async {
        let late: Asking<'_> = Box::pin(async { Ok(answer(0, overtaken(600, six()).await)) });
        let both = [six(), four()].concat();
        assert_eq!(found(late, now(four())).await, (both, None));
    });
}

#[test]
fn places_come_by_their_priority() {
    let srv = |priority, port, target: &str| {
        let target = HostName::from_ascii(target).unwrap();
        RData::SRV(SRV::new(priority, 0, port, target))
    };
    let place = |host: &str, port| Place {
        host: host.to_owned(),
        port,
    };
    let records = [
        srv(2, 1, "late.test."),
        RData::A(rdata::A(FOUR.into())),
        srv(1, 2, "b.test."),
        srv(1, 3, "a.test"),
        srv(0, 4, "."),
    ];
    assert_eq!(
        places(records.iter()),
        Ok(vec![
            place("b.test", 2),
            place("a.test", 3),
            place("late.test", 1)
        ])
    );
    for none in [&records[1..2], &records[4..]] {
        assert_eq!(places(none.iter()), Err(NameError::NoService));
    }
}
