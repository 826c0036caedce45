//! How far a request came: noted from inside the HTTP library, read when it failed.
//!
//! The library's connect timeout covers names, TCP and TLS alike, and its errors do not say
//! which of them was under way. Four places can tell: our resolver, a layer around the
//! connector, and two hooks of the TLS configuration. Each leaves a note in a task-local
//! [`Trace`]; requests that run outside of [`watch`] leave none.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use tower_layer::Layer;
use tower_service::Service;

use super::proxy::Proxy;

tokio::task_local! {
    static CURRENT: Arc<Mutex<Trace>>;
}

/// What was seen of one request.
#[derive(Debug, Default, Clone)]
pub struct Trace {
    /// Whether the request follows a redirect, straight to the host that it names.
    pub redirected: bool,
    /// The connector was asked for a connection.
    pub dialled: Option<Instant>,
    /// The resolver was asked.
    pub name_asked: Option<Instant>,
    /// The resolver answered with addresses.
    pub name_answered: Option<Instant>,
    /// What it answered.
    pub addresses: Vec<IpAddr>,
    /// The last TLS client hello was made; TCP (or the proxy's tunnel) stands.
    pub hello: Option<Instant>,
    /// How many hellos there were: a proxy that is spoken to in TLS has one of its own.
    pub hellos: u8,
    /// The connection stands, TLS included.
    pub connected: Option<Instant>,
    /// The server asked for a client certificate.
    pub client_certificate_wanted: bool,
}

impl Trace {
    /// Whether a TLS handshake with the target itself has begun, not only one with the proxy on
    /// the way.
    #[must_use]
    pub fn greeted(&self, proxy: Option<&Proxy>) -> bool {
        let to_proxy = proxy.is_some_and(|proxy| proxy.encrypted);
        self.hellos > u8::from(to_proxy)
    }
}

/// Runs a request and returns what was seen of it. The trace can be read while it runs, so
/// that a timeout around it loses nothing.
pub(crate) async fn watch<F: Future>(trace: Arc<Mutex<Trace>>, request: F) -> F::Output {
    CURRENT.scope(trace, request).await
}

/// Leaves a note in the trace of the current request, if it has one.
pub(crate) fn note(write: impl FnOnce(&mut Trace)) {
    // Outside of a request that is watched there is nothing to note.
    let _ = CURRENT.try_with(|trace| {
        write(&mut trace.lock().unwrap_or_else(PoisonError::into_inner));
    });
}

/// Whether the current request follows a redirect.
#[must_use]
pub(crate) fn is_redirected() -> bool {
    CURRENT
        .try_with(|trace| {
            trace
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .redirected
        })
        .unwrap_or_default()
}

/// A layer around reqwest's connector that notes when a connection was asked for and when
/// it stood.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NoteConnections;

impl<S> Layer<S> for NoteConnections {
    type Service = Noted<S>;

    fn layer(&self, inner: S) -> Noted<S> {
        Noted(inner)
    }
}

/// See [`NoteConnections`].
#[derive(Debug, Clone)]
pub(crate) struct Noted<S>(S);

impl<S, R> Service<R> for Noted<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        note(|trace| trace.dialled = Some(Instant::now()));
        let connecting = self.0.call(request);
        Box::pin(async move {
            let connected = connecting.await;
            if connected.is_ok() {
                note(|trace| trace.connected = Some(Instant::now()));
            }
            connected
        })
    }
}
