use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, io, thread};

use crate::kit::dns::{self, Reply};
use crate::kit::running::eventually;
use crate::kit::server::{self, count, response};
use crate::lab::{DEP, Lab};

/// The environment variable that says which service is wanted.
pub(crate) const ROLE: &str = "FAULTS_LOCAL_SERVICE";

/// A service on the runner's own machine, in a process of its own. Gone when dropped.
pub(crate) struct LocalService {
    process: Child,
    requests: Arc<AtomicUsize>,
}

impl LocalService {
    /// `http ADDRESS STATUS`, `dns ADDRESS` (every name is the dependency's), or `hold
    /// ADDRESS` (a connection that stays open).
    pub(crate) fn start(lab: &Lab, spec: &str) -> Self {
        let mut process = lab
            .in_runner(env::current_exe().unwrap())
            .args(["matrix", "--exact", "--nocapture"])
            .env(ROLE, spec)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = lines
            .by_ref()
            .map_while(Result::ok)
            .any(|line| line == "@ready");
        assert!(ready, "no service inside: {spec}");
        let requests = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&requests);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if line == "@request" {
                    count(&counted);
                }
            }
        });
        Self { process, requests }
    }

    /// So many requests came, and no more. The service tells of them through a pipe, which may be
    /// read after the step has ended.
    #[track_caller]
    pub(crate) fn was_asked(&self, times: usize) {
        let requests = || self.requests.load(Ordering::SeqCst);
        eventually("the requests to the service inside", || requests() >= times);
        assert_eq!(requests(), times);
    }
}

impl Drop for LocalService {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().ok();
    }
}

/// The process of the service.
pub(crate) fn serve(spec: &str) {
    let words: Vec<_> = spec.split(' ').collect();
    let held;
    match words[..] {
        ["http", at, status] => {
            let status = status.parse().unwrap();
            held = None;
            server::serve(at, move |peer| {
                if peer.request().is_some() {
                    tell("@request");
                    peer.send(response(status, ""));
                }
            });
        }
        ["dns", at] => {
            held = None;
            dns::start(at, |question| {
                tell("@request");
                Reply::of(question, &[DEP])
            });
        }
        ["hold", to] => held = Some(TcpStream::connect(to).unwrap()),
        _ => panic!("{spec}"),
    }
    // libtest has begun a line.
    tell("\n@ready");
    let mut end = Vec::new();
    io::stdin().read_to_end(&mut end).unwrap();
    drop(held);
}

fn tell(line: &str) {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}
