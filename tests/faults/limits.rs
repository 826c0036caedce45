//! The runner's own limits: files, ports, permission.

use crate::kit::dns::Reply;
use crate::kit::run::Run;
use crate::lab::{DEP, DNS, Lab};
use crate::row::Row;

const URL: &str = "http://10.77.1.1/";

/// So many targets on the dependency, by address.
fn crowd(lab: &Lab, targets: usize, files: u32) -> Run {
    lab.dep(200);
    let lines = (0..targets).map(|number| format!("t{number}: {URL}{number}\n"));
    let step = lab.step("").set("targets", lines.collect::<String>());
    step.shell(format!("ulimit -n {files}")).run()
}

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::up("16 files, one target", |lab| crowd(lab, 1, 16)).seen("dep 1/1"),
        Row::up("16 files, a name to resolve", |lab| {
            lab.dep(200);
            lab.names(DNS, |question| Reply::of(question, &[DEP]));
            lab.step("http://dep.test/").shell("ulimit -n 16").run()
        })
        .seen("dep 1/1 dns 2/0"),
        Row::up("16 files, 40 targets", |lab| crowd(lab, 40, 16))
            .within(0..=10_000)
            .seen("dep 40/40"),
        Row::up("100 files, 300 targets", |lab| crowd(lab, 300, 100))
            .within(0..=15_000)
            .seen("dep 300/300"),
        // Not even the outputs can be written: that is an error of its own.
        Row::ends("9 files", "", "", 1, |lab| {
            crowd(lab, 1, 9).logs("RUNNER-NET:t0 local")
        }),
        Row::ends("9 files, a name to resolve", "", "", 1, |lab| {
            lab.names(DNS, |question| Reply::of(question, &[DEP]));
            lab.step("http://dep.test/")
                .shell("ulimit -n 9")
                .run()
                .logs("RUNNER-NET:dep.test local")
        }),
        Row::up("10 files", |lab| crowd(lab, 1, 10)).seen("dep 1/1"),
        Row::unknown("no port left", "local", |lab| {
            lab.dep(200);
            lab.runner("echo 40000 40000 >/proc/sys/net/ipv4/ip_local_port_range");
            let _held = lab.local_service("hold 10.77.1.1:80");
            lab.step(URL).run()
        })
        .within(0..=1500)
        .seen("dep 1/0"),
        Row::up("one port, for another peer free", |lab| {
            lab.dep(200);
            lab.server("other", "10.77.1.2:80", |peer| peer.status(200));
            lab.runner("echo 40000 40000 >/proc/sys/net/ipv4/ip_local_port_range");
            let _held = lab.local_service("hold 10.77.1.2:80");
            lab.step(URL).run()
        })
        .seen("dep 1/1 other 1/0"),
        Row::unknown("no port left, control alive", "local", |lab| {
            lab.dep(200);
            lab.control(|peer| peer.status(200));
            lab.runner("echo 40000 40000 >/proc/sys/net/ipv4/ip_local_port_range");
            let _held = lab.local_service("hold 10.77.1.1:80");
            lab.step(URL).set("control", "http://10.77.2.1/").run()
        })
        .seen("dep 1/0 control 0/0"),
        Row::unknown("not permitted, another target is up", "local", |lab| {
            lab.server("other", "10.77.1.2:80", |peer| peer.status(200));
            lab.runner(&format!("ip route add prohibit {DEP}"));
            let run = lab
                .steps(&[("dep", URL), ("other", "http://10.77.1.2/")])
                .run();
            run.judged("other", "up");
            run
        })
        .seen("other 1/1"),
    ]
}
