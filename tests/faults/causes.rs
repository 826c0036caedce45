//! Causes below HTTP that loopback cannot make.

use crate::lab::{DEP, HOLE, HOLE6, world_filter};
use crate::row::Row;

const DEP_URL: &str = "http://10.77.1.1/";
const DEP6_URL: &str = "http://[fd77:0:0:1::1]/";

/// The far side's packet filter rejects with this.
macro_rules! rejected {
    ($url:expr, $with:expr) => {
        |lab| {
            world_filter("input", &format!("tcp dport 80 reject with {}", $with));
            lab.step($url).set("timeout", "3s").run()
        }
    };
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = rejections();
    rows.extend(routes());
    rows
}

fn rejections() -> Vec<Row> {
    vec![
        Row::down(
            "TCP reset instead of a handshake",
            "refused",
            rejected!(DEP_URL, "tcp reset"),
        )
        .within(0..=1500),
        Row::down(
            "TCP reset, IPv6",
            "refused",
            rejected!(DEP6_URL, "tcp reset"),
        )
        .within(0..=1500),
        Row::down(
            "ICMP host unreachable",
            "unreachable",
            rejected!(DEP_URL, "icmp type host-unreachable"),
        )
        .within(0..=1500),
        Row::down(
            "ICMP net unreachable",
            "unreachable",
            rejected!(DEP_URL, "icmp type net-unreachable"),
        )
        .within(0..=1500),
        Row::down(
            "ICMP admin prohibited",
            "unreachable",
            rejected!(DEP_URL, "icmp type admin-prohibited"),
        )
        .within(0..=1500),
        Row::down(
            "ICMP host prohibited",
            "unreachable",
            rejected!(DEP_URL, "icmp type host-prohibited"),
        )
        .within(0..=1500),
        Row::down(
            "ICMP port unreachable",
            "refused",
            rejected!(DEP_URL, "icmp type port-unreachable"),
        )
        .within(0..=1500),
        Row::down(
            "ICMPv6 no route",
            "unreachable",
            rejected!(DEP6_URL, "icmpv6 type no-route"),
        )
        .within(0..=1500),
        Row::down(
            "ICMPv6 address unreachable",
            "unreachable",
            rejected!(DEP6_URL, "icmpv6 type addr-unreachable"),
        )
        .within(0..=1500),
        // The kernel says the same (EACCES) as for a route of the runner's own that prohibits:
        // unknown blames nobody.
        Row::unknown(
            "ICMPv6 admin prohibited",
            "local",
            rejected!(DEP6_URL, "icmpv6 type admin-prohibited"),
        )
        .within(0..=1500),
        Row::down(
            "ICMPv6 port unreachable",
            "refused",
            rejected!(DEP6_URL, "icmpv6 type port-unreachable"),
        )
        .within(0..=1500),
        Row::down("nobody listens", "refused", |lab| lab.step(DEP_URL).run()).within(0..=1500),
    ]
}

fn routes() -> Vec<Row> {
    vec![
        Row::down("SYN dropped", "connect-timeout", |lab| {
            lab.step(&format!("http://{HOLE}/"))
                .set("attempts", 2)
                .set("timeout", "1s")
                .run()
        })
        .within(2000..=4000),
        Row::down("SYN dropped, IPv6", "connect-timeout", |lab| {
            lab.step(&format!("http://[{HOLE6}]/")).run()
        })
        .within(1500..=3000),
        Row::down(
            "SYN dropped, the kernel gives up first",
            "connect-timeout",
            |lab| {
                lab.runner(
                    "cd /proc/sys/net/ipv4; echo 1 >tcp_syn_retries
                 [ ! -e tcp_syn_linear_timeouts ] || echo 0 >tcp_syn_linear_timeouts",
                );
                lab.step(&format!("http://{HOLE}/"))
                    .set("timeout", "15s")
                    .run()
            },
        )
        .within(2500..=6000),
        Row::down(
            "SYN dropped by the runner itself",
            "connect-timeout",
            |lab| {
                lab.runner_filter("output", "tcp dport 80 drop");
                lab.step(DEP_URL).run()
            },
        )
        .within(1500..=3000),
        Row::down("rejected by the runner itself", "unreachable", |lab| {
            let rule = "tcp dport 80 reject with icmp type admin-prohibited";
            lab.runner_filter("output", rule);
            lab.step(DEP_URL).run()
        })
        .within(0..=1500),
        Row::down("SYN+ACK lost", "connect-timeout", |lab| {
            lab.dep(200);
            world_filter("output", "tcp flags & (syn|ack) == (syn|ack) drop");
            lab.step(DEP_URL).run()
        })
        .within(1500..=3000)
        .seen("dep 0/0"),
        Row::down("no default route", "unreachable", |lab| {
            lab.runner("ip route del default");
            lab.step(DEP_URL).run()
        })
        .within(0..=1500),
        Row::down("no default route, IPv6", "unreachable", |lab| {
            lab.runner("ip -6 route del default");
            lab.step(DEP6_URL).run()
        })
        .within(0..=1500),
        Row::down("route to nowhere", "unreachable", |lab| {
            lab.runner(&format!("ip route add unreachable {DEP}"));
            lab.step(DEP_URL).run()
        })
        .within(0..=1500),
        Row::unknown("IPv6 switched off, IPv6 address", "local", |lab| {
            lab.runner("echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6");
            lab.step(DEP6_URL).run()
        })
        .within(0..=1500),
        Row::unknown("route prohibited", "local", |lab| {
            lab.runner(&format!("ip route add prohibit {DEP}"));
            lab.step(DEP_URL).run()
        })
        .within(0..=1500),
        Row::down(
            "answers too large for the way (PMTU hole)",
            "response-timeout",
            |lab| {
                lab.server("dep", &format!("{DEP}:80"), |peer| {
                    let field = format!("X-Long: {}\r\n", "x".repeat(8000));
                    peer.answer(crate::kit::server::response(200, &field));
                });
                world_filter("output", "tcp sport 80 meta length > 600 drop");
                lab.step(DEP_URL).run()
            },
        )
        .within(1500..=3000)
        .seen("dep 1/1"),
    ]
}
