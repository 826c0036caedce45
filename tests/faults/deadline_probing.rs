//! The hard deadline: start to exit, whatever hangs.

use std::time::Duration;

use crate::kit::dns::Reply;
use crate::kit::forge::{posted, take};
use crate::kit::peer::Peer;
use crate::kit::run::Run;
use crate::kit::server::response;
use crate::kit::step::Preflight;
use crate::lab::{DEP, DNS, FORGE, FORGE_URL, Lab};
use crate::row::Row;

const DEP_URL: &str = "http://10.77.1.1/";
/// What every row here has, and what it may take at most.
const DEADLINE: &str = "3s";
const MILLIS: std::ops::RangeInclusive<u64> = 0..=3750;

/// Timeouts longer than the deadline, attempts without end.
fn hang(step: Preflight) -> Preflight {
    step.set("deadline", DEADLINE)
        .set("timeout", "30s")
        .set("attempts", "unlimited")
}

/// The dependency does this, at port 80 and 443.
fn served(lab: &Lab, url: &str, play: fn(&mut Peer)) -> Run {
    lab.server("dep", &format!("{DEP}:80"), play);
    lab.server("tls", &format!("{DEP}:443"), play);
    hang(lab.step(url)).run()
}

fn slow_hop(peer: &mut Peer) {
    if let Some(request) = peer.request() {
        std::thread::sleep(Duration::from_millis(300));
        let path = request.word(1);
        peer.send(response(302, &format!("Location: {path}a\r\n")));
    }
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = probes();
    rows.extend(many());
    rows.into_iter().map(|row| row.within(MILLIS)).collect()
}

fn probes() -> Vec<Row> {
    vec![
        Row::down("deadline: name server silent", "dns", |lab| {
            lab.names(DNS, |_| Reply::silence());
            hang(lab.step("http://dep.test/")).run()
        }),
        Row::down("deadline: name server silent by TCP", "dns", |lab| {
            lab.names(DNS, |question| {
                if question.tcp {
                    Reply::silence()
                } else {
                    Reply::truncated()
                }
            });
            hang(lab.step("http://dep.test/")).run()
        }),
        Row::down("deadline: SYN dropped", "connect-timeout", |lab| {
            hang(lab.step("http://10.77.9.1/")).run()
        }),
        Row::down(
            "deadline: TLS hello unanswered",
            "response-timeout",
            |lab| served(lab, "https://10.77.1.1/", Peer::hang),
        ),
        Row::down("deadline: request unanswered", "response-timeout", |lab| {
            served(lab, DEP_URL, Peer::mute)
        }),
        Row::down("deadline: head byte by byte", "response-timeout", |lab| {
            served(lab, DEP_URL, |peer| {
                peer.answer("HTTP/1.1 200 OK\r\n");
                peer.trickle("x", Duration::from_millis(20));
            })
        }),
        Row::down("deadline: 103 again and again", "response-timeout", |lab| {
            served(lab, DEP_URL, |peer| {
                peer.request();
                peer.trickle(
                    "HTTP/1.1 103 Early Hints\r\n\r\n",
                    Duration::from_millis(50),
                );
            })
        }),
        Row::down("deadline: 503 with an endless body", "status", |lab| {
            served(lab, DEP_URL, |peer| {
                peer.answer("HTTP/1.1 503 Busy\r\nContent-Type: text/plain\r\n\r\n");
                peer.trickle("no ", Duration::from_millis(5));
            })
        }),
        Row::down("deadline: 503, the body never comes", "status", |lab| {
            served(lab, DEP_URL, |peer| {
                peer.answer(
                    "HTTP/1.1 503 Busy\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\n",
                );
                peer.hang();
            })
        }),
        Row::up("deadline: 200 with an endless body", |lab| {
            served(lab, DEP_URL, |peer| {
                peer.answer("HTTP/1.1 200 OK\r\n\r\n");
                peer.trickle("yes ", Duration::from_millis(1));
            })
        })
        .seen("dep 1/1 tls 0/0"),
        Row::down(
            "deadline: slow redirects without end",
            "response-timeout",
            |lab| {
                lab.server("dep", &format!("{DEP}:80"), slow_hop);
                hang(lab.step(DEP_URL)).set("redirects", 1000).run()
            },
        ),
        Row::down(
            "deadline: CONNECT never answered",
            "connect-timeout",
            |lab| {
                lab.server("proxy", "10.77.3.1:3128", Peer::mute);
                let step = hang(lab.step("https://10.77.1.1/"));
                step.env("HTTPS_PROXY", "http://10.77.3.1:3128").run()
            },
        ),
        Row::unknown("deadline: control hangs, too", "connect-timeout", |lab| {
            lab.control(Peer::mute);
            hang(lab.step("http://10.77.9.1/"))
                .set("control", "http://10.77.2.1/")
                .run()
        }),
        Row::down("deadline: 503 for ever", "status", |lab| {
            served(lab, DEP_URL, |peer| peer.status(503))
        }),
        Row::down("deadline: 300 ms in all", "connect-timeout", |lab| {
            hang(lab.step("http://10.77.9.1/"))
                .set("deadline", "300ms")
                .run()
        }),
    ]
}

/// Twenty targets that hang, each in one of five ways.
fn twenty(lab: &Lab) -> Preflight {
    lab.names(DNS, |_| Reply::silence());
    lab.server("dep", &format!("{DEP}:80"), Peer::mute);
    lab.server("tls", &format!("{DEP}:443"), Peer::hang);
    lab.server("drip", &format!("{DEP}:81"), |peer| {
        peer.answer("HTTP/1.1 200 OK\r\n");
        peer.trickle("x", Duration::from_millis(50));
    });
    let lines = (0..20).map(|number| {
        let url = match number % 5 {
            0 => format!("http://dep{number}.test/"),
            1 => format!("http://10.77.9.{number}/"),
            2 => format!("https://{DEP}/{number}"),
            3 => format!("http://{DEP}/{number}"),
            _ => format!("http://{DEP}:81/{number}"),
        };
        format!("t{number}: {url}\n")
    });
    hang(lab.step("").set("targets", lines.collect::<String>()))
}

fn many() -> Vec<Row> {
    vec![
        Row::down("deadline: twenty targets hang", "dns", |lab| {
            let run = twenty(lab).run();
            run.judged("t0", "down dns");
            run.judged("t1", "down connect-timeout");
            for hanging in ["t2", "t3", "t4", "t17", "t18", "t19"] {
                run.judged(hanging, "down response-timeout");
            }
            run
        }),
        Row::down(
            "deadline: all that, forge and control hang",
            "response-timeout",
            |lab| {
                lab.server("forge", &format!("{FORGE}:80"), Peer::mute);
                let step = twenty(lab)
                    .on_forge_at(FORGE_URL)
                    .set("control", "http://10.77.9.200/");
                step.run().logs("commit status")
            },
        ),
        Row::down("deadline: all that, nobody reads", "dns", |lab| {
            lab.server("forge", &format!("{FORGE}:80"), Peer::mute);
            twenty(lab).on_forge_at(FORGE_URL).unread().run()
        }),
        Row::down("deadline: twenty hang, the forge is well", "dns", |lab| {
            let log = lab.server("forge", &format!("{FORGE}:80"), take);
            let run = twenty(lab)
                .on_forge_at(FORGE_URL)
                .set("timeout", "700ms")
                .set("attempts", 2)
                .run();
            assert_eq!(posted(&log.received(), "state"), ["failure"]);
            run
        }),
    ]
}
