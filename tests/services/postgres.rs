//! PostgreSQL: one cluster, started in many ways.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::daemon::{Daemon, as_user, folder, free_port, output};
use crate::kit::certificates::{Certified, Identity, trusted_pem};
use crate::kit::running::eventually;
use crate::kit::step::Preflight;
use crate::table::{Table, down, not_serving, up};

/// What `pg_hba.conf` says.
const PASSWORDS: &str = "host all all all scram-sha-256\n";
const TRUST: &str = "host all all all trust\n";
const STRANGERS: &str = "local all all trust\n";
const ONLY_TLS: &str = "hostssl all all all scram-sha-256\n";

pub(crate) fn play(table: &mut Table) {
    let cluster = Cluster::new();
    let version = output(&mut cluster.command("postgres", &["--version"]));
    table.version(version.split_whitespace().nth(2).unwrap_or_default());

    let server = cluster.start(PASSWORDS, &[]);
    table.state("wants a password", url(&server), &up(""));
    table.log("wants a password", url(&server), &server, 0);
    table.tls("asked for TLS, has none", url(&server), &not_serving(""));
    let address = url(&server);
    server.stop();
    table.state("stopped", address, &down("refused", ""));

    let server = cluster.start(TRUST, &[]);
    table.state("trusts the runner", url(&server), &up("28000"));
    table.log("trusts the runner", url(&server), &server, 20);
    stopping(table, server);

    let server = cluster.start(STRANGERS, &[]);
    table.state("does not know the runner", url(&server), &up("28000"));
    table.log("does not know the runner", url(&server), &server, 20);
    server.stop();

    full(table, &cluster);
    encrypted(table, &cluster);
    recovering(table, &cluster);
}

fn url(server: &Daemon) -> String {
    format!("postgres://127.0.0.1:{}", server.port())
}

/// It waits for its last client.
fn stopping(table: &mut Table, server: Daemon) {
    let session = session(&server, b'Z');
    server.signal(Signal::TERM);
    eventually("a smart shutdown", || {
        server
            .log_text()
            .contains("received smart shutdown request")
    });
    table.state("stopping", url(&server), &not_serving("57P03"));
    drop(session);
    server.stop();
}

/// All its connections are taken, by clients that have not even logged in.
fn full(table: &mut Table, cluster: &Cluster) {
    let few = [
        "max_connections=3",
        "superuser_reserved_connections=0",
        "max_wal_senders=0",
    ];
    let server = cluster.start(PASSWORDS, &few);
    let held: Vec<_> = (0..3).map(|_| session(&server, b'R')).collect();
    table.state("full", url(&server), &not_serving("53300"));
    drop(held);
    server.stop();
}

fn encrypted(table: &mut Table, cluster: &Cluster) {
    let home = cluster.home.path();
    let Identity { certificate, key } = Identity::new("127.0.0.1", Certified::Well);
    fs::write(home.join("cert.pem"), certificate.pem()).unwrap();
    fs::write(home.join("ca.pem"), trusted_pem()).unwrap();
    fs::write(home.join("key"), key.serialize_pem()).unwrap();
    // It takes no key that others might read.
    output(as_user("postgres", "install", home).args(["-m", "600", "key", "key.pem"]));
    let path = |name: &str| home.join(name).display().to_string();
    let settings = [
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", path("cert.pem")),
        format!("ssl_key_file={}", path("key.pem")),
    ];
    let settings: Vec<_> = settings.iter().map(String::as_str).collect();
    let server = cluster.start(ONLY_TLS, &settings);
    table.tls("TLS", url(&server), &up(""));
    table.state("TLS, asked in clear", url(&server), &up("28000"));
    let before = server.log_lines();
    let step = Preflight::new().set(
        "targets",
        format!("dep: {{url: '{}', tls: true}}", url(&server)),
    );
    let wanted = down("tls-untrusted", "");
    table.step("TLS, not trusted", step, &wanted);
    assert_eq!(server.log_lines(), before, "{}", server.log_text());
    server.stop();
}

/// A standby that lets nobody in.
fn recovering(table: &mut Table, cluster: &Cluster) {
    let signal = cluster.data().join("standby.signal");
    output(as_user("postgres", "touch", cluster.home.path()).arg(signal));
    let server = cluster.launch(PASSWORDS, &["hot_standby=off"]);
    server.wait_until_it_listens();
    table.state("recovering", url(&server), &not_serving("57P03"));
    server.stop();
}

/// A conversation that has come as far as a message of this type.
fn session(server: &Daemon, until: u8) -> TcpStream {
    const STARTUP: &[u8] = b"\0\0\0\x17\0\x03\0\0user\0postgres\0\0";
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.write_all(STARTUP).unwrap();
    loop {
        let mut head = [0; 5];
        stream.read_exact(&mut head).unwrap();
        let [kind, length @ ..] = head;
        if kind == until {
            return stream;
        }
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap();
        stream.read_exact(&mut vec![0; length - 4]).unwrap();
    }
}

/// A cluster's files.
struct Cluster {
    home: tempfile::TempDir,
    programs: PathBuf,
}

impl Cluster {
    fn new() -> Self {
        let cluster = Self {
            home: folder(),
            programs: programs(),
        };
        let data = cluster.data();
        let arguments = ["-A", "trust", "--no-sync", "--username=postgres", "-D"];
        output(cluster.command("initdb", &arguments).arg(data));
        cluster
    }

    fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn command(&self, name: &str, arguments: &[&str]) -> std::process::Command {
        let program = self.programs.join(name);
        let mut command = as_user("postgres", program.to_str().unwrap(), self.home.path());
        command.args(arguments);
        command
    }

    /// Starts a server with this `pg_hba.conf` and these settings.
    fn start(&self, access: &str, settings: &[&str]) -> Daemon {
        let server = self.launch(access, settings);
        eventually("PostgreSQL", || {
            server.log_text().contains("ready to accept connections")
        });
        server
    }

    fn launch(&self, access: &str, settings: &[&str]) -> Daemon {
        let port = free_port();
        let home = self.home.path();
        let hba = home.join(format!("hba-{port}"));
        fs::write(&hba, access).unwrap();
        let mut command = self.command("postgres", &["-p", &port.to_string(), "-k", "", "-D"]);
        command.arg(self.data());
        let hba = format!("hba_file={}", hba.display());
        let own = ["listen_addresses=127.0.0.1", "fsync=off", &hba];
        for setting in own.iter().chain(settings) {
            command.args(["-c", setting]);
        }
        Daemon::launch(&mut command, home, port)
    }
}

/// Where the newest server's programs are. Debian has a folder for each version, and none of
/// them is where commands are looked for.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let programs = versions.map(|version| version.unwrap().path().join("bin"));
    programs
        .filter(|folder| folder.join("initdb").is_file())
        .max()
        .unwrap_or_else(|| Path::new("").to_owned())
}
