use std::cell::RefCell;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tempfile::TempDir;

use crate::kit::dns::{self, Question, Reply};
use crate::kit::log::Log;
use crate::kit::peer::Peer;
use crate::kit::server::{self};
use crate::kit::step::Preflight;
use crate::local_service::LocalService;

/// The dependency.
pub(crate) const DEP: &str = "10.77.1.1";
/// Another one.
pub(crate) const OTHER: &str = "10.77.1.2";
/// The control address, and the forge.
pub(crate) const FORGE: &str = "10.77.2.1";
/// The forge's address.
pub(crate) const FORGE_URL: &str = "http://10.77.2.1";
/// The proxy.
pub(crate) const PROXY: &str = "10.77.3.1";
/// The name server.
pub(crate) const DNS: &str = "10.77.53.1";
/// An address from which nothing comes back, once [`Lab::new`] has made it so.
pub(crate) const HOLE: &str = "10.77.9.1";
/// The dependency by IPv6.
pub(crate) const DEP6: &str = "fd77:0:0:1::1";
/// The name server by IPv6.
pub(crate) const DNS6: &str = "fd77:0:0:1::53";
/// [`HOLE`] by IPv6.
pub(crate) const HOLE6: &str = "fd77:0:0:9::1";

/// Connections and requests; questions by UDP and by TCP.
type Counters = Box<dyn Fn() -> (usize, usize)>;

/// The world and the runner of one row. This process is in the world.
pub(crate) struct Lab {
    home: TempDir,
    /// Keeps the runner's namespaces, until it is dropped.
    holder: Child,
    /// For each server of the world its label, and how often it was asked for what.
    seen: RefCell<Vec<(&'static str, Counters)>>,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let home = TempDir::new().unwrap();
        let etc = home.path().join("etc");
        fs::create_dir(&etc).unwrap();
        fs::write(etc.join("resolv.conf"), format!("nameserver {DNS}\n")).unwrap();
        fs::write(etc.join("hosts"), "127.0.0.1 localhost\n::1 localhost\n").unwrap();
        sh(Command::new("sh"), WORLD);
        let mut holder = Command::new("unshare")
            .args(["-n", "-m", "sh", "-ec"])
            .arg("mount --bind \"$0\" /etc; echo; exec cat")
            .arg(&etc)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(holder.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        assert_eq!(line, "\n", "the runner's namespace was not made");
        let lab = Self {
            home,
            holder,
            seen: RefCell::default(),
        };
        let pid = lab.holder.id();
        world(&format!(
            "ip link add up0 address 02:77:00:00:00:01 type veth \
                 peer name eth0 address 02:77:00:00:00:02 netns {pid}
             ip addr add 10.77.0.1/24 dev up0; ip addr add fd77::1/64 dev up0 nodad
             ip link set up0 up"
        ));
        lab.runner(
            "ip link set lo up; ip link set eth0 up
             ip addr add 10.77.0.2/24 dev eth0; ip addr add fd77::2/64 dev eth0 nodad
             ip route add default via 10.77.0.1; ip route add default via fd77::1
             for peer in 10.77.0.1 fd77::1; do
                 ip neigh add $peer lladdr 02:77:00:00:00:01 dev eth0 nud permanent
             done
             until ip link show eth0 | grep -q 'state UP'; do sleep 0.01; done",
        );
        // Neighbours are known and the line stands: the first packet is not late.
        world(
            "for peer in 10.77.0.2 fd77::2; do
                 ip neigh add $peer lladdr 02:77:00:00:00:02 dev up0 nud permanent
             done
             until ip link show up0 | grep -q 'state UP'; do sleep 0.01; done",
        );
        lab
    }

    /// The words in front of a command that runs in the runner's namespaces.
    fn entry(&self) -> [String; 3] {
        let pid = self.holder.id();
        [
            "nsenter".to_owned(),
            format!("--net=/proc/{pid}/ns/net"),
            format!("--mount=/proc/{pid}/ns/mnt"),
        ]
    }

    /// A command that runs in the runner's namespaces. Its process ID is that of `program`.
    pub(crate) fn in_runner(&self, program: impl AsRef<Path>) -> Command {
        let entry = self.entry();
        let mut command = Command::new(&entry[0]);
        command.args(&entry[1..]).arg(program.as_ref());
        command
    }

    /// Does something to the runner.
    pub(crate) fn runner(&self, script: &str) {
        sh(self.in_runner("sh"), script);
    }

    /// A rule of the runner's packet filter: `input` or `output`.
    pub(crate) fn runner_filter(&self, hook: &str, rule: &str) {
        self.runner(&filter(hook, rule));
    }

    /// How many packets the runner's rules with a counter have seen.
    pub(crate) fn runner_counted(&self) -> u64 {
        let listed = self.in_runner("nft").args(["list", "ruleset"]).output();
        let listed = String::from_utf8(listed.unwrap().stdout).unwrap();
        let counts = listed.split("packets ").skip(1);
        counts
            .filter_map(|rest| rest.split(' ').next()?.parse::<u64>().ok())
            .sum()
    }

    /// Writes a file of the runner's `/etc`.
    pub(crate) fn etc(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.home.path().join("etc").join(name), content).unwrap();
    }

    /// Takes a file out of the runner's `/etc`.
    pub(crate) fn without_etc(&self, name: &str) {
        fs::remove_file(self.home.path().join("etc").join(name)).unwrap();
    }

    /// Names with addresses, in the runner's `/etc/hosts`.
    pub(crate) fn hosts(&self, lines: &[&str]) {
        self.etc("hosts", lines.join("\n") + "\n");
    }

    /// A path for files of this row.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A named pipe that nobody reads or writes.
    pub(crate) fn fifo(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        path
    }

    /// A server in the world, at an address with a port.
    pub(crate) fn server(
        &self,
        label: &'static str,
        at: &str,
        play: impl Fn(&mut Peer) + Send + Sync + 'static,
    ) -> Arc<Log> {
        let log = server::serve(at, play);
        self.watch(label, &log);
        log
    }

    /// Counts who comes to a server of the world.
    pub(crate) fn watch(&self, label: &'static str, log: &Arc<Log>) {
        let kept = Arc::clone(log);
        self.count(label, move || (kept.connections(), kept.requests()));
    }

    /// The dependency at port 80, with one answer for everybody.
    pub(crate) fn dep(&self, status: u16) -> Arc<Log> {
        self.server("dep", &format!("{DEP}:80"), move |peer| peer.status(status))
    }

    /// The control address at port 80.
    pub(crate) fn control(&self, play: impl Fn(&mut Peer) + Send + Sync + 'static) -> Arc<Log> {
        self.server("control", &format!("{FORGE}:80"), play)
    }

    /// The name server, by UDP and TCP.
    pub(crate) fn names(
        &self,
        at: &str,
        answer: impl Fn(&Question) -> Reply + Send + Sync + 'static,
    ) -> Arc<dns::Log> {
        let log = dns::start(at, answer);
        let kept = Arc::clone(&log);
        self.count("dns", move || (kept.by_udp(), kept.by_tcp()));
        log
    }

    fn count(&self, label: &'static str, counters: impl Fn() -> (usize, usize) + 'static) {
        self.seen.borrow_mut().push((label, Box::new(counters)));
    }

    /// A service on the runner's own loopback.
    pub(crate) fn local_service(&self, spec: &str) -> LocalService {
        LocalService::start(self, spec)
    }

    /// A step on the runner, with one target.
    pub(crate) fn step(&self, url: &str) -> Preflight {
        self.place(Preflight::probing(url))
    }

    /// A step on the runner, with several targets: names with addresses.
    pub(crate) fn steps(&self, targets: &[(&str, &str)]) -> Preflight {
        self.place(Preflight::targets(targets))
    }

    /// On the runner, with one attempt per target, no control address and no forge.
    fn place(&self, step: Preflight) -> Preflight {
        let report = step.path("report.json");
        step.launched_by(self.entry())
            .set("report-file", report.display())
            .set("control", "off")
            .set("timeout", "1500ms")
            .set("interval", "100ms")
            .set("deadline", "20s")
    }

    /// Who came to each server.
    pub(crate) fn seen(&self) -> String {
        let seen = self.seen.borrow();
        let seen = seen.iter().map(|(label, counters)| {
            let (first, second) = counters();
            format!("{label} {first}/{second}")
        });
        seen.collect::<Vec<_>>().join(" ")
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // With it go the runner's namespaces.
        drop(self.holder.stdin.take());
        self.holder.wait().ok();
    }
}

/// All these addresses are the world's; from those with a 9 nothing comes back.
const WORLD: &str = "
    ip link set lo up
    for net in 1 2 3 9 53; do ip route add local 10.77.$net.0/24 dev lo; done
    for host in 1::1 1::53 9::1; do ip addr add fd77:0:0:$host/128 dev lo nodad; done
    nft 'add table inet holes; add chain inet holes input { type filter hook input priority 0; }
         add rule inet holes input ip daddr 10.77.9.0/24 drop
         add rule inet holes input ip6 daddr fd77:0:0:9::/64 drop'
";

/// Does something to the world.
pub(crate) fn world(script: &str) {
    sh(Command::new("sh"), script);
}

/// A rule of the world's packet filter: `input` or `output`.
pub(crate) fn world_filter(hook: &str, rule: &str) {
    world(&filter(hook, rule));
}

fn filter(hook: &str, rule: &str) -> String {
    let chain = format!("{{ type filter hook {hook} priority 0; }}");
    format!(
        "nft 'add table inet f; add chain inet f {hook} {chain}; add rule inet f {hook} {rule}'"
    )
}

fn sh(mut shell: Command, script: &str) {
    let done = shell.args(["-ec", script]).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{script}\n{said}");
}
