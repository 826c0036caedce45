//! Which answers count as evidence of the way, and for what.

use crate::kit::peer::Peer;
use crate::kit::run::Run;
use crate::kit::server::response;
use crate::lab::{FORGE, HOLE, Lab, OTHER};
use crate::row::Row;

const CONTROL: &str = "http://10.77.2.1/";
const HOLE_URL: &str = "http://10.77.9.1/";
const OTHER_URL: &str = "http://10.77.1.2/";
const LOCAL: &str = "http://127.0.0.1:8080/";

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = of_control();
    rows.extend(of_others());
    rows.extend(of_loopback());
    rows.extend(of_own_addresses());
    rows
}

/// A target that is black-holed, and a control address that does this.
macro_rules! control {
    ($play:expr) => {
        |lab| {
            lab.control($play);
            lab.step(HOLE_URL)
                .set("timeout", "700ms")
                .set("control", CONTROL)
                .run()
        }
    };
}

fn of_control() -> Vec<Row> {
    vec![
        Row::down(
            "control answers 503",
            "connect-timeout",
            control!(|peer| peer.status(503)),
        )
        .seen("control 1/1"),
        Row::down(
            "control answers 401",
            "connect-timeout",
            control!(|peer| peer.status(401)),
        )
        .seen("control 1/1"),
        Row::down(
            "control redirects, which is not followed",
            "connect-timeout",
            |lab| {
                lab.server("other", &format!("{OTHER}:80"), |peer| peer.status(200));
                lab.control(|peer| peer.answer(response(302, "Location: http://10.77.1.2/\r\n")));
                lab.step(HOLE_URL).set("control", CONTROL).run()
            },
        )
        .seen("other 0/0 control 1/1"),
        Row::down("control resets", "connect-timeout", control!(Peer::reset)),
        Row::down("control closes", "connect-timeout", control!(|_| {})),
        Row::down(
            "control is not HTTP",
            "connect-timeout",
            control!(|peer| _ = peer.send("220 mail.test ESMTP\r\n")),
        ),
        Row::down("control refuses", "connect-timeout", |lab| {
            lab.step(HOLE_URL).set("control", CONTROL).run()
        }),
        Row::down("control's TLS fails", "connect-timeout", |lab| {
            lab.server("control", &format!("{FORGE}:443"), |peer| {
                _ = peer.send("not TLS\r\n");
            });
            lab.step(HOLE_URL)
                .set("control", "https://10.77.2.1/")
                .run()
        }),
        Row::unknown(
            "control connects and says nothing",
            "connect-timeout",
            control!(Peer::mute),
        )
        .within(4000..=8000)
        .seen("control 1/1"),
    ]
}

/// A target that is black-holed, and another one that does this; the control address must
/// not be asked.
macro_rules! other {
    ($play:expr) => {
        |lab| {
            lab.server("other", &format!("{OTHER}:80"), $play);
            lab.control(|peer| peer.status(200));
            let step = lab.steps(&[("dep", HOLE_URL), ("other", OTHER_URL)]);
            let run = step.set("control", CONTROL).run();
            run.judged("dep", "down connect-timeout");
            run
        }
    };
}

fn of_others() -> Vec<Row> {
    vec![
        Row::down(
            "another target is up",
            "connect-timeout",
            other!(|peer| peer.status(200)),
        )
        .seen("other 1/1 control 0/0"),
        Row::down(
            "another target answers 503",
            "connect-timeout",
            other!(|peer| peer.status(503)),
        )
        .seen("other 1/1 control 0/0"),
        Row::down(
            "another target resets",
            "connect-timeout",
            other!(Peer::reset),
        )
        .seen("other 1/0 control 0/0"),
        Row::down("another target refuses", "connect-timeout", |lab| {
            lab.control(|peer| peer.status(200));
            let step = lab.steps(&[("dep", HOLE_URL), ("other", OTHER_URL)]);
            let run = step.set("control", CONTROL).run();
            run.judged("other", "down refused");
            run
        })
        .seen("control 0/0"),
        Row::down(
            "another target, optional, refuses",
            "connect-timeout",
            |lab| {
                lab.control(|peer| peer.status(200));
                let yaml =
                    format!("dep: {HOLE_URL}\nother: {{url: '{OTHER_URL}', optional: true}}");
                lab.step("")
                    .set("targets", yaml)
                    .set("control", CONTROL)
                    .run()
            },
        )
        .seen("control 0/0"),
        Row::down(
            "another target connects, says nothing: no sign",
            "response-timeout",
            |lab| {
                lab.server("other", &format!("{OTHER}:80"), Peer::mute);
                lab.runner(&format!("ip route add unreachable {FORGE}"));
                let step = lab.steps(&[("dep", HOLE_URL), ("other", OTHER_URL)]);
                let run = step.set("control", CONTROL).run();
                run.judged("dep", "unknown connect-timeout");
                run.judged("other", "down response-timeout");
                run
            },
        )
        .seen("other 1/1"),
        Row::down(
            "a hop before the black-holed one answered",
            "connect-timeout",
            |lab| {
                lab.server("other", &format!("{OTHER}:80"), |peer| {
                    peer.answer(response(302, &format!("Location: http://{HOLE}/\r\n")));
                });
                lab.control(|peer| peer.status(200));
                lab.step(OTHER_URL)
                    .set("control", CONTROL)
                    .run()
                    .says("10.77.9.1")
            },
        )
        .seen("other 1/1 control 0/0"),
    ]
}

/// A target that is silent, and a control address of the runner's own that answers. From the
/// runner's own port 9 nothing comes back either.
fn with_local_control(lab: &Lab, own: &str, target: &str) -> Run {
    let service = lab.local_service(&format!("http {own}:8080 200"));
    lab.runner_filter("input", "tcp dport 9 drop");
    let control = format!("http://{own}:8080/");
    let run = lab.step(target).set("control", control).run();
    service.was_asked(1);
    run
}

fn of_loopback() -> Vec<Row> {
    vec![
        Row::unknown(
            "control on loopback, target elsewhere",
            "connect-timeout",
            |lab| with_local_control(lab, "127.0.0.1", HOLE_URL),
        ),
        Row::down(
            "control on loopback, target too",
            "connect-timeout",
            |lab| with_local_control(lab, "127.0.0.1", "http://127.0.0.1:9/"),
        ),
        Row::down(
            "a loopback name that hosts gives",
            "connect-timeout",
            |lab| {
                let service = lab.local_service("http 127.0.0.1:8080 200");
                lab.hosts(&["127.0.0.1 dep.test"]);
                lab.runner_filter("input", "tcp dport 9 drop");
                let run = lab.step("http://dep.test:9/").set("control", LOCAL).run();
                service.was_asked(1);
                run
            },
        ),
        Row::unknown(
            "loopback refuses, target elsewhere, uplink down",
            "unreachable",
            |lab| {
                lab.runner("ip link set eth0 down");
                let yaml = format!("dep: {OTHER_URL}\nnear: {{url: '{LOCAL}', optional: true}}");
                let run = lab
                    .step("")
                    .set("targets", yaml)
                    .set("control", CONTROL)
                    .run();
                run.judged("near", "down refused");
                run
            },
        ),
        Row::down(
            "a remote sign counts for a loopback target",
            "connect-timeout",
            |lab| {
                lab.control(|peer| peer.status(200));
                lab.runner_filter("input", "tcp dport 9 drop");
                lab.step("http://127.0.0.1:9/")
                    .set("control", CONTROL)
                    .run()
            },
        )
        .seen("control 1/1"),
    ]
}

/// A service container's bridge has an address of this machine, and so has a control address
/// that is served here.
fn of_own_addresses() -> Vec<Row> {
    const OWN: &str = "http://10.77.0.2:8080/";
    vec![
        Row::unknown(
            "an own address answers, target elsewhere",
            "connect-timeout",
            |lab| {
                let service = lab.local_service("http 10.77.0.2:8080 200");
                let run = lab
                    .steps(&[("dep", HOLE_URL), ("near", OWN)])
                    .set("control", "http://10.77.9.2/")
                    .run();
                run.judged("near", "up");
                service.was_asked(1);
                run
            },
        )
        .within(1500..=8000),
        Row::unknown(
            "an own address refuses, uplink cut off",
            "unreachable",
            |lab| {
                lab.runner("ip route del default");
                let yaml = format!("dep: {OTHER_URL}\nnear: {{url: '{OWN}', optional: true}}");
                let run = lab
                    .step("")
                    .set("targets", yaml)
                    .set("control", CONTROL)
                    .run();
                run.judged("near", "down refused");
                run
            },
        ),
        Row::unknown(
            "an own IPv6 address answers, target elsewhere",
            "connect-timeout",
            |lab| {
                let service = lab.local_service("http [fd77::2]:8080 200");
                let run = lab
                    .steps(&[("dep", HOLE_URL), ("near", "http://[fd77::2]:8080/")])
                    .set("control", "http://10.77.9.2/")
                    .run();
                run.judged("near", "up");
                service.was_asked(1);
                run
            },
        )
        .within(1500..=8000),
        Row::unknown(
            "own addresses where any may be bound to",
            "connect-timeout",
            |lab| {
                lab.runner("echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind");
                let _service = lab.local_service("http 10.77.0.2:8080 200");
                lab.step(HOLE_URL).set("control", OWN).run()
            },
        ),
        Row::down(
            "any address may be bound to, control elsewhere",
            "connect-timeout",
            |lab| {
                lab.runner("echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind");
                lab.control(|peer| peer.status(200));
                lab.step(HOLE_URL).set("control", CONTROL).run()
            },
        )
        .seen("control 1/1"),
        Row::unknown(
            "control at an own address, target elsewhere",
            "connect-timeout",
            |lab| with_local_control(lab, "10.77.0.2", HOLE_URL),
        ),
        Row::down(
            "control at an own address, target there too",
            "connect-timeout",
            |lab| with_local_control(lab, "10.77.0.2", "http://10.77.0.2:9/"),
        ),
    ]
}
