//! A connection in four stages: name, TCP, the proxy's tunnel, TLS.
//!
//! Nothing here knows what is said over the connection. Each stage fails with an error of its
//! own, and [`Progress`] says which one is under way, for a timeout around it.

mod guard;
mod progress;
mod race;
mod stream;
mod tls;
mod tunnel;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;

use super::Network;
use super::proxy::Proxy;
use super::resolver::{Found, NameError, Place};
pub(crate) use guard::LinkLocal;
pub(crate) use progress::{Progress, Seen, Stage};
pub(crate) use race::Spare;
pub(crate) use stream::{Prefixed, Stream};
pub(crate) use tls::Handshake;
pub(crate) use tunnel::{SocksReply, TunnelError};

/// Where a connection leads, and by which way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Destination<'a> {
    /// A name or an address, without brackets.
    pub(crate) host: &'a str,
    /// The port of the destination, not the proxy's.
    pub(crate) port: u16,
    /// The proxy on the way.
    pub(crate) proxy: Option<&'a Proxy>,
    /// The protocols to offer in TLS (ALPN), the preferred one first; `None` for no TLS.
    pub(crate) tls: Option<&'a [&'a [u8]]>,
    /// Whether a server chose it, by a redirect: a name's link-local addresses are left out.
    pub(crate) redirected: bool,
}

/// A connection that stands.
pub(crate) struct Connection {
    /// What is sent and received over it; TLS is done.
    pub(crate) stream: Box<dyn Stream>,
    /// The other end of the TCP connection: the proxy where one stands on the way.
    pub(crate) peer: SocketAddr,
    /// The protocol that was agreed on in TLS.
    pub(crate) alpn: Option<Vec<u8>>,
}

/// Why there is no connection: the stage that failed, with its error.
#[derive(Debug)]
pub(crate) enum DialError {
    /// The name, of the proxy where one stands on the way, has no address.
    Name(NameError),
    /// A redirect leads to a name that has only link-local addresses. Nothing was sent.
    LinkLocal,
    /// No address could be connected to; the error that says most.
    Connect(std::io::Error),
    /// TLS with the proxy.
    ProxyTls(std::io::Error),
    /// The proxy made no tunnel.
    Tunnel(TunnelError),
    /// No certificate can be for this host. Nothing was sent.
    HostWithoutCertificate,
    /// TLS with the destination.
    Tls(std::io::Error),
}

/// Connects. `progress` is kept up to date for a timeout around it.
pub(crate) async fn dial(
    network: &Network,
    to: &Destination<'_>,
    progress: &Progress,
) -> Result<Connection, DialError> {
    let server = match to.tls {
        Some(_) => Some(server_name(to.host).ok_or(DialError::HostWithoutCertificate)?),
        None => None,
    };
    let (host, port) = match to.proxy {
        Some(proxy) => (proxy.host.as_str(), proxy.port),
        None => (to.host, to.port),
    };
    // Behind a proxy it is the proxy's name that is looked up.
    let guarded = to.redirected && to.proxy.is_none();
    let found = name(network, host, guarded, progress).await?;
    progress.enter(Stage::Connect);
    let (socket, peer) = race::connect(found, port, progress, &network.spare)
        .await
        .map_err(DialError::Connect)?;
    let mut stream: Box<dyn Stream> = Box::new(socket);
    if let Some(proxy) = to.proxy {
        stream = through(stream, network, proxy, to, progress).await?;
    }
    let mut alpn = None;
    if let (Some(server), Some(protocols)) = (server, to.tls) {
        let handshake = Handshake::new(&network.tls);
        (stream, alpn) = encrypt(network, handshake, server, protocols, stream, progress).await?;
    }
    progress.enter(Stage::Open);
    Ok(Connection { stream, peer, alpn })
}

/// Goes on in TLS over a connection that has begun in clear, also with a server whose certificate
/// is refused: who leaves in the middle of a conversation is logged, by some counted and shut out
/// (MySQL). [`Seen::refused_certificate`] has the judgement, which stands above all that is answered.
pub(crate) async fn start_tls(
    network: &Network,
    host: &str,
    stream: Box<dyn Stream>,
    progress: &Progress,
) -> Result<Box<dyn Stream>, DialError> {
    let server = server_name(host).ok_or(DialError::HostWithoutCertificate)?;
    let handshake = Handshake::judged_late(&network.tls);
    let (stream, _) = encrypt(network, handshake, server, &[], stream, progress).await?;
    progress.enter(Stage::Open);
    Ok(stream)
}

/// The TLS stage.
async fn encrypt(
    network: &Network,
    handshake: Handshake,
    server: ServerName<'static>,
    protocols: &[&[u8]],
    stream: Box<dyn Stream>,
    progress: &Progress,
) -> Result<(Box<dyn Stream>, Option<Vec<u8>>), DialError> {
    progress.enter(Stage::Tls);
    let handshake = Arc::new(handshake);
    progress.note(|seen| seen.handshake = Some(Arc::clone(&handshake)));
    tls::connect(&network.tls, &handshake, server, protocols, stream)
        .await
        .map_err(DialError::Tls)
}

/// The name stage before a connection whose place SRV records say.
pub(crate) async fn places(
    network: &Network,
    name: &str,
    progress: &Progress,
) -> Result<Vec<Place>, DialError> {
    progress.enter(Stage::Name);
    let found = network.resolver.services(name).await;
    found.map_err(DialError::Name)
}

/// Asks all addresses of a host, without a connection that stands first: they race as connections
/// do, and `ask` says what one has answered, or why it cannot.
pub(crate) async fn race<'a, S, F>(
    network: &'a Network,
    host: &str,
    port: u16,
    progress: &'a Progress,
    ask: impl Fn(SocketAddr) -> F,
) -> Result<S, DialError>
where
    F: Future<Output = std::io::Result<S>> + Send + 'a,
{
    let found = name(network, host, false, progress).await?;
    progress.enter(Stage::Connect);
    let answered = race::race(found, port, progress, &network.spare, ask).await;
    let (answer, _) = answered.map_err(DialError::Connect)?;
    Ok(answer)
}

/// Connects to one address, within `race`.
pub(crate) async fn tcp(at: SocketAddr, progress: &Progress) -> std::io::Result<Box<dyn Stream>> {
    let socket = TcpStream::connect(at).await?;
    progress.note(|seen| seen.peer = Some(at));
    progress.enter(Stage::Open);
    Ok(Box::new(socket))
}

/// The name stage: the addresses to connect to, those that are link-local left out if it is
/// guarded. An address needs none.
async fn name<'a>(
    network: &'a Network,
    host: &str,
    guarded: bool,
    progress: &Progress,
) -> Result<Found<'a>, DialError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(Found::from(address));
    }
    progress.enter(Stage::Name);
    let found = network.resolver.find(host).await;
    let found = found.map_err(DialError::Name)?;
    if guarded {
        return guard::without_link_local(found)
            .await
            .map_err(|LinkLocal| DialError::LinkLocal);
    }
    Ok(found)
}

/// The tunnel stage: TLS with the proxy where it wants it, and the way through it. A proxy that
/// speaks for the destination makes no tunnel.
async fn through(
    mut stream: Box<dyn Stream>,
    network: &Network,
    proxy: &Proxy,
    to: &Destination<'_>,
    progress: &Progress,
) -> Result<Box<dyn Stream>, DialError> {
    if proxy.encrypted {
        progress.enter(Stage::ProxyTls);
        let server = server_name(&proxy.host).ok_or(DialError::HostWithoutCertificate)?;
        let handshake = Arc::new(Handshake::new(&network.tls));
        progress.note(|seen| seen.proxy_handshake = Some(Arc::clone(&handshake)));
        (stream, _) = tls::connect(&network.tls, &handshake, server, &[], stream)
            .await
            .map_err(DialError::ProxyTls)?;
    }
    if proxy.speaks_for_target {
        return Ok(stream);
    }
    tunnel::open(stream, proxy, to.host, to.port, progress)
        .await
        .map_err(DialError::Tunnel)
}

/// The name that a certificate has to be for; `None` where none can be.
fn server_name(host: &str) -> Option<ServerName<'static>> {
    ServerName::try_from(host.to_owned()).ok()
}
