//! Mosquitto.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use crate::daemon::{Daemon, command, folder, free_port, write_identity};
use crate::kit::running::eventually;
use crate::table::{Table, cut_off, down, up};

const OPEN: &str = "allow_anonymous true\n";

pub(crate) fn play(table: &mut Table) {
    let home = folder();
    write_identity(home.path());

    let open = server(home.path(), OPEN);
    // `1795784174: mosquitto version 2.0.11 starting`
    let log = open.log_text();
    let version = log.split("version ").nth(1).unwrap_or_default();
    table.version(version.split(' ').next().unwrap_or_default());
    table.state("open", url(&open), &up("0"));
    table.log("open, again", url(&open), &open, 60);
    let address = url(&open);
    open.stop();
    table.state("stopped", address, &down("refused", ""));

    let closed = server(home.path(), "allow_anonymous false\n");
    table.state("wants a login", url(&closed), &up("5"));
    table.log("wants a login, again", url(&closed), &closed, 40);
    closed.stop();

    let full = server(home.path(), &format!("{OPEN}max_connections 1\n"));
    let held = fill(&full);
    table.state("full", url(&full), &cut_off());
    drop(held);
    full.stop();

    let tls = format!("{OPEN}certfile cert.pem\nkeyfile key.pem\n");
    let tls = server(home.path(), &tls);
    let address = url(&tls).replacen("mqtt:", "mqtts:", 1);
    table.tls("TLS", address, &up("0"));
    table.tls("TLS by the option", url(&tls), &up("0"));
    table.state("TLS, asked in clear", url(&tls), &cut_off());
}

fn url(server: &Daemon) -> String {
    format!("mqtt://127.0.0.1:{}", server.port())
}

fn server(home: &Path, settings: &str) -> Daemon {
    let port = free_port();
    let file = format!("mosquitto-{port}.conf");
    // As root it would become a user of its own, who may not read everything here.
    let settings = format!("user root\nlistener {port} 127.0.0.1\n{settings}");
    fs::write(home.join(&file), settings).unwrap();
    let mut command = command("mosquitto", home);
    Daemon::start(command.args(["-c", &file]), home, port)
}

/// Takes the last place.
fn fill(server: &Daemon) -> Vec<TcpStream> {
    const CONNECT: &[u8] = b"\x10\x0c\0\x04MQTT\x04\x02\0\x0a\0\0";
    let mut held = Vec::new();
    eventually("a full broker", || {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        stream.write_all(CONNECT).ok();
        let is_full = stream.read_exact(&mut [0; 4]).is_err();
        held.push(stream);
        is_full && held.len() > 1
    });
    held
}
