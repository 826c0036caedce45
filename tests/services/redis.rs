//! Redis, and what it says when it cannot serve.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use crate::daemon::{Daemon, command, folder, free_port, output};
use crate::kit::certificates::{Certified, Identity, trusted_pem};
use crate::kit::running::eventually;
use crate::table::{Table, down, not_serving, up};

pub(crate) fn play(table: &mut Table) {
    let home = folder();
    let version = output(command("redis-server", home.path()).arg("--version"));
    table.version(
        version
            .split_whitespace()
            .nth(2)
            .unwrap_or_default()
            .trim_start_matches("v="),
    );
    let server = |arguments: &[&str]| {
        let port = free_port();
        let mut command = configured(home.path(), port);
        Daemon::start(command.args(arguments), home.path(), port)
    };
    let url = |daemon: &Daemon| format!("redis://127.0.0.1:{}", daemon.port());

    let open = server(&[]);
    table.state("open", url(&open), &up(""));
    table.log("open", url(&open), &open, 0);
    talk(&open, "DEBUG SLEEP 0\r\n", 1);
    let address = url(&open);
    open.stop();
    table.state("stopped", address, &down("refused", ""));

    let closed = server(&["--requirepass", "secret"]);
    table.state("wants a password", url(&closed), &up("-NOAUTH"));
    table.log("wants a password", url(&closed), &closed, 0);

    let busy = server(&["--busy-reply-threshold", "50"]);
    let mut script = TcpStream::connect(("127.0.0.1", busy.port())).unwrap();
    script
        .write_all(b"EVAL \"while true do end\" 0\r\n")
        .unwrap();
    eventually("a busy script", || talk(&busy, "PING\r\n", 5) == "-BUSY");
    table.state("busy with a script", url(&busy), &not_serving("-BUSY"));
    talk(&busy, "SCRIPT KILL\r\n", 3);

    let replica = server(&[
        "--replicaof",
        "127.0.0.1 1",
        "--replica-serve-stale-data",
        "no",
    ]);
    table.state(
        "without its master",
        url(&replica),
        &not_serving("-MASTERDOWN"),
    );

    let full = server(&["--maxclients", "1"]);
    // Those that looked whether it listens leave their place a moment later.
    let mut held = None;
    eventually("the only place", || {
        let mut stream = TcpStream::connect(("127.0.0.1", full.port())).unwrap();
        let mut answer = [0; 5];
        let taken = stream.write_all(b"PING\r\n").is_ok()
            && stream.read_exact(&mut answer).is_ok()
            && answer == *b"+PONG";
        held = taken.then_some(stream);
        taken
    });
    table.state("full", url(&full), &not_serving("-ERR"));
    drop(held);

    cannot_save(table, home.path());
    loading(table, home.path());
    encrypted(table, home.path());
}

fn configured(home: &std::path::Path, port: u16) -> Command {
    let mut command = command("redis-server", home);
    command.args([
        "--port",
        &port.to_string(),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
    ]);
    command.args(["--enable-debug-command", "yes", "--dbfilename", "none.rdb"]);
    command
}

/// Says something, and returns the first bytes of the answer; nothing where it is shorter.
fn talk(daemon: &Daemon, line: &str, length: usize) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", daemon.port())).unwrap();
    let patience = Some(Duration::from_millis(200));
    stream.set_read_timeout(patience).unwrap();
    let mut answer = vec![0; length];
    if stream.write_all(line.as_bytes()).is_err() || stream.read_exact(&mut answer).is_err() {
        return String::new();
    }
    String::from_utf8(answer).unwrap()
}

/// A server that cannot write its file refuses all that writes, and says so to a `PING`.
fn cannot_save(table: &mut Table, home: &std::path::Path) {
    let port = free_port();
    let mut command = configured(home, port);
    let command = command.args(["--dbfilename", "dump.rdb", "--save", "3600 1"]);
    let server = Daemon::start(command, home, port);
    fs::create_dir(home.join("dump.rdb")).unwrap();
    talk(&server, "SET a b\r\n", 3);
    talk(&server, "BGSAVE\r\n", 3);
    eventually("a failed save", || {
        talk(&server, "PING\r\n", 8) == "-MISCONF"
    });
    let url = format!("redis://127.0.0.1:{port}");
    table.state("cannot save", url, &not_serving("-MISCONF"));
}

/// Its file takes a while to be read.
fn loading(table: &mut Table, home: &std::path::Path) {
    let port = free_port();
    let file = ["--dbfilename", "large.rdb"];
    let server = Daemon::start(configured(home, port).args(file), home, port);
    talk(&server, "DEBUG POPULATE 3000 k 2000\r\n", 3);
    talk(&server, "SAVE\r\n", 3);
    server.stop();
    let mut slow = configured(home, port);
    slow.args(file).args([
        "--key-load-delay",
        "3000",
        "--loading-process-events-interval-bytes",
        "1024",
    ]);
    let server = Daemon::start(&mut slow, home, port);
    let url = format!("redis://127.0.0.1:{port}");
    table.state("loading its file", url, &not_serving("-LOADING"));
    drop(server);
}

fn encrypted(table: &mut Table, home: &std::path::Path) {
    let Identity { certificate, key } = Identity::new("127.0.0.1", Certified::Well);
    let write = |name: &str, text: String| fs::write(home.join(name), text).unwrap();
    write("cert.pem", certificate.pem());
    write("key.pem", key.serialize_pem());
    write("ca.pem", trusted_pem());
    let port = free_port();
    for (state, clients, wanted) in [
        ("TLS", "no", up("")),
        (
            "TLS, wants a client certificate",
            "yes",
            up("client-certificate"),
        ),
    ] {
        let mut command = configured(home, 0);
        command.args([
            "--tls-port",
            &port.to_string(),
            "--tls-auth-clients",
            clients,
        ]);
        command.args(["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem"]);
        command.args(["--tls-ca-cert-file", "ca.pem"]);
        let server = Daemon::start(&mut command, home, port);
        table.tls(state, format!("rediss://127.0.0.1:{port}"), &wanted);
        if clients == "no" {
            let plain = format!("redis://127.0.0.1:{port}");
            table.state("TLS, asked in clear", plain, &down("reset", ""));
        }
        server.stop();
    }
}
