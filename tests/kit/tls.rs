use std::io;
use std::sync::{Arc, LazyLock};

use h2::{Reason, RecvStream};
use http::{Request, Response};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, Issuer,
    KeyPair, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::kit::peer::Peer;
use crate::kit::server::{Connection, Log, Server, serve_raw};

type Authority = CertifiedIssuer<'static, KeyPair>;

/// The authority that the tests trust, where they say so.
static TRUSTED: LazyLock<Authority> = LazyLock::new(|| authority("Trusted by the tests"));

/// One that nobody trusts.
static UNKNOWN: LazyLock<Authority> = LazyLock::new(|| authority("Unknown to everybody"));

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// The PEM of the authority that the tests trust.
pub(crate) fn trusted_pem() -> String {
    TRUSTED.pem()
}

/// The PEM of the one that nobody trusts.
pub(crate) fn unknown_pem() -> String {
    UNKNOWN.pem()
}

/// What is right or wrong with the certificate of a server on 127.0.0.1.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Certified {
    Well,
    Expired,
    NotYetValid,
    OtherName,
    NoName,
    UnknownIssuer,
    SelfSigned,
    SelfSignedCa,
}

/// What a server asks of its clients, beside what it shows them.
pub(crate) struct Tls {
    certificate: Certificate,
    key: KeyPair,
    versions: Vec<&'static SupportedProtocolVersion>,
    wants_client_certificate: bool,
    does_without: bool,
}

impl Tls {
    pub(crate) fn new(certified: Certified) -> Self {
        Self::named("127.0.0.1", certified)
    }

    /// For another server than one on 127.0.0.1.
    pub(crate) fn named(name: &str, certified: Certified) -> Self {
        let name = if matches!(certified, Certified::OtherName) {
            "other.example"
        } else {
            name
        };
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        match certified {
            Certified::NoName => params.subject_alt_names.clear(),
            Certified::Expired => params.not_after = date_time_ymd(2001, 1, 1),
            Certified::NotYetValid => params.not_before = date_time_ymd(3001, 1, 1),
            Certified::SelfSignedCa => params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            _ => {}
        }
        let key = KeyPair::generate().unwrap();
        let by = |issuer: &Issuer<'static, KeyPair>| params.signed_by(&key, issuer);
        let certificate = match certified {
            Certified::SelfSigned | Certified::SelfSignedCa => params.self_signed(&key),
            Certified::UnknownIssuer => by(&UNKNOWN),
            _ => by(&TRUSTED),
        };
        let versions = rustls::ALL_VERSIONS.to_vec();
        Self {
            certificate: certificate.unwrap(),
            key,
            versions,
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
        self.certificate.pem()
    }

    fn config(&self, alpn: &[&str]) -> Arc<ServerConfig> {
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
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
        let mut config = builder
            .with_single_cert(vec![self.certificate.der().clone()], key)
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
        serve_raw(at, self.serving(|peer| peer.status(200)))
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

    /// Answers every request with 200.
    pub(crate) fn healthy(&self) -> Server {
        self.start(|peer| peer.status(200))
    }

    /// Does as told with each request, in HTTP/2.
    pub(crate) fn http2(&self, manners: Http2) -> Server {
        let acceptor = TlsAcceptor::from(self.config(&["h2"]));
        Server::accepting("https", move |connection| {
            let accept = async |socket| acceptor.accept(socket).await;
            converse(connection, manners, accept);
        })
    }

    /// Does as told with each request in HTTP/2, and sends this to each in HTTP/1.1.
    pub(crate) fn http2_or_1(&self, manners: Http2, reply: &'static str) -> Server {
        let acceptor = TlsAcceptor::from(self.config(&["h2", "http/1.1"]));
        Server::accepting("https", move |Connection { socket, log, .. }| {
            let conversation = async {
                socket.set_nonblocking(true)?;
                let socket = tokio::net::TcpStream::from_std(socket)?;
                let mut stream = acceptor.accept(socket).await?;
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    return http2(stream, &log, manners).await.map_err(io::Error::other);
                }
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await?);
                }
                log.record(String::from_utf8_lossy(&head).into_owned(), Vec::new());
                stream.write_all(reply.as_bytes()).await?;
                stream.shutdown().await
            };
            block_on(conversation);
        })
    }
}

/// Does as told with each request, in HTTP/2 without TLS.
pub(crate) fn plain_http2(manners: Http2) -> Server {
    Server::accepting("http", move |connection| {
        converse(connection, manners, async |socket| Ok(socket));
    })
}

fn converse<S: Stream>(
    Connection { socket, log, .. }: Connection,
    manners: Http2,
    accept: impl AsyncFnOnce(tokio::net::TcpStream) -> io::Result<S>,
) {
    block_on(async {
        socket.set_nonblocking(true)?;
        let stream = accept(tokio::net::TcpStream::from_std(socket)?).await?;
        http2(stream, &log, manners).await.map_err(io::Error::other)
    });
}

/// An error is the client's leaving: what it thinks of it is in its report.
fn block_on(conversation: impl Future<Output = io::Result<()>>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(conversation).ok();
}

/// What a server does with a request in HTTP/2.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Http2 {
    Answers(u16),
    Resets(Reason),
    GoesAway(Reason),
    /// It goes away, and says that it has not looked at the request.
    TurnsAway(Reason),
    KeepsSilent,
    /// It goes away though it will answer this request, and says nothing more.
    Dismisses(Reason),
    /// It sends this after its settings, and then that without end.
    Floods(&'static [u8], &'static [u8]),
}

trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

async fn http2(stream: impl Stream, log: &Log, manners: Http2) -> Result<(), h2::Error> {
    match manners {
        Http2::TurnsAway(reason) => go_away(stream, log, reason, 0).await.ok(),
        Http2::Dismisses(reason) => go_away(stream, log, reason, 1).await.ok(),
        Http2::Floods(first, then) => flood(stream, log, first, then).await.ok(),
        _ => return serve_http2(stream, log, manners).await,
    };
    Ok(())
}

async fn serve_http2(stream: impl Stream, log: &Log, manners: Http2) -> Result<(), h2::Error> {
    let mut connection = h2::server::handshake(stream).await?;
    while let Some(asked) = connection.accept().await {
        let (request, mut respond) = asked?;
        log.record(head(&request), Vec::new());
        match manners {
            Http2::Answers(status) => {
                let answer = Response::builder().status(status).body(()).unwrap();
                respond.send_response(answer, true)?;
            }
            Http2::Resets(reason) => respond.send_reset(reason),
            Http2::GoesAway(reason) => connection.abrupt_shutdown(reason),
            Http2::TurnsAway(_) | Http2::Dismisses(_) | Http2::Floods(..) => {}
            // Dropped, the handle would reset the stream.
            Http2::KeepsSilent => std::mem::forget(respond),
        }
    }
    Ok(())
}

/// An empty SETTINGS frame.
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

/// Reads frames up to the request, as the library would without a word of its own.
async fn hear(stream: &mut impl Stream, log: &Log) -> io::Result<()> {
    const HEADERS: u8 = 1;
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await?;
    let mut frame = [0; 9];
    while frame[3] != HEADERS {
        stream.read_exact(&mut frame).await?;
        let length = u32::from_be_bytes([0, frame[0], frame[1], frame[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await?;
    }
    log.record("GET / HTTP/2\r\n".to_owned(), Vec::new());
    Ok(())
}

/// Sends the same again and again for as long as somebody is there.
async fn flood(mut stream: impl Stream, log: &Log, first: &[u8], then: &[u8]) -> io::Result<()> {
    hear(&mut stream, log).await?;
    stream.write_all(&[&SETTINGS, first].concat()).await?;
    let many = then.repeat(16384 / then.len());
    loop {
        stream.write_all(&many).await?;
    }
}

/// GOAWAY with the last stream that was looked at: the library has no such answer.
async fn go_away(mut stream: impl Stream, log: &Log, reason: Reason, last: u8) -> io::Result<()> {
    hear(&mut stream, log).await?;
    let go_away = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, last];
    let frames = [&SETTINGS[..], &go_away, &u32::from(reason).to_be_bytes()].concat();
    stream.write_all(&frames).await?;
    // Closed only once the other side has left.
    stream.read_to_end(&mut Vec::new()).await?;
    Ok(())
}

/// The head as HTTP/1 would have written it.
fn head(request: &Request<RecvStream>) -> String {
    let mut text = format!("{} {} HTTP/2\r\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        let value = String::from_utf8_lossy(value.as_bytes());
        text.extend([name.as_str(), ": ", &value, "\r\n"]);
    }
    text
}
