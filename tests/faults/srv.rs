//! Services whose servers stand in SRV records: `mongodb+srv`.

use std::fs;
use std::sync::Arc;

use crate::kit::certificates::{Certified, trusted_pem};
use crate::kit::dns::{A, NXDOMAIN, Question, Reply, SERVFAIL, SRV};
use crate::kit::log::Log;
use crate::kit::run::Run;
use crate::kit::tls::Tls;
use crate::lab::{DEP, HOLE, Lab, OTHER};
use crate::row::Row;

/// The answer of a server that takes writes, and of one that nobody has initiated.
const WRITABLE: &[u8] = b"\x36\0\0\0\x09\0\0\0\x01\0\0\0\xdd\x07\0\0\0\0\0\0\0\
    \x21\0\0\0\x08isWritablePrimary\0\x01\x10ok\0\x01\0\0\0\0";
const UNINITIATED: &[u8] = b"\x31\0\0\0\x09\0\0\0\x01\0\0\0\xdd\x07\0\0\0\0\0\0\0\
    \x1c\0\0\0\x08isreplicaset\0\x01\x10ok\0\x01\0\0\0\0";

/// A step on the runner that asks `db.test`, with these SRV records: priority and place.
fn asking(lab: &Lab, records: &'static [(u16, &str)]) -> Run {
    step(lab, move |question| {
        let to =
            |reply: Reply, (priority, at): &(u16, &str)| reply.service(question, *priority, at);
        records.iter().fold(Reply::empty(), to)
    })
}

/// The same, with this answer to the question for SRV records.
fn step(lab: &Lab, answer: impl Fn(&Question) -> Reply + Send + Sync + 'static) -> Run {
    lab.names(crate::lab::DNS, move |question| {
        match (question.kind, question.name.as_str()) {
            (SRV, "_mongodb._tcp.db.test") => answer(question),
            (A, "one.test") => Reply::of(question, &[DEP]),
            (A, "two.test") => Reply::of(question, &[OTHER]),
            (A, "hole.test") => Reply::of(question, &[HOLE]),
            (_, "one.test" | "two.test" | "hole.test") => Reply::empty(),
            _ => Reply::code(NXDOMAIN),
        }
    });
    let authority = lab.path("authority.pem");
    fs::write(&authority, trusted_pem()).unwrap();
    lab.step("mongodb+srv://db.test/app")
        .set("ca-certificates", authority.display())
        .run()
}

/// A server of this name at this address, which answers everybody like this.
fn server(lab: &Lab, label: &'static str, name: &str, at: &str, answer: &'static [u8]) -> Arc<Log> {
    let log = Tls::named(name, Certified::Well).serve_with(&format!("{at}:27017"), move |peer| {
        if peer.read(52).is_some() {
            peer.send(answer);
        }
    });
    lab.watch(label, &log);
    log
}

fn one(lab: &Lab, answer: &'static [u8]) -> Arc<Log> {
    server(lab, "one", "one.test", DEP, answer)
}

fn two(lab: &Lab, answer: &'static [u8]) -> Arc<Log> {
    server(lab, "two", "two.test", OTHER, answer)
}

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::up("SRV: the server that the record names", |lab| {
            one(lab, WRITABLE);
            asking(lab, &[(0, "one.test:27017")])
        })
        .seen("one 1/0 dns 3/0"),
        Row::up(
            "SRV: the first priority, and no other that is not needed",
            |lab| {
                one(lab, WRITABLE);
                two(lab, WRITABLE);
                asking(lab, &[(2, "one.test:27017"), (1, "two.test:27017")])
            },
        )
        .seen("one 0/0 two 1/0 dns 3/0"),
        Row::up("SRV: the next server where one refuses", |lab| {
            two(lab, WRITABLE);
            asking(lab, &[(0, "one.test:27017"), (0, "two.test:27017")])
        })
        .within(0..=1500),
        Row::up("SRV: the next server where one is not serving", |lab| {
            one(lab, UNINITIATED);
            two(lab, WRITABLE);
            asking(lab, &[(0, "one.test:27017"), (0, "two.test:27017")])
        })
        .seen("one 1/0 two 1/0 dns 5/0"),
        Row::up("SRV: the next server where a name is unknown", |lab| {
            two(lab, WRITABLE);
            asking(lab, &[(0, "none.test:27017"), (0, "two.test:27017")])
        }),
        Row::up("SRV: the next server where one is silent", |lab| {
            two(lab, WRITABLE);
            asking(lab, &[(0, "hole.test:27017"), (0, "two.test:27017")])
        })
        .within(700..=1500),
        Row::down(
            "SRV: another name in the certificate",
            "tls-hostname",
            |lab| {
                server(lab, "one", "two.test", DEP, WRITABLE);
                asking(lab, &[(0, "one.test:27017")])
            },
        ),
        Row::down(
            "SRV: all are down, and one says why",
            "not-serving",
            |lab| {
                two(lab, UNINITIATED);
                asking(
                    lab,
                    &[
                        (0, "one.test:27017"),
                        (0, "two.test:27017"),
                        (0, "hole.test:27017"),
                    ],
                )
                .says("none of the 3 servers of db.test is up; two.test:27017")
                .says("rs.initiate()")
            },
        )
        .within(400..=1700),
        Row::down("SRV: all are silent", "connect-timeout", |lab| {
            asking(lab, &[(0, "hole.test:27017"), (0, "hole.test:27018")]).says("no connection to")
        })
        .within(1400..=1800),
        Row::down("SRV: the name has no such record", "dns", |lab| {
            step(lab, |_| Reply::empty())
                .says("_mongodb._tcp.db.test")
                .says("no SRV record")
        })
        .seen("dns 1/0"),
        Row::down(
            "SRV: the record says that there is no service",
            "dns",
            |lab| asking(lab, &[(0, ":27017")]).says("no SRV record"),
        ),
        Row::down("SRV: no such name", "dns", |lab| {
            step(lab, |_| Reply::code(NXDOMAIN)).says("NXDOMAIN")
        }),
        Row::down("SRV: SERVFAIL", "dns", |lab| {
            step(lab, |_| Reply::code(SERVFAIL)).says("SERVFAIL")
        }),
        Row::down("SRV: a silent name server", "dns", |lab| {
            step(lab, |_| Reply::silence()).says("no answer")
        })
        .within(1400..=3000),
    ]
}
