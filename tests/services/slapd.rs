//! slapd, of the `OpenLDAP` project. It has no state in which it would be busy or unavailable for the
//! root DSE.

use std::fs;
use std::path::Path;

use crate::daemon::{Daemon, command, folder, free_port, write_identity};
use crate::table::{Table, down, not_serving, up};

const TLS: &str = "TLSCertificateFile cert.pem\nTLSCertificateKeyFile key.pem\n";

pub(crate) fn play(table: &mut Table) {
    let home = folder();
    write_identity(home.path());

    let open = server(home.path(), "ldap", "", "stats");
    // `… @(#) $OpenLDAP: slapd 2.5.13+dfsg-5 (Feb  8 2023 01:56:12) $`
    let log = open.log_text();
    let version = log.split("slapd ").nth(1).unwrap_or_default();
    table.version(version.split(['+', ' ']).next().unwrap_or_default());
    table.state("open", url(&open), &up("0"));
    assert!(!open.log_text().contains("BIND dn"), "{}", open.log_text());
    table.tls("asked for TLS, has none", url(&open), &not_serving(""));
    let address = url(&open);
    open.stop();
    table.state("stopped", address, &down("refused", ""));

    let open = server(home.path(), "ldap", "", "none");
    table.log("open, its usual log", url(&open), &open, 0);
    open.stop();

    let closed = "disallow bind_anon\nrequire authc\n";
    let closed = server(home.path(), "ldap", closed, "none");
    table.state("wants a login", url(&closed), &up("53"));
    table.log("wants a login, again", url(&closed), &closed, 0);
    closed.stop();

    let strict = format!("{TLS}security tls=1\n");
    let strict = server(home.path(), "ldap", &strict, "none");
    table.state("wants TLS, asked in clear", url(&strict), &up("13"));
    table.tls("wants TLS, asked for it", url(&strict), &up("0"));
    strict.stop();
    let ldaps = server(home.path(), "ldaps", TLS, "none");
    let address = url(&ldaps).replacen("ldap:", "ldaps:", 1);
    table.tls("TLS from the start", address, &up("0"));
}

fn url(server: &Daemon) -> String {
    format!("ldap://127.0.0.1:{}", server.port())
}

fn server(home: &Path, scheme: &str, settings: &str, log: &str) -> Daemon {
    let port = free_port();
    let file = format!("slapd-{port}.conf");
    let pid = home.join(format!("slapd-{port}.pid"));
    let settings = format!("pidfile {}\n{settings}", pid.display());
    fs::write(home.join(&file), settings).unwrap();
    let mut command = command("slapd", home);
    let address = format!("{scheme}://127.0.0.1:{port}/");
    command.args(["-f", &file, "-h", &address, "-d", log]);
    Daemon::start(&mut command, home, port)
}
