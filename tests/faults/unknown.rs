//! `down` or `unknown`, by the state of the network: what the README says of `unknown`.

use crate::kit::server::response;
use crate::lab::{DEP, FORGE, FORGE_URL, HOLE, OTHER, PROXY, world, world_filter};
use crate::row::Row;

const DEP_URL: &str = "http://10.77.1.1/";
const CONTROL: &str = "http://10.77.2.1/";
const LOCAL: &str = "http://127.0.0.1:8080/";

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = uplink();
    rows.extend(one_way());
    rows.extend(names());
    rows.extend(forge());
    rows
}

fn uplink() -> Vec<Row> {
    vec![
        Row::unknown("uplink down", "unreachable", |lab| {
            lab.dep(200);
            lab.control(|peer| peer.status(200));
            lab.runner("ip link set eth0 down");
            lab.step(DEP_URL)
                .set("attempts", 2)
                .set("control", CONTROL)
                .run()
        })
        .within(0..=1500)
        .seen("dep 0/0 control 0/0"),
        Row::unknown(
            "uplink down, loopback service alive",
            "unreachable",
            |lab| {
                lab.dep(200);
                lab.control(|peer| peer.status(200));
                let service = lab.local_service("http 127.0.0.1:8080 200");
                lab.runner("ip link set eth0 down");
                let step = lab.steps(&[("dep", DEP_URL), ("near", LOCAL)]);
                let run = step.set("control", CONTROL).run();
                run.judged("near", "up");
                service.was_asked(1);
                run
            },
        )
        .seen("dep 0/0 control 0/0"),
        Row::unknown("uplink silent", "connect-timeout", |lab| {
            lab.dep(200);
            lab.control(|peer| peer.status(200));
            world_filter("input", "iifname up0 drop");
            lab.step(DEP_URL).set("control", CONTROL).run()
        })
        .within(2000..=8000)
        .seen("dep 0/0 control 0/0"),
        Row::unknown("uplink silent, IPv6", "connect-timeout", |lab| {
            world_filter("input", "iifname up0 drop");
            let control = "http://[fd77:0:0:1::2]/";
            lab.step("http://[fd77:0:0:1::1]/")
                .set("control", control)
                .run()
        })
        .within(2000..=8000),
        Row::unknown("uplink without carrier", "connect-timeout", |lab| {
            world("ip link set up0 down");
            lab.step(DEP_URL).set("control", CONTROL).run()
        })
        .within(0..=8000),
        Row::unknown("gateway gone (no ARP answer)", "unreachable", |lab| {
            world("ip addr flush dev up0 scope global; ip link set up0 arp off");
            lab.runner("ip neigh del 10.77.0.1 dev eth0");
            lab.step(DEP_URL)
                .set("timeout", "5s")
                .set("control", CONTROL)
                .run()
        })
        .within(2000..=10_000),
        Row::down("uplink down, control off", "unreachable", |lab| {
            lab.runner("ip link set eth0 down");
            lab.step(DEP_URL).set("control", "off").run()
        })
        .within(0..=1500),
        Row::unknown("uplink fails while it waits", "unreachable", |lab| {
            let run = lab.step(DEP_URL).set("attempts", 2).set("interval", "1s");
            lab.control(|peer| peer.status(200));
            lab.runner("ip route add unreachable 10.77.1.1");
            let running = run.set("control", CONTROL).start();
            std::thread::sleep(std::time::Duration::from_millis(300));
            lab.runner("ip link set eth0 down");
            running.wait()
        })
        .seen("control 0/0"),
    ]
}

fn one_way() -> Vec<Row> {
    vec![
        Row::down("only the dependency's route cut", "unreachable", |lab| {
            lab.dep(200);
            lab.control(|peer| peer.status(200));
            lab.runner(&format!("ip route add unreachable {DEP}"));
            lab.step(DEP_URL)
                .set("attempts", 3)
                .set("control", CONTROL)
                .run()
        })
        .seen("dep 0/0 control 1/1"),
        Row::down(
            "only the dependency black-holed",
            "connect-timeout",
            |lab| {
                lab.control(|peer| peer.status(200));
                let step = lab.step(&format!("http://{HOLE}/")).set("timeout", "700ms");
                step.set("attempts", 3).set("control", CONTROL).run()
            },
        )
        .within(2100..=6000)
        .seen("control 1/1"),
        Row::down(
            "three targets black-holed, control asked once",
            "connect-timeout",
            |lab| {
                lab.control(|peer| peer.status(200));
                let targets = [
                    ("a", "http://10.77.9.1/"),
                    ("b", "http://10.77.9.2/"),
                    ("c", "http://10.77.9.3/"),
                ];
                let run = lab
                    .steps(&targets)
                    .set("attempts", 2)
                    .set("control", CONTROL)
                    .run();
                for (name, _) in targets {
                    run.judged(name, "down connect-timeout");
                }
                run
            },
        )
        .within(3000..=6000)
        .seen("control 1/1"),
        Row::unknown("control silent for 5 s at most", "unreachable", |lab| {
            lab.runner(&format!("ip route add unreachable {DEP}"));
            let step = lab
                .step(DEP_URL)
                .set("timeout", "10s")
                .set("deadline", "40s");
            step.set("control", "http://10.77.9.1/").run()
        })
        .within(4900..=6500),
        Row::down("control has its time reserved", "connect-timeout", |lab| {
            lab.control(|peer| peer.status(200));
            let step = lab.step(&format!("http://{HOLE}/")).set("timeout", "30s");
            step.set("deadline", "3s").set("control", CONTROL).run()
        })
        .within(1000..=3750)
        .seen("control 1/1"),
        Row::down(
            "answered 503 once, then black-holed",
            "connect-timeout",
            |lab| {
                lab.control(|peer| peer.status(200));
                lab.server("dep", &format!("{DEP}:80"), |peer| {
                    if peer.request().is_some() {
                        world_filter("input", &format!("ip daddr {DEP} tcp flags syn drop"));
                        peer.send(response(503, ""));
                    }
                });
                lab.step(DEP_URL)
                    .set("attempts", 2)
                    .set("control", CONTROL)
                    .run()
            },
        )
        .seen("control 0/0 dep 1/1"),
        Row::up("an optional target that is unknown", |lab| {
            lab.local_service("http 127.0.0.1:8080 200");
            let service = lab.local_service("http 127.0.0.1:8081 200");
            let yaml = format!(
                "near: http://127.0.0.1:8081/\nfar: {{url: 'http://{HOLE}/', optional: true}}"
            );
            let step = lab.step("").set("targets", yaml);
            let run = step.set("control", "http://10.77.9.2/").run();
            run.judged("far", "unknown connect-timeout");
            service.was_asked(1);
            run
        })
        .within(1500..=8000),
    ]
}

fn names() -> Vec<Row> {
    vec![
        Row::unknown("resolver gone, control dead", "dns", |lab| {
            lab.runner(&format!("ip route add unreachable {FORGE}"));
            world_filter("input", "udp dport 53 drop");
            lab.step("http://dep.test/").set("control", CONTROL).run()
        }),
        Row::down("resolver gone, control alive", "dns", |lab| {
            lab.control(|peer| peer.status(200));
            world_filter("input", "udp dport 53 drop");
            world_filter("input", "tcp dport 53 drop");
            lab.step("http://dep.test/").set("control", CONTROL).run()
        })
        .seen("control 1/1"),
        Row::unknown("resolver gone, control by name", "dns", |lab| {
            lab.control(|peer| peer.status(200));
            world_filter("input", "udp dport 53 drop");
            let step = lab.step("http://dep.test/").set("deadline", "10s");
            step.set("control", "http://forge.test/").run()
        })
        .within(1500..=8000)
        .seen("control 0/0"),
        Row::unknown("resolver's port closed, control dead", "dns", |lab| {
            lab.runner(&format!("ip route add unreachable {FORGE}"));
            lab.step("http://dep.test/").set("control", CONTROL).run()
        }),
    ]
}

fn forge() -> Vec<Row> {
    vec![
        Row::unknown("proxy gone", "proxy", |lab| {
            lab.control(|peer| peer.status(200));
            lab.runner(&format!("ip route add unreachable {PROXY}"));
            let step = lab.step("https://dep.test/").set("control", CONTROL);
            step.env("HTTPS_PROXY", format!("http://{PROXY}:3128"))
                .run()
        })
        .seen("control 0/0"),
        Row::down("forge gone, dependency answers 503", "status", |lab| {
            lab.dep(503);
            lab.runner_filter("output", &format!("ip daddr {FORGE} counter drop"));
            let step = lab
                .step(DEP_URL)
                .on_forge_at(FORGE_URL)
                .set("commit-status", false);
            let run = step.set("attempts", 2).set("control", "").run();
            assert_eq!(lab.runner_counted(), 0, "the forge was asked");
            run
        })
        .within(0..=2000)
        .seen("dep 2/2"),
        Row::down("forge alive is the default control", "unreachable", |lab| {
            lab.control(|peer| peer.status(200));
            lab.runner(&format!("ip route add unreachable {DEP}"));
            let step = lab
                .step(DEP_URL)
                .on_forge_at(FORGE_URL)
                .set("commit-status", false);
            step.set("control", "").run()
        })
        .seen("control 1/1"),
        Row::down(
            "control not asked where the target answered",
            "status",
            |lab| {
                lab.dep(503);
                lab.control(|peer| peer.status(200));
                lab.step(DEP_URL).set("control", CONTROL).run()
            },
        )
        .seen("dep 1/1 control 0/0"),
        Row::up("control not asked where the target is up", |lab| {
            lab.dep(200);
            let control = lab.control(|peer| peer.status(200));
            let run = lab.step(DEP_URL).set("control", CONTROL).run();
            assert_eq!(control.connections(), 0);
            run
        })
        .seen("dep 1/1 control 0/0"),
        Row::unknown("the runner's own fault, control off", "local", |lab| {
            lab.runner(&format!("ip route add prohibit {OTHER}"));
            lab.step(&format!("http://{OTHER}/"))
                .set("control", "off")
                .run()
        }),
    ]
}
