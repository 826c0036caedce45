//! The tunnel stage: one CONNECT, or one SOCKS request.

use std::io;

use http::header::{HOST, PROXY_AUTHORIZATION, USER_AGENT};
use http::{Method, Request, Uri};
use tokio_socks::tcp::{Socks4Stream, Socks5Stream};
use tokio_util::io::InspectReader;

use super::progress::{Progress, Stage};
use super::stream::Stream;
use crate::net::client;
use crate::net::http1;
use crate::net::proxy::{Login, Proxy, Tunnel};

/// Why a proxy made no tunnel.
#[derive(Debug)]
pub(crate) enum TunnelError {
    /// It answered CONNECT with a status that opens none.
    Status(u16),
    /// It did not answer CONNECT as HTTP has it.
    Http(http1::Broken),
    /// It answered a SOCKS request with a refusal.
    Socks(SocksReply),
    /// What came of a SOCKS request cannot be read, or the connection broke.
    Io(io::Error),
    /// The destination cannot be written into the request.
    Unspeakable,
}

/// What a SOCKS proxy answers that makes no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SocksReply {
    /// It tried to reach the destination and could not (RFC 1928, 6: 3 to 6).
    Unreached(&'static str),
    /// It would not, or wants a login (1, 2, 7, 8), or does not speak SOCKS as it should.
    Refused(&'static str),
}

/// Opens a tunnel to `host`. Once only: what the proxy says counts.
pub(super) async fn open(
    stream: Box<dyn Stream>,
    proxy: &Proxy,
    host: &str,
    port: u16,
    progress: &Progress,
) -> Result<Box<dyn Stream>, TunnelError> {
    progress.enter(match proxy.tunnel {
        // The others say at once where to.
        Tunnel::Connect | Tunnel::Socks4(_) => Stage::Tunnel,
        Tunnel::Socks5(_) => Stage::Greeting,
    });
    match &proxy.tunnel {
        Tunnel::Connect => connect(stream, proxy, host, port).await,
        Tunnel::Socks5(login) => {
            let stream = InspectReader::new(stream, |read: &[u8]| {
                if !read.is_empty() {
                    progress.enter(Stage::Tunnel);
                }
            });
            let made = match login {
                // SOCKS has no empty ones (RFC 1929, 2): the proxy may do without.
                Some(Login { user, password }) if !user.is_empty() && !password.is_empty() => {
                    let to = (host, port);
                    Socks5Stream::connect_with_password_and_socket(stream, to, user, password).await
                }
                _ => Socks5Stream::connect_with_socket(stream, (host, port)).await,
            };
            made.map(|made| made.into_inner().into_inner())
                .map_err(refused)
        }
        Tunnel::Socks4(login) => {
            let made = match login {
                Some(Login { user, .. }) => {
                    Socks4Stream::connect_with_userid_and_socket(stream, (host, port), user).await
                }
                None => Socks4Stream::connect_with_socket(stream, (host, port)).await,
            };
            made.map(Socks4Stream::into_inner).map_err(refused)
        }
    }
}

/// Any 2xx opens the tunnel (RFC 9110, 9.3.6); interim answers before it are passed over.
async fn connect(
    stream: Box<dyn Stream>,
    proxy: &Proxy,
    host: &str,
    port: u16,
) -> Result<Box<dyn Stream>, TunnelError> {
    let to = if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    let uri: Uri = to.parse().map_err(|_| TunnelError::Unspeakable)?;
    let mut request = Request::builder()
        .method(Method::CONNECT)
        .uri(uri)
        .header(HOST, to)
        .header(USER_AGENT, client::USER_AGENT);
    if let Some(login) = &proxy.login {
        request = request.header(PROXY_AUTHORIZATION, login);
    }
    let request = request.body(String::new());
    let request = request.map_err(|_| TunnelError::Unspeakable)?;
    let answer = http1::ask(stream, request).await;
    let answer = answer.map_err(TunnelError::Http)?;
    let status = answer.status();
    if !(200..300).contains(&status) {
        return Err(TunnelError::Status(status));
    }
    let odd = || http1::Broken::NotHttp("its head is not in order".to_owned());
    let stream = answer.into_stream();
    stream.ok_or_else(odd).map_err(TunnelError::Http)
}

fn refused(error: tokio_socks::Error) -> TunnelError {
    use tokio_socks::Error;
    let reply = match error {
        Error::Io(error) => return TunnelError::Io(error),
        Error::InvalidTargetAddress(_) => return TunnelError::Unspeakable,
        Error::NetworkUnreachable => SocksReply::Unreached("network unreachable"),
        Error::HostUnreachable => SocksReply::Unreached("host unreachable"),
        Error::ConnectionRefused => SocksReply::Unreached("connection refused"),
        Error::TtlExpired => SocksReply::Unreached("TTL expired"),
        Error::GeneralSocksServerFailure => SocksReply::Refused("general failure"),
        Error::ConnectionNotAllowedByRuleset => SocksReply::Refused("not allowed by its rules"),
        Error::CommandNotSupported => SocksReply::Refused("command not supported"),
        Error::AddressTypeNotSupported => SocksReply::Refused("address type not supported"),
        Error::NoAcceptableAuthMethods | Error::AuthorizationRequired => {
            SocksReply::Refused("it wants a login")
        }
        Error::InvalidAuthValues(_) => {
            SocksReply::Refused("a part of the login is longer than 255 bytes")
        }
        Error::PasswordAuthFailure(_)
        | Error::IdentdAuthFailure
        | Error::InvalidUserIdAuthFailure => SocksReply::Refused("it does not take the login"),
        _ => SocksReply::Refused("it does not answer as SOCKS has it"),
    };
    TunnelError::Socks(reply)
}
