//! Servers that speak HTTP/2, with TLS and without.

use std::io;
use std::sync::Arc;

use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::kit::log::Log;
use crate::kit::server::{Connection, Server, serve_raw};
use crate::kit::tls::Tls;

impl Tls {
    /// Does as told with each request, in HTTP/2.
    pub(crate) fn http2(&self, behaviour: Http2) -> Server {
        let acceptor = TlsAcceptor::from(self.config(&["h2"]));
        Server::accepting("https", move |connection| {
            let accept = async |socket| acceptor.accept(socket).await;
            converse(connection, behaviour, accept);
        })
    }

    /// Does as told with each request in HTTP/2, and sends this to each in HTTP/1.1.
    pub(crate) fn http2_or_1(&self, behaviour: Http2, reply: &'static str) -> Server {
        Server::accepting("https", self.either(behaviour, reply))
    }

    /// The same at this address, until the process ends.
    pub(crate) fn serve_http2_or_1(
        &self,
        at: &str,
        behaviour: Http2,
        reply: &'static str,
    ) -> Arc<Log> {
        serve_raw(at, self.either(behaviour, reply))
    }

    fn either(
        &self,
        behaviour: Http2,
        reply: &'static str,
    ) -> impl Fn(Connection) + Send + Sync + 'static {
        let acceptor = TlsAcceptor::from(self.config(&["h2", "http/1.1"]));
        move |Connection { socket, log, .. }| {
            let conversation = async {
                socket.set_nonblocking(true)?;
                let socket = tokio::net::TcpStream::from_std(socket)?;
                let mut stream = acceptor.accept(socket).await?;
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    return http2(stream, &log, behaviour)
                        .await
                        .map_err(io::Error::other);
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
        }
    }
}

/// Does as told with each request, in HTTP/2 without TLS.
pub(crate) fn plain_http2(behaviour: Http2) -> Server {
    Server::accepting("http", move |connection| {
        converse(connection, behaviour, async |socket| Ok(socket));
    })
}

fn converse<S: Stream>(
    Connection { socket, log, .. }: Connection,
    behaviour: Http2,
    accept: impl AsyncFnOnce(tokio::net::TcpStream) -> io::Result<S>,
) {
    block_on(async {
        socket.set_nonblocking(true)?;
        let stream = accept(tokio::net::TcpStream::from_std(socket)?).await?;
        http2(stream, &log, behaviour)
            .await
            .map_err(io::Error::other)
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
    /// It answers a call of gRPC with this body, if there is one, and this status.
    Calls(Option<&'static [u8]>, u8),
    /// It sends a head and this body, and then nothing more.
    Stops(&'static [u8]),
    Resets(Reason),
    GoesAway(Reason),
    /// It goes away, and says that it has not looked at the request.
    TurnsAway(Reason),
    KeepsSilent,
    /// It goes away though it will answer this request, and says nothing more.
    Dismisses(Reason),
    /// It answers 500, and sends these frames with it.
    AnswersAnd(&'static [u8]),
    /// It sends this after its settings, and then that without end.
    Floods(&'static [u8], &'static [u8]),
}

trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

async fn http2(stream: impl Stream, log: &Log, behaviour: Http2) -> Result<(), h2::Error> {
    match behaviour {
        Http2::TurnsAway(reason) => go_away(stream, log, reason, 0).await.ok(),
        Http2::Dismisses(reason) => go_away(stream, log, reason, 1).await.ok(),
        Http2::AnswersAnd(frames) => answer_and(stream, log, frames).await.ok(),
        Http2::Floods(first, then) => flood(stream, log, first, then).await.ok(),
        _ => return answer(stream, log, behaviour).await,
    };
    Ok(())
}

async fn answer(stream: impl Stream, log: &Log, behaviour: Http2) -> Result<(), h2::Error> {
    let mut connection = h2::server::handshake(stream).await?;
    while let Some(asked) = connection.accept().await {
        let (request, mut respond) = asked?;
        log.record(head(&request), Vec::new());
        match behaviour {
            Http2::Answers(status) => {
                let answer = Response::builder().status(status).body(()).unwrap();
                respond.send_response(answer, true)?;
            }
            Http2::Calls(body, status) => call(respond, body, status)?,
            Http2::Stops(body) => std::mem::forget(begin_call(&mut respond, body)?),
            Http2::Resets(reason) => respond.send_reset(reason),
            Http2::GoesAway(reason) => connection.abrupt_shutdown(reason),
            Http2::TurnsAway(_)
            | Http2::Dismisses(_)
            | Http2::AnswersAnd(_)
            | Http2::Floods(..) => {}
            // Dropped, the handle would reset the stream.
            Http2::KeepsSilent => std::mem::forget(respond),
        }
    }
    Ok(())
}

/// Without a body, the status of gRPC is in the head.
fn call(
    mut respond: SendResponse<Bytes>,
    body: Option<&'static [u8]>,
    status: u8,
) -> Result<(), h2::Error> {
    let trailers = HeaderMap::from_iter([(
        HeaderName::from_static("grpc-status"),
        HeaderValue::from(u16::from(status)),
    )]);
    let Some(body) = body else {
        let mut answer = Response::new(());
        *answer.headers_mut() = trailers;
        return respond.send_response(answer, true).map(drop);
    };
    begin_call(&mut respond, body)?.send_trailers(trailers)
}

fn begin_call(
    respond: &mut SendResponse<Bytes>,
    body: &'static [u8],
) -> Result<SendStream<Bytes>, h2::Error> {
    let answer = Response::builder().header("content-type", "application/grpc+proto");
    let mut stream = respond.send_response(answer.body(()).unwrap(), false)?;
    stream.send_data(Bytes::from_static(body), false)?;
    Ok(stream)
}

/// An empty SETTINGS frame.
const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

/// Reads frames up to the request, as the library would, without a word of its own.
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

/// An answer without a body (`:status: 500`), and these frames in one piece with it.
async fn answer_and(mut stream: impl Stream, log: &Log, frames: &[u8]) -> io::Result<()> {
    hear(&mut stream, log).await?;
    let headers = [0, 0, 1, 1, 4, 0, 0, 0, 1, 0x8e];
    let all = [&SETTINGS[..], &headers, frames].concat();
    stream.write_all(&all).await?;
    stream.read_to_end(&mut Vec::new()).await?;
    Ok(())
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
