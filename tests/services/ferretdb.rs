//! FerretDB, which speaks MongoDB's protocol. mongod itself is in no package that the tests could
//! install; its answers are recorded documents beside the code.

use std::fs;

use crate::daemon::{Daemon, command, folder, free_port};
use crate::table::{Table, down, up};

pub(crate) fn play(table: &mut Table) {
    let home = folder();
    let modules = include_str!("ferretdb/go.mod");
    let version = modules
        .lines()
        .find_map(|line| line.strip_prefix("require github.com/FerretDB/FerretDB v"));
    table.version(version.unwrap());
    let data = home.path().join("data");
    fs::create_dir(&data).unwrap();
    let port = free_port();
    let mut ferretdb = command("ferretdb", home.path());
    ferretdb.arg(format!("127.0.0.1:{port}")).arg(&data);
    let server = Daemon::start(&mut ferretdb, home.path(), port);
    let url = format!("mongodb://127.0.0.1:{port}");
    table.state("open", &url, &up(""));
    // As for any connection: it began, it ended.
    table.log("open, again", &url, &server, 2 * 20);
    server.stop();
    table.state("stopped", &url, &down("refused", ""));
}
