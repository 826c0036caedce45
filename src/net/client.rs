//! The HTTP clients: one configuration, shared by every probe and by the forge's API.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, ClientBuilder};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;

use super::guard::Guarded;
use super::proxy::{Proxies, Proxy};
use super::resolver::SystemResolver;
use super::tls;
use super::trace::NoteConnections;
use crate::durations::AFTER_OURS;

/// `dep-preflight/<version>`.
pub(crate) const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
/// The largest response head, in bytes.
pub(crate) const HEAD_LIMIT: usize = 256 * 1024;
/// The most header fields of a response.
pub(crate) const FIELD_LIMIT: usize = 256;
/// HTTP/2 counts 32 bytes for each field besides its text (RFC 9113, 6.5.2).
const H2_FIELD_OVERHEAD: usize = 32;

/// The network as this run sees it.
#[derive(Debug)]
pub struct Network {
    tls: ClientConfig,
    /// The resolver, for questions outside of a request.
    pub resolver: SystemResolver,
    /// The proxy rules.
    pub proxies: Proxies,
    clients: Mutex<HashMap<(Duration, Versions), Client>>,
}

/// Which versions of HTTP a client offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Versions {
    All,
    Http1,
}

/// A client cannot be built; only a broken build of the tool can cause this.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be built: {0}")]
pub struct NetworkError(String);

impl Network {
    /// Sets up what all clients share. Nothing is sent and no file is read yet.
    pub fn new(own_roots: Vec<CertificateDer<'static>>) -> Result<Self, NetworkError> {
        Ok(Self {
            tls: tls::config(own_roots).map_err(|error| NetworkError(error.to_string()))?,
            resolver: SystemResolver::default(),
            proxies: Proxies::from_system(),
            clients: Mutex::default(),
        })
    }

    /// The same without any proxy, for services on this machine.
    pub fn without_proxies() -> Result<Self, NetworkError> {
        Ok(Self {
            proxies: Proxies::none(),
            ..Self::new(Vec::new())?
        })
    }

    /// The same network, private roots included, without a connection or a question under way.
    pub(crate) fn again(&self) -> Self {
        Self {
            tls: self.tls.clone(),
            resolver: SystemResolver::default(),
            proxies: self.proxies.clone(),
            clients: Mutex::default(),
        }
    }

    /// The client whose connections may take this long. The limit is shared out among the
    /// addresses of a name by the library, which is why it is the client's and not ours.
    pub fn client(&self, connect: Duration) -> Result<Client, NetworkError> {
        self.shared(connect, Versions::All)
    }

    /// The same for a server that asks for HTTP/1.1 in HTTP/2 (RFC 9113, 7).
    pub fn http1_client(&self, connect: Duration) -> Result<Client, NetworkError> {
        self.shared(connect, Versions::Http1)
    }

    fn shared(&self, connect: Duration, versions: Versions) -> Result<Client, NetworkError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&(connect, versions)) {
            return Ok(client.clone());
        }
        let builder = self.builder(connect);
        let builder = match versions {
            Versions::All => builder,
            Versions::Http1 => {
                let mut tls = self.tls.clone();
                tls.alpn_protocols = vec![b"http/1.1".to_vec()];
                builder.tls_backend_preconfigured(tls).http1_only()
            }
        };
        let client = finish(match self.proxies.for_client() {
            Some(proxy) => builder.proxy(proxy),
            None => builder,
        })?;
        clients.insert((connect, versions), client.clone());
        Ok(client)
    }

    /// A client that sends plain requests to this proxy, whatever the environment says: with
    /// it CONNECT can be asked in the open.
    pub fn client_to(&self, proxy: &Proxy, connect: Duration) -> Result<Client, NetworkError> {
        let mut way = reqwest::Proxy::http(proxy.uri.to_string())
            .map_err(|error| NetworkError(describe(&error)))?;
        if let Some(login) = &proxy.login {
            way = way.custom_http_auth(login.clone());
        }
        finish(self.builder(connect).proxy(way))
    }

    fn builder(&self, connect: Duration) -> ClientBuilder {
        #[expect(clippy::cast_possible_truncation, reason = "264 KiB fit into 32 bits")]
        let list_limit = (HEAD_LIMIT + H2_FIELD_OVERHEAD * (FIELD_LIMIT + 8)) as u32;
        let builder = Client::builder();
        // Its own would end a connection after 30 s, whatever the attempt's timeout is.
        #[cfg(target_os = "linux")]
        let builder = builder.tcp_user_timeout(None);
        builder
            .tls_backend_preconfigured(self.tls.clone())
            .dns_resolver(Guarded(self.resolver.clone()))
            // No proxy of the environment by the library's reading of it.
            .no_proxy()
            .connector_layer(NoteConnections)
            .connect_timeout(connect.saturating_add(AFTER_OURS))
            .user_agent(USER_AGENT)
            // Redirects are followed by the probe, which sends a target's own headers to its
            // own origin only and knows which hop failed.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // Every attempt is seen and counted; the library makes none behind our back.
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(0)
            // A connection lives for one answer: nothing to keep alive, and four system calls
            // less per attempt.
            .tcp_keepalive(None)
            .tcp_keepalive_interval(None)
            .tcp_keepalive_retries(None)
            .http1_max_headers(FIELD_LIMIT)
            .http1_ignore_invalid_headers_in_responses(true)
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .http2_max_header_list_size(list_limit)
    }
}

fn finish(builder: ClientBuilder) -> Result<Client, NetworkError> {
    builder
        .build()
        .map_err(|error| NetworkError(describe(&error)))
}

/// The root of an error: what went wrong in the end. The layers above only say that something
/// did, and the HTTP library's repeats the address with its query.
#[must_use]
pub(crate) fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    if let Some(tls) = tls_error(error) {
        return tls::words::handshake(tls);
    }
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    // An error without a source that has an address in it still shows none of its secrets.
    crate::text::show_value(&root.to_string())
}

/// The TLS error in a chain, if there is one. An I/O error carries it inside, where `source` does
/// not lead.
fn tls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(tls) = error.downcast_ref() {
            return Some(tls);
        }
        if let Some(inner) = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
        {
            return tls_error(inner);
        }
        current = error.source();
    }
    None
}
