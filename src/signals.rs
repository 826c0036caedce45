//! SIGINT and SIGTERM: asked to stop, the step reports what it has.

use crate::exit::Interrupt;

/// The signals that end a step early.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    listeners: Option<(tokio::signal::unix::Signal, tokio::signal::unix::Signal)>,
}

impl Signals {
    /// Listens from now on. Where that is not possible, the system's own way of ending a
    /// process is left alone.
    #[cfg(unix)]
    #[must_use]
    pub fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let int = signal(SignalKind::interrupt());
        let term = signal(SignalKind::terminate());
        Self {
            listeners: int.ok().zip(term.ok()),
        }
    }

    /// The next signal.
    #[cfg(unix)]
    pub async fn next(&mut self) -> Interrupt {
        let Some((int, term)) = &mut self.listeners else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = int.recv() => Interrupt::Sigint,
            _ = term.recv() => Interrupt::Sigterm,
        }
    }

    /// Listens from now on.
    #[cfg(not(unix))]
    #[must_use]
    pub fn listen() -> Self {
        Self {}
    }

    /// The next signal.
    #[cfg(not(unix))]
    pub async fn next(&mut self) -> Interrupt {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Interrupt::Sigint,
            Err(_) => std::future::pending().await,
        }
    }
}
