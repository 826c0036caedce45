//! `dep-preflight demo`: five services on this machine, and what a user would see of them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::{TcpListener, TcpStream};

use crate::exit::RunResult;
use crate::forge::RunnerEnv;
use crate::inputs::resolve::Surroundings;
use crate::inputs::{RawInputs, resolve};
use crate::net::Network;
use crate::report::model::Start;
use crate::report::{annotations, summary};
use crate::run::Run;
use crate::run::watchdog::Watchdog;
use crate::screen::{Screen, Tone};

/// How a service of the demonstration behaves.
#[derive(Debug, Clone, Copy)]
enum Service {
    Answers(&'static str),
    Hangs,
}

const SERVICES: [(&str, Service); 4] = [
    ("healthy", Service::Answers("200 OK")),
    ("wants-a-login", Service::Answers("401 Unauthorized")),
    ("broken", Service::Answers("503 Service Unavailable")),
    ("hanging", Service::Hangs),
];

/// Runs it. The exit status is 0 unless the demonstration itself fails.
#[must_use]
pub(crate) fn run(start: Start, screen: &Screen, watchdog: &Watchdog) -> u8 {
    let shown = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(show(start, screen, watchdog)));
    if let Err(why) = &shown {
        screen.toned(
            format!("dep-preflight: the demonstration failed: {why}"),
            Tone::Bad,
        );
    }
    let status = if shown.is_ok() {
        0
    } else {
        RunResult::Error.code()
    };
    screen.close(status != 0, start.instant + Duration::from_secs(60));
    status
}

async fn show(start: Start, screen: &Screen, watchdog: &Watchdog) -> Result<(), String> {
    let failed = |error: io::Error| format!("no service can be started on 127.0.0.1: {error}");
    let mut targets = String::new();
    for (name, service) in SERVICES {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        targets.push_str(&format!("{name}: http://{address}/\n"));
        tokio::spawn(serve(listener, service));
    }
    // A port that was free a moment ago, and on which nobody listens any more.
    let gone = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
    targets.push_str(&format!(
        "gone: http://{}/\n",
        gone.local_addr().map_err(failed)?
    ));
    drop(gone);

    let raw = RawInputs {
        targets: Some(targets.clone()),
        timeout: Some("1s".to_owned()),
        attempts: Some("2".to_owned()),
        interval: Some("200ms".to_owned()),
        deadline: Some("20s".to_owned()),
        ..RawInputs::default()
    };
    let inputs =
        resolve(raw, &[], &Surroundings::default()).map_err(|problems| problems.to_string())?;
    let network = Network::without_proxies().map_err(|error| error.to_string())?;
    screen
        .line("Five services on this machine: one is healthy, one wants a login, one answers 503,");
    screen
        .line("one hangs, one is gone. This is what their users would see in the log of the step:");
    screen.line("");
    let env = RunnerEnv {
        ci: Some("demo".to_owned()),
        ..RunnerEnv::default()
    };
    let step = Run::quiet(start, inputs, &env, screen, Arc::new(network), watchdog);
    let finding = step.run().await;
    screen.line("");
    screen.line("Annotations, on the run's page of forges that show them:");
    screen.line("");
    for line in annotations::render(&finding.report, annotations::Reserved::default()) {
        screen.line(format!("  > {line}"));
    }
    screen.line("");
    screen.line("The job summary, which the forge shows as a page:");
    screen.line("");
    for line in summary::render(&finding.report).lines() {
        screen.line(format!("  {line}"));
    }
    screen.line("");
    screen.line(format!(
        "As a step, this would have ended with exit code {} ({}). The demonstration ends with 0.",
        finding.exit.code(),
        finding.exit.result.as_str()
    ));
    Ok(())
}

async fn serve(listener: TcpListener, service: Service) {
    let mut kept = Vec::new();
    while let Ok((stream, _)) = listener.accept().await {
        match service {
            // An answer that fails leaves a prober who sees that it failed.
            Service::Answers(status) => drop(answer(&stream, status).await),
            Service::Hangs => kept.push(stream),
        }
    }
}

async fn answer(stream: &TcpStream, status: &str) -> io::Result<()> {
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
    let text = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.ready(Interest::WRITABLE).await?;
    stream.try_write(text.as_bytes())?;
    Ok(())
}
