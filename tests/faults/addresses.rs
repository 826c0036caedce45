//! Several addresses, loss, delay.

use std::time::Duration;

use crate::kit::dns::Reply;
use crate::kit::run::Run;
use crate::kit::step::Preflight;
use crate::lab::{DEP, DEP6, DNS, HOLE, HOLE6, Lab, world_filter};
use crate::relay;
use crate::row::Row;

const URL: &str = "http://dep.test/";

/// A step whose dependency has these addresses.
fn at(lab: &Lab, addresses: &'static [&'static str]) -> Preflight {
    lab.names(DNS, move |question| Reply::of(question, addresses));
    lab.step(URL).set("timeout", "4s")
}

fn live6(lab: &Lab) {
    lab.server("dep", &format!("[{DEP6}]:80"), |peer| peer.status(200));
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = families();
    rows.extend(addresses());
    rows.extend(loss());
    rows
}

fn families() -> Vec<Row> {
    vec![
        Row::up("dead ::1, live 127.0.0.1", |lab| {
            let _near = lab.local_service("http 127.0.0.1:8080 200");
            lab.step("http://localhost:8080/").run()
        })
        .within(0..=1000),
        Row::up("live ::1, dead 127.0.0.1", |lab| {
            let _near = lab.local_service("http [::1]:8080 200");
            lab.step("http://localhost:8080/").run()
        })
        .within(0..=1000),
        Row::up("black-holed ::1, live 127.0.0.1", |lab| {
            let _near = lab.local_service("http 127.0.0.1:8080 200");
            lab.runner_filter("input", "ip6 daddr ::1 tcp dport 8080 drop");
            lab.step("http://localhost:8080/").run()
        })
        .within(0..=1200),
        Row::up("black-holed AAAA, live A", |lab| {
            lab.dep(200);
            at(lab, &[HOLE6, DEP]).run()
        })
        .within(0..=1200)
        .seen("dep 1/1 dns 2/0"),
        Row::up("live AAAA, black-holed A", |lab| {
            live6(lab);
            at(lab, &[DEP6, HOLE]).run()
        })
        .within(0..=1200)
        .seen("dep 1/1 dns 2/0"),
        Row::up("AAAA without a route, live A", |lab| {
            lab.dep(200);
            lab.runner("ip -6 route del default");
            at(lab, &[DEP6, DEP]).run()
        })
        .within(0..=1000)
        .seen("dep 1/1 dns 2/0"),
        Row::up("AAAA refuses, live A", |lab| {
            lab.dep(200);
            at(lab, &[DEP6, DEP]).run()
        })
        .within(0..=1000),
        Row::up("live AAAA, A without a route", |lab| {
            live6(lab);
            lab.runner(&format!("ip route add unreachable {DEP}"));
            at(lab, &[DEP6, DEP]).run()
        })
        .within(0..=1000),
        Row::up("IPv6 switched off, live A", |lab| {
            lab.dep(200);
            lab.runner("echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6");
            at(lab, &[DEP6, DEP]).run()
        })
        .within(0..=1000)
        .seen("dep 1/1 dns 2/0"),
        Row::down("IPv6 switched off, A refuses", "refused", |lab| {
            lab.runner("echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6");
            at(lab, &[DEP6, DEP]).run()
        })
        .within(0..=1000),
        Row::down(
            "IPv6 switched off, A black-holed",
            "connect-timeout",
            |lab| {
                lab.runner("echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6");
                at(lab, &[DEP6, HOLE]).set("timeout", "1s").run()
            },
        )
        .within(900..=2000),
        Row::down(
            "IPv6 switched off, A without a route",
            "unreachable",
            |lab| {
                lab.runner("echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6");
                lab.runner(&format!("ip route add unreachable {DEP}"));
                at(lab, &[DEP6, DEP]).run()
            },
        )
        .within(0..=1000),
        Row::down("both families black-holed", "connect-timeout", |lab| {
            at(lab, &[HOLE6, HOLE]).set("timeout", "2s").run()
        })
        .within(1900..=3000),
        Row::up("both families live: one connection", |lab| {
            let dep = lab.dep(200);
            live6(lab);
            let run = at(lab, &[DEP6, DEP]).run();
            assert_eq!(dep.connections(), 0);
            run
        })
        .seen("dep 0/0 dep 1/1 dns 2/0"),
    ]
}

fn addresses() -> Vec<Row> {
    vec![
        Row::up("three addresses, two of which refuse", |lab| {
            lab.dep(200);
            at(lab, &["10.77.1.5", "10.77.1.6", DEP]).run()
        })
        .within(0..=1500)
        .seen("dep 1/1 dns 2/0"),
        Row::up("two addresses, the first black-holed", |lab| {
            lab.dep(200);
            at(lab, &[HOLE, DEP]).run()
        })
        .within(0..=3500)
        .seen("dep 1/1 dns 2/0"),
        Row::up("four addresses, three black-holed", |lab| {
            lab.dep(200);
            at(lab, &[HOLE, "10.77.9.2", "10.77.9.3", DEP]).run()
        })
        .within(0..=4000)
        .seen("dep 1/1 dns 2/0"),
        Row::up("black-holed, refusing, without a route, live", |lab| {
            lab.dep(200);
            lab.runner("ip route add unreachable 10.77.1.6");
            at(lab, &[HOLE, "10.77.1.5", "10.77.1.6", DEP]).run()
        })
        .within(0..=4000),
        Row::down(
            "three addresses, all black-holed",
            "connect-timeout",
            |lab| {
                at(lab, &[HOLE, "10.77.9.2", "10.77.9.3"])
                    .set("timeout", "2s")
                    .run()
            },
        )
        .within(1900..=3000),
        Row::down("three addresses, all refuse", "refused", |lab| {
            at(lab, &["10.77.1.5", "10.77.1.6", "10.77.1.7"]).run()
        })
        .within(0..=1500),
    ]
}

/// Three attempts and more, over a line that loses packets.
fn lossy(lab: &Lab, rule: &str) -> Run {
    lab.names(DNS, |question| Reply::of(question, &[DEP]));
    lab.etc(
        "resolv.conf",
        format!("nameserver {DNS}\noptions timeout:1 attempts:3\n"),
    );
    lab.dep(200);
    world_filter("input", rule);
    world_filter("output", rule);
    let step = lab.step(URL).set("timeout", "8s").set("deadline", "60s");
    step.set("attempts", "unlimited").run()
}

fn loss() -> Vec<Row> {
    vec![
        Row::up("30 % of all packets lost", |lab| {
            lossy(lab, "numgen random mod 10 < 3 drop")
        })
        .within(0..=60_000),
        Row::up("every third packet lost", |lab| {
            lossy(lab, "numgen inc mod 3 == 1 drop")
        })
        .within(0..=60_000),
        Row::up("300 ms of delay each way", |lab| {
            lab.server("dep", "10.77.1.8:8080", |peer| peer.status(200));
            relay::tcp(
                &format!("{DEP}:80"),
                "10.77.1.8:8080",
                Duration::from_millis(300),
                4096,
            );
            lab.step("http://10.77.1.1/").run()
        })
        .within(600..=2000)
        .seen("dep 1/1"),
        Row::up("everything byte by byte", |lab| {
            lab.server("dep", "10.77.1.8:8080", |peer| peer.status(200));
            relay::tcp(&format!("{DEP}:80"), "10.77.1.8:8080", Duration::ZERO, 1);
            lab.step("http://10.77.1.1/").run()
        })
        .within(50..=2000)
        .seen("dep 1/1"),
        Row::down(
            "more delay than the attempt has",
            "response-timeout",
            |lab| {
                lab.server("dep", "10.77.1.8:8080", |peer| peer.status(200));
                relay::tcp(
                    &format!("{DEP}:80"),
                    "10.77.1.8:8080",
                    Duration::from_secs(1),
                    4096,
                );
                lab.step("http://10.77.1.1/").run()
            },
        )
        .within(1500..=2500),
        Row::up("cable unplugged, and plugged in again", |lab| {
            lab.dep(200);
            lab.runner("ip link set eth0 down");
            let running = lab
                .step("http://10.77.1.1/")
                .set("attempts", "unlimited")
                .start();
            std::thread::sleep(Duration::from_millis(700));
            lab.runner("ip link set eth0 up; ip route add default via 10.77.0.1");
            running.wait().logs("recovered after")
        })
        .within(700..=5000)
        .seen("dep 1/1"),
    ]
}
