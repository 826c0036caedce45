//! MongoDB and what speaks like it: `hello`.
//!
//! Wire format: the MongoDB wire protocol, `OP_MSG`,
//! <https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/>. `hello` is answered
//! before a login. No metadata about the client goes with it: that would be logged.

mod bson;
#[cfg(test)]
mod tests;

use super::{
    Answer, Asks, Greeting, LIMIT, LOGIN_NOT_CHECKED, Next, Page, Protocol, Received, Scheme, Site,
    Tls, Unmet,
};
use bson::{Document, Value};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "mongodb",
    title: "MongoDB",
    schemes: &[
        Scheme {
            name: "mongodb",
            port: Some(27017),
            tls: false,
        },
        // The connection string's specification has TLS on for it.
        Scheme {
            name: "mongodb+srv",
            port: None,
            tls: true,
        },
    ],
    tls: Tls::FromTheStart,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "`hello`; `mongodb+srv` looks up the SRV records of `_mongodb._tcp.HOST` and asks one of those servers after the other, in TLS, until one is up",
        up: "a primary, a mongos, a server that stands alone; a secondary or an arbiter that knows a primary; errors but those beside",
        down: "a replica set that is not initiated; a secondary or an arbiter without a primary; a member that starts, recovers or rolls back; errors 91, 189, 10107, 11600, 11602, 13435, 13436",
        blind: "databases; limits of an account; a server that has as many connections as it takes closes the connection, and is down as `closed`",
        log: "two lines at the level of info, as for any connection",
    },
};

/// `OP_MSG` with the document `{hello: 1, $db: "admin"}`.
const REQUEST: &[u8] = b"\x34\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\
    \0\0\0\0\0\
    \x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0";
/// The request's id, which the answer repeats.
const ID: u32 = 1;
/// Length, id, the id of the request, opcode.
const HEADER: usize = 16;
const OP_MSG: u32 = 2013;
/// How servers before 3.6 answer.
const OP_REPLY: u32 = 1;
/// What stands before the document in an `OP_REPLY`: flags, cursor, offset, count.
const REPLY_HEAD: usize = 20;

struct Hello {
    sent: bool,
}

fn greeting(_: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(Hello { sent: false })
}

impl Greeting for Hello {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        if !std::mem::replace(&mut self.sent, true) {
            return Ok(Next::Send(REQUEST.to_vec()));
        }
        let length = usize::try_from(u32::from_le_bytes(received.peek_array()?));
        let length = length.unwrap_or(usize::MAX);
        if !(HEADER..=LIMIT).contains(&length) {
            return Err(Unmet::Foreign);
        }
        let header: [u8; HEADER] = received.peek_array()?;
        let [_, _, answered, opcode] = words(header);
        if answered != ID || ![OP_MSG, OP_REPLY].contains(&opcode) {
            return Err(Unmet::Foreign);
        }
        let message = received.take(length)?;
        let body = message.get(HEADER..).unwrap_or_default();
        let document = if opcode == OP_MSG {
            // Flags, and a section of kind 0: one document.
            match body {
                [_, _, _, _, 0, document @ ..] => Some(document),
                _ => None,
            }
        } else {
            body.get(REPLY_HEAD..)
        };
        let hello = document.and_then(Reply::read).ok_or(Unmet::Foreign)?;
        Ok(Next::Done(hello.judge()))
    }
}

/// The header's four numbers.
fn words(header: [u8; HEADER]) -> [u32; 4] {
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(header.as_chunks().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    words
}

/// What a server answers: the fields of its document.
struct Reply<'a>(Vec<(&'a [u8], Value<'a>)>);

impl<'a> Reply<'a> {
    /// Reads a document; `None` if it is none, or does not say whether the command went well.
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let reply = Self(Document::new(bytes)?.collect::<Option<_>>()?);
        reply.field("ok").is_some().then_some(reply)
    }

    fn field(&self, name: &str) -> Option<Value<'a>> {
        let mut fields = self.0.iter();
        fields.find_map(|(field, value)| (*field == name.as_bytes()).then_some(*value))
    }

    fn is(&self, name: &str) -> bool {
        self.field(name).is_some_and(Value::is_true)
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        match self.field(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn judge(&self) -> Answer {
        if !self.is("ok") {
            return self.refusal();
        }
        if self.text("msg") == Some("isdbgrid") {
            return Answer::up("mongos");
        }
        let set = self.text("setName");
        if self.is("isWritablePrimary") || self.is("ismaster") {
            return Answer::up(set.map_or_else(
                || "answers hello, and takes writes".to_owned(),
                |set| format!("primary of {set}"),
            ));
        }
        let part = match (self.is("secondary"), self.is("arbiterOnly")) {
            (_, true) => Some("arbiter"),
            (true, false) => Some("secondary"),
            (false, false) => None,
        };
        match (part, set, self.text("primary")) {
            (Some(part), set, primary) => part_of(part, set.unwrap_or("a replica set"), primary),
            (None, Some(set), _) => Answer::not_serving(format!(
                "member of {set}, neither primary nor secondary: it starts, recovers or rolls back"
            )),
            // It was started as a member of a replica set, and has no configuration of one.
            (None, None, _) if self.is("isreplicaset") => Answer::not_serving(format!(
                "{}: rs.initiate() is missing",
                self.text("info")
                    .unwrap_or("the replica set has no configuration")
            )),
            (None, None, _) => Answer::up("answers hello"),
        }
    }

    /// The command did not go well.
    fn refusal(&self) -> Answer {
        let error = self.text("errmsg").unwrap_or("no reason given");
        let Some(Value::Number(code)) = self.field("code") else {
            return Answer::up(format!("error: {error}"));
        };
        let said = format!("error {code}: {error}");
        let answer = match code {
            // ShutdownInProgress, PrimarySteppedDown, NotWritablePrimary, InterruptedAtShutdown,
            // InterruptedDueToReplStateChange, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary.
            91 | 189 | 10107 | 11600 | 11602 | 13435 | 13436 => Answer::not_serving(said),
            // Unauthorized, AuthenticationFailed.
            13 | 18 => Answer::up(said).with_note(LOGIN_NOT_CHECKED),
            _ => Answer::up(said),
        };
        answer.with_code(code.to_string())
    }
}

/// A member of a replica set that takes no writes: somebody else has to.
fn part_of(part: &str, set: &str, primary: Option<&str>) -> Answer {
    match primary {
        Some(primary) => Answer::up(format!("{part} of {set}"))
            .with_note(format!("{part} of {primary}, which was not asked")),
        None => Answer::not_serving(format!(
            "{part} of {set}, which has no primary: writes fail"
        )),
    }
}
