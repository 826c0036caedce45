//! Connections, stage by stage: addresses that race, one question to a proxy, floods.

use std::net::TcpStream;
use std::time::Duration;

use crate::kit::dns::{A, AAAA, Reply};
use crate::kit::peer::Peer;
use crate::kit::run::Run;
use crate::kit::server::response;
use crate::kit::step::Preflight;
use crate::lab::{DEP, DEP6, DNS, HOLE, HOLE6, Lab, world};
use crate::row::Row;

const URL: &str = "http://dep.test/";
const AT: &str = "10.77.3.1:3128";

/// Addresses where nobody listens.
const REFUSING: &str = "10.77.1.5";

/// A step whose name server answers about each family after so many milliseconds.
fn at(
    lab: &Lab,
    six: &'static [&'static str],
    six_after: u64,
    four: &'static [&'static str],
    four_after: u64,
) -> Preflight {
    lab.names(DNS, move |question| match question.kind {
        A => Reply::of(question, four).after(four_after),
        AAAA => Reply::of(question, six).after(six_after),
        _ => Reply::empty(),
    });
    lab.step(URL)
}

/// The same, all at once; nothing else tells whether the runner has a way out.
fn silent_control(lab: &Lab, addresses: &'static [&'static str]) -> Run {
    lab.names(DNS, move |question| Reply::of(question, addresses));
    let step = lab.step(URL).set("timeout", "1s");
    step.set("control", format!("http://{HOLE}/")).run()
}

/// An https target through a proxy that answers CONNECT with these in turn.
fn in_turn(lab: &Lab, statuses: &'static [u16]) -> Run {
    lab.server("proxy", AT, move |peer| {
        let turn = peer.number.min(statuses.len()) - 1;
        peer.status(statuses[turn]);
    });
    let step = lab.step("https://10.77.1.1/");
    step.env("HTTPS_PROXY", format!("http://{AT}")).run()
}

/// A target by name, which only a SOCKS proxy knows; it says this.
fn socks(lab: &Lab, says: u8) -> Run {
    lab.names(DNS, |_| Reply::silence());
    lab.dep(200);
    lab.server("proxy", AT, move |peer| {
        peer.read(3);
        peer.send([5, 0]);
        // Connect to a name of 8 letters, port 80.
        let asked = peer.read(15).unwrap();
        assert_eq!(asked[..5], [5, 1, 0, 3, 8]);
        peer.send([5, says, 0, 1, 0, 0, 0, 0, 0, 0]);
        if says == 0 {
            peer.relay(TcpStream::connect(format!("{DEP}:80")).unwrap());
        }
    });
    let step = lab.step(URL);
    step.env("ALL_PROXY", format!("socks5://{AT}")).run()
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = families();
    rows.extend(addresses());
    rows.extend(tunnels());
    rows.extend(streams());
    rows
}

fn families() -> Vec<Row> {
    vec![
        Row::up("AAAA without a route, A 400 ms later", |lab| {
            lab.dep(200);
            lab.runner("ip -6 route del default");
            at(lab, &[DEP6], 0, &[DEP], 400).run()
        })
        .within(400..=1200),
        Row::up("AAAA refuses, A 400 ms later", |lab| {
            lab.dep(200);
            at(lab, &[DEP6], 0, &[DEP], 400).run()
        })
        .within(400..=1200),
        Row::up("black-holed AAAA, A 600 ms later", |lab| {
            lab.dep(200);
            at(lab, &[HOLE6], 0, &[DEP], 600).run()
        })
        .within(600..=1300),
        Row::up("A refuses, AAAA 600 ms later", |lab| {
            lab.server("dep", &format!("[{DEP6}]:80"), |peer| peer.status(200));
            at(lab, &[DEP6], 600, &[REFUSING], 0).run()
        })
        .within(600..=1300),
        Row::up("a live A is not kept waiting by a late AAAA", |lab| {
            lab.dep(200);
            at(lab, &[HOLE6], 900, &[DEP], 0).run()
        })
        .within(0..=400)
        .seen("dep 1/1 dns 2/0"),
        Row::down("A refuses, AAAA never answered", "refused", |lab| {
            lab.names(DNS, |question| match question.kind {
                AAAA => Reply::silence(),
                _ => Reply::of(question, &[REFUSING]),
            });
            lab.step(URL).set("timeout", "1s").run()
        })
        .within(900..=2000),
    ]
}

fn addresses() -> Vec<Row> {
    vec![
        // Each takes a second to be connected to: the kernel's own, until it asks again.
        Row::up("eight far addresses", |lab| {
            lab.dep(200);
            world(
                "nft 'add table inet far
                 add set inet far met { type ipv4_addr . inet_service; flags dynamic; size 999; }
                 add chain inet far input { type filter hook input priority 0; }
                 add rule inet far input tcp dport 80 tcp flags & (syn|ack) == syn ip daddr . tcp sport != @met add @met { ip daddr . tcp sport } drop'",
            );
            for last in 12..19 {
                lab.server("other", &format!("10.77.1.{last}:80"), |peer| peer.status(200));
            }
            lab.names(DNS, |question| {
                let all = [
                    DEP, "10.77.1.12", "10.77.1.13", "10.77.1.14", "10.77.1.15", "10.77.1.16",
                    "10.77.1.17", "10.77.1.18",
                ];
                Reply::of(question, &all)
            });
            lab.step(URL).set("timeout", "2s").run()
        })
        .within(1000..=1800),
        Row::up("ten addresses, nine black-holed", |lab| {
            lab.dep(200);
            lab.names(DNS, |question| {
                let all = [
                    HOLE, "10.77.9.2", "10.77.9.3", "10.77.9.4", "10.77.9.5", "10.77.9.6",
                    "10.77.9.7", "10.77.9.8", "10.77.9.9", DEP,
                ];
                Reply::of(question, &all)
            });
            lab.step(URL).set("timeout", "4s").run()
        })
        .within(0..=3200)
        .seen("dep 1/1 dns 2/0"),
        Row::down("refusing, then black-holed; no control", "refused", |lab| {
            silent_control(lab, &[REFUSING, HOLE])
        })
        .within(900..=2500),
        Row::down("black-holed, then refusing; no control", "refused", |lab| {
            silent_control(lab, &[HOLE, REFUSING]).says(REFUSING)
        })
        .within(900..=2500),
        Row::down("black-holed AAAA, A refuses; no control", "refused", |lab| {
            silent_control(lab, &[HOLE6, REFUSING])
        })
        .within(900..=2500),
        Row::unknown("black-holed, then without a route; no control", "connect-timeout", |lab| {
            lab.runner("ip route add unreachable 10.77.1.6");
            silent_control(lab, &[HOLE, "10.77.1.6"]).says(HOLE)
        })
        .within(900..=7500),
    ]
}

fn tunnels() -> Vec<Row> {
    vec![
        Row::down(
            "CONNECT answered with 503, then with 200",
            "proxy-upstream",
            |lab| in_turn(lab, &[503, 200]).says("503"),
        )
        .within(0..=1000)
        .seen("proxy 1/1"),
        Row::unknown("CONNECT answered with 407, then with 503", "proxy", |lab| {
            in_turn(lab, &[407, 503]).says("407")
        })
        .within(0..=1000)
        .seen("proxy 1/1"),
        Row::unknown("TLS proxy that says nothing", "proxy", |lab| {
            lab.server("proxy", AT, Peer::hang);
            let step = lab.step("https://10.77.1.1/");
            step.env("HTTPS_PROXY", format!("https://{AT}")).run()
        })
        .within(1400..=3000)
        .seen("proxy 1/0"),
        Row::up("SOCKS proxy, which looks up the name", |lab| socks(lab, 0))
            .seen("dns 0/0 dep 1/1 proxy 1/0"),
        Row::down("SOCKS proxy: host unreachable", "proxy-upstream", |lab| {
            socks(lab, 4).says("host unreachable")
        })
        .seen("dns 0/0 dep 0/0 proxy 1/0"),
        Row::down("SOCKS proxy: connection refused", "proxy-upstream", |lab| {
            socks(lab, 5).says("connection refused")
        }),
        Row::unknown("SOCKS proxy: not allowed", "proxy", |lab| {
            socks(lab, 2).says("not allowed")
        }),
        Row::unknown("SOCKS proxy black-holed", "proxy", |lab| {
            let step = lab.step("http://10.77.1.1/");
            step.env("ALL_PROXY", format!("socks5://{HOLE}:1080")).run()
        })
        .within(1400..=3000),
        Row::unknown("SOCKS proxy that says nothing", "proxy", |lab| {
            lab.server("proxy", AT, Peer::hang);
            let step = lab.step("http://10.77.1.1/");
            step.env("ALL_PROXY", format!("socks5://{AT}")).run()
        })
        .within(1400..=3000),
    ]
}

fn streams() -> Vec<Row> {
    vec![
        Row::down(
            "interim answers without end, beside a healthy one",
            "protocol",
            |lab| {
                lab.dep(200);
                lab.server("flood", "10.77.1.2:80", |peer| {
                    peer.request();
                    let many = "HTTP/1.1 100 Continue\r\n\r\n".repeat(2000);
                    peer.trickle(&many, Duration::ZERO);
                });
                let targets = [("flood", "http://10.77.1.2/"), ("dep", "http://10.77.1.1/")];
                let run = lab.steps(&targets).run();
                run.judged("dep", "up");
                run
            },
        )
        .within(0..=1400)
        .seen("dep 1/1 flood 1/1"),
        // A late timer may not make a failed handshake of one that is silent.
        Row::unknown(
            "TLS handshake silent while the runner stood still",
            "local",
            |lab| {
                let dep = lab.server("dep", &format!("{DEP}:443"), Peer::hang);
                let running = lab.step("https://10.77.1.1/").set("timeout", "1s").start();
                crate::kit::running::eventually("the connection", || dep.connections() == 1);
                running
                    .freeze(Duration::from_millis(1500))
                    .wait()
                    .says("stood still")
            },
        ),
        Row::up("HTTP/1.0 with chunked coding", |lab| {
            lab.server("dep", &format!("{DEP}:80"), |peer| {
                peer.answer("HTTP/1.0 401 X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
            });
            lab.step("http://10.77.1.1/").run()
        })
        .seen("dep 1/1"),
        Row::up("a second answer behind the first", |lab| {
            lab.server("dep", &format!("{DEP}:80"), |peer| {
                peer.answer([response(401, ""), response(503, "")].concat());
            });
            lab.step("http://10.77.1.1/").run()
        })
        .seen("dep 1/1"),
    ]
}
