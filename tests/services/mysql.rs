//! MariaDB, and whether it shuts out who probes it.

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use crate::daemon::{Daemon, as_user, command, folder, free_port, output, write_identity};
use crate::elsewhere::{ELSEWHERE, relay};
use crate::kit::certificates::trusted_pem;
use crate::kit::running::eventually;
use crate::kit::step::Preflight;
use crate::table::{Table, down, not_serving, up};

/// How many faults of a host it takes until it is shut out.
const FAULTS: usize = 3;

pub(crate) fn play(table: &mut Table) {
    table.server("mariadb");
    let home = folder();
    let home = home.path();
    let version = output(command("mariadbd", home).args(["--no-defaults", "--version"]));
    table.version(version.split_whitespace().nth(2).unwrap_or_default());
    let install = [
        "--no-defaults",
        "--auth-root-authentication-method=normal",
        "--skip-test-db",
    ];
    let data = format!("--datadir={}", home.join("data").display());
    output(
        as_user("mysql", "mariadb-install-db", home)
            .args(install)
            .arg(&data),
    );

    let server = start(home, &["--skip-ssl", "--skip-name-resolve"]);
    table.state("wants a login", url(&server), &up("1045"));
    // One line each: "Access denied".
    table.log("wants a login", url(&server), &server, 20);
    table.tls("asked for TLS, has none", url(&server), &not_serving(""));
    let elsewhere = relay(server.port());
    let not_allowed = not_serving("1130");
    table.state("host not allowed", url_at(elsewhere), &not_allowed);
    let address = url(&server);
    server.stop();
    table.state("stopped", address, &down("refused", ""));

    let server = start(home, &["--skip-name-resolve", "--max-connections=10"]);
    let mut held = Vec::new();
    eventually("the last place", || {
        let (stream, greeting) = greeted(server.port());
        held.push(stream);
        greeting == *b"\xff\x10\x04"
    });
    table.state("full", url(&server), &not_serving("1040"));
    drop(held);
    server.stop();

    strangers(table, home);
}

/// Probes from a host that could be shut out, plain and in TLS, with a certificate that is
/// trusted and with one that is not; and that it can be.
fn strangers(table: &mut Table, home: &Path) {
    write_identity(home);
    let write = |name: &str, text: String| fs::write(home.join(name), text).unwrap();
    write("ca.pem", trusted_pem());
    write(
        "users.sql",
        "CREATE USER app@'%' IDENTIFIED BY 'x';\n".to_owned(),
    );
    let file = |option: &str, name: &str| format!("--{option}={}", home.join(name).display());
    let arguments = [
        file("ssl-cert", "cert.pem"),
        file("ssl-key", "key.pem"),
        file("init-file", "users.sql"),
        format!("--max-connect-errors={FAULTS}"),
        "--max-connections=500".to_owned(),
    ];
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let server = start(home, &arguments);
    let elsewhere = relay(server.port());

    let targets: Vec<_> = (0..200)
        .map(|number| (format!("t{number}"), url_at(elsewhere)))
        .collect();
    table.step("200 probes", Preflight::targets(&targets), &up("1045"));
    table.tls("TLS", url_at(elsewhere), &up("1045"));
    let encrypted = |count: usize| {
        let line = |number| format!("t{number}: {{url: '{}', tls: true}}\n", url_at(elsewhere));
        Preflight::new().set("targets", (0..count).map(line).collect::<String>())
    };
    let many = encrypted(20).trusting();
    table.step("20 probes in TLS", many, &up("1045"));
    let untrusted = down("tls-untrusted", "");
    table.step("20 in TLS, not trusted", encrypted(20), &untrusted);
    table.state("after all of these", url_at(elsewhere), &up("1045"));

    for _ in 0..FAULTS {
        drop(greeted(elsewhere));
    }
    eventually("a host that is shut out", || {
        greeted(elsewhere).1 == *b"\xff\x69\x04"
    });
    table.state("host blocked", url_at(elsewhere), &not_serving("1129"));
    server.stop();
}

fn url(server: &Daemon) -> String {
    url_at(server.port())
}

fn url_at(port: u16) -> String {
    format!("mariadb://127.0.0.1:{port}")
}

/// Starts a server. It looks up who comes to it by names of its own, for it counts the faults of
/// hosts whose names it has looked up, and no test asks a name server.
fn start(home: &Path, arguments: &[&str]) -> Daemon {
    let hosts = home.join("hosts");
    fs::write(
        &hosts,
        format!("127.0.0.1 localhost\n{ELSEWHERE} prober.example\n"),
    )
    .unwrap();
    let port = free_port();
    let mut command = with_hosts(home);
    // Who becomes another user has to be told again to end with the test.
    command.args(["setpriv", "--pdeathsig", "TERM"]);
    let is_root = rustix::process::geteuid().is_root();
    let user = if is_root { "mysql" } else { "root" };
    if is_root {
        command.args(["--reuid", user, "--regid", user, "--clear-groups"]);
    }
    command
        .args(["--", "mariadbd", "--no-defaults"])
        .args(["--bind-address=127.0.0.1", "--user", user])
        .arg(format!("--datadir={}", home.join("data").display()))
        .arg(format!("--socket={}", home.join("socket").display()))
        .arg(format!("--pid-file={}", home.join("pid").display()))
        .arg(format!("--port={port}"))
        .args(arguments);
    Daemon::start(&mut command, home, port)
}

/// A shell in a mount namespace of its own, which becomes the command behind it.
fn with_hosts(home: &Path) -> Command {
    const SCRIPT: &str = "mount --bind hosts /etc/hosts && exec \"$@\"";
    let mut unshare = command("unshare", home);
    unshare.arg("--mount");
    if !rustix::process::geteuid().is_root() {
        unshare.arg("--map-root-user");
    }
    unshare.args(["sh", "-c", SCRIPT, "sh"]);
    unshare
}

/// A connection, and the first three bytes of what it is greeted with: an error's type and code.
fn greeted(port: u16) -> (TcpStream, [u8; 3]) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut greeting = [0; 7];
    stream.read_exact(&mut greeting).ok();
    let [_, _, _, _, start @ ..] = greeting;
    (stream, start)
}
