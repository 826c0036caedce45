//! One request over HTTP/1.1, and the head of its answer.

mod lenient;

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use http::{HeaderMap, Request, Response};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;

use super::client;
use super::dial::{Prefixed, Stream};
use super::meter::{HEAD_LIMIT, Meter, Metered};
use crate::protocol::foreign;

/// The most header fields of a response.
pub(crate) const FIELD_LIMIT: usize = 256;
/// What the library may hold of a head: more than may come.
const BUFFER: usize = 2 * HEAD_LIMIT;

/// Why a request has no answer.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The connection failed.
    Io(io::Error),
    /// It was closed before a complete head.
    Closed,
    /// The stream was reset (HTTP/2).
    Reset,
    /// The server asks for HTTP/1.1 (HTTP/2, RFC 9113, 7).
    WantsHttp1,
    /// An alert of TLS came.
    WantsTls,
    /// Something came that is not HTTP, or beyond the limits.
    NotHttp(String),
    /// The request cannot be sent.
    Unsent(String),
}

/// An answer, of which the head has come.
pub(crate) struct Answer {
    status: u16,
    headers: HeaderMap,
    rest: Option<Rest>,
}

/// What follows the head.
struct Rest {
    body: Incoming,
    connection: http1::Connection<TokioIo<Metered>, String>,
}

/// Sends a request without a body and waits for the head of the answer. Heads of interim
/// answers (1xx) are passed over.
pub(crate) async fn ask(
    stream: Box<dyn Stream>,
    request: Request<String>,
) -> Result<Answer, Broken> {
    let (stream, meter) = Metered::new(stream);
    let mut builder = http1::Builder::new();
    builder
        .max_headers(FIELD_LIMIT)
        .max_buf_size(BUFFER)
        .ignore_invalid_headers_in_responses(true)
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true);
    let opened = builder.handshake(TokioIo::new(stream)).await;
    let (mut sender, mut connection) = opened.map_err(|error| unsent(&error))?;
    let answered = {
        let mut sending = pin!(sender.send_request(request));
        poll_fn(|cx| {
            // The connection ends with the request answered, one way or the other.
            let _ = connection.poll_without_shutdown(cx);
            sending.as_mut().poll(cx)
        })
        .await
    };
    match answered {
        Ok(response) => {
            meter.head_is_over();
            Ok(Answer::new(response, connection))
        }
        Err(error) => explain(&error, connection, &meter).await,
    }
}

impl Answer {
    fn new(
        response: Response<Incoming>,
        connection: http1::Connection<TokioIo<Metered>, String>,
    ) -> Self {
        let (head, body) = response.into_parts();
        Self {
            status: head.status.as_u16(),
            headers: head.headers,
            rest: Some(Rest { body, connection }),
        }
    }

    pub(crate) const fn status(&self) -> u16 {
        self.status
    }

    pub(crate) fn take_headers(&mut self) -> HeaderMap {
        std::mem::take(&mut self.headers)
    }

    /// The connection, where it is no longer HTTP: an answer to CONNECT.
    pub(crate) fn into_stream(self) -> Option<Box<dyn Stream>> {
        let parts = self.rest?.connection.into_parts();
        let stream = parts.io.into_inner().into_inner();
        Some(Prefixed::before(parts.read_buf.into(), stream))
    }

    /// The next piece of the body, if there is one.
    pub(crate) async fn chunk(&mut self) -> Option<Bytes> {
        let Rest { body, connection } = self.rest.as_mut()?;
        poll_fn(|cx| {
            let _ = connection.poll_without_shutdown(cx);
            match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => Poll::Ready(frame.into_data().ok()),
                Poll::Ready(_) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// Says goodbye, and closes.
    pub(crate) fn leave(self) {
        if let Some(Rest { body, connection }) = self.rest {
            drop(body);
            let mut stream = connection.into_parts().io.into_inner().into_inner();
            stream.take_leave();
        }
    }
}

/// Why there is no answer, as far as the library takes it; a head that it does not take, but
/// that says enough, is one.
async fn explain(
    error: &hyper::Error,
    connection: http1::Connection<TokioIo<Metered>, String>,
    meter: &Arc<Meter>,
) -> Result<Answer, Broken> {
    if let Some(broken) = broken(meter) {
        return Err(broken);
    }
    let closed = meter.reading().closed;
    if error.is_incomplete_message() || closed && !error.is_parse() {
        return Err(Broken::Closed);
    }
    if error.is_user() {
        return Err(unsent(error));
    }
    let mut head = std::mem::take(&mut meter.reading().received);
    let mut stream = connection.into_parts().io.into_inner();
    // It may have given up within the head.
    while error.is_parse() && lenient::is_unfinished(&head) {
        match stream.read_buf(&mut head).await {
            Ok(1..) => {}
            Ok(0) => return Err(Broken::Closed),
            Err(_) => return Err(broken(meter).unwrap_or(Broken::Closed)),
        }
    }
    if error.is_parse()
        && let Some((status, headers)) = lenient::read(&head)
    {
        return Ok(Answer {
            status,
            headers,
            rest: None,
        });
    }
    if foreign::wants_tls(&head) {
        return Err(Broken::WantsTls);
    }
    let why = client::describe(error);
    Err(Broken::NotHttp(why))
}

/// What the connection itself has to say.
pub(super) fn broken(meter: &Meter) -> Option<Broken> {
    let mut reading = meter.reading();
    if reading.flooded {
        let limit = HEAD_LIMIT / 1024;
        let why = format!("more than {limit} KiB came before the end of its head");
        return Some(Broken::NotHttp(why));
    }
    reading.error.take().map(Broken::Io)
}

fn unsent(error: &(dyn std::error::Error + 'static)) -> Broken {
    Broken::Unsent(client::describe(error))
}
