//! gRPC: Google's server for Python, with its own health service.

use std::path::{Path, PathBuf};

use crate::daemon::{Daemon, at, folder, free_port, output, write_identity};
use crate::table::{Table, down, not_serving, up};

/// In this repository.
const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/services/grpc/server.py");

pub(crate) fn play(table: &mut Table) {
    let home = folder();
    let version = "import grpc; print(grpc.__version__)";
    table.version(output(at(&python(), home.path()).args(["-c", version])));
    let url = |daemon: &Daemon| format!("grpc://127.0.0.1:{}", daemon.port());

    let serving = server("serving", home.path());
    table.state("serving", url(&serving), &up("OK"));
    table.log("serving, again", url(&serving), &serving, 0);
    let service = format!("{}/my.Service", url(&serving));
    table.state("a service of it", service, &up("OK"));
    let unknown = format!("{}/no.Service", url(&serving));
    table.state("a service that it has not", unknown, &up("NOT_FOUND"));
    let encrypted = format!("grpcs://127.0.0.1:{}", serving.port());
    table.state("asked in TLS", encrypted, &down("tls", ""));
    let address = url(&serving);
    serving.stop();
    table.state("stopped", address, &down("refused", ""));

    for (state, wanted) in [
        ("not-serving", not_serving("NOT_SERVING")),
        ("unavailable", not_serving("UNAVAILABLE")),
        ("token", up("UNAUTHENTICATED")),
        ("bare", up("UNIMPLEMENTED")),
    ] {
        let server = server(state, home.path());
        table.state(state, url(&server), &wanted);
    }

    let refusing = server("token", home.path());
    table.log("token, again", url(&refusing), &refusing, 0);

    write_identity(home.path());
    let encrypted = server("tls", home.path());
    let address = format!("grpcs://127.0.0.1:{}", encrypted.port());
    table.tls("TLS", address, &up("OK"));
    table.state("TLS, asked in clear", url(&encrypted), &down("closed", ""));
}

/// The one of the virtual environment that scripts/test makes.
fn python() -> PathBuf {
    let python = [
        env!("CARGO_MANIFEST_DIR"),
        ".tools",
        "grpc",
        "bin",
        "python",
    ];
    let python: PathBuf = python.iter().collect();
    let shown = python.display();
    assert!(
        python.exists(),
        "there is no {shown}; scripts/test installs it"
    );
    python
}

fn server(state: &str, home: &Path) -> Daemon {
    let port = free_port();
    let mut python = at(&python(), home);
    python.args([SERVER, state, &port.to_string()]);
    Daemon::start(&mut python, home, port)
}
