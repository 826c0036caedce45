use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use tempfile::TempDir;
use tokio::net::TcpSocket;

use crate::kit::certificates::{Certified, Identity, trusted_pem};
use crate::kit::program;
use crate::kit::running::eventually;
use crate::kit::server::{Refusing, Server};
use crate::process::{self, Process};

/// What listens where: the placeholders in nginx.conf.
const LISTENERS: [&str; 4] = ["PLAIN", "TLS", "EXPIRED", "HTTP2"];

/// Between choosing a port and listening on it somebody else may take it.
const CHANCES: usize = 10;

/// A real nginx with a directory and ports of its own. It ends when it is dropped.
pub(crate) struct Nginx {
    process: Process,
    site: Site,
}

/// An nginx that was stopped; its plain port stays empty until it is started again.
pub(crate) struct Stopped {
    site: Site,
    port: TcpSocket,
}

/// What an nginx serves, and where.
struct Site {
    prefix: TempDir,
    ports: Vec<u16>,
    /// The upstream that is gone.
    dead: Refusing,
    /// The upstream that never answers.
    silent: Server,
}

impl Nginx {
    pub(crate) fn start() -> Self {
        let chosen = (0..CHANCES).find_map(|_| {
            let site = Site::new();
            site.run().map(|process| Self { process, site })
        });
        chosen.expect("nginx has ports that nobody else takes first")
    }

    /// An address on the listener that speaks plain HTTP.
    pub(crate) fn plain(&self, path: &str) -> String {
        self.site.at("http", "PLAIN", path)
    }

    /// The same listener, asked to speak TLS.
    pub(crate) fn tls_on_plain(&self) -> String {
        self.site.at("https", "PLAIN", "/")
    }

    /// With a certificate of the private authority.
    pub(crate) fn tls(&self) -> String {
        self.site.at("https", "TLS", "/")
    }

    /// The same listener, asked to speak plain HTTP.
    pub(crate) fn plain_on_tls(&self) -> String {
        self.site.at("http", "TLS", "/")
    }

    /// With a certificate of the same authority that is long out of date.
    pub(crate) fn expired(&self) -> String {
        self.site.at("https", "EXPIRED", "/")
    }

    pub(crate) fn http2(&self) -> String {
        self.site.at("https", "HTTP2", "/")
    }

    /// The PEM file of the private authority.
    pub(crate) fn authority(&self) -> PathBuf {
        self.site.file("authority.pem")
    }

    /// Asserts that nginx has logged a request like this, and none that carried what a
    /// probe must not carry.
    #[track_caller]
    pub(crate) fn was_asked(&self, request: &str) {
        let path = self.site.file("access.log");
        let read = || fs::read_to_string(&path).unwrap_or_default();
        eventually(request, || read().contains(request));
        let agent = concat!("dep-preflight/", env!("CARGO_PKG_VERSION"), "|-|-|-|");
        for line in read().lines() {
            assert!(line.ends_with(agent), "{line}");
        }
    }

    /// Stops it, and keeps its plain port from everybody else.
    pub(crate) fn stop(self) -> Stopped {
        let Self { process, site } = self;
        drop(process);
        let port = TcpSocket::new_v4().unwrap();
        // Connections that have just ended do not hold the port.
        port.set_reuseaddr(true).unwrap();
        let address = ([127, 0, 0, 1], site.port("PLAIN")).into();
        port.bind(address).unwrap();
        Stopped { site, port }
    }
}

impl Stopped {
    /// Where its listener that spoke plain HTTP was.
    pub(crate) fn plain(&self, path: &str) -> String {
        self.site.at("http", "PLAIN", path)
    }

    /// Starts it again, with the same ports.
    pub(crate) fn start(self) -> Nginx {
        let Self { site, port } = self;
        drop(port);
        let process = site.run().expect("nobody else takes its ports meanwhile");
        Nginx { process, site }
    }
}

impl Site {
    fn new() -> Self {
        // All at once, so that no port is chosen twice.
        let free: Vec<_> = LISTENERS
            .map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap())
            .into();
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        let site = Self {
            prefix: TempDir::new().unwrap(),
            ports: free.iter().map(port).collect(),
            dead: Refusing::new(),
            silent: Server::silent().maybe(),
        };
        site.furnish();
        site
    }

    fn furnish(&self) {
        let mut text = include_str!("nginx.conf")
            .replace("@DEAD@", &self.dead.host())
            .replace("@SILENT@", &self.silent.host());
        for name in LISTENERS {
            text = text.replace(&format!("@{name}@"), &self.port(name).to_string());
        }
        let write = |name: &str, content: &str| fs::write(self.file(name), content).unwrap();
        write("nginx.conf", &text);
        fs::create_dir(self.file("html")).unwrap();
        write("html/index.html", "well\n");
        write("html/limited", "well\n");
        write("users", "somebody:{PLAIN}something\n");
        write("authority.pem", &trusted_pem());
        for (name, certified) in [("good", Certified::Well), ("expired", Certified::Expired)] {
            let Identity { certificate, key } = Identity::new("127.0.0.1", certified);
            write(&format!("{name}.pem"), &certificate.pem());
            write(&format!("{name}.key"), &key.serialize_pem());
        }
    }

    /// Starts nginx; none if a port was taken meanwhile.
    fn run(&self) -> Option<Process> {
        let program = program::find("nginx").unwrap_or_else(|why| panic!("{why}"));
        let mut command = process::isolated(program, self.prefix.path());
        command
            .arg("-p")
            .arg(self.prefix.path())
            .args(["-c", "nginx.conf"]);
        let mut process = Process::start(&mut command, self.prefix.path());
        // The file is written once every port is listened on.
        let pid = self.file("nginx.pid");
        let mut ended = false;
        eventually("nginx", || {
            ended = process.ended().is_some();
            ended || fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n'))
        });
        if !ended {
            return Some(process);
        }
        let read = |name: &str| fs::read_to_string(self.file(name)).unwrap_or_default();
        let said = read("stderr") + &read("error.log");
        assert!(said.contains("Address already in use"), "nginx: {said}");
        None
    }

    fn file(&self, name: &str) -> PathBuf {
        self.prefix.path().join(name)
    }

    fn port(&self, name: &str) -> u16 {
        let place = LISTENERS.iter().position(|&listener| listener == name);
        self.ports[place.unwrap()]
    }

    fn at(&self, scheme: &str, listener: &str, path: &str) -> String {
        format!("{scheme}://127.0.0.1:{}{path}", self.port(listener))
    }
}
