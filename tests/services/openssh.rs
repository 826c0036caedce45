//! OpenSSH.

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::path::Path;

use crate::daemon::{Daemon, as_user, folder, free_port, output};
use crate::kit::running::eventually;
use crate::table::{Table, down, not_serving, up};

/// As root it would want a folder of the system's for itself.
const USER: &str = "daemon";

pub(crate) fn play(table: &mut Table) {
    let home = folder();
    let mut keygen = as_user(USER, "ssh-keygen", home.path());
    output(keygen.args(["-q", "-t", "ed25519", "-N", "", "-f", "host-key"]));

    // Twenty at once are more than it takes in by its own settings.
    let open = server(home.path(), "MaxStartups 100");
    table.version(version(&open));
    table.state("wants a login", url(&open), &up(""));
    table.log("wants a login, again", url(&open), &open, 40);
    let address = url(&open);
    open.stop();
    table.state("stopped", address, &down("refused", ""));

    let full = server(home.path(), "MaxStartups 3:100:3");
    let mut held = Vec::new();
    eventually("the last place", || {
        let mut stream = TcpStream::connect(("127.0.0.1", full.port())).unwrap();
        let mut start = [0; 4];
        let is_full = stream.read_exact(&mut start).is_err() || start != *b"SSH-";
        held.push(stream);
        is_full
    });
    table.state("full", url(&full), &not_serving(""));
    drop(held);
}

fn url(server: &Daemon) -> String {
    format!("ssh://127.0.0.1:{}", server.port())
}

/// `SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3`
fn version(server: &Daemon) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    let mut line = [0; 40];
    stream.read_exact(&mut line).unwrap();
    let line = String::from_utf8_lossy(&line);
    let version = line.split(['_', ' ', '\r']).nth(1);
    version.unwrap_or_default().to_owned()
}

fn server(home: &Path, setting: &str) -> Daemon {
    let port = free_port();
    let file = home.join(format!("sshd-{port}.conf"));
    let key = home.join("host-key");
    let settings = format!(
        "ListenAddress 127.0.0.1:{port}\nHostKey {}\nPidFile none\nUsePAM no\n{setting}\n",
        key.display()
    );
    fs::write(&file, settings).unwrap();
    let mut command = as_user(USER, "sshd", home);
    Daemon::start(command.args(["-D", "-e", "-f"]).arg(file), home, port)
}
