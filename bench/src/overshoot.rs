//! How long after its deadline the step is still there, in every way that a network can fail.
//!
//! All of it happens in a network namespace with a loopback device and nothing else, where
//! 127.0.0.1:53 is the name server that the step asks, and never answers.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::action::Job;
use crate::figures::{Table, median, ms, verdict};
use crate::process::{Sample, run, timed};
use crate::sys;
use crate::{Options, Result};

const DEADLINE: Duration = Duration::from_secs(3);
/// The most that is fine on an idle machine.
const TARGET: f64 = 50.0;
const SILENT_NAME: &str = "http://dependency.test/";

/// How a server treats who connects to it.
#[derive(Clone, Copy)]
enum Behaviour {
    /// Reads, and never says a word: also to a TLS hello.
    Silent,
    /// One byte of the head every 50 ms, for ever.
    Trickle,
    /// 503 and a body without end.
    Endless,
    /// Redirects to itself, 700 ms each.
    Redirects,
    /// 200 at once.
    Fine,
}

/// One failure mode.
struct Case {
    name: &'static str,
    inputs: Vec<(&'static str, String)>,
    /// Further variables of the runner.
    vars: Vec<(&'static str, String)>,
    stuck: Stuck,
}

/// Who of those that are told does not listen.
#[derive(Clone, Copy, PartialEq)]
enum Stuck {
    Nobody,
    Stdout,
    Outputs,
}

pub fn section(options: &Options) -> Result<String> {
    // A process of its own: only one without threads can move into a namespace.
    let ended = Command::new(std::env::current_exe()?)
        .arg("isolated")
        .args(&options.args)
        .stderr(Stdio::inherit())
        .output()?;
    if ended.status.success() {
        Ok(String::from_utf8(ended.stdout)?)
    } else {
        Err("the overshoot could not be measured; it needs root or user namespaces".into())
    }
}

/// The subcommand `isolated`: what [`section`] starts.
pub fn isolated(options: &Options) -> Result<()> {
    let job = Job::new(options, "overshoot")?;
    let resolv_conf = job.path("resolv.conf");
    fs::write(&resolv_conf, "nameserver 127.0.0.1\n")?;
    sys::isolate(resolv_conf.to_str().ok_or("a path that is no text")?)?;
    let _name_server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 53))?;
    let (dropping, _queue) = dropping()?;

    let mut table = Table::new(&[
        "what fails",
        "runs",
        "overshoot ms",
        "worst ms",
        "exit",
        "result",
        "cause",
        "",
    ]);
    for case in cases(dropping)? {
        let mut samples = Vec::new();
        for _ in 0..options.count(5, 1) {
            samples.push(once(&job, &case)?);
        }
        let over = || samples.iter().map(|one| ms(one.wall) - ms(DEADLINE));
        let worst = over().fold(f64::NEG_INFINITY, f64::max);
        let mut exits: Vec<_> = samples.iter().map(|one| one.status.to_string()).collect();
        exits.dedup();
        // A pipe that is not read cannot be asked for what was written to it.
        let output = |name: &str| match case.stuck {
            Stuck::Outputs => None,
            _ => job.output(name),
        };
        table.row(vec![
            case.name.to_owned(),
            samples.len().to_string(),
            format!("{:+.0}", median(over())),
            format!("{worst:+.0}"),
            exits.join(", "),
            output("result").unwrap_or_else(|| "-".to_owned()),
            output("cause").unwrap_or_else(|| "-".to_owned()),
            verdict(worst <= TARGET).to_owned(),
        ]);
    }
    println!(
        "{table}\nFrom before the process was started until it was gone, less the deadline: below \
         zero it ended in time. At most {TARGET} ms is the target."
    );
    Ok(())
}

fn once(job: &Job, case: &Case) -> Result<Sample> {
    job.fresh()?;
    let inputs: Vec<_> = case
        .inputs
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let mut command = job.step(&inputs);
    command.env("PREFLIGHT_DEADLINE", format!("{}s", DEADLINE.as_secs()));
    command.envs(case.vars.iter().map(|(name, value)| (name, value)));
    match case.stuck {
        Stuck::Nobody => run(&mut command, &job.said()),
        Stuck::Stdout => {
            let (_reader, writer) = sys::full_pipe()?;
            command.stdout(writer);
            timed(&mut command)
        }
        Stuck::Outputs => {
            let path = job.path("output");
            fs::remove_file(&path)?;
            sys::named_pipe(&path)?;
            let sample = run(&mut command, &job.said());
            fs::remove_file(&path)?;
            sample
        }
    }
}

fn cases(dropping: SocketAddr) -> Result<Vec<Case>> {
    let silent = serve(Behaviour::Silent)?;
    let trickle = serve(Behaviour::Trickle)?;
    let endless = serve(Behaviour::Endless)?;
    let redirects = serve(Behaviour::Redirects)?;
    let fine = serve(Behaviour::Fine)?;
    let refusing = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let http = |address: SocketAddr| format!("http://{address}/");
    let case = |name, url: String| Case {
        name,
        inputs: vec![("PREFLIGHT_URL", url), ("PREFLIGHT_NAME", "api".to_owned())],
        vars: Vec::new(),
        stuck: Stuck::Nobody,
    };
    let with = |mut case: Case, inputs: &[(&'static str, &str)]| {
        let inputs = inputs
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        case.inputs.extend(inputs);
        case
    };
    // A Gitea that hangs: asked for its version, for statuses, and as the control address.
    let forge = |mut case: Case| {
        case.inputs.push(("PREFLIGHT_TOKEN", "bench".to_owned()));
        case.inputs.push(("PREFLIGHT_CONTROL", String::new()));
        case.vars.push(("GITEA_ACTIONS", "true".to_owned()));
        let api = format!("http://{silent}/api/v1");
        case.vars.push(("GITHUB_API_URL", api));
        case
    };
    let stuck = |case: Case, stuck| Case { stuck, ..case };
    let many = |names: &[String]| {
        let line = |(index, url): (usize, &String)| format!("t{index}: {url}\n");
        let targets: String = names
            .iter()
            .cycle()
            .take(20)
            .enumerate()
            .map(line)
            .collect();
        vec![("PREFLIGHT_TARGETS", targets)]
    };
    let mixed = [
        SILENT_NAME.to_owned(),
        http(dropping),
        format!("https://{silent}/"),
        http(trickle),
        http(silent),
    ];
    let unlimited: &[_] = &[("PREFLIGHT_ATTEMPTS", "unlimited")];
    Ok(vec![
        case("name server silent", SILENT_NAME.to_owned()),
        case("SYN dropped", http(dropping)),
        case("TLS hello unanswered", format!("https://{silent}/")),
        case("request unanswered", http(silent)),
        case("head trickling", http(trickle)),
        with(case("503 with an endless body", http(endless)), unlimited),
        case("slow redirects", http(redirects)),
        with(
            case("refused, attempts unlimited", http(refusing)),
            &[
                ("PREFLIGHT_ATTEMPTS", "unlimited"),
                ("PREFLIGHT_INTERVAL", "1ms"),
            ],
        ),
        forge(case("forge API hanging, target up", http(fine))),
        forge(with(
            case("forge API hanging, target refused", http(refusing)),
            unlimited,
        )),
        forge(case(
            "forge API and name server hanging",
            SILENT_NAME.to_owned(),
        )),
        Case {
            inputs: many(&[http(silent)]),
            ..case("20 targets hanging", String::new())
        },
        stuck(
            case("stdout not read, target hanging", http(silent)),
            Stuck::Stdout,
        ),
        stuck(
            case("stdout not read, target up", http(fine)),
            Stuck::Stdout,
        ),
        stuck(
            case("outputs not read, target up", http(fine)),
            Stuck::Outputs,
        ),
        forge(stuck(
            Case {
                inputs: many(&mixed),
                ..case(
                    "all at once: 20 mixed, forge hanging, stdout not read",
                    String::new(),
                )
            },
            Stuck::Stdout,
        )),
    ])
}

/// An address whose accept queue is full: a SYN to it is dropped. The streams fill it.
fn dropping() -> Result<(SocketAddr, (TcpListener, Vec<TcpStream>))> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    sys::set_backlog(&listener, 0)?;
    let SocketAddr::V4(address) = listener.local_addr()? else {
        return Err("127.0.0.1 is IPv4".into());
    };
    let queue = (0..4)
        .map(|_| sys::connect(address).map(TcpStream::from))
        .collect::<std::io::Result<_>>()?;
    Ok((address.into(), (listener, queue)))
}

fn serve(behaviour: Behaviour) -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // It ends with an error when the other side goes, as it is meant to.
            thread::spawn(move || behave(behaviour, stream));
        }
    });
    Ok(address)
}

fn behave(behaviour: Behaviour, mut stream: TcpStream) -> std::io::Result<()> {
    let mut request = [0; 4096];
    if stream.read(&mut request)? == 0 {
        return Ok(());
    }
    match behaviour {
        Behaviour::Silent => while stream.read(&mut request)? > 0 {},
        Behaviour::Trickle => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nx-slow: ")?;
            loop {
                stream.write_all(b"a")?;
                thread::sleep(Duration::from_millis(50));
            }
        }
        Behaviour::Endless => {
            stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")?;
            let body = vec![b'x'; 65_536];
            loop {
                stream.write_all(&body)?;
            }
        }
        Behaviour::Redirects => {
            thread::sleep(Duration::from_millis(700));
            // Each hop has a path of its own: this is a chain, not a loop.
            let hops = request.iter().take_while(|byte| **byte != b'H');
            let path = "x".repeat(hops.filter(|byte| **byte == b'x').count() + 1);
            let head = "HTTP/1.1 302 Found\r\ncontent-length: 0\r\nconnection: close\r\n";
            stream.write_all(format!("{head}location: /{path}\r\n\r\n").as_bytes())?;
        }
        Behaviour::Fine => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
        }
    }
    Ok(())
}
