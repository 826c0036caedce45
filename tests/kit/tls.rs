//! Servers behind TLS, in HTTP/1.1.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};

use crate::kit::certificates::{Certified, Identity, TRUSTED};
use crate::kit::log::Log;
use crate::kit::peer::Peer;
use crate::kit::server::{Connection, Server, serve_raw};

/// What a server asks of its clients, beside what it shows them.
pub(crate) struct Tls {
    identity: Identity,
    versions: Vec<&'static SupportedProtocolVersion>,
    wants_client_certificate: bool,
    does_without: bool,
}

impl Tls {
    /// For a server on 127.0.0.1.
    pub(crate) fn new(certified: Certified) -> Self {
        Self::named("127.0.0.1", certified)
    }

    pub(crate) fn named(host: &str, certified: Certified) -> Self {
        Self {
            identity: Identity::new(host, certified),
            versions: rustls::ALL_VERSIONS.to_vec(),
            wants_client_certificate: false,
            does_without: false,
        }
    }

    pub(crate) fn only(mut self, version: &'static SupportedProtocolVersion) -> Self {
        self.versions = vec![version];
        self
    }

    pub(crate) fn wanting_client_certificate(mut self) -> Self {
        self.wants_client_certificate = true;
        self
    }

    /// Asks for one, and goes on without.
    pub(crate) fn offering_client_certificate(mut self) -> Self {
        self.does_without = true;
        self.wanting_client_certificate()
    }

    /// The PEM of the server's own certificate.
    pub(crate) fn pem(&self) -> String {
        self.identity.certificate.pem()
    }

    pub(crate) fn config(&self, alpn: &[&str]) -> Arc<ServerConfig> {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_protocol_versions(&self.versions).unwrap();
        let builder = if self.wants_client_certificate {
            let mut roots = RootCertStore::empty();
            roots.add(TRUSTED.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            let verifier = if self.does_without {
                verifier.allow_unauthenticated()
            } else {
                verifier
            };
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.identity.key.serialize_der()));
        let mut config = builder
            .with_single_cert(vec![self.identity.certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().into()).collect();
        Arc::new(config)
    }

    /// Does as told with each connection, in HTTP/1.1.
    pub(crate) fn start(&self, play: impl Fn(&mut Peer) + Send + Sync + 'static) -> Server {
        Server::accepting("https", self.serving(play))
    }

    /// The same at this address, until the process ends.
    pub(crate) fn serve(&self, at: &str) -> Arc<Log> {
        self.serve_with(at, |peer| peer.status(200))
    }

    /// The same, doing as told with each connection.
    pub(crate) fn serve_with(
        &self,
        at: &str,
        play: impl Fn(&mut Peer) + Send + Sync + 'static,
    ) -> Arc<Log> {
        serve_raw(at, self.serving(play))
    }

    fn serving(
        &self,
        play: impl Fn(&mut Peer) + Send + Sync + 'static,
    ) -> impl Fn(Connection) + Send + Sync + 'static {
        let config = self.config(&["http/1.1"]);
        move |connection| {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let io = StreamOwned::new(session, connection.socket.try_clone().unwrap());
            Peer::new(io, connection).serve(&play);
        }
    }

    /// Makes handshakes and offers these protocols; what is said then is not answered.
    pub(crate) fn speaking(&self, alpn: &[&str]) -> Server {
        let config = self.config(alpn);
        Server::accepting("https", move |connection| {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let io = StreamOwned::new(session, connection.socket.try_clone().unwrap());
            Peer::new(io, connection).serve(Peer::hang);
        })
    }

    /// Answers every request with 200.
    pub(crate) fn healthy(&self) -> Server {
        self.start(|peer| peer.status(200))
    }
}
