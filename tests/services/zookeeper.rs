//! ZooKeeper: alone, and in an ensemble whose other servers are gone.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use crate::daemon::{Daemon, folder, free_port};
use crate::jvm;
use crate::kit::running::eventually;
use crate::table::{Table, down, not_serving, up};

/// Where Debian's packages put it, and what writes its log: info and worse to stderr.
const JARS: &str = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar";

pub(crate) fn play(table: &mut Table) {
    let home = folder();
    let url = |daemon: &Daemon| format!("zookeeper://127.0.0.1:{}", daemon.port());

    let alone = server(home.path(), "alone", "");
    // It listens before it serves, and says so.
    eventually("the end of the start", || {
        srvr(alone.port()).starts_with("Zookeeper version")
    });
    // `Zookeeper version: 3.8.0-…, built on …`
    let answer = srvr(alone.port());
    table.version(answer.split([' ', '-', ',']).nth(2).unwrap_or_default());
    table.state("alone", url(&alone), &up(""));
    table.log("alone, again", url(&alone), &alone, 20);
    let address = url(&alone);
    alone.stop();
    table.state("stopped", address, &down("refused", ""));

    let mut ensemble = "initLimit=5\nsyncLimit=2\n".to_owned();
    for number in 1..=3 {
        let (between, election) = (free_port(), free_port());
        let _ = writeln!(ensemble, "server.{number}=127.0.0.1:{between}:{election}");
    }
    let lost = server(home.path(), "lost", &ensemble);
    table.state("without a quorum", url(&lost), &not_serving(""));
}

fn server(home: &Path, name: &str, more: &str) -> Daemon {
    let (port, data) = (free_port(), home.join(name));
    fs::create_dir(&data).unwrap();
    fs::write(data.join("myid"), "1\n").unwrap();
    let configuration = format!(
        "tickTime=2000\ndataDir={}\nclientPort={port}\nclientPortAddress=127.0.0.1\n\
         admin.enableServer=false\n{more}",
        data.display()
    );
    fs::write(data.join("zoo.cfg"), configuration).unwrap();
    let mut java = jvm::java(JARS, home);
    java.arg("org.apache.zookeeper.server.quorum.QuorumPeerMain");
    java.arg(data.join("zoo.cfg"));
    Daemon::start(&mut java, home, port)
}

/// What it answers to `srvr`.
fn srvr(port: u16) -> String {
    let mut answer = String::new();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    // One that is asked too early may never answer.
    let patience = Some(Duration::from_secs(2));
    stream.set_read_timeout(patience).unwrap();
    stream.write_all(b"srvr").ok();
    stream.read_to_string(&mut answer).ok();
    answer
}
