//! From the stage that failed, and its error, to a cause and a sentence.
//!
//! The stages' own types tell: no message is searched for words.

mod scene;
mod stages;
#[cfg(test)]
mod tests;
mod tls;
mod twin;

use std::time::Duration;

use super::Cause;
use super::conversation::Silent;
use crate::net::dial::{DialError, Seen, Stage};
use crate::net::http1::Broken;
use crate::net::proxy::Unusable;
use crate::text;
pub use scene::Limit;
pub(crate) use scene::Scene;
use stages::{dial, http, service};
pub(crate) use twin::Twin;

/// Why a request has no answer.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// The environment names a proxy that cannot be used.
    Proxy(Unusable),
    /// There is no connection.
    Dial(DialError),
    /// The connection stood, and no complete answer came.
    Http(Broken),
    /// The same, of a service that is asked in its own protocol.
    Service(Silent),
}

/// Why an attempt failed, and what to say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The cause.
    pub cause: Cause,
    /// What happened, for people.
    pub detail: String,
    /// If it is a timer that says so, how long it waited: where the runner stood still
    /// meanwhile, it says nothing.
    pub waited: Option<Duration>,
}

impl Failure {
    fn new(cause: Cause, detail: impl Into<String>) -> Self {
        Self {
            cause,
            detail: detail.into(),
            waited: None,
        }
    }

    /// A failure that a timer found, after so long.
    fn after(waited: Duration, cause: Cause, detail: impl Into<String>) -> Self {
        Self {
            waited: Some(waited),
            ..Self::new(cause, detail)
        }
    }
}

/// The attempt ran out of time in this stage.
#[must_use]
pub(crate) fn timeout(scene: &Scene<'_>) -> Failure {
    let (limit, peer, target) = (scene.limit, scene.peer(), scene.target());
    let (cause, detail) = match (scene.seen.stage, scene.proxy) {
        (Stage::Start | Stage::Name, Some(proxy)) => (
            Cause::Proxy,
            format!("the proxy {} did not resolve within {limit}", proxy.shown),
        ),
        (Stage::Start | Stage::Name, None) => (
            Cause::Dns,
            format!("{target} did not resolve: no answer from the name server within {limit}"),
        ),
        (Stage::Connect, Some(proxy)) => (
            Cause::Proxy,
            format!("no connection to the proxy {} within {limit}", proxy.shown),
        ),
        // One address refused, others were silent: what was said counts.
        (Stage::Connect, None) if scene.seen.refused => {
            (Cause::Refused, format!("connection refused by {peer}"))
        }
        // Those that were not tried may be the ones that answer.
        (Stage::Connect, None) if scene.seen.held_back => (
            Cause::Local,
            format!(
                "no connection to {peer} within {limit}; the runner has too few file descriptors (ulimit -n) to try all of them"
            ),
        ),
        (Stage::Connect, None) => (
            Cause::ConnectTimeout,
            format!("no connection to {peer} within {limit}"),
        ),
        (Stage::ProxyTls, _) => (
            Cause::Proxy,
            format!("connected to {peer}, but the TLS handshake was not finished within {limit}"),
        ),
        (Stage::Greeting, _) => (
            Cause::Proxy,
            format!("connected to {peer}, but it did not answer in SOCKS within {limit}"),
        ),
        // The proxy is there and has not said anything about the way to the target.
        (Stage::Tunnel, _) => (
            Cause::ConnectTimeout,
            format!("no connection to {target} through {peer} within {limit}"),
        ),
        (Stage::Tls, _) => (
            Cause::ResponseTimeout,
            format!(
                "connected to {peer}, but the TLS handshake was not finished within {limit}{}",
                scene.without_tls()
            ),
        ),
        (Stage::Open, _) => (
            Cause::ResponseTimeout,
            format!("connected to {peer}, but no complete answer within {limit}"),
        ),
    };
    // A refusal is no timer's finding.
    if cause == Cause::Refused {
        return Failure::new(cause, detail);
    }
    Failure::after(limit.time, cause, detail)
}

/// The attempt ran out of time, but it was the runner that stood still.
#[must_use]
pub(crate) fn stood_still(scene: &Scene<'_>, stood: Duration) -> Failure {
    Failure::new(
        Cause::Local,
        format!(
            "the runner itself stood still for {}, so that nothing came from {} says nothing about it",
            text::show_duration(stood),
            scene.peer()
        ),
    )
}

/// Whether it failed because the server wants a client certificate: its own was judged good, it
/// asked for one, and after our empty answer it refused with an alert. That is TLS's own 401, and
/// the service is up.
#[must_use]
pub(crate) fn wants_login(why: &Unanswered, seen: &Seen) -> bool {
    let (Unanswered::Dial(DialError::Tls(error))
    | Unanswered::Http(Broken::Io(error))
    | Unanswered::Service(Silent::Io(error))) = why
    else {
        return false;
    };
    seen.handshake
        .as_ref()
        .is_some_and(|handshake| handshake.is_trusted() && handshake.asked_for_certificate())
        && tls::is_refusal(error)
}

/// The request failed.
#[must_use]
pub(crate) fn explain(why: &Unanswered, scene: &Scene<'_>) -> Failure {
    let failure = match why {
        Unanswered::Proxy(unusable) => Failure::new(Cause::Proxy, unusable.to_string()),
        Unanswered::Dial(error) => dial(error, scene),
        Unanswered::Http(broken) => http(broken, scene),
        Unanswered::Service(silent) => service(silent, scene),
    };
    let failure = with_hint(failure, scene);
    let failure = over_http1(failure, scene);
    if scene.is_before_target() && failure.cause != Cause::Local
        || scene.is_cut_by_proxy(failure.cause)
    {
        return at_proxy(failure, scene);
    }
    failure
}

/// A server that wants a client certificate may just hang up without it.
fn with_hint(mut failure: Failure, scene: &Scene<'_>) -> Failure {
    let last = scene.seen.handshake.as_ref();
    let handshake = last.or(scene.seen.proxy_handshake.as_ref());
    let asked = handshake.is_some_and(|handshake| handshake.asked_for_certificate());
    if asked && matches!(failure.cause, Cause::Tls | Cause::Reset | Cause::Closed) {
        failure.detail.push_str(
            "; it had asked for a client certificate, and none is ever sent: that may be why",
        );
    }
    failure
}

/// What came of asking again, as the server wanted.
fn over_http1(mut failure: Failure, scene: &Scene<'_>) -> Failure {
    if scene.http1 {
        let detail = failure.detail;
        failure.detail = format!("asked for HTTP/1.1 in place of HTTP/2, and then: {detail}");
    }
    failure
}

/// Whatever went wrong before the target had a say is the proxy's. What it says about the way to
/// the target stands for itself.
fn at_proxy(mut failure: Failure, scene: &Scene<'_>) -> Failure {
    if let Some(proxy) = scene.proxy
        && !matches!(failure.cause, Cause::Proxy | Cause::ProxyUpstream)
    {
        let detail = failure.detail;
        failure.detail = format!("the proxy {} cannot be used: {detail}", proxy.shown);
        failure.cause = Cause::Proxy;
    }
    failure
}
