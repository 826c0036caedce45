//! Redis, and what it says when it cannot serve.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::daemon::{Daemon, command, folder, free_port, output, write_identity};
use crate::elsewhere::relay;
use crate::kit::certificates::trusted_pem;
use crate::kit::running::eventually;
use crate::table::{Table, down, not_serving, up};

pub(crate) fn play(table: &mut Table) {
    let home = folder();
    let redis = Program {
        name: "redis-server",
        scheme: "redis",
        home: home.path(),
    };
    every_state(table, &redis);
    protected(table, &redis);
    encrypted(table, &redis);
}

/// The same without TLS, which the package that it comes from has not. It takes all of 127.0.0.0/8
/// for its own host, so that nobody here is shut out.
pub(crate) fn valkey(table: &mut Table) {
    let home = folder();
    let valkey = Program {
        name: "valkey-server",
        scheme: "valkey",
        home: home.path(),
    };
    every_state(table, &valkey);
}

/// A server program of Redis's kind.
struct Program<'a> {
    name: &'a str,
    scheme: &'a str,
    home: &'a Path,
}

impl Program<'_> {
    fn configured(&self, port: u16) -> Command {
        let mut command = command(self.name, self.home);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1"]);
        command.args(["--save", "", "--dbfilename", "none.rdb"]);
        command.args(["--enable-debug-command", "yes"]);
        command
    }

    #[track_caller]
    fn start(&self, arguments: &[&str]) -> Daemon {
        let port = free_port();
        let mut command = self.configured(port);
        Daemon::start(command.args(arguments), self.home, port)
    }

    fn url(&self, port: u16) -> String {
        format!("{}://127.0.0.1:{port}", self.scheme)
    }
}

fn every_state(table: &mut Table, program: &Program) {
    let version = output(command(program.name, program.home).arg("--version"));
    // `Redis server v=7.0.15 sha=…`
    let version = version
        .split_whitespace()
        .find_map(|word| word.strip_prefix("v="));
    table.version(version.unwrap_or_default());
    let url = |daemon: &Daemon| program.url(daemon.port());

    let open = program.start(&[]);
    table.state("open", url(&open), &up(""));
    table.log("open, again", url(&open), &open, 0);
    let address = url(&open);
    open.stop();
    table.state("stopped", address, &down("refused", ""));

    let closed = program.start(&["--requirepass", "secret"]);
    table.state("wants a password", url(&closed), &up("-NOAUTH"));
    table.log("wants a password, again", url(&closed), &closed, 0);

    let busy = program.start(&["--busy-reply-threshold", "50"]);
    let mut script = TcpStream::connect(("127.0.0.1", busy.port())).unwrap();
    let endless = b"EVAL \"while true do end\" 0\r\n";
    script.write_all(endless).unwrap();
    eventually("a busy script", || talk(&busy, "PING\r\n", 5) == "-BUSY");
    table.state("busy with a script", url(&busy), &not_serving("-BUSY"));
    talk(&busy, "SCRIPT KILL\r\n", 3);

    // Nobody listens on port 1.
    let master = ["--replicaof", "127.0.0.1 1"];
    let replica =
        program.start(&[&master, ["--replica-serve-stale-data", "no"].as_slice()].concat());
    let down = not_serving("-MASTERDOWN");
    table.state("without its master", url(&replica), &down);

    let full = program.start(&["--maxclients", "1"]);
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

    cannot_save(table, program);
    loading(table, program);
}

/// Without a password it serves its own host, and none else.
fn protected(table: &mut Table, program: &Program) {
    let server = program.start(&["--protected-mode", "yes"]);
    let address = program.url(relay(server.port()));
    table.state(
        "protected, from elsewhere",
        address,
        &not_serving("-DENIED"),
    );
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
fn cannot_save(table: &mut Table, program: &Program) {
    let server = program.start(&["--dbfilename", "dump.rdb", "--save", "3600 1"]);
    // It listens before it has looked for its file.
    eventually("the end of the start", || {
        talk(&server, "PING\r\n", 5) == "+PONG"
    });
    fs::create_dir(program.home.join("dump.rdb")).unwrap();
    talk(&server, "SET a b\r\n", 3);
    talk(&server, "BGSAVE\r\n", 3);
    eventually("a failed save", || {
        talk(&server, "PING\r\n", 8) == "-MISCONF"
    });
    let url = program.url(server.port());
    table.state("cannot save", url, &not_serving("-MISCONF"));
}

/// Its file takes a while to be read.
fn loading(table: &mut Table, program: &Program) {
    let file = ["--dbfilename", "large.rdb"];
    let server = program.start(&file);
    talk(&server, "DEBUG POPULATE 3000 k 2000\r\n", 3);
    talk(&server, "SAVE\r\n", 3);
    server.stop();
    let slowly = ["--key-load-delay", "3000"];
    let often = ["--loading-process-events-interval-bytes", "1024"];
    let server = program.start(&[file, slowly, often].concat());
    let url = program.url(server.port());
    table.state("loading its file", url, &not_serving("-LOADING"));
}

fn encrypted(table: &mut Table, program: &Program) {
    write_identity(program.home);
    fs::write(program.home.join("ca.pem"), trusted_pem()).unwrap();
    let wanted = up("client-certificate");
    for (state, clients, wanted) in [
        ("TLS", "no", up("")),
        ("TLS, wants a client certificate", "yes", wanted),
    ] {
        let port = free_port();
        let mut command = program.configured(0);
        command.args(["--tls-port", &port.to_string()]);
        command.args(["--tls-auth-clients", clients]);
        command.args(["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem"]);
        command.args(["--tls-ca-cert-file", "ca.pem"]);
        let server = Daemon::start(&mut command, program.home, port);
        let url = program.url(port);
        table.tls(state, url.replacen("redis:", "rediss:", 1), &wanted);
        if clients == "no" {
            table.state("TLS, asked in clear", url, &down("reset", ""));
        }
        server.stop();
    }
}
