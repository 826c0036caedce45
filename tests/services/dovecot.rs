//! Dovecot, in IMAP and POP3.

use std::fs;
use std::path::Path;

use crate::daemon::{Daemon, as_user, folder, free_port, output, write_identity};
use crate::table::{Table, down, not_serving, up};

const USER: &str = "dovecot";
/// Who may log in, if the server can find out.
const USERS: &str = "driver = static\n args = nopassword=y";
const NO_USERS: &str = "driver = sql\n args = no-such-file";
const TLS: &str = "ssl = yes\nssl_cert = <cert.pem\nssl_key = <key.pem\n";

pub(crate) fn play(table: &mut Table) {
    let home = folder();
    write_identity(home.path());
    // `2.3.19.1 (9b53102964)`
    let version = output(as_user(USER, "dovecot", home.path()).arg("--version"));
    table.version(version.split(' ').next().unwrap_or_default());

    let plain = Dovecot::start(home.path(), USERS, "ssl = no\n");
    for scheme in ["imap", "pop3"] {
        let (url, code) = (plain.url(scheme), code(scheme));
        table.state(&format!("{scheme}, wants a login"), &url, &up(code));
        table.log(&format!("{scheme}, again"), &url, &plain.master, 20);
        let state = format!("{scheme}, asked for TLS, has none");
        table.tls(&state, &url, &not_serving(""));
    }
    let address = plain.url("imap");
    plain.master.stop();
    table.state("stopped", address, &down("refused", ""));

    let encrypted = Dovecot::start(home.path(), USERS, TLS);
    for scheme in ["imap", "pop3"] {
        let state = format!("{scheme}, TLS");
        table.tls(&state, encrypted.url(scheme), &up(code(scheme)));
        let state = format!("{scheme}s");
        table.tls(&state, encrypted.url(&state), &up(code(scheme)));
    }
    encrypted.master.stop();

    // Each start of what looks users up fails, and the next one waits longer.
    for (scheme, code) in [("imap", "BYE"), ("pop3", "-ERR")] {
        let broken = Dovecot::start(home.path(), NO_USERS, "ssl = no\n");
        let state = format!("{scheme}, cannot look users up");
        table.state(&state, broken.url(scheme), &not_serving(code));
        broken.master.stop();
    }
}

fn code(scheme: &str) -> &'static str {
    if scheme == "imap" { "OK" } else { "+OK" }
}

/// A server, and its four ports.
struct Dovecot {
    master: Daemon,
    ports: [(&'static str, u16); 4],
}

impl Dovecot {
    fn start(home: &Path, users: &str, tls: &str) -> Self {
        let ports = ["imap", "imaps", "pop3", "pop3s"].map(|name| (name, free_port()));
        let [(_, imap), (_, imaps), (_, pop3), (_, pop3s)] = ports;
        let mut id = as_user(USER, "id", home);
        let user = output(id.arg("-un"));
        let mut id = as_user(USER, "id", home);
        let group = output(id.arg("-gn"));
        let run = home.join(format!("dovecot-{imap}"));
        let file = format!("dovecot-{imap}.conf");
        // Without root it can be no other user, and has no other root.
        let settings = format!(
            "protocols = imap pop3\nlisten = 127.0.0.1\n\
             base_dir = {run}\nstate_dir = {run}-state\n\
             default_internal_user = {user}\ndefault_internal_group = {group}\n\
             default_login_user = {user}\nlog_path = /dev/stderr\n{tls}\
             passdb {{\n {users}\n}}\n\
             userdb {{\n driver = static\n args = home={run}\n}}\n\
             service imap-login {{\n chroot =\n\
             inet_listener imap {{\n port = {imap}\n}}\n\
             inet_listener imaps {{\n port = {imaps}\n}}\n}}\n\
             service pop3-login {{\n chroot =\n\
             inet_listener pop3 {{\n port = {pop3}\n}}\n\
             inet_listener pop3s {{\n port = {pop3s}\n}}\n}}\n\
             service anvil {{\n chroot =\n}}\n\
             service stats {{\n chroot =\n}}\n\
             service imap-urlauth-login {{\n chroot =\n}}\n\
             service submission-login {{\n chroot =\n}}\n",
            run = run.display(),
        );
        fs::write(home.join(&file), settings).unwrap();
        let mut command = as_user(USER, "dovecot", home);
        command.args(["-F", "-c", &file]);
        let master = Daemon::start(&mut command, home, imap);
        Self { master, ports }
    }

    fn url(&self, scheme: &str) -> String {
        let mut ports = self.ports.iter();
        let port = ports.find_map(|(name, port)| (*name == scheme).then_some(port));
        format!("{scheme}://127.0.0.1:{}", port.unwrap())
    }
}
