//! memcached, in text and in binary.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use crate::daemon::{Daemon, command, folder, free_port, output};
use crate::kit::running::eventually;
use crate::table::{Table, down, not_serving, up};

pub(crate) fn play(table: &mut Table) {
    let home = folder();
    let version = output(command("memcached", home.path()).arg("-V"));
    table.version(version.split_whitespace().nth(1).unwrap_or_default());
    fs::write(home.path().join("users"), "user:secret\n").unwrap();
    fs::create_dir(home.path().join("sasl")).unwrap();
    let mechanisms = home.path().join("sasl/memcached.conf");
    fs::write(mechanisms, "mech_list: plain\n").unwrap();
    let server = |arguments: &[&str]| {
        let port = free_port();
        let mut command = command("memcached", home.path());
        command.args(["-l", "127.0.0.1", "-U", "0", "-u", "nobody"]);
        command.args(["-p", &port.to_string()]).args(arguments);
        command.env("SASL_CONF_PATH", home.path().join("sasl"));
        Daemon::start(&mut command, home.path(), port)
    };
    let url = |server: &Daemon| format!("memcached://127.0.0.1:{}", server.port());

    let open = server(&[]);
    table.state("open", url(&open), &up(""));
    table.log("open", url(&open), &open, 0);
    let address = url(&open);
    open.stop();
    table.state("stopped", address, &down("refused", ""));

    let closed = server(&["-Y", "users"]);
    table.state("wants a login", url(&closed), &up("CLIENT_ERROR"));
    table.log("wants a login", url(&closed), &closed, 0);

    let sasl = server(&["-S"]);
    table.state("wants a login by SASL", url(&sasl), &up(""));
    table.log("wants a login by SASL", url(&sasl), &sasl, 0);

    let full = server(&["-c", "64"]);
    let mut held = Vec::new();
    eventually("the last place", || {
        let mut stream = TcpStream::connect(("127.0.0.1", full.port())).unwrap();
        let mut answer = [0; 5];
        stream.write_all(b"version\r\n").ok();
        let is_full = stream.read_exact(&mut answer).is_err() || answer == *b"ERROR";
        held.push(stream);
        is_full
    });
    table.state("full", url(&full), &not_serving("ERROR"));
    drop(held);
}
