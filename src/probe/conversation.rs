//! Asks a service in its own protocol: makes the connection, carries the bytes of a
//! [`Greeting`], and turns what comes of it into an attempt.

mod call;
mod goodbye;
mod question;
mod srv;

use std::borrow::Cow;
use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::failure::{self, Scene, Twin, Unanswered};
use super::timed::{Ended, Timed};
use super::{Attempt, AttemptBudget, Cause, Phases};
use crate::address::Service;
use crate::net::dial::{self, Destination, DialError, Progress, Seen, Stream, dial};
use crate::net::timer::within;
use crate::net::tls::ends;
use crate::net::{Network, http2};
use crate::protocol::{Answer, Asks, Greeting, LIMIT, Next, Received, Site, Tls, Unmet, foreign};
use crate::text;

/// How much is read at once, in bytes: most answers are shorter.
const BUFFER: usize = 1024;
/// What is offered in TLS where HTTP/2 is spoken (RFC 9113, 3.2).
const HTTP2: &[u8] = b"h2";

/// How to ask one service.
#[derive(Debug)]
pub struct ServiceProbe {
    /// Where it is, and what it speaks.
    pub service: Service,
    /// Whether TLS is wanted, by the scheme or by the option.
    pub tls: bool,
}

/// The connection stood, and no answer in the target's protocol came.
#[derive(Debug)]
pub(crate) enum Silent {
    /// The connection failed.
    Io(io::Error),
    /// It was closed first.
    Closed,
    /// What came is not the protocol; its first bytes.
    Foreign(Vec<u8>),
}

/// A service that has answered, and what is to be left.
struct Answered {
    answer: Answer,
    open: Open,
}

/// What stands once there is an answer.
enum Open {
    /// A conversation.
    Stream(Box<dyn Stream>),
    /// The connection of a call.
    Http2(Box<http2::Answer>),
    /// Nothing that would have to be left.
    Nothing,
}

impl ServiceProbe {
    /// Tries once.
    pub(crate) async fn attempt(&self, network: &Network, budget: AttemptBudget<'_>) -> Attempt {
        match self.service.scheme.srv() {
            Some(srv) => srv::attempt(self, &srv, network, budget).await,
            None => self.attempt_here(network, budget).await,
        }
    }

    /// Tries once, at the address that the service has.
    async fn attempt_here(&self, network: &Network, budget: AttemptBudget<'_>) -> Attempt {
        let timed = Timed::begin(budget);
        let progress = Progress::default();
        let (done, ended) = match self.service.protocol.asks {
            Asks::Stream(greeting) => {
                let asked = self.ask(network, greeting(&self.site()), &progress);
                timed.run(pin!(asked)).await
            }
            Asks::Call(call) => timed.run(pin!(self.call(call, network, &progress))).await,
            Asks::Question(question) => {
                let asked = self.question(question, network, &progress);
                timed.run(pin!(asked)).await
            }
        };
        let seen = progress.seen();
        let refused = seen.refused_certificate().map(|error| {
            let error = io::Error::new(io::ErrorKind::InvalidData, error.clone());
            Unanswered::Dial(DialError::Tls(error))
        });
        match done {
            Some(Ok(Answered { answer, open })) => {
                let goodbye = answer.goodbye.clone();
                let attempt = match refused {
                    Some(why) => self.fail(Some(&why), &ended, &seen),
                    None => self.judge(answer, &seen),
                };
                let attempt = timed.close(attempt);
                match open {
                    Open::Stream(stream) => goodbye::leave(stream, &goodbye, timed.until).await,
                    Open::Http2(answer) => answer.leave(),
                    Open::Nothing => {}
                }
                attempt
            }
            Some(Err(why)) if failure::wants_login(&why, &seen) => {
                timed.close(wants_certificate(&seen))
            }
            done => {
                let why = refused.or(done.and_then(Result::err));
                timed.close(self.fail(why.as_ref(), &ended, &seen))
            }
        }
    }

    /// What its greeting depends on.
    pub(crate) fn site(&self) -> Site<'_> {
        Site {
            upgrade: self.upgrades(),
            path: &self.service.path,
            port: self.service.port,
        }
    }

    /// Whether TLS is asked for within the protocol.
    fn upgrades(&self) -> bool {
        self.tls && !self.service.scheme.tls && self.service.protocol.tls == Tls::Upgrade
    }

    /// How the same would be asked with TLS, or without.
    pub(crate) fn twin(&self) -> Twin {
        if self.upgrades() {
            return Twin::None;
        }
        Twin::of(self.service.protocol, self.service.scheme, self.tls)
    }

    fn destination(&self) -> Destination<'_> {
        let protocols: &[&[u8]] = match self.service.protocol.asks {
            Asks::Stream(_) | Asks::Question(_) => &[],
            Asks::Call(_) => &[HTTP2],
        };
        Destination {
            host: &self.service.host,
            port: self.service.port,
            // No client of these protocols goes by HTTP_PROXY and the like.
            proxy: None,
            tls: (self.tls && !self.upgrades()).then_some(protocols),
            redirected: false,
        }
    }

    /// Connects, and talks until there is an answer.
    async fn ask(
        &self,
        network: &Network,
        mut greeting: Box<dyn Greeting>,
        progress: &Progress,
    ) -> Result<Answered, Unanswered> {
        let to = self.destination();
        let connect = || async {
            let connection = dial(network, &to, progress).await;
            Ok(connection.map_err(Unanswered::Dial)?.stream)
        };
        let mut stream = connect().await?;
        loop {
            match talk(&mut stream, &mut *greeting).await {
                Ok(End::Answer(answer)) => {
                    let open = Open::Stream(stream);
                    return Ok(Answered { answer, open });
                }
                Ok(End::StartTls) => {
                    let upgraded = dial::start_tls(network, &self.service.host, stream, progress);
                    stream = upgraded.await.map_err(Unanswered::Dial)?;
                }
                Ok(End::Reconnect) => {
                    drop(stream);
                    stream = connect().await?;
                }
                Err(silent) => return Err(Unanswered::Service(silent)),
            }
        }
    }

    pub(crate) fn judge(&self, answer: Answer, seen: &Seen) -> Attempt {
        let said = text::sanitize(&answer.said, text::PIECE);
        let (cause, detail) = if answer.is_serving {
            (None, said)
        } else {
            let address = self.peer(seen);
            let detail = format!("{address} answers that it cannot serve now: {said}");
            (Some(Cause::NotServing), detail)
        };
        let mut attempt = Attempt {
            cause,
            detail,
            code: answer.code.map(|code| text::sanitize(&code, text::CODE)),
            note: answer
                .note
                .map(|note| Cow::Owned(text::sanitize(&note, text::PIECE))),
            ..reached(seen)
        };
        if attempt.cause.is_none() {
            add_certificate(&mut attempt, seen);
        }
        attempt.evidence.add(seen.address());
        // A datagram is answered before there is a connection.
        let since = seen.open_since().or_else(|| seen.tried_since());
        attempt.phases.response = since.map(|since| since.elapsed());
        attempt
    }

    fn fail(&self, why: Option<&Unanswered>, ended: &Ended, seen: &Seen) -> Attempt {
        let failure = ended.explain(
            why,
            &Scene {
                host: &self.service.host,
                protocol: self.service.protocol.title,
                proxy: None,
                seen,
                limit: ended.limit(),
                redirected: false,
                http1: false,
                twin: self.twin(),
            },
        );
        let mut attempt = Attempt {
            cause: Some(failure.cause),
            detail: failure.detail,
            cut_short: ended.was_cut_short(why),
            ..reached(seen)
        };
        if failure.cause.is_evidence() {
            attempt.evidence.add(seen.address());
        }
        attempt
    }

    fn peer(&self, seen: &Seen) -> String {
        seen.address()
            .map_or_else(|| self.service.host.clone(), |address| address.to_string())
    }
}

/// An attempt that came as far as was seen.
fn reached(seen: &Seen) -> Attempt {
    Attempt {
        address: seen.address(),
        phases: Phases {
            dns: seen.name_took(),
            connect: seen.connect_took(),
            tls: seen.tls_took(),
            response: None,
        },
        ..Attempt::blank()
    }
}

/// An attempt that is up without an answer: the server wants a client certificate.
fn wants_certificate(seen: &Seen) -> Attempt {
    let mut attempt = Attempt {
        detail: "TLS, with a request for a client certificate".to_owned(),
        code: Some("client-certificate".to_owned()),
        note: Some(Cow::Borrowed(
            "it asked for a client certificate; the login was not checked",
        )),
        ..reached(seen)
    };
    add_certificate(&mut attempt, seen);
    attempt.evidence.add(seen.address());
    attempt
}

/// Notes a certificate that ends soon.
fn add_certificate(attempt: &mut Attempt, seen: &Seen) {
    if let Some(ends) = seen.certificate_left().and_then(ends::words) {
        attempt.add_note(format!("the certificate {ends}"));
    }
}

/// How a conversation over one connection ended.
pub(crate) enum End {
    Answer(Answer),
    StartTls,
    Reconnect,
}

/// What is to be done for a greeting.
pub(crate) enum Act {
    Send(Vec<u8>),
    HalfClose,
    /// Read, for so long at most.
    Read(Option<Duration>),
    End(End),
    /// Nothing more: what came is not the protocol.
    Foreign,
    /// Nothing more: the other side closed before an answer.
    Closed,
}

/// The greeting's next step, within the limits that hold for all of them.
pub(crate) fn act(greeting: &mut dyn Greeting, received: &mut Received) -> Act {
    match greeting.next(received) {
        Ok(Next::Send(bytes)) => Act::Send(bytes),
        Ok(Next::HalfClose) => Act::HalfClose,
        // What came in clear before TLS cannot be trusted to be the server's.
        Ok(Next::StartTls) if received.rest().is_empty() => Act::End(End::StartTls),
        Ok(Next::StartTls) | Err(Unmet::Foreign) => Act::Foreign,
        Ok(Next::Reconnect) => Act::End(End::Reconnect),
        Ok(Next::Done(answer)) => Act::End(End::Answer(answer)),
        Err(_) if received.is_over() => Act::Closed,
        Err(_) if received.whole().len() > LIMIT => Act::Foreign,
        Err(Unmet::More) => Act::Read(None),
        Err(Unmet::MoreWithin(patience)) => Act::Read(Some(patience)),
    }
}

/// Carries bytes both ways until there is an answer.
async fn talk(stream: &mut Box<dyn Stream>, greeting: &mut dyn Greeting) -> Result<End, Silent> {
    let mut received = Received::default();
    let mut broken = None;
    let mut buffer = Vec::with_capacity(BUFFER);
    loop {
        let patience = match act(greeting, &mut received) {
            Act::Send(bytes) => {
                // Who was sent away at once may have been told why: that is read all the same.
                if let Err(error) = send(stream, &bytes).await {
                    broken = Some(error);
                }
                continue;
            }
            Act::HalfClose => {
                if let Err(error) = stream.shutdown().await {
                    broken = Some(error);
                }
                continue;
            }
            Act::Read(patience) => patience,
            Act::Foreign => {
                return Err(Silent::Foreign(received.whole().to_vec()));
            }
            Act::Closed => {
                return Err(broken.map_or(Silent::Closed, Silent::Io));
            }
            Act::End(end) => return Ok(end),
        };
        buffer.clear();
        let read = stream.read_buf(&mut buffer);
        let read = match patience {
            None => Some(read.await),
            Some(patience) => within(patience, read).await,
        };
        match read {
            None => received.fall_quiet(),
            Some(Ok(0)) => received.end(),
            Some(Ok(_)) => received.add(&buffer),
            Some(Err(error)) => {
                received.end();
                broken = Some(error);
            }
        }
    }
}

async fn send(stream: &mut Box<dyn Stream>, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// What a server is that does not speak the protocol, for people; or how it begins.
pub(super) fn what_it_is(bytes: &[u8]) -> String {
    if let Some(what) = foreign::what(bytes) {
        return format!("it looks like {what}");
    }
    let start = bytes.get(..bytes.len().min(40)).unwrap_or_default();
    let is_text = |byte: &u8| byte.is_ascii_graphic() || b" \r\n\t".contains(byte);
    if !start.is_empty() && start.iter().all(is_text) {
        let start = String::from_utf8_lossy(start);
        return format!("it begins with \"{}\"", text::sanitize(&start, text::CODE));
    }
    let hex: Vec<_> = start
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("it begins with the bytes {}", hex.join(" "))
}
