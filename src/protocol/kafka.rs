//! Kafka and what speaks like it: which requests it knows (`ApiVersions`).
//!
//! Wire format: the Kafka protocol guide, <https://kafka.apache.org/protocol>. `ApiVersions` is
//! answered before a login, by controllers, too; `Metadata` on a listener that wants one closes
//! the connection, and the broker logs a stack trace.

use super::{
    Answer, Asks, Greeting, LIMIT, LOGIN_NOT_CHECKED, Next, Page, Protocol, Received, Scheme, Site,
    Tls, Unmet,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "kafka",
    title: "Kafka",
    schemes: &[scheme("kafka", false), scheme("kafkas", true)],
    tls: Tls::FromTheStart,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "`ApiVersions`, version 0, with the client id `dep-preflight`",
        up: "error 0; 35 `UNSUPPORTED_VERSION`; 33 and 34, which are about the login",
        down: "any other error code",
        blind: "whether clients reach what the broker calls its address (`advertised.listeners`); topics and their leaders; with SASL, the login",
        log: "nothing",
    },
};

const fn scheme(name: &'static str, tls: bool) -> Scheme {
    Scheme {
        name,
        port: Some(9092),
        tls,
    }
}

/// Length 23, `ApiVersions` (18) version 0, correlation id 7, the client id with its length.
const REQUEST: &[u8] = b"\0\0\0\x17\0\x12\0\0\0\0\0\x07\0\x0ddep-preflight";
/// The correlation id of the request, which the answer repeats.
const CORRELATION: [u8; 4] = [0, 0, 0, 7];
/// The shortest answer: correlation id and error code.
const SHORTEST: usize = 6;
/// The longest, so that it is within the limit together with its length.
const LONGEST: usize = LIMIT - 4;

struct ApiVersions {
    sent: bool,
}

fn greeting(_: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(ApiVersions { sent: false })
}

impl Greeting for ApiVersions {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        if !std::mem::replace(&mut self.sent, true) {
            return Ok(Next::Send(REQUEST.to_vec()));
        }
        // No length within the limit has more than two bytes.
        received.expect(&[0, 0])?;
        let length @ [_, _, high, low] = received.peek_array()?;
        let size = usize::from(u16::from_be_bytes([high, low]));
        if !(SHORTEST..=LONGEST).contains(&size) {
            return Err(Unmet::Foreign);
        }
        received.expect([length, CORRELATION].as_flattened())?;
        match received.take(length.len() + size)? {
            &[_, _, _, _, _, _, _, _, high, low, ..] => {
                Ok(Next::Done(judge(i16::from_be_bytes([high, low]))))
            }
            _ => Err(Unmet::Foreign),
        }
    }
}

fn judge(error: i16) -> Answer {
    let name = match error {
        0 => return Answer::up("answers ApiVersions"),
        -1 => " (UNKNOWN_SERVER_ERROR)",
        7 => " (REQUEST_TIMED_OUT)",
        8 => " (BROKER_NOT_AVAILABLE)",
        33 => " (UNSUPPORTED_SASL_MECHANISM)",
        34 => " (ILLEGAL_SASL_STATE)",
        35 => " (UNSUPPORTED_VERSION)",
        41 => " (NOT_CONTROLLER)",
        _ => "",
    };
    let said = format!("error {error}{name}");
    let answer = match error {
        33 | 34 => Answer::up(said).with_note(LOGIN_NOT_CHECKED),
        35 => Answer::up(said),
        _ => Answer::not_serving(said),
    };
    answer.with_code(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{End, foreign, not_serving, talk, talk_to_its_end, up};
    use super::*;

    /// What Kafka 4.0.0 answers.
    const ANSWER: &[u8] = b"\
        \0\0\x01x\0\0\0\x07\0\0\0\0\0=\0\0\0\0\0\x0c\0\x01\0\x04\0\x11\0\x02\0\x01\0\
        \x0a\0\x03\0\0\0\x0d\0\x08\0\x02\0\x09\0\x09\0\x01\0\x09\0\x0a\0\0\0\x06\0\x0b\
        \0\x02\0\x09\0\x0c\0\0\0\x04\0\x0d\0\0\0\x05\0\x0e\0\0\0\x05\0\x0f\0\0\0\x06\0\
        \x10\0\0\0\x05\0\x11\0\0\0\x01\0\x12\0\0\0\x04\0\x13\0\x02\0\x07\0\x14\0\x01\0\
        \x06\0\x15\0\0\0\x02\0\x16\0\0\0\x05\0\x17\0\x02\0\x04\0\x18\0\0\0\x05\0\x19\0\
        \0\0\x04\0\x1a\0\0\0\x05\0\x1b\0\x01\0\x01\0\x1c\0\0\0\x05\0\x1d\0\x01\0\x03\0\
        \x1e\0\x01\0\x03\0\x1f\0\x01\0\x03\0 \0\x01\0\x04\0!\0\0\0\x02\0\"\0\x01\0\x02\
        \0#\0\x01\0\x04\0$\0\0\0\x02\0%\0\0\0\x03\0&\0\x01\0\x03\0'\0\x01\0\x02\0(\0\
        \x01\0\x02\0)\0\x01\0\x03\0*\0\0\0\x02\0+\0\0\0\x02\0,\0\0\0\x01\0-\0\0\0\0\0.\
        \0\0\0\0\0/\0\0\0\0\x000\0\0\0\x01\x001\0\0\0\x01\x002\0\0\0\0\x003\0\0\0\0\x007\0\0\0\
        \x02\x009\0\0\0\x02\0<\0\0\0\x02\0=\0\0\0\0\0@\0\0\0\0\0A\0\0\0\0\0B\0\0\0\x01\0\
        D\0\0\0\x01\0E\0\0\0\x01\0J\0\0\0\0\0K\0\0\0\0\0P\0\0\0\0\0Q\0\0\0\0";

    fn answer(bytes: &[u8]) -> End {
        talk(&PROTOCOL, &[REQUEST], &[bytes])
    }

    /// What a broker answers that has this error, without the list of requests.
    fn error(code: i16) -> Vec<u8> {
        [&[0, 0, 0, 10, 0, 0, 0, 7], &code.to_be_bytes()[..], &[0; 4]].concat()
    }

    #[test]
    fn the_request_is_the_one_that_was_tried_on_real_brokers() {
        let id = b"\0\0\0\x07";
        let whole = [
            b"\0\0\0\x17\0\x12\0\0",
            &id[..],
            b"\0\x0d",
            b"dep-preflight",
        ];
        assert_eq!(REQUEST, whole.concat());
        assert_eq!(usize::from(REQUEST[3]), REQUEST.len() - 4);
    }

    #[test]
    fn a_broker_that_lists_its_requests_is_up() {
        assert_eq!(ANSWER.len(), 380);
        up(&answer(&error(0)), "");
        let answered = up(&answer(ANSWER), "");
        assert_eq!(answered.note, None);
    }

    #[test]
    fn errors() {
        // As Kafka 4.0.0 answers version 99.
        up(
            &answer(b"\0\0\0\x10\0\0\0\x07\0\x23\0\0\0\x01\0\x12\0\0\0\x04"),
            "35",
        );
        for code in [33, 34] {
            let answered = up(&answer(&error(code)), &code.to_string());
            assert_eq!(answered.note.as_deref(), Some(LOGIN_NOT_CHECKED));
        }
        for code in [-1, 1, 7, 8, 15, 41, 42, 58] {
            not_serving(&answer(&error(code)), &code.to_string());
        }
        let said = not_serving(&answer(&error(8)), "8").said;
        assert_eq!(said, "error 8 (BROKER_NOT_AVAILABLE)");
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
    fn what_is_not_kafka() {
        for bytes in [
            b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(),
            b"\x15\x03\x03\0\x02\x02\x46",
            b"\0\0\x12\x04\0\0\0\0\0",
            // Another correlation id.
            b"\0\0\0\x06\0\0\0\x08\0\0",
            // Lengths that cannot be: too short, beyond the limit, negative.
            b"\0\0\0\x05\0\0\0\x07\0",
            b"\0\0\xff\xfd\0\0\0\x07\0\0",
            b"\0\x01\0\0\0\0\0\x07\0\0",
            b"\xff\xff\xff\xff",
        ] {
            foreign(&answer(bytes));
        }
    }

    #[test]
    fn the_longest_answer_is_read() {
        let size = u32::try_from(LONGEST).unwrap().to_be_bytes();
        let mut bytes = [size, CORRELATION].concat();
        bytes.resize(4 + LONGEST, 0);
        assert_eq!(bytes.len(), LIMIT);
        up(&answer(&bytes), "");
    }
}
