//! vsftpd.

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::path::Path;

use crate::daemon::{Daemon, as_user, folder, free_port, output, write_identity};
use crate::kit::running::eventually;
use crate::table::{Table, down, not_serving, up};

const USER: &str = "ftp";
const TLS: &str = "ssl_enable=YES\nrsa_cert_file=cert.pem\nrsa_private_key_file=key.pem\n";

pub(crate) fn play(table: &mut Table) {
    let home = folder();
    write_identity(home.path());

    let open = server(home.path(), "");
    // `220 (vsFTPd 3.0.3)`
    let greeting = greeted(&open).1;
    let version = greeting.split([' ', ')']).nth(2);
    table.version(version.unwrap_or_default());
    table.state("wants a login", url(&open), &up("220"));
    table.log("wants a login, again", url(&open), &open, 20);
    table.tls("asked for TLS, has none", url(&open), &not_serving(""));
    let address = url(&open);
    open.stop();
    table.state("stopped", address, &down("refused", ""));

    let full = server(home.path(), "max_clients=1\n");
    let mut held = Vec::new();
    eventually("the last place", || {
        let (stream, greeting) = greeted(&full);
        held.push(stream);
        greeting.starts_with("421") && held.len() > 1
    });
    table.state("full", url(&full), &not_serving("421"));
    drop(held);
    full.stop();

    let tls = server(home.path(), TLS);
    table.tls("TLS", url(&tls), &up("220"));
    table.state("TLS, asked in clear", url(&tls), &up("220"));
    table.log("TLS, asked in clear, again", url(&tls), &tls, 20);
    tls.stop();
    let tls = server(home.path(), &format!("{TLS}implicit_ssl=YES\n"));
    let address = url(&tls).replacen("ftp:", "ftps:", 1);
    table.tls("TLS from the start", address, &up("220"));
}

fn url(server: &Daemon) -> String {
    format!("ftp://127.0.0.1:{}", server.port())
}

fn server(home: &Path, settings: &str) -> Daemon {
    let port = free_port();
    let (shared, own) = (format!("ftp-{port}"), format!("ftp-{port}.conf"));
    let log = home.join(format!("ftp-{port}.log"));
    let settings = format!(
        "listen=YES\nbackground=NO\nrun_as_launching_user=YES\nlisten_address=127.0.0.1\n\
         listen_port={port}\nanonymous_enable=NO\nlocal_enable=YES\nxferlog_enable=YES\n\
         seccomp_sandbox=NO\nvsftpd_log_file={}\n{settings}",
        log.display()
    );
    fs::write(home.join(&shared), settings).unwrap();
    // It takes no file of others.
    output(as_user(USER, "install", home).args(["-m", "600", &shared, &own]));
    let mut command = as_user(USER, "vsftpd", home);
    Daemon::start(command.arg(own), home, port).logging_to(log)
}

/// A connection, and what it is greeted with.
fn greeted(server: &Daemon) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    let mut greeting = [0; 18];
    stream.read_exact(&mut greeting).unwrap();
    (stream, String::from_utf8_lossy(&greeting).into_owned())
}
