//! Cassandra, ScyllaDB and what speaks like them: which options it has (`OPTIONS`).
//!
//! Wire format: the CQL binary protocol, version 4,
//! <https://github.com/apache/cassandra/blob/trunk/doc/native_protocol_v4.spec>. `OPTIONS` is
//! answered before a login.

use super::{
    Answer, Asks, Greeting, LIMIT, LOGIN_NOT_CHECKED, Next, Page, Protocol, Received, Scheme, Site,
    Tls, Unmet,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "cassandra",
    title: "CQL",
    schemes: &[scheme("cassandra"), scheme("cql")],
    tls: Tls::FromTheStart,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "`OPTIONS`, in version 4 of its protocol",
        up: "`SUPPORTED`, `AUTHENTICATE`, errors but those beside",
        down: "errors `0x0000` (server), `0x1000` (unavailable), `0x1001` (overloaded), `0x1002` (bootstrapping)",
        blind: "the other nodes, and whether there are enough of them for a query; keyspaces",
        log: "nothing",
    },
};

const fn scheme(name: &'static str) -> Scheme {
    Scheme {
        name,
        port: Some(9042),
        tls: false,
    }
}

/// Version 4, no flags, stream 0, `OPTIONS`, no body.
const REQUEST: &[u8] = &[4, 0, 0, 0, 5, 0, 0, 0, 0];
/// Version, flags, stream, opcode, length of the body.
const HEADER: usize = 9;
/// The longest body, so that it is within the limit together with its header.
const LONGEST: usize = LIMIT - HEADER;

const ERROR: u8 = 0x00;
const AUTHENTICATE: u8 = 0x03;
const SUPPORTED: u8 = 0x06;
/// The flag of a version that is not finished. All others put something before an error's code
/// (compression, a trace's id, warnings, a payload), and `OPTIONS` asks for none of them.
const BETA: u8 = 0x10;

struct Options {
    sent: bool,
}

fn greeting(_: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(Options { sent: false })
}

impl Greeting for Options {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        if !std::mem::replace(&mut self.sent, true) {
            return Ok(Next::Send(REQUEST.to_vec()));
        }
        // Answers have the highest bit beside the version; before version 3 the header was
        // another one.
        if !matches!(received.rest(), [] | [0x83..=0x8f, ..]) {
            return Err(Unmet::Foreign);
        }
        let [_, flags, _, stream, opcode, length @ ..] = received.peek_array::<HEADER>()?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if stream != 0 || length > LONGEST {
            return Err(Unmet::Foreign);
        }
        match (opcode, flags & !BETA) {
            (SUPPORTED | AUTHENTICATE, _) | (ERROR, 0) => {}
            _ => return Err(Unmet::Foreign),
        }
        let frame = received.take(HEADER + length)?;
        let body = frame.get(HEADER..).unwrap_or_default();
        let answer = match opcode {
            SUPPORTED => Answer::up("answers OPTIONS"),
            AUTHENTICATE => Answer::up("asks for a login").with_note(LOGIN_NOT_CHECKED),
            _ => error(body)?,
        };
        Ok(Next::Done(answer))
    }
}

/// An error: its code, its message with the length before it, and perhaps more.
fn error(body: &[u8]) -> Result<Answer, Unmet> {
    let (code, rest) = body.split_first_chunk().ok_or(Unmet::Foreign)?;
    let (length, rest) = rest.split_first_chunk().ok_or(Unmet::Foreign)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let message = String::from_utf8_lossy(rest.get(..length).ok_or(Unmet::Foreign)?);
    let number = u32::from_be_bytes(*code);
    let code = format!("0x{number:04X}");
    let said = format!("error {code}: {message}");
    let answer = match number {
        0x0000 | 0x1000..=0x1002 => Answer::not_serving(said),
        0x0100 => Answer::up(said).with_note(LOGIN_NOT_CHECKED),
        _ => Answer::up(said),
    };
    Ok(answer.with_code(code))
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{End, foreign, not_serving, talk, talk_to_its_end, up};
    use super::*;

    /// What Cassandra 5.0.2 answers.
    const ANSWER: &[u8] = b"\x84\0\0\0\x06\0\0\0\x66\0\x03\
        \0\x11PROTOCOL_VERSIONS\0\x04\0\x043/v3\0\x044/v4\0\x045/v5\0\x096/v6-beta\
        \0\x0bCOMPRESSION\0\x02\0\x06snappy\0\x03lz4\
        \0\x0bCQL_VERSION\0\x01\0\x053.4.7";

    fn answer(bytes: &[u8]) -> End {
        talk(&PROTOCOL, &[REQUEST], &[bytes])
    }

    fn frame(opcode: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&[0x84, 0, 0, 0, opcode], &length[..], body].concat()
    }

    fn error(code: u32, message: &str) -> Vec<u8> {
        let length = u16::try_from(message.len()).unwrap().to_be_bytes();
        let body = [&code.to_be_bytes()[..], &length, message.as_bytes()].concat();
        frame(ERROR, &body)
    }

    #[test]
    fn a_node_that_lists_its_options_is_up() {
        assert_eq!(ANSWER.len(), 111);
        up(&answer(ANSWER), "");
        for version in [0x83, 0x85] {
            let other = [&[version], &ANSWER[1..]].concat();
            up(&answer(&other), "");
        }
    }

    #[test]
    fn one_that_asks_for_a_login_is_up() {
        let class = b"\0\x2forg.apache.cassandra.auth.PasswordAuthenticator";
        let answered = up(&answer(&frame(AUTHENTICATE, class)), "");
        assert_eq!(answered.note.as_deref(), Some(LOGIN_NOT_CHECKED));
    }

    #[test]
    fn errors() {
        for (code, word) in [
            (0x0000, "0x0000"),
            (0x1000, "0x1000"),
            (0x1001, "0x1001"),
            (0x1002, "0x1002"),
        ] {
            not_serving(&answer(&error(code, "no")), word);
        }
        for (code, word) in [
            (0x000a, "0x000A"),
            (0x0100, "0x0100"),
            (0x1003, "0x1003"),
            (0x2100, "0x2100"),
        ] {
            up(&answer(&error(code, "no")), word);
        }
        // As Cassandra 5.0.2 answers version 73.
        let said = up(
            &answer(
                b"\x85\0\0\0\0\0\0\0\x68\0\0\0\x0a\0\x62Invalid or unsupported protocol version (73); \
                supported versions are (3/v3, 4/v4, 5/v5, 6/v6-beta)",
            ),
            "0x000A",
        )
        .said;
        assert!(said.starts_with("error 0x000A: Invalid"), "{said}");
        // The flag of a beta version changes nothing; what stands before the code does.
        let mut flagged = error(0x1001, "no");
        flagged[1] = BETA;
        not_serving(&answer(&flagged), "0x1001");
        flagged[1] = 0x08;
        foreign(&answer(&flagged));
    }

    #[test]
    fn an_answer_counts_once_it_is_whole() {
        for end in 0..ANSWER.len() {
            assert_eq!(answer(&ANSWER[..end]), End::Waits, "{end}");
            let cut = talk_to_its_end(&PROTOCOL, &[REQUEST], &[&ANSWER[..end]]);
            assert_eq!(cut, End::Closed, "{end}");
        }
    }

    #[test]
    fn what_is_not_cassandra() {
        for bytes in [
            b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(),
            b"\x15\x03\x03\0\x02\x02\x46",
            // A request, version 2, another stream, an event.
            b"\x04\0\0\0\x06\0\0\0\0",
            b"\x82\0\0\x06\0\0\0\0\0",
            b"\x84\0\0\x01\x06\0\0\0\0",
            b"\x84\0\xff\xff\x0c\0\0\0\0",
            // Lengths that cannot be.
            b"\x84\0\0\0\x06\0\x01\0\0",
            b"\x84\0\0\0\x06\xff\xff\xff\xff",
            b"\x84\0\0\0\0\0\0\0\x03\0\0\0",
            b"\x84\0\0\0\0\0\0\0\x08\0\0\x10\x01\0\x05no",
        ] {
            foreign(&answer(bytes));
        }
    }

    #[test]
    fn the_longest_answer_is_read() {
        let whole = frame(SUPPORTED, &vec![0; LONGEST]);
        assert_eq!(whole.len(), LIMIT);
        up(&answer(&whole), "");
    }
}
