//! `dep-preflight demo`: six services on this machine, and what a user would see of them.

use std::io;
use std::sync::Arc;

use tokio::io::Interest;
use tokio::net::{TcpListener, TcpStream};

use crate::durations::DEADLINE;
use crate::forge::Job;
use crate::inputs::resolve::Surroundings;
use crate::inputs::{Problems, RawInputs, resolve};
use crate::net::Network;
use crate::net::client::NetworkError;
use crate::report::claim::Claim;
use crate::report::model::Start;
use crate::report::{Failure, Report, Sinks, annotations, publish, summary};
use crate::run::Run;
use crate::run::signals::Signals;
use crate::screen::Screen;

/// How a service of the demonstration behaves.
#[derive(Debug, Clone, Copy)]
enum Service {
    /// It answers whatever comes with these bytes, and closes.
    Answers(&'static [u8]),
    Hangs,
}

/// Name, scheme and behaviour; the bytes are those of real servers.
const SERVICES: [(&str, &str, Service); 5] = [
    (
        "healthy",
        "http",
        Service::Answers(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
    ),
    (
        "wants-a-login",
        "redis",
        Service::Answers(b"-NOAUTH Authentication required.\r\n"),
    ),
    (
        "starting",
        "postgres",
        // An ErrorResponse: its length, itself included, then a letter before each text.
        Service::Answers(
            b"E\0\0\0\x3eSFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0",
        ),
    ),
    (
        "broken",
        "http",
        Service::Answers(
            b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        ),
    ),
    ("hanging", "http", Service::Hangs),
];

/// Why there is nothing to be seen.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("no service can be started on 127.0.0.1: {0}")]
    Service(#[from] io::Error),
    #[error("its own configuration is refused: {0}")]
    Inputs(#[from] Problems),
    #[error(transparent)]
    Network(#[from] NetworkError),
}

/// Runs it. The exit status is 0 unless the demonstration itself fails.
pub(crate) fn run(start: Start, sinks: &Sinks) -> u8 {
    let latest = start.instant + DEADLINE;
    let shown = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(DemoError::from)
        .and_then(|runtime| runtime.block_on(show(start, &sinks.screen)));
    match shown {
        Ok(()) => {
            sinks.screen.close(false, latest);
            0
        }
        Err(why) => sinks.failed(&Failure::internal(why), latest),
    }
}

async fn show(start: Start, screen: &Screen) -> Result<(), DemoError> {
    let mut targets = String::new();
    for (name, scheme, service) in SERVICES {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        targets.push_str(&format!("{name}: {scheme}://{address}/\n"));
        tokio::spawn(serve(listener, service));
    }
    // A port that was free a moment ago, and on which nobody listens any more.
    let gone = TcpListener::bind("127.0.0.1:0").await?;
    targets.push_str(&format!("gone: http://{}/\n", gone.local_addr()?));
    drop(gone);

    let raw = RawInputs::default()
        .with("targets", &targets)
        .with("timeout", "1s")
        .with("attempts", "2")
        .with("interval", "200ms")
        .with("deadline", "20s");
    let inputs = resolve(raw, &[], Surroundings::default())?;
    let network = Arc::new(Network::without_proxies()?);
    for line in [
        "Six services on this machine: one is healthy, a Redis wants a login, a PostgreSQL is",
        "starting, one answers 503, one hangs, one is gone. This is what their users would see",
        "in the log of the step:",
        "",
    ] {
        screen.line(line);
    }
    // The log alone: the rest is shown below, and is for nobody's forge.
    let sinks = Sinks::log(screen.clone(), false, Claim::default());
    let job = Job::from_env(&[]);
    let run = Run::new(start, inputs, &job, screen, network);
    let mut found = run.find_out(&mut Signals::listen()).await;
    publish(&mut found.report, &sinks, &found.time).await;
    show_beside(screen, &found.report);
    Ok(())
}

/// Shows what a forge would show beside the log.
fn show_beside(screen: &Screen, report: &Report) {
    screen.line("");
    screen.line("Annotations, on the run's page of forges that show them:");
    screen.line("");
    for line in annotations::render(report, annotations::Reserved::default()) {
        screen.line(format!("  > {line}"));
    }
    screen.line("");
    screen.line("The job summary, which the forge shows as a page:");
    screen.line("");
    for line in summary::render(report).lines() {
        screen.line(format!("  {line}"));
    }
    screen.line("");
    screen.line(format!(
        "As a step, this would have ended with exit code {} ({}). The demonstration ends with 0.",
        report.exit.code(),
        report.exit.result.as_str()
    ));
}

async fn serve(listener: TcpListener, service: Service) {
    let mut kept = Vec::new();
    while let Ok((stream, _)) = listener.accept().await {
        match service {
            // An answer that fails leaves a prober who sees that it failed.
            Service::Answers(bytes) => drop(answer(&stream, bytes).await),
            Service::Hangs => kept.push(stream),
        }
    }
}

async fn answer(stream: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    let mut request = [0; 4096];
    loop {
        stream.ready(Interest::READABLE).await?;
        match stream.try_read(&mut request) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => {
                read?;
                break;
            }
        }
    }
    stream.ready(Interest::WRITABLE).await?;
    stream.try_write(bytes)?;
    Ok(())
}
