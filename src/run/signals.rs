//! SIGINT, SIGTERM and SIGHUP: asked to stop, the run reports what it has.

use crate::exit::Interrupt;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end a run early.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    int: Option<Signal>,
    #[cfg(unix)]
    term: Option<Signal>,
    #[cfg(unix)]
    hup: Option<Signal>,
}

impl Signals {
    /// Listens from now on. Where that is not possible, the system's own way of ending a
    /// process is left alone.
    #[cfg(unix)]
    pub(crate) fn listen() -> Self {
        Self {
            int: signal(SignalKind::interrupt()).ok(),
            term: signal(SignalKind::terminate()).ok(),
            hup: if ignores_hangup() {
                None
            } else {
                signal(SignalKind::hangup()).ok()
            },
        }
    }

    /// The next signal.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) -> Interrupt {
        tokio::select! {
            () = arrival(&mut self.int) => Interrupt::Sigint,
            () = arrival(&mut self.term) => Interrupt::Sigterm,
            () = arrival(&mut self.hup) => Interrupt::Sighup,
        }
    }

    /// Does the work, unless a signal comes first.
    pub(crate) async fn unless<T>(
        &mut self,
        work: impl Future<Output = T>,
    ) -> Result<T, Interrupt> {
        tokio::select! {
            biased;
            signal = self.next() => Err(signal),
            done = work => Ok(done),
        }
    }

    /// Listens from now on.
    #[cfg(not(unix))]
    pub(crate) fn listen() -> Self {
        Self {}
    }

    /// The next signal.
    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) -> Interrupt {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Interrupt::Sigint,
            Err(_) => std::future::pending().await,
        }
    }
}

/// Makes a file that grows beyond the limit of its size (`ulimit -f`) an error of the write, like a
/// full disk; by default the signal ends the process in the middle of it. Costs nothing where there
/// is no limit.
#[cfg(unix)]
pub(crate) fn survive_file_size_limit() {
    use rustix::process::{Resource, getrlimit};
    if getrlimit(Resource::Fsize).current.is_none() {
        return;
    }
    // The handler stays when its runtime is gone. Without one the signal does what it did.
    if let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
    {
        let _in_it = runtime.enter();
        let _ = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()));
    }
}

/// There is no such limit.
#[cfg(not(unix))]
pub(crate) fn survive_file_size_limit() {}

#[cfg(unix)]
async fn arrival(signal: &mut Option<Signal>) {
    if let Some(signal) = signal
        && signal.recv().await.is_some()
    {
        return;
    }
    std::future::pending::<()>().await;
}

/// Whether it was started to survive the end of its terminal, as by `nohup`: a process that
/// ignores the signal when it starts.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // The first bit is the first signal, and that is this one.
    mask.is_some_and(|mask| mask & 1 == 1)
}
