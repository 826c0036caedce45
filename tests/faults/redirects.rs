//! Where redirects lead, and where they must not.

use crate::kit::dns::Reply;
use crate::kit::run::Run;
use crate::kit::server::response;
use crate::lab::{DEP, DNS, HOLE, Lab, OTHER, world};
use crate::row::Row;

const DEP_URL: &str = "http://10.77.1.1/";
/// Where a cloud would have its metadata.
const INNER: &str = "169.254.7.7";

/// A dependency that answers and leads there, with nobody else to speak for the way out.
fn led(lab: &Lab, location: &'static str) -> Run {
    lab.server("dep", &format!("{DEP}:80"), move |peer| {
        peer.answer(response(302, &format!("Location: {location}\r\n")));
    });
    lab.step(DEP_URL).set("control", "http://10.77.9.2/").run()
}

/// The same to a name with these addresses, where a server would answer at [`INNER`].
fn led_to_name(lab: &Lab, addresses: &'static [&'static str]) -> Run {
    world(&format!("ip addr add {INNER}/32 dev lo"));
    lab.server("inner", &format!("{INNER}:80"), |peer| peer.status(503));
    lab.names(DNS, move |question| Reply::of(question, addresses));
    led(lab, "http://metadata.test/")
}

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::down("led where the runner may not go", "unreachable", |lab| {
            lab.runner(&format!("ip route add prohibit {OTHER}"));
            led(lab, "http://10.77.1.2/").says("10.77.1.2")
        }),
        Row::down("led to IPv6, which is switched off", "unreachable", |lab| {
            lab.runner("echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6");
            led(lab, "http://[fd77:0:0:1::1]/").says("fd77:0:0:1::1")
        }),
        Row::down("led to a black hole", "connect-timeout", |lab| {
            led(lab, "http://10.77.9.1/").says(HOLE)
        }),
        Row::up("led to a link-local address", |lab| {
            world(&format!("ip addr add {INNER}/32 dev lo"));
            lab.server("inner", &format!("{INNER}:80"), |peer| peer.status(503));
            led(lab, "http://169.254.7.7/")
        })
        .seen("inner 0/0 dep 1/1"),
        Row::up("led to a name with a link-local address", |lab| {
            led_to_name(lab, &[INNER])
        })
        .seen("inner 0/0 dns 2/0 dep 1/1"),
        Row::up("led to a name with an IPv6 one, too", |lab| {
            led_to_name(lab, &[INNER, "fe80::1"])
        })
        .seen("inner 0/0 dns 2/0 dep 1/1"),
        Row::down(
            "led to a name with another address, too",
            "refused",
            |lab| led_to_name(lab, &[INNER, OTHER]),
        )
        .seen("inner 0/0 dns 2/0 dep 1/1"),
        Row::down("a target whose AAAA is link-local", "unreachable", |lab| {
            lab.names(DNS, |question| Reply::of(question, &["fe80::1"]));
            lab.step("http://dep.test/").run()
        }),
        Row::down("a target that is link-local IPv6", "unreachable", |lab| {
            lab.step("http://[fe80::1]/").run()
        }),
    ]
}
