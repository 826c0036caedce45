//! What a proxy says to CONNECT, and whether it is there at all.
//!
//! The HTTP library makes the tunnel and says only that it failed. Whether the proxy forbids
//! the way (the runner's side) or cannot reach the target (the target's side) is in the
//! status, so after a failure, and only then, the proxy is asked once more in the open.

use std::time::Duration;

use reqwest::{Method, Url};

use super::Cause;
use super::classify::Failure;
use crate::net::proxy::Proxy;
use crate::net::{Network, client};

/// Whether the proxy takes connections, tried within `limit`.
pub(crate) async fn is_there(network: &Network, proxy: &Proxy, limit: Duration) -> bool {
    let dial = async {
        let addresses = match proxy.host.parse() {
            Ok(address) => vec![address],
            Err(_) => network
                .resolver
                .lookup(&proxy.host)
                .await
                .unwrap_or_default(),
        };
        for address in addresses {
            if tokio::net::TcpStream::connect((address, proxy.port))
                .await
                .is_ok()
            {
                return true;
            }
        }
        false
    };
    tokio::time::timeout(limit, dial).await.unwrap_or(false)
}

/// Asks for the tunnel again and reads the answer.
pub(crate) async fn ask(network: &Network, url: &Url, proxy: &Proxy, connect: Duration) -> Failure {
    let (Some(tunnel), Ok(client)) = (tunnel_url(url), network.client_to(proxy, connect)) else {
        return Failure::new(
            Cause::Proxy,
            format!("the proxy {} cannot be used", proxy.shown),
        );
    };
    match client.request(Method::CONNECT, tunnel).send().await {
        Ok(answer) => of_status(answer.status().as_u16(), url, proxy),
        Err(error) => Failure::new(
            Cause::Proxy,
            format!(
                "the proxy {} gave no answer to CONNECT ({})",
                proxy.shown,
                client::describe(&error)
            ),
        ),
    }
}

/// CONNECT goes to the proxy in the form that plain HTTP takes; the port is the target's.
fn tunnel_url(url: &Url) -> Option<Url> {
    let port = url.port_or_known_default()?;
    Url::parse(&format!("http://{}:{port}/", url.host_str()?)).ok()
}

/// A SOCKS proxy made no connection. Whether it could not or would not is in a type that the
/// HTTP library keeps to itself.
#[must_use]
pub(crate) fn of_socks(error: &reqwest::Error, url: &Url, proxy: &Proxy) -> Failure {
    let host = crate::text::sanitize(url.host_str().unwrap_or_default(), crate::text::PIECE);
    Failure::new(
        Cause::Proxy,
        format!(
            "the proxy {} made no connection to {host} ({})",
            proxy.shown,
            client::describe(error)
        ),
    )
}

/// The meaning of the proxy's answer.
#[must_use]
pub(crate) fn of_status(status: u16, url: &Url, proxy: &Proxy) -> Failure {
    let host = crate::text::sanitize(url.host_str().unwrap_or_default(), crate::text::PIECE);
    let shown = &proxy.shown;
    match status {
        407 => Failure::new(
            Cause::Proxy,
            format!("the proxy {shown} wants a login (407)"),
        ),
        500..=599 => Failure::new(
            Cause::ProxyUpstream,
            format!(
                "the proxy {shown} could not reach {host} (CONNECT was answered with {status})"
            ),
        ),
        400..=499 => Failure::new(
            Cause::Proxy,
            format!(
                "the proxy {shown} forbids the way to {host} (CONNECT was answered with {status})"
            ),
        ),
        _ => Failure::new(
            Cause::Proxy,
            format!(
                "the proxy {shown} does not make a tunnel to {host} (CONNECT was answered with {status})"
            ),
        ),
    }
}
