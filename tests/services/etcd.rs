//! etcd, which is asked in HTTP, and has gRPC on the same port: alone, and without a quorum.

use std::path::Path;

use crate::daemon::{Daemon, command, folder, free_port, output};
use crate::kit::running::eventually;
use crate::kit::step::Preflight;
use crate::table::{Table, down, up};

pub(crate) fn play(table: &mut Table) {
    let home = folder();
    // `etcd Version: 3.4.23`
    let version = output(command("etcd", home.path()).arg("--version"));
    table.version(version.split_whitespace().nth(2).unwrap_or_default());
    let health = |daemon: &Daemon| format!("http://127.0.0.1:{}/health", daemon.port());

    let alone = server(home.path(), "alone", &[]);
    eventually("a leader", || {
        let step = Preflight::probing(health(&alone)).set("attempts", 1);
        step.run().code == Some(0)
    });
    table.state("alone", health(&alone), &up("200"));
    table.log("alone, again", health(&alone), &alone, 0);
    let call = format!("grpc://127.0.0.1:{}", alone.port());
    table.state("alone, by gRPC", &call, &up("OK"));
    table.log("by gRPC, again", &call, &alone, 0);
    let address = health(&alone);
    alone.stop();
    table.state("stopped", address, &down("refused", ""));

    let others = [free_port(), free_port()];
    let lost = server(home.path(), "lost", &others);
    // It waits for a leader, and longer than anybody.
    let step = Preflight::probing(health(&lost)).set("timeout", "3s");
    table.step("without a quorum", step, &down("response-timeout", ""));
}

/// One member of a cluster, whose others have these ports.
fn server(home: &Path, name: &str, others: &[u16]) -> Daemon {
    let (port, between) = (free_port(), free_port());
    let at = |port: u16| format!("http://127.0.0.1:{port}");
    let mut cluster = vec![format!("{name}={}", at(between))];
    cluster.extend(
        others
            .iter()
            .map(|port| format!("gone{port}={}", at(*port))),
    );
    let mut etcd = command("etcd", home);
    etcd.args(["--name", name, "--data-dir", name]);
    etcd.args([
        "--listen-client-urls",
        &at(port),
        "--advertise-client-urls",
        &at(port),
    ]);
    etcd.args(["--listen-peer-urls", &at(between)]);
    etcd.args(["--initial-advertise-peer-urls", &at(between)]);
    etcd.args(["--initial-cluster", &cluster.join(",")]);
    Daemon::start(&mut etcd, home, port)
}
