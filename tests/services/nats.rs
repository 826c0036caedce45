//! NATS.

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use crate::daemon::{Daemon, command, folder, free_port, output, write_identity};
use crate::kit::running::eventually;
use crate::kit::step::Preflight;
use crate::table::{Table, down, not_serving, up};

const TLS: &str = "tls { cert_file: cert.pem, key_file: key.pem }\n";
const ONE_PLACE: &str = "max_connections: 1\n";

pub(crate) fn play(table: &mut Table) {
    let home = folder();
    write_identity(home.path());
    // `nats-server: v2.9.10`
    let version = output(command("nats-server", home.path()).arg("--version"));
    table.version(version.split(": v").nth(1).unwrap_or_default());

    let open = server(home.path(), "");
    table.state("open", url(&open), &up(""));
    table.log("open, again", url(&open), &open, 0);
    table.tls("asked for TLS, has none", url(&open), &not_serving(""));
    stopping(table, open);

    let closed = server(home.path(), "authorization { token: secret }\n");
    table.state("wants a token", url(&closed), &up(""));
    table.log("wants a token, again", url(&closed), &closed, 0);
    let address = url(&closed);
    closed.stop();
    table.state("stopped", address, &down("refused", ""));

    let full = server(home.path(), ONE_PLACE);
    let held = fill(&full);
    table.state("full", url(&full), &not_serving("-ERR"));
    drop(held);
    full.stop();
    encrypted(table, home.path());
}

/// In lame duck mode it keeps its clients, and takes no more.
fn stopping(table: &mut Table, server: Daemon) {
    let client = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    greeted(&client);
    server.signal(Signal::USR2);
    eventually("lame duck mode", || {
        server.log_text().contains("Entering lame duck mode")
            && TcpStream::connect(("127.0.0.1", server.port())).is_err()
    });
    table.state("in lame duck mode", url(&server), &down("refused", ""));
    drop(client);
    // It would take some seconds to say goodbye to its clients.
    server.signal(Signal::KILL);
    server.stop();
}

fn encrypted(table: &mut Table, home: &Path) {
    let trusting = |server: &Daemon| Preflight::probing(url(server)).trusting();
    let required = server(home, TLS);
    table.step("wants TLS", trusting(&required), &up(""));
    table.tls("wants TLS, asked for it", url(&required), &up(""));
    let untrusted = down("tls-untrusted", "");
    table.state("wants TLS, not trusted", url(&required), &untrusted);
    required.stop();

    let offered = server(home, &format!("{TLS}allow_non_tls: true\n"));
    table.state("offers TLS, asked in clear", url(&offered), &up(""));
    table.tls("offers TLS, asked for it", url(&offered), &up(""));
    offered.stop();

    let full = server(home, &format!("{TLS}{ONE_PLACE}"));
    let held = fill(&full);
    let step = trusting(&full);
    table.step("wants TLS, full", step, &not_serving("-ERR"));
    drop(held);
}

fn url(server: &Daemon) -> String {
    format!("nats://127.0.0.1:{}", server.port())
}

fn server(home: &Path, settings: &str) -> Daemon {
    let port = free_port();
    let file = format!("nats-{port}.conf");
    fs::write(home.join(&file), settings).unwrap();
    let mut command = command("nats-server", home);
    command.args(["-a", "127.0.0.1", "-p", &port.to_string(), "-c", &file]);
    Daemon::start(&mut command, home, port)
}

/// What it says unasked, within a moment.
fn greeted(mut stream: &TcpStream) -> String {
    let patience = Some(Duration::from_millis(100));
    stream.set_read_timeout(patience).unwrap();
    let mut said = Vec::new();
    stream.read_to_end(&mut said).ok();
    String::from_utf8(said).unwrap()
}

/// Takes the last place. Those that looked whether it listens leave theirs a moment later.
fn fill(server: &Daemon) -> Vec<TcpStream> {
    let mut held = Vec::new();
    eventually("a full server", || {
        let stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
        let is_full = greeted(&stream).contains("maximum connections exceeded");
        held.push(stream);
        is_full && held.len() > 1
    });
    held
}
