//! PostgreSQL and the poolers before it: a startup message, answered before any login.
//!
//! Wire format: PostgreSQL documentation, "Message Formats" and "Start-up",
//! <https://www.postgresql.org/docs/current/protocol-message-formats.html>; SQLSTATEs:
//! "PostgreSQL Error Codes". An `SSLRequest` alone would prove nothing: it is answered while the
//! server starts, recovers or is full, too.

#[cfg(test)]
mod tests;

use super::{
    Answer, Asks, Greeting, LOGIN_NOT_CHECKED, NO_TLS, Next, Page, Protocol, Received, Scheme,
    Site, Tls, Unmet,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "postgres",
    title: "PostgreSQL",
    schemes: &[scheme("postgres"), scheme("postgresql")],
    tls: Tls::Upgrade,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "a startup message for the user `dep-preflight`",
        up: "a request for a password or another proof of who asks; errors with any other code (`28000`, `28P01`, `3D000`, `08P01`)",
        down: "`57P03` (starting, stopping, in recovery), `57P01`, `57P02`, `53…` (full), `58…`, an error without a code; with `tls: true`, no TLS",
        blind: "the login; the database; whether it takes writes; a server that is gone behind a pooler",
        log: "nothing; one line where `pg_hba.conf` trusts the runner or does not know it, two to four in PgBouncer's",
    },
};

const fn scheme(name: &'static str) -> Scheme {
    Scheme {
        name,
        port: Some(5432),
        tls: false,
    }
}

/// `StartupMessage`: its length, protocol 3.0, one parameter. A server logs one without a user.
const STARTUP: &[u8] = b"\0\0\0\x1c\0\x03\0\0user\0dep-preflight\0\0";
/// `SSLRequest`: its length, and a protocol number that does not exist.
const SSL_REQUEST: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x2f";
/// `Terminate`. Only after a login: during one, the server logs it as a protocol violation.
const TERMINATE: &[u8] = b"X\0\0\0\x04";

/// The longest message, in bytes with its length (libpq, `MAX_ERRLEN`).
const LONGEST: u32 = 30_000;

struct Startup {
    state: State,
    /// Whether it needs no proof of who asks.
    let_in: bool,
}

enum State {
    /// TLS is to be asked for.
    Clear,
    /// TLS was asked for.
    AskedForTls,
    /// The startup message is to be sent.
    Ready,
    /// It was sent.
    Started,
}

fn greeting(site: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(Startup {
        state: if site.upgrade {
            State::Clear
        } else {
            State::Ready
        },
        let_in: false,
    })
}

impl Greeting for Startup {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        match self.state {
            State::Clear => {
                self.state = State::AskedForTls;
                Ok(Next::Send(SSL_REQUEST.to_vec()))
            }
            State::AskedForTls => self.tls(received),
            State::Ready => {
                self.state = State::Started;
                Ok(Next::Send(STARTUP.to_vec()))
            }
            State::Started => self.message(received),
        }
    }
}

impl Startup {
    /// What the `SSLRequest` is answered with: one byte, or an error.
    fn tls(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        let [answer] = received.peek_array()?;
        match answer {
            b'S' => {
                received.take(1)?;
                self.state = State::Ready;
                Ok(Next::StartTls)
            }
            b'N' => Ok(Next::Done(Answer::not_serving(NO_TLS))),
            b'E' => error(received).map(Next::Done),
            _ => Err(Unmet::Foreign),
        }
    }

    /// Messages, until one says what the server thinks of the startup.
    fn message(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        loop {
            let [kind] = received.peek_array()?;
            match kind {
                b'E' => return error(received).map(Next::Done),
                b'R' if !self.let_in => {
                    if let Some(wanted) = authentication(message(received)?)? {
                        let answer = Answer::up(format!("asks for {wanted}"));
                        return Ok(Next::Done(answer.with_note(LOGIN_NOT_CHECKED)));
                    }
                    self.let_in = true;
                }
                // ReadyForQuery.
                b'Z' if self.let_in => {
                    message(received)?;
                    let answer = Answer::up("asks for no password");
                    return Ok(Next::Done(answer.with_goodbye(TERMINATE)));
                }
                // NoticeResponse, NegotiateProtocolVersion; ParameterStatus, BackendKeyData.
                b'N' | b'v' => _ = message(received)?,
                b'S' | b'K' if self.let_in => _ = message(received)?,
                _ => return Err(Unmet::Foreign),
            }
        }
    }
}

/// The length that the next message gives itself: with itself, without its type.
fn length(received: &Received) -> Result<u32, Unmet> {
    let [_, length @ ..] = received.peek_array::<5>()?;
    Ok(u32::from_be_bytes(length))
}

/// The body of the next message.
fn message(received: &mut Received) -> Result<&[u8], Unmet> {
    let length = length(received)?;
    if !(4..=LONGEST).contains(&length) {
        return Err(Unmet::Foreign);
    }
    let whole = received.take(1 + length as usize)?;
    Ok(whole.get(5..).unwrap_or_default())
}

/// What an authentication request asks for; nothing, if it says that all is well.
fn authentication(body: &[u8]) -> Result<Option<String>, Unmet> {
    let (kind, rest) = body.split_first_chunk().ok_or(Unmet::Foreign)?;
    let wanted = match u32::from_be_bytes(*kind) {
        0 => return Ok(None),
        3 => "a password".to_owned(),
        5 => "an MD5 password".to_owned(),
        7 => "GSSAPI".to_owned(),
        9 => "SSPI".to_owned(),
        10 => {
            let names = rest.split(|byte| *byte == 0);
            let names = names.filter(|name| !name.is_empty());
            let names: Vec<_> = names.map(String::from_utf8_lossy).collect();
            names.join(" or ")
        }
        kind @ (2 | 6) => format!("authentication of type {kind}"),
        _ => return Err(Unmet::Foreign),
    };
    Ok(Some(wanted))
}

/// Judges an error.
fn error(received: &mut Received) -> Result<Answer, Unmet> {
    let length = length(received)?;
    if !(8..=LONGEST).contains(&length) {
        return error_as_text(received);
    }
    let body = message(received)?;
    let (mut code, mut text) = (None, None);
    let mut fields = body;
    loop {
        let (kind, rest) = fields.split_first().ok_or(Unmet::Foreign)?;
        if *kind == 0 {
            break;
        }
        let end = rest.iter().position(|byte| *byte == 0);
        let (value, rest) = rest.split_at(end.ok_or(Unmet::Foreign)?);
        let value = || String::from_utf8_lossy(value).into_owned();
        match kind {
            b'C' => code = Some(value()),
            b'M' => text = Some(value()),
            _ => {}
        }
        fields = rest.get(1..).unwrap_or_default();
    }
    let Some(code) = code else {
        let said = text.unwrap_or_else(|| "an error without a code".to_owned());
        return Ok(Answer::not_serving(said));
    };
    let said = text.unwrap_or_else(|| code.clone());
    let answer = if cannot_serve(&code) {
        Answer::not_serving(said)
    } else {
        Answer::up(said).with_note(LOGIN_NOT_CHECKED)
    };
    Ok(answer.with_code(code))
}

/// An error in the format of protocol 2, text up to a NUL: what a server sends that cannot start
/// a process for the connection, before version 14 in other straits, too.
fn error_as_text(received: &mut Received) -> Result<Answer, Unmet> {
    let text = received.rest().get(1..).unwrap_or_default();
    let end = text.iter().position(|byte| *byte == 0);
    let is_text = |byte: &u8| *byte >= b' ' || *byte == b'\n' || *byte == b'\t';
    let text = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
    if text.is_empty() || text.len() > LONGEST as usize || !text.iter().all(is_text) {
        return Err(Unmet::Foreign);
    }
    if end.is_none() && !received.is_over() {
        return Err(Unmet::More);
    }
    Ok(Answer::not_serving(String::from_utf8_lossy(text).trim()))
}

/// Whether no login would help. `57P03`: `cannot_connect_now`; `57P01` and `57P02`: shutdowns;
/// class `53`: out of connections, memory, disk; class `58`: errors of the system.
fn cannot_serve(code: &str) -> bool {
    matches!(code, "57P01" | "57P02" | "57P03") || code.starts_with("53") || code.starts_with("58")
}
