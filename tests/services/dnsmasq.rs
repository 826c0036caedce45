//! dnsmasq, with a name of its own, and before name servers that are in trouble.

use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::thread;

use crate::daemon::{Daemon, command, folder, free_port, output};
use crate::table::{Table, down, not_serving, up};

pub(crate) fn play(table: &mut Table) {
    let home = folder();
    // `Dnsmasq version 2.90  Copyright …`
    let version = output(command("dnsmasq", home.path()).arg("--version"));
    table.version(version.split_whitespace().nth(2).unwrap_or_default());
    let url = |daemon: &Daemon| format!("dns://127.0.0.1:{}", daemon.port());

    let alone = server(home.path(), &["--address=/dep.example/10.0.0.1"]);
    // It has nobody to ask about the root.
    table.state("the root", url(&alone), &up("REFUSED"));
    table.log("the root, again", url(&alone), &alone, 0);
    let name = format!("{}/dep.example", url(&alone));
    table.state("a name of its own", name, &up("NOERROR"));
    let address = url(&alone);
    alone.stop();
    table.state("stopped", address, &down("refused", ""));

    let local = server(home.path(), &["--local=/example/"]);
    let name = format!("{}/no.example", url(&local));
    table.state("a name that it has not", name, &up("NXDOMAIN"));

    let forward = format!("--server=127.0.0.1#{}", failing());
    let behind = server(home.path(), &[&forward]);
    let name = format!("{}/dep.example", url(&behind));
    table.state("before a server that fails", name, &not_serving("SERVFAIL"));
}

fn server(home: &Path, more: &[&str]) -> Daemon {
    let port = free_port();
    let mut dnsmasq = command("dnsmasq", home);
    dnsmasq.args([
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--pid-file=",
    ]);
    dnsmasq.args([
        "--listen-address=127.0.0.1",
        "--bind-interfaces",
        "--log-facility=-",
    ]);
    dnsmasq.args(["--no-resolv", "--no-hosts", "--user=", "--group="]);
    dnsmasq.arg(format!("--port={port}")).args(more);
    Daemon::start(&mut dnsmasq, home, port)
}

/// The port of a name server that answers every question with SERVFAIL, until the test ends.
fn failing() -> u16 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut bytes = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut bytes) {
            bytes[2] |= 0x80;
            bytes[3] = bytes[3] & 0xf0 | 2;
            socket.send_to(&bytes[..length], from).unwrap();
        }
    });
    port
}
