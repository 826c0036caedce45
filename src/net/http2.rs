//! One request over HTTP/2, and the head of its answer.

mod frames;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use h2::Reason;
use http::{HeaderMap, Request};
use hyper::body::Bytes;

use super::client;
use super::dial::Stream;
use super::http1::{Broken, FIELD_LIMIT, broken};
use super::meter::{HEAD_LIMIT, Meter, Metered};
use frames::Frames;

/// HTTP/2 counts 32 bytes for each field besides its text (RFC 9113, 6.5.2).
const FIELD_OVERHEAD: usize = 32;

type Connection = h2::client::Connection<Metered, Bytes>;

/// An answer, of which the head has come.
pub(crate) struct Answer {
    status: u16,
    headers: HeaderMap,
    body: h2::RecvStream,
    /// Without one, the connection would end.
    sender: h2::client::SendRequest<Bytes>,
    connection: Connection,
    meter: Arc<Meter>,
}

/// Why a call has no answer.
#[derive(Debug)]
pub(crate) enum Uncalled {
    /// As with any request.
    Broken(Broken),
    /// What came is not HTTP/2; its first bytes.
    Foreign(Vec<u8>),
    /// The server does not take the request: it goes away, or refuses the stream. Its word for it.
    TurnedAway(String),
}

/// Sends a request without a body and waits for the head of the answer.
pub(crate) async fn ask(stream: Box<dyn Stream>, request: Request<()>) -> Result<Answer, Broken> {
    let (stream, meter) = Metered::new(stream);
    let sent = send(stream, &meter, request, None).await;
    sent.map_err(|failed| failed.explain(&meter))
}

/// Sends a request with this body and waits for the head of the answer. The server is not known
/// to speak HTTP/2.
pub(crate) async fn call(
    stream: Box<dyn Stream>,
    request: Request<()>,
    body: Vec<u8>,
) -> Result<Answer, Uncalled> {
    let (stream, meter) = Metered::new(stream);
    let sent = send(stream, &meter, request, Some(body.into())).await;
    sent.map_err(|failed| {
        let start = std::mem::take(&mut meter.reading().start);
        if !start.is_empty() && !frames::may_begin(&start) {
            return Uncalled::Foreign(start);
        }
        match failed.turned_away() {
            Some(word) => Uncalled::TurnedAway(word),
            None => Uncalled::Broken(failed.explain(&meter)),
        }
    })
}

/// Why there is no head.
struct Failed {
    why: Why,
    /// Why the server went away before, if it did.
    goes_away: Option<Reason>,
}

enum Why {
    /// The library says so.
    Library(h2::Error),
    /// The request cannot be sent.
    Unsent(h2::Error),
    /// The connection ended first.
    Over,
    /// The server asks for HTTP/1.1.
    WantsHttp1,
}

impl From<Why> for Failed {
    fn from(why: Why) -> Self {
        Self {
            why,
            goes_away: None,
        }
    }
}

impl Failed {
    fn explain(&self, meter: &Arc<Meter>) -> Broken {
        match &self.why {
            Why::Library(error) => explain(error, meter),
            Why::Unsent(error) => Broken::Unsent(client::describe(error)),
            Why::Over => broken(meter).unwrap_or(Broken::Closed),
            Why::WantsHttp1 => Broken::WantsHttp1,
        }
    }

    /// The server's word for not taking the request.
    fn turned_away(&self) -> Option<String> {
        match &self.why {
            Why::WantsHttp1 | Why::Unsent(_) => None,
            Why::Library(error)
                if error.is_remote() && error.reason() == Some(Reason::REFUSED_STREAM) =>
            {
                Some(word(Reason::REFUSED_STREAM))
            }
            _ => Some(format!("GOAWAY, {}", word(self.goes_away?))),
        }
    }
}

/// A reason as the standard writes it.
fn word(reason: Reason) -> String {
    format!("{reason:?}")
}

async fn send(
    stream: Metered,
    meter: &Arc<Meter>,
    request: Request<()>,
    body: Option<Bytes>,
) -> Result<Answer, Failed> {
    #[expect(clippy::cast_possible_truncation, reason = "264 KiB fit into 32 bits")]
    let list_limit = (HEAD_LIMIT + FIELD_OVERHEAD * (FIELD_LIMIT + 8)) as u32;
    let mut builder = h2::client::Builder::new();
    builder.max_header_list_size(list_limit).enable_push(false);
    let opened = builder.handshake(stream).await;
    let (mut sender, mut connection) = opened.map_err(Why::Library)?;
    let sent = sender.send_request(request, body.is_none());
    let (mut response, mut sending) = sent.map_err(Why::Unsent)?;
    if let Some(body) = body {
        sending.send_data(body, true).map_err(Why::Unsent)?;
    }
    let mut frames = Frames::default();
    let answered = poll_fn(|cx| {
        // Its end is told to the response as well.
        let over = Pin::new(&mut connection).poll(cx).is_ready();
        let asks_for_http1 = frames.ask_for_http1(&mut meter.reading().received);
        match Pin::new(&mut response).poll(cx) {
            // Whatever came after it.
            Poll::Ready(Ok(response)) => Poll::Ready(Ok(response)),
            _ if asks_for_http1 => Poll::Ready(Err(Why::WantsHttp1)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(Why::Library(error))),
            Poll::Pending if over => Poll::Ready(Err(Why::Over)),
            Poll::Pending => Poll::Pending,
        }
    });
    let answered = answered.await.map_err(|why| Failed {
        why,
        goes_away: frames.goes_away,
    })?;
    meter.head_is_over();
    let (head, body) = answered.into_parts();
    Ok(Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body,
        sender,
        connection,
        meter: Arc::clone(meter),
    })
}

impl Answer {
    pub(crate) const fn status(&self) -> u16 {
        self.status
    }

    pub(crate) fn take_headers(&mut self) -> HeaderMap {
        std::mem::take(&mut self.headers)
    }

    /// The next piece of the body, if there is one.
    pub(crate) async fn chunk(&mut self) -> Option<Bytes> {
        let (body, connection) = (&mut self.body, &mut self.connection);
        poll_fn(|cx| {
            let _ = Pin::new(&mut *connection).poll(cx);
            body.poll_data(cx)
        })
        .await?
        .ok()
    }

    /// The body, as long as it has not reached this length, and what follows it. Of a longer body
    /// the end is not waited for.
    pub(crate) async fn read(&mut self, limit: usize) -> Result<(Vec<u8>, HeaderMap), Broken> {
        let mut read = Vec::new();
        let (body, connection) = (&mut self.body, &mut self.connection);
        let mut poll_connection = |cx: &mut Context<'_>| {
            let _ = Pin::new(&mut *connection).poll(cx);
        };
        let failed = |error: h2::Error| explain(&error, &self.meter);
        while read.len() < limit {
            let next = poll_fn(|cx| {
                poll_connection(cx);
                body.poll_data(cx)
            });
            let Some(piece) = next.await.transpose().map_err(failed)? else {
                let trailers = poll_fn(|cx| {
                    poll_connection(cx);
                    body.poll_trailers(cx)
                });
                let trailers = trailers.await.map_err(failed)?;
                return Ok((read, trailers.unwrap_or_default()));
            };
            read.extend_from_slice(&piece);
        }
        read.truncate(limit);
        Ok((read, HeaderMap::new()))
    }

    /// Says goodbye (`GOAWAY`) as far as that can be sent at once, and closes.
    pub(crate) fn leave(self) {
        let Self {
            body,
            sender,
            mut connection,
            ..
        } = self;
        drop((body, sender));
        let _ = Pin::new(&mut connection).poll(&mut Context::from_waker(Waker::noop()));
    }
}

/// Why there is no answer.
fn explain(error: &h2::Error, meter: &Arc<Meter>) -> Broken {
    if let Some(broken) = broken(meter) {
        return broken;
    }
    if meter.reading().closed || error.is_io() {
        return Broken::Closed;
    }
    // What our own side complains about is not HTTP/2 as it should be.
    if error.is_library() {
        return Broken::NotHttp(client::describe(error));
    }
    if error.is_reset() {
        Broken::Reset
    } else {
        Broken::Closed
    }
}
