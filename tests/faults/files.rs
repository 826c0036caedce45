//! The files that resolution depends on.

use crate::kit::dns::{NXDOMAIN, Reply};
use crate::lab::{DEP, DEP6, DNS, DNS6, world};
use crate::row::Row;

const URL: &str = "http://dep.test/";

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = resolv_conf();
    rows.extend(by_ipv6());
    rows.extend(lenient());
    rows.extend(hosts());
    rows
}

fn resolv_conf() -> Vec<Row> {
    vec![
        Row::up("no resolv.conf: the local name server", |lab| {
            lab.dep(200);
            lab.without_etc("resolv.conf");
            let _local = lab.local_service("dns 127.0.0.1");
            lab.step(URL).run()
        })
        .within(0..=1500)
        .seen("dep 1/1"),
        Row::up("empty resolv.conf: the local name server", |lab| {
            lab.dep(200);
            lab.etc("resolv.conf", "");
            let _local = lab.local_service("dns 127.0.0.1");
            lab.step(URL).run()
        })
        .within(0..=1500)
        .seen("dep 1/1"),
        Row::up("resolv.conf with options only", |lab| {
            lab.dep(200);
            lab.etc(
                "resolv.conf",
                "# by hand\noptions edns0 trust-ad\nsearch corp.test\n",
            );
            let _local = lab.local_service("dns 127.0.0.1");
            lab.step(URL).run()
        })
        .within(0..=1500)
        .seen("dep 1/1"),
        Row::down("no resolv.conf, no local name server", "dns", |lab| {
            lab.without_etc("resolv.conf");
            let run = lab.step(URL).run();
            run.says("/etc/resolv.conf cannot be read")
                .says("127.0.0.1")
        }),
        Row::down("no server in resolv.conf, NXDOMAIN", "dns", |lab| {
            lab.etc("resolv.conf", "nameserver dns.test\n");
            let run = lab.step(URL).run();
            run.says("/etc/resolv.conf names no name server")
        }),
        Row::up("search list: a short name", |lab| {
            lab.dep(200);
            lab.etc(
                "resolv.conf",
                format!("search a.test corp.test\nnameserver {DNS}\n"),
            );
            lab.names(DNS, |question| match question.name.as_str() {
                "dep.corp.test" => Reply::of(question, &[DEP]),
                _ => Reply::code(NXDOMAIN),
            });
            lab.step("http://dep/").run()
        })
        .within(0..=1500),
        // IPv6 comes first, and its own would be another host's.
        Row::up("search list: IPv4 in one domain, IPv6 in the next", |lab| {
            lab.dep(200);
            lab.server("other", &format!("[{DEP6}]:80"), |peer| peer.status(503));
            lab.etc(
                "resolv.conf",
                format!("search corp.test wild.test\nnameserver {DNS}\n"),
            );
            lab.names(DNS, |question| match question.name.as_str() {
                "dep.corp.test" => Reply::of(question, &[DEP]),
                "dep.wild.test" => Reply::of(question, &[DEP6]),
                _ => Reply::code(NXDOMAIN),
            });
            lab.step("http://dep/").run()
        })
        .within(0..=1500)
        .seen("dep 1/1 other 0/0 dns 3/0"),
        Row::up("ndots:5 as in Kubernetes", |lab| {
            lab.dep(200);
            let search =
                "search e2e.svc.cluster.test svc.cluster.test cluster.test\noptions ndots:5\n";
            lab.etc("resolv.conf", format!("{search}nameserver {DNS}\n"));
            lab.names(DNS, |question| match question.name.as_str() {
                "dep.shop.svc.cluster.test" => Reply::of(question, &[DEP]),
                _ => Reply::code(NXDOMAIN),
            });
            lab.step("http://dep.shop/").run()
        })
        .within(0..=1500),
        Row::up("ndots:5, a full name", |lab| {
            lab.dep(200);
            let search =
                "search e2e.svc.cluster.test svc.cluster.test cluster.test\noptions ndots:5\n";
            lab.etc("resolv.conf", format!("{search}nameserver {DNS}\n"));
            lab.names(DNS, |question| match question.name.as_str() {
                "dep.example.test" => Reply::of(question, &[DEP]),
                _ => Reply::code(NXDOMAIN),
            });
            lab.step("http://dep.example.test/").run()
        })
        .within(0..=1500),
    ]
}

fn by_ipv6() -> Vec<Row> {
    vec![
        Row::up("name server by IPv6", |lab| {
            lab.dep(200);
            lab.etc("resolv.conf", format!("nameserver {DNS6}\n"));
            lab.names(DNS6, |question| Reply::of(question, &[DEP]));
            lab.step(URL).run()
        })
        .within(0..=1500)
        .seen("dep 1/1 dns 2/0"),
        Row::up("name server by IPv6 with a zone", |lab| {
            lab.dep(200);
            lab.etc(
                "resolv.conf",
                format!("nameserver fe80::1%eth0\nnameserver {DNS}\n"),
            );
            lab.names(DNS, |question| Reply::of(question, &[DEP]));
            lab.step(URL).set("timeout", "8s").run()
        })
        .within(0..=7000),
        Row::up("name server in a zone, and no other", |lab| {
            lab.dep(200);
            world("ip addr add fe80::53/64 dev up0 nodad");
            lab.runner("ip addr add fe80::2/64 dev eth0 nodad");
            lab.etc("resolv.conf", "nameserver fe80::53%eth0\n");
            lab.names("::", |question| Reply::of(question, &[DEP]));
            lab.step(URL).run()
        })
        .within(0..=1500)
        .seen("dep 1/1 dns 2/0"),
    ]
}

/// What cannot be used is left out, line by line.
fn lenient() -> Vec<Row> {
    vec![
        Row::up("resolv.conf with lines that nobody knows", |lab| {
            lab.dep(200);
            let odd =
                "; a comment\nlookup file bind\noptions no-aaaa frobnicate:7 single-request\n";
            lab.etc(
                "resolv.conf",
                format!("{odd}nameserver\nnameserver {DNS}\nsortlist 10.0.0.0\n"),
            );
            lab.names(DNS, |question| Reply::of(question, &[DEP]));
            lab.step(URL).run()
        })
        .within(0..=1500),
        Row::up("resolv.conf in Latin-1", |lab| {
            lab.dep(200);
            let lines = [
                b"# B\xfcro\nsearch b\xfcro.test corp.test # B\xfcro\n".to_vec(),
                format!("nameserver {DNS} ; ").into_bytes(),
                b"B\xfcro\n".to_vec(),
            ];
            lab.etc("resolv.conf", lines.concat());
            lab.names(DNS, |question| match question.name.as_str() {
                "dep.corp.test" => Reply::of(question, &[DEP]),
                _ => Reply::code(NXDOMAIN),
            });
            lab.step("http://dep/").run()
        })
        .within(0..=1500),
        Row::up("options timeout:0 attempts:0", |lab| {
            lab.dep(200);
            lab.etc(
                "resolv.conf",
                format!("nameserver {DNS}\noptions timeout:0 attempts:0\n"),
            );
            lab.names(DNS, |question| Reply::of(question, &[DEP]).after(200));
            lab.step(URL).run()
        })
        .within(200..=1500),
        Row::up("a search domain that cannot be one", |lab| {
            lab.dep(200);
            let long = "a".repeat(64);
            lab.etc(
                "resolv.conf",
                format!("search {long}.test corp.test\nnameserver {DNS}\n"),
            );
            lab.names(DNS, |question| match question.name.as_str() {
                "dep.corp.test" => Reply::of(question, &[DEP]),
                _ => Reply::code(NXDOMAIN),
            });
            lab.step("http://dep/").run()
        })
        .within(0..=1500),
    ]
}

fn hosts() -> Vec<Row> {
    vec![
        Row::up("hosts: a name, the name server not asked", |lab| {
            lab.dep(200);
            lab.names(DNS, |_| Reply::code(NXDOMAIN));
            lab.hosts(&[&format!("{DEP} other.test dep.test # by hand")]);
            lab.step(URL).run()
        })
        .seen("dep 1/1 dns 0/0"),
        Row::up("hosts: IPv4 there, IPv6 elsewhere by DNS", |lab| {
            lab.dep(200);
            lab.server("other", &format!("[{DEP6}]:80"), |peer| peer.status(200));
            lab.names(DNS, |question| Reply::of(question, &["10.77.1.9", DEP6]));
            lab.hosts(&[&format!("{DEP} dep.test")]);
            lab.step(URL).run()
        })
        .seen("dep 1/1 other 0/0 dns 0/0"),
        Row::up("hosts: a name, the name server dead", |lab| {
            lab.dep(200);
            lab.etc("resolv.conf", "nameserver 10.77.9.9\n");
            lab.hosts(&[&format!("{DEP} dep.test")]);
            lab.step(URL).run()
        })
        .within(0..=1500)
        .seen("dep 1/1"),
        Row::up("hosts: in capitals", |lab| {
            lab.dep(200);
            lab.hosts(&[&format!("{DEP}\tDEP.Test")]);
            lab.step(URL).run()
        })
        .within(0..=1500),
        Row::up("hosts: underscores", |lab| {
            lab.dep(200);
            lab.names(DNS, |_| Reply::code(NXDOMAIN));
            lab.hosts(&[&format!("{DEP} my_api svc_.test")]);
            let targets = [("api", "http://my_api/"), ("svc", "http://svc_.test/")];
            lab.steps(&targets).run()
        })
        .seen("dep 2/2 dns 0/0"),
        Row::up("hosts: in Latin-1", |lab| {
            lab.dep(200);
            lab.names(DNS, |_| Reply::code(NXDOMAIN));
            let lines = [
                b"# B\xfcro\n10.77.1.8 b\xfcro.test\n".to_vec(),
                format!("{DEP} dep.test # ").into_bytes(),
                b"B\xfcro\n".to_vec(),
            ];
            lab.etc("hosts", lines.concat());
            lab.step(URL).run()
        })
        .seen("dep 1/1 dns 0/0"),
        Row::up("hosts: IPv6 only", |lab| {
            lab.server("dep", &format!("[{DEP6}]:80"), |peer| peer.status(200));
            lab.names(DNS, |_| Reply::code(NXDOMAIN));
            lab.hosts(&[&format!("{DEP6} dep.test")]);
            lab.step(URL).run()
        })
        .within(0..=1500)
        .seen("dep 1/1 dns 0/0"),
        Row::up("localhost without a hosts file", |lab| {
            lab.without_etc("hosts");
            let _near = lab.local_service("http 127.0.0.1:8080 200");
            lab.step("http://localhost:8080/").run()
        })
        .within(0..=1500),
        Row::up("a foreign nsswitch.conf", |lab| {
            lab.dep(200);
            lab.etc(
                "nsswitch.conf",
                "hosts: mymachines wins [!UNAVAIL=return] ldap\n",
            );
            lab.names(DNS, |question| Reply::of(question, &[DEP]));
            lab.step(URL).run()
        })
        .within(0..=1500)
        .seen("dep 1/1 dns 2/0"),
    ]
}
