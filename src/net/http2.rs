//! One request over HTTP/2, and the head of its answer.

mod frames;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

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
}

/// Sends a request without a body and waits for the head of the answer.
pub(crate) async fn ask(stream: Box<dyn Stream>, request: Request<()>) -> Result<Answer, Broken> {
    #[expect(clippy::cast_possible_truncation, reason = "264 KiB fit into 32 bits")]
    let list_limit = (HEAD_LIMIT + FIELD_OVERHEAD * (FIELD_LIMIT + 8)) as u32;
    let (stream, meter) = Metered::new(stream);
    let mut builder = h2::client::Builder::new();
    builder.max_header_list_size(list_limit).enable_push(false);
    let opened = builder.handshake(stream).await;
    let (mut sender, mut connection) = opened.map_err(|error| explain(&error, &meter))?;
    let sent = sender.send_request(request, true);
    let (mut response, _) = sent.map_err(|error| Broken::Unsent(client::describe(&error)))?;
    let mut frames = Frames::default();
    let answered = poll_fn(|cx| {
        // Its end is told to the response as well.
        let over = Pin::new(&mut connection).poll(cx).is_ready();
        let asks_for_http1 = frames.ask_for_http1(&mut meter.reading().received);
        match Pin::new(&mut response).poll(cx) {
            // Whatever came after it.
            Poll::Ready(Ok(response)) => Poll::Ready(Ok(response)),
            _ if asks_for_http1 => Poll::Ready(Err(Broken::WantsHttp1)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(explain(&error, &meter))),
            Poll::Pending if over => Poll::Ready(Err(Broken::Closed)),
            Poll::Pending => Poll::Pending,
        }
    })
    .await?;
    meter.head_is_over();
    let (head, body) = answered.into_parts();
    Ok(Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body,
        sender,
        connection,
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
