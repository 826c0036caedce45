//! What all connections share, and the client of the forge's API.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::Client;
use rustls::pki_types::CertificateDer;

use super::dial::Spare;
use super::proxy::Proxies;
use super::resolver::SystemResolver;
use super::tls::{self, TlsSettings};

/// `dep-preflight/<version>`.
pub(crate) const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// The network as this run sees it.
#[derive(Debug)]
pub struct Network {
    pub(crate) tls: TlsSettings,
    pub(crate) resolver: SystemResolver,
    /// Connections beside the first of each attempt.
    pub(crate) spare: Spare,
    /// The proxy rules.
    pub(crate) proxies: Proxies,
    /// By their connect timeout.
    clients: Mutex<HashMap<Duration, Client>>,
}

/// What connections share cannot be set up; only a broken build of the tool can cause this.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be built: {0}")]
pub struct NetworkError(String);

impl Network {
    /// Sets up what all connections share. Nothing is sent and no file is read yet.
    pub fn new(own_roots: Vec<CertificateDer<'static>>) -> Result<Self, NetworkError> {
        let tls = TlsSettings::new(own_roots);
        Ok(Self {
            tls: tls.map_err(|error| NetworkError(error.to_string()))?,
            resolver: SystemResolver::default(),
            spare: Spare::default(),
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
            spare: Spare::default(),
            proxies: self.proxies.clone(),
            clients: Mutex::default(),
        }
    }

    /// A client for the forge's API, whose connections may take this long.
    pub(crate) fn client(&self, connect: Duration) -> Result<Client, NetworkError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&connect) {
            return Ok(client.clone());
        }
        let mut tls = self.tls.config.clone();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(self.resolver.clone())
            // No proxy of the environment by the library's reading of it.
            .no_proxy()
            .connect_timeout(connect)
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // A status that was posted twice would be there twice.
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(0);
        let builder = match self.proxies.for_client() {
            Some(proxy) => builder.proxy(proxy),
            None => builder,
        };
        let client = builder
            .build()
            .map_err(|error| NetworkError(describe(&error)))?;
        clients.insert(connect, client.clone());
        Ok(client)
    }
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
