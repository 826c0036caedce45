//! A server's bytes, over a real connection on loopback: the attempt ends in time, with a
//! verdict that follows from its own status, and nothing the server says gets out of place.
//!
//! Redirects are followed to the same server alone: a fuzzer must not ask anybody else.

use std::cell::Cell;
use std::net::SocketAddr;
use std::time::Duration;

use dep_preflight::facade::{
    Attempt, AttemptBudget, Attempts, Cause, Control, HttpProbe, Method, Network, Next, Policy,
    Probe, Pulse, Record, StatusSet, Target, log,
    model::{self, RunInfo, Start},
    verdict,
};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use super::{Feed, HEADER, SECRET, lines, render};

/// Addresses that are served: ports are used up one address at a time.
const SERVERS: u8 = 64;
/// How a connection of HTTP/2 begins.
const HTTP_2: &str = "PRI * ";
/// For servers that hang.
const SHORT: Duration = Duration::from_millis(25);
/// For the others.
const LONG: Duration = Duration::from_secs(20);
/// What a busy machine may add to either.
const SLACK: Duration = Duration::from_secs(30);

/// What never changes from input to input.
struct Stage {
    runtime: Runtime,
    network: Network,
    servers: Vec<TcpListener>,
    turn: Cell<usize>,
}

thread_local! {
    static STAGE: Stage = Stage::set();
}

impl Stage {
    fn set() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap_or_else(|error| panic!("{error}"));
        let servers = runtime.block_on(async {
            // A program whose `main` is libFuzzer's dies of writing to a closed connection; one
            // of Rust's does not.
            #[cfg(unix)]
            let _ = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::pipe());
            let mut servers = Vec::new();
            for last in 1..=SERVERS {
                let bound = TcpListener::bind(SocketAddr::from(([127, 0, 1, last], 0))).await;
                // Not every system has all of 127/8.
                servers.extend(bound);
            }
            if servers.is_empty() {
                servers.extend(TcpListener::bind("127.0.0.1:0").await);
            }
            servers
        });
        assert!(!servers.is_empty(), "no port on loopback");
        Self {
            runtime,
            network: Network::without_proxies().unwrap_or_else(|error| panic!("{error}")),
            servers,
            turn: Cell::new(0),
        }
    }
}

/// What the server does with its connections.
struct Play {
    answers: Vec<Vec<u8>>,
    /// Whether it keeps them open when it has said it all.
    hangs: bool,
    /// Whether secrets are whole wherever the server says them.
    whole: bool,
    /// Whether a redirect can lead elsewhere.
    stays: bool,
}

pub(crate) fn check(data: &[u8]) {
    STAGE.with(|stage| on_stage(stage, data));
}

fn on_stage(stage: &Stage, data: &[u8]) {
    let feed = &mut Feed::new(data);
    let play = play(feed);
    let turn = stage.turn.get();
    stage.turn.set(turn + 1);
    let server = &stage.servers[turn % stage.servers.len()];
    let turn = turn.to_string();
    let target = target(feed, server, &play, &turn);
    let Probe::Http(probe) = &target.probe else {
        unreachable!("it is asked in HTTP");
    };
    let start = Start::now();
    let pulse = Pulse::default();
    let budget = AttemptBudget {
        timeout: target.policy.timeout,
        latest: start.instant + LONG,
        pulse: &pulse,
    };
    let (attempt, requests) = stage.runtime.block_on(async {
        let mut requests = Vec::new();
        let attempt = tokio::select! {
            attempt = probe.attempt(&stage.network, budget) => attempt,
            () = serve(server, &play, &turn, &mut requests) => unreachable!("it serves for ever"),
        };
        (attempt, requests)
    });
    let took = start.instant.elapsed();
    assert!(took <= target.policy.timeout + SLACK, "it took {took:?}");
    asked(probe, &requests);
    sound(probe, &attempt);
    let hides = if play.whole {
        lines::hides
    } else {
        lines::hides_whole
    };
    printed(&target, attempt, start, hides);
}

/// Random bytes, or an answer that is put together well.
fn play(feed: &mut Feed<'_>) -> Play {
    let hangs = feed.choose(16) == 15;
    match feed.choose(4) {
        0 | 1 => {
            let answers: Vec<_> = (0..=feed.choose(2)).map(|_| said(feed.bytes())).collect();
            let stays = !answers.iter().any(|answer| {
                answer
                    .windows(8)
                    .any(|part| part.eq_ignore_ascii_case(b"location"))
            });
            Play {
                answers,
                hangs,
                whole: false,
                stays,
            }
        }
        2 => {
            // A page that repeats what it was asked, at any place of the part that is read.
            let (head, tail) = (feed.text(), feed.text());
            let filler = "x".repeat(feed.choose(256) * 4 + feed.choose(4));
            let echo = feed.pick(&[SECRET, HEADER, "", "Zq7"]);
            let body = format!("{head}{filler}{SECRET}{tail}{echo}{filler}");
            let kind = feed.pick(&["text/plain", "application/json", "text/html"]);
            let status = feed.pick(&[503, 200, 404, 599]);
            let answer = format!(
                "HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            Play {
                answers: vec![answer.into_bytes()],
                hangs,
                whole: echo != "Zq7",
                stays: true,
            }
        }
        _ => {
            let status = feed.pick(&[301, 302, 303, 307, 308]);
            let line = |text: String| text.replace(['\r', '\n'], "");
            let place = feed.pick(&["/a", "?", "#", "a/"]);
            let more = line(feed.text());
            let echo = if feed.flag() { SECRET } else { "" };
            let redirect = format!(
                "HTTP/1.1 {status} x\r\nLocation: {place}{more}{echo}\r\nContent-Length: 0\r\n\r\n"
            );
            let mut answers = vec![redirect.into_bytes()];
            if feed.flag() {
                answers.push(said(
                    b"HTTP/1.1 500 x\r\nContent-Type: text/plain\r\n\r\n$Q",
                ));
            }
            Play {
                answers,
                hangs,
                whole: true,
                stays: true,
            }
        }
    }
}

/// The fuzzer's bytes, with secrets where it wants them.
fn said(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        rest = match (first, after.first()) {
            (b'$', Some(b'Q')) => {
                out.extend_from_slice(SECRET.as_bytes());
                &after[1..]
            }
            (b'$', Some(b'H')) => {
                out.extend_from_slice(HEADER.as_bytes());
                &after[1..]
            }
            (b'J' | b'W' | b'X' | b'Z', _) => {
                out.push(first.to_ascii_lowercase());
                after
            }
            _ => {
                out.push(*first);
                after
            }
        };
    }
    out
}

fn target(feed: &mut Feed<'_>, server: &TcpListener, play: &Play, turn: &str) -> Target {
    let address = server
        .local_addr()
        .unwrap_or_else(|error| panic!("{error}"));
    let address = format!("http://{address}/p?key={SECRET}");
    let mut headers = HeaderMap::new();
    headers.insert("x-env", HeaderValue::from_static(HEADER));
    headers.insert(
        "x-turn",
        HeaderValue::from_str(turn).unwrap_or_else(|error| panic!("{error}")),
    );
    Target {
        name: "llm".to_owned(),
        required: feed.choose(4) != 3,
        known: None,
        policy: Policy {
            timeout: if play.hangs { SHORT } else { LONG },
            attempts: Attempts::AtMost(3),
            interval: Duration::ZERO,
        },
        probe: Probe::Http(HttpProbe {
            websocket: false,
            url: Url::parse(&address).unwrap_or_else(|error| panic!("{error}")),
            method: feed.pick(&[Method::Get, Method::Head, Method::Options]),
            headers,
            expect: match feed.choose(3) {
                0 => StatusSet::default(),
                1 => StatusSet::new(Vec::new()),
                _ => StatusSet::new(vec![(200, 299)]),
            },
            redirects: if play.stays {
                u32::try_from(feed.choose(6)).unwrap_or_default()
            } else {
                0
            },
        }),
    }
}

/// Serves for ever, one connection after the other.
async fn serve(server: &TcpListener, play: &Play, turn: &str, requests: &mut Vec<String>) {
    let mut open = Vec::new();
    let mut answers = play.answers.iter().cycle();
    let ours = format!("\r\nx-turn: {turn}\r\n");
    loop {
        let Ok((mut stream, _)) = server.accept().await else {
            continue;
        };
        // One of an earlier turn, which ran out of time before it was accepted, is not ours.
        let head = head(&mut stream).await;
        // HTTP/2 hides whose it is.
        let dialect = head.starts_with(HTTP_2);
        if !dialect && !head.contains(&ours) {
            continue;
        }
        let Some(answer) = answers.next() else { return };
        if !dialect {
            requests.push(head);
        }
        // The client may have heard enough.
        let _ = stream.write_all(answer).await;
        if play.hangs {
            open.push(stream);
        }
    }
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut buffer = [0; 4096];
    while !head.ends_with(b"\r\n\r\n") && !head.starts_with(HTTP_2.as_bytes()) {
        match stream.read(&mut buffer).await {
            Ok(count @ 1..) => head.extend_from_slice(&buffer[..count]),
            _ => break,
        }
    }
    let head = String::from_utf8_lossy(&head);
    if head.starts_with(HTTP_2) {
        return head.into_owned();
    }
    head.to_lowercase()
}

/// What was sent is what was meant to be.
fn asked(probe: &HttpProbe, requests: &[String]) {
    assert!(
        requests.len() <= 1 + probe.redirects as usize,
        "{} requests",
        requests.len()
    );
    for request in requests {
        let lines: Vec<_> = request.trim_end().split("\r\n").collect();
        let (first, fields) = lines.split_first().unwrap_or_else(|| panic!("no request"));
        assert_eq!(first.split(' ').count(), 3, "{request:?}");
        for field in fields {
            let (name, _) = field
                .split_once(':')
                .unwrap_or_else(|| panic!("{request:?}"));
            assert!(
                ["accept", "host", "user-agent", "x-env", "x-turn"].contains(&name),
                "{name:?} is sent"
            );
        }
    }
}

/// Cause, status and address agree with each other.
fn sound(probe: &HttpProbe, attempt: &Attempt) {
    let expected = attempt
        .http_status
        .map(|status| probe.expect.contains(status));
    match attempt.cause {
        None => assert_eq!(expected, Some(true), "{attempt:?}"),
        Some(Cause::Status) => assert_eq!(expected, Some(false), "{attempt:?}"),
        Some(
            Cause::Closed
            | Cause::Reset
            | Cause::Protocol
            | Cause::ResponseTimeout
            | Cause::ConnectTimeout,
        ) => assert_eq!(expected, None, "{attempt:?}"),
        Some(cause) => panic!("{cause} on loopback: {attempt:?}"),
    }
    if let Some(status) = attempt.http_status {
        assert!((100..=999).contains(&status), "{attempt:?}");
    }
    if attempt.cause != Some(Cause::Status) {
        assert_eq!(attempt.retry_after, None);
    }
    assert!(!attempt.evidence.remote, "life elsewhere: {attempt:?}");
    assert!(attempt.detail.chars().count() < 1000, "{attempt:?}");
    lines::clean(&attempt.detail);
}

/// All that is printed about it.
fn printed(target: &Target, attempt: Attempt, start: Start, hides: fn(&str)) {
    let ended = attempt.cause.map(|_| match attempt.retry_after {
        Some(asked) => Next::ToldToWait(asked),
        None => Next::UsedUp,
    });
    if let Some(next) = ended {
        let line = log::attempt(target, 1, &attempt, next);
        lines::log(&line);
        hides(&line);
    }
    let records = [Record {
        duration: attempt.duration,
        on_this_machine: true,
        ended,
        attempts: vec![attempt],
        ..Record::of(target)
    }];
    let outcome = verdict::conclude(&records, Control::Off, None, std::time::SystemTime::now());
    let report = model::build(start, outcome, RunInfo::default());
    render::told(&report, true, "report.json", hides);
}
