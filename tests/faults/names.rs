//! Name servers, good and bad.

use std::time::Duration;

use crate::kit::dns::{A, AAAA, NXDOMAIN, Question, REFUSED, Reply, SERVFAIL};
use crate::kit::run::Run;
use crate::kit::running::eventually;
use crate::lab::{DEP, DEP6, DNS, Lab, world_filter};
use crate::relay;
use crate::row::Row;

const URL: &str = "http://dep.test/";

/// One attempt, with this name server.
fn ask(lab: &Lab, answer: impl Fn(&Question) -> Reply + Send + Sync + 'static) -> Run {
    lab.dep(200);
    lab.names(DNS, answer);
    lab.step(URL).run()
}

/// The answer to one kind of question, and the truth about the other.
fn kind(question: &Question, kind: u16, reply: Reply) -> Reply {
    if question.kind == kind {
        reply
    } else {
        Reply::of(question, &[DEP, DEP6])
    }
}

/// The runner stands still from the questions until they are long timed out.
fn stopped(lab: &Lab, answer: impl Fn(&Question) -> Reply + Send + Sync + 'static) -> Run {
    lab.dep(200);
    lab.etc(
        "resolv.conf",
        format!("nameserver {DNS}\noptions timeout:1 attempts:1\n"),
    );
    let asked = lab.names(DNS, answer);
    let running = lab.step(URL).set("timeout", "8s").start();
    eventually("the questions", || asked.by_udp() == 2);
    running.freeze(Duration::from_millis(1600)).wait()
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = errors();
    rows.extend(halves());
    rows.extend(transport());
    rows.extend(spelling());
    rows.extend(servers());
    rows
}

fn errors() -> Vec<Row> {
    vec![
        Row::down("SERVFAIL", "dns", |lab| {
            ask(lab, |_| Reply::code(SERVFAIL)).says("SERVFAIL")
        }),
        Row::down("NXDOMAIN", "dns", |lab| {
            ask(lab, |_| Reply::code(NXDOMAIN)).says("NXDOMAIN")
        })
        .within(0..=1000)
        .seen("dep 0/0 dns 2/0"),
        Row::down("NXDOMAIN is asked anew each time", "dns", |lab| {
            lab.names(DNS, |_| Reply::code(NXDOMAIN));
            lab.step(URL).set("attempts", 3).run()
        })
        .seen("dns 6/0"),
        Row::up("NXDOMAIN at first, then there", |lab| {
            lab.dep(200);
            let first = std::time::Instant::now();
            lab.names(DNS, move |question| {
                if first.elapsed() < Duration::from_millis(700) {
                    Reply::code(NXDOMAIN)
                } else {
                    Reply::of(question, &[DEP])
                }
            });
            lab.step(URL).set("attempts", "unlimited").run()
        })
        .within(300..=4000),
        Row::down("REFUSED", "dns", |lab| {
            ask(lab, |_| Reply::code(REFUSED)).says("REFUSED")
        }),
        Row::down("no address for the name", "dns", |lab| {
            ask(lab, |_| Reply::empty()).says("no address")
        })
        .within(0..=1000),
        Row::down("no answer", "dns", |lab| {
            ask(lab, |_| Reply::silence()).says("no answer")
        })
        .within(1400..=3000),
        Row::down("garbage for an answer", "dns", |lab| {
            ask(lab, |_| Reply::garbage())
        }),
        Row::down("an answer with a record missing", "dns", |lab| {
            ask(lab, |_| Reply::short()).says("answer cannot be read")
        })
        .within(0..=1500),
        Row::down("an alias of itself", "dns", |lab| {
            ask(lab, |_| Reply::empty().alias("dep.test", "dep.test"))
        }),
        Row::down("name server's port closed", "dns", |lab| {
            lab.step(URL).run().says("refused").says(DNS)
        })
        .within(0..=1000),
        Row::down("no route to the name server", "dns", |lab| {
            lab.runner(&format!("ip route add unreachable {DNS}"));
            lab.step(URL).run()
        }),
        Row::down("name server rejected by a filter", "dns", |lab| {
            world_filter(
                "input",
                "udp dport 53 reject with icmp type admin-prohibited",
            );
            lab.step(URL).run()
        }),
        Row::unknown("questions not permitted by the runner", "local", |lab| {
            lab.runner_filter("output", "meta l4proto { tcp, udp } th dport 53 drop");
            lab.step(URL).run()
        }),
    ]
}

fn halves() -> Vec<Row> {
    vec![
        Row::up("A answered, AAAA never", |lab| {
            ask(lab, |question| kind(question, AAAA, Reply::silence()))
        })
        .within(0..=1200)
        .seen("dep 1/1 dns 2/0"),
        Row::up("AAAA answered, A never", |lab| {
            lab.server("dep", &format!("[{DEP6}]:80"), |peer| peer.status(200));
            lab.names(DNS, |question| kind(question, A, Reply::silence()));
            lab.step(URL).run()
        })
        .within(0..=1200)
        .seen("dep 1/1 dns 2/0"),
        Row::up("A answered, AAAA SERVFAIL", |lab| {
            ask(lab, |question| kind(question, AAAA, Reply::code(SERVFAIL)))
        })
        .within(0..=1200),
        Row::up("A answered, AAAA NXDOMAIN", |lab| {
            ask(lab, |question| kind(question, AAAA, Reply::code(NXDOMAIN)))
        })
        .within(0..=1200)
        .seen("dep 1/1 dns 2/0"),
        Row::up("A answered, AAAA REFUSED", |lab| {
            ask(lab, |question| kind(question, AAAA, Reply::code(REFUSED)))
        })
        .within(0..=1200),
        Row::down("A SERVFAIL, AAAA never", "dns", |lab| {
            ask(lab, |question| match question.kind {
                A => Reply::code(SERVFAIL),
                _ => Reply::silence(),
            })
        }),
        Row::up("aliases, one after another", |lab| {
            ask(lab, |question| {
                Reply::empty()
                    .alias("dep.test", "a.test")
                    .alias("a.test", "b.test")
                    .and(question, "b.test", &[DEP])
            })
        }),
        Row::up("an alias whose address is asked for extra", |lab| {
            ask(lab, |question| match question.name.as_str() {
                "dep.test" => Reply::empty().alias("dep.test", "a.test"),
                _ => Reply::of(question, &[DEP]),
            })
        }),
        Row::up("a name with the last dot", |lab| {
            lab.dep(200);
            lab.names(DNS, |question| Reply::of(question, &[DEP]));
            lab.step("http://dep.test./").run()
        })
        .seen("dep 1/1 dns 2/0"),
    ]
}

fn transport() -> Vec<Row> {
    vec![
        Row::up("truncated by UDP, whole by TCP", |lab| {
            ask(lab, |question| {
                if question.tcp {
                    Reply::of(question, &[DEP])
                } else {
                    Reply::truncated()
                }
            })
        })
        .seen("dep 1/1 dns 2/2"),
        Row::down("truncated by UDP, silent by TCP", "dns", |lab| {
            ask(lab, |question| {
                if question.tcp {
                    Reply::silence()
                } else {
                    Reply::truncated()
                }
            })
        }),
        Row::down("truncated by UDP, TCP filtered", "dns", |lab| {
            world_filter("input", "tcp dport 53 drop");
            ask(lab, |_| Reply::truncated())
        })
        .within(0..=3000),
        Row::up("too large for UDP, and not said to be truncated", |lab| {
            ask(lab, |question| Reply::of(question, &[DEP; 40]))
        })
        .within(0..=1500)
        .seen("dep 1/1 dns 2/1"),
        Row::up("a slow answer", |lab| {
            ask(lab, |question| Reply::of(question, &[DEP]).after(900))
        })
        .within(900..=2500),
        Row::up("an answer while the runner stood still", |lab| {
            stopped(lab, |question| Reply::of(question, &[DEP]).after(500))
        })
        .seen("dep 1/1 dns 2/0"),
        Row::unknown("no answer while the runner stood still", "local", |lab| {
            stopped(lab, |_| Reply::silence()).says("stood still")
        }),
        Row::up("a question lost", |lab| {
            lab.dep(200);
            lab.etc(
                "resolv.conf",
                format!("nameserver {DNS}\noptions timeout:1\n"),
            );
            lab.names(DNS, |question| Reply::of(question, &[DEP]));
            world_filter("input", "udp dport 53 numgen inc mod 100 < 2 drop");
            lab.step(URL).set("timeout", "8s").run()
        })
        .within(0..=5000),
        Row::up("answers out of order, twice and late", |lab| {
            lab.dep(200);
            lab.names("10.77.53.2", |question| Reply::of(question, &[DEP]));
            relay::udp(
                &format!("{DNS}:53"),
                "10.77.53.2:53",
                Duration::from_millis(300),
            );
            lab.step(URL).run()
        })
        .within(300..=1500)
        .seen("dep 1/1 dns 2/0"),
    ]
}

/// Names that the rules for registered names leave out, and the name servers know.
fn spelling() -> Vec<Row> {
    vec![
        Row::up("names with underscores", |lab| {
            lab.dep(200);
            lab.names(DNS, |question| match question.name.as_str() {
                "my_api" | "project_service_1" | "svc_.test" | "my_api.my-ns.svc.cluster.local" => {
                    Reply::of(question, &[DEP])
                }
                _ => Reply::code(NXDOMAIN),
            });
            lab.steps(&[
                ("label", "http://my_api/"),
                ("compose", "http://project_service_1:80/"),
                ("last", "http://svc_.test/"),
                ("cluster", "http://my_api.my-ns.svc.cluster.local/"),
                ("dot", "http://my_api.my-ns.svc.cluster.local./"),
            ])
            .run()
        })
        .within(0..=1500),
        Row::up("an underscore in the search domain", |lab| {
            lab.dep(200);
            lab.etc(
                "resolv.conf",
                format!("search a_b.test my_corp.test\nnameserver {DNS}\n"),
            );
            lab.names(DNS, |question| match question.name.as_str() {
                "dep_1.my_corp.test" => Reply::of(question, &[DEP]),
                _ => Reply::code(NXDOMAIN),
            });
            lab.step("http://dep_1/").run()
        })
        .within(0..=1500)
        .seen("dep 1/1 dns 5/0"),
        Row::up("a name that is not ASCII", |lab| {
            lab.dep(200);
            lab.names(DNS, |question| match question.name.as_str() {
                "xn--bcher-kva.test" => Reply::of(question, &[DEP]),
                _ => Reply::code(NXDOMAIN),
            });
            lab.step("http://bücher.test/").run()
        })
        .within(0..=1500),
    ]
}

/// Several name servers: asked in their order, as the C library does.
fn servers() -> Vec<Row> {
    vec![
        Row::up("first name server dead, second alive", |lab| {
            lab.dep(200);
            lab.etc(
                "resolv.conf",
                format!("nameserver 10.77.9.9\nnameserver {DNS}\n"),
            );
            lab.names(DNS, |question| Reply::of(question, &[DEP]));
            lab.step(URL).set("timeout", "10s").run()
        })
        .within(0..=6500),
        Row::up("first name server refuses, second alive", |lab| {
            lab.dep(200);
            lab.etc(
                "resolv.conf",
                format!("nameserver 10.77.1.9\nnameserver {DNS}\n"),
            );
            lab.names(DNS, |question| Reply::of(question, &[DEP]));
            lab.step(URL).run()
        })
        .within(0..=1500),
        Row::up("first name server SERVFAIL, second alive", |lab| {
            lab.dep(200);
            lab.etc(
                "resolv.conf",
                format!("nameserver 10.77.53.2\nnameserver {DNS}\n"),
            );
            lab.names("10.77.53.2", |_| Reply::code(SERVFAIL));
            lab.names(DNS, |question| Reply::of(question, &[DEP]).after(50));
            lab.step(URL).run()
        })
        .within(0..=1500),
        Row::up("first name server REFUSED, second alive", |lab| {
            lab.dep(200);
            lab.etc(
                "resolv.conf",
                format!("nameserver 10.77.53.2\nnameserver {DNS}\n"),
            );
            lab.names("10.77.53.2", |_| Reply::code(REFUSED));
            lab.names(DNS, |question| Reply::of(question, &[DEP]).after(50));
            lab.step(URL).run()
        })
        .within(0..=1500),
        Row::up("two of three name servers dead, short timeout", |lab| {
            lab.dep(200);
            let servers = format!("nameserver 10.77.9.8\nnameserver 10.77.9.9\nnameserver {DNS}\n");
            lab.etc(
                "resolv.conf",
                format!("{servers}options timeout:1 attempts:1\n"),
            );
            lab.names(DNS, |question| Reply::of(question, &[DEP]));
            lab.step(URL).set("timeout", "8s").run()
        })
        .within(0..=4000),
        Row::up("two of three name servers refuse at once", |lab| {
            lab.dep(200);
            let refusing = "nameserver 10.77.1.8\nnameserver 10.77.1.9\n";
            lab.etc("resolv.conf", format!("{refusing}nameserver {DNS}\n"));
            lab.names(DNS, |question| Reply::of(question, &[DEP]));
            lab.step(URL).run()
        })
        .within(0..=900)
        .seen("dep 1/1 dns 2/0"),
        Row::up("two of three name servers silent", |lab| {
            lab.dep(200);
            let silent = "nameserver 10.77.9.8\nnameserver 10.77.9.9\n";
            lab.etc("resolv.conf", format!("{silent}nameserver {DNS}\n"));
            lab.names(DNS, |question| Reply::of(question, &[DEP]));
            lab.step(URL).set("timeout", "8s").run()
        })
        .within(0..=3000),
        // The second one is of the outside, and has never heard of the name.
        Row::up("first name server slow, NXDOMAIN from the second", |lab| {
            lab.dep(200);
            lab.etc(
                "resolv.conf",
                format!("nameserver 10.77.53.2\nnameserver {DNS}\n"),
            );
            lab.names("10.77.53.2", |question| {
                Reply::of(question, &[DEP]).after(250)
            });
            lab.names(DNS, |_| Reply::code(NXDOMAIN));
            lab.step(URL).run()
        })
        .within(250..=1200)
        .seen("dep 1/1 dns 2/0 dns 0/0"),
        Row::down("all name servers refuse", "dns", |lab| {
            lab.etc(
                "resolv.conf",
                "nameserver 10.77.1.8\nnameserver 10.77.1.9\n",
            );
            lab.step(URL).run().says("refused")
        })
        .within(0..=1000),
    ]
}
