//! AMQP 0-9-1 and 1.0: the protocol header.
//!
//! Wire format: AMQP 0-9-1, sections 2.2.4 and 2.3.5, and AMQP 1.0, section 2.2. One header asks
//! for both: a broker that speaks another version answers with the header of its own.

use super::{
    Answer, Asks, Greeting, LIMIT, LOGIN_NOT_CHECKED, Next, Page, Protocol, Received, Scheme, Site,
    Tls, Unmet,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "amqp",
    title: "AMQP",
    schemes: &[
        Scheme {
            name: "amqp",
            port: Some(5672),
            tls: false,
        },
        Scheme {
            name: "amqps",
            port: Some(5671),
            tls: true,
        },
    ],
    tls: Tls::FromTheStart,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "the header of AMQP 0-9-1",
        up: "`Connection.Start`; the header of another version, 1.0 for example",
        down: "`Connection.Close`",
        blind: "the virtual host, queues; alarms about memory and disk, which stop those who publish",
        log: "an info and a warning, three lines in RabbitMQ: a connection was accepted, and its client closed it",
    },
};

const REQUEST: &[u8] = b"AMQP\0\0\x09\x01";
/// `AMQP`, the protocol's id, and its version in three bytes.
const HEADER: usize = 8;
/// A method frame on channel 0.
const METHOD_FRAME: &[u8] = &[1, 0, 0];
/// Type, channel and length of a frame.
const FRAME_HEADER: usize = 7;
const FRAME_END: u8 = 0xce;
/// The longest payload, so that the frame is within the limit with its header and its end.
const LONGEST: usize = LIMIT - FRAME_HEADER - 1;
/// Class 10 (connection), methods 10 and 50.
const START: [u8; 4] = [0, 10, 0, 10];
const CLOSE: [u8; 4] = [0, 10, 0, 50];

struct Header {
    sent: bool,
}

fn greeting(_: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(Header { sent: false })
}

impl Greeting for Header {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        if !std::mem::replace(&mut self.sent, true) {
            return Ok(Next::Send(REQUEST.to_vec()));
        }
        if received.expect_one_of(&[b"AMQP", METHOD_FRAME])? == 0 {
            let [_, _, _, _, id, version @ ..] = received.peek_array::<HEADER>()?;
            return Ok(Next::Done(other_version(id, version)));
        }
        let [_, _, _, length @ ..] = received.peek_array::<FRAME_HEADER>()?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if !(START.len()..=LONGEST).contains(&length) {
            return Err(Unmet::Foreign);
        }
        // What it is has come before all of it has.
        let head: [u8; FRAME_HEADER + 4] = received.peek_array()?;
        let method = head.last_chunk().copied().unwrap_or_default();
        if ![START, CLOSE].contains(&method) {
            return Err(Unmet::Foreign);
        }
        let frame = received.take(FRAME_HEADER + length + 1)?;
        let arguments = frame.get(head.len()..).and_then(|rest| rest.split_last());
        let answer = match arguments {
            Some((&FRAME_END, arguments)) if method == START => start(arguments),
            Some((&FRAME_END, arguments)) => close(arguments),
            _ => None,
        };
        answer.map(Next::Done).ok_or(Unmet::Foreign)
    }
}

/// A header, which a broker sends that speaks another version than the one asked for.
fn other_version(id: u8, version: [u8; 3]) -> Answer {
    let said = match (id, version) {
        (0, [0, 9, 1]) => "AMQP 0-9-1".to_owned(),
        // Before 0-9-1 the version came last.
        (1, [1, major, minor]) => format!("AMQP {major}-{minor}"),
        (_, [major, minor, _]) => format!("AMQP {major}.{minor}"),
    };
    match id {
        2 => Answer::up(format!("{said}, and wants TLS")),
        3 => Answer::up(format!("{said}, and asks for a login")).with_note(LOGIN_NOT_CHECKED),
        _ => Answer::up(said),
    }
}

/// `Connection.Start`: version, a table of what the broker tells about itself, the mechanisms of
/// a login, languages. `None` where the lengths lie.
fn start(arguments: &[u8]) -> Option<Answer> {
    let rest = arguments.strip_prefix(&[0, 9])?;
    let (_, rest) = long(rest)?;
    let (mechanisms, rest) = long(rest)?;
    long(rest)?;
    let mechanisms = String::from_utf8_lossy(mechanisms);
    let said = format!("asks for a login by {mechanisms}");
    Some(Answer::up(said).with_note(LOGIN_NOT_CHECKED))
}

/// `Connection.Close`: a code, and a text with its length in a byte.
fn close(arguments: &[u8]) -> Option<Answer> {
    let (code, rest) = arguments.split_first_chunk()?;
    let (length, rest) = rest.split_first()?;
    let text = String::from_utf8_lossy(rest.get(..usize::from(*length))?);
    let code = u16::from_be_bytes(*code);
    let said = format!("closes with {code}: {text}");
    Some(Answer::not_serving(said).with_code(code.to_string()))
}

/// Bytes with their length before them, and what follows.
fn long(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u32::from_be_bytes(*length).try_into().ok()?)
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{End, foreign, not_serving, talk, talk_to_its_end, up};
    use super::*;

    /// What RabbitMQ 3.10.8 answers.
    const START_FRAME: &[u8] = b"\
        \x01\0\0\0\0\x01\xec\0\x0a\0\x0a\0\x09\0\0\x01\xc7\x0ccapabilitiesF\0\0\0\xc7\
        \x12publisher_confirmst\x01\x1aexchange_exchange_bindingst\x01\x0abasic.nackt\
        \x01\x16consumer_cancel_notifyt\x01\x12connection.blockedt\x01\x13consumer_pri\
        oritiest\x01\x1cauthentication_failure_closet\x01\x10per_consumer_qost\x01\x0f\
        direct_reply_tot\x01\x0ccluster_nameS\0\0\0\x05pf@vm\x09copyrightS\0\0\x007Copyr\
        ight (c) 2007-2022 VMware, Inc. or its affiliates.\x0binformationS\0\0\x009Licen\
        sed under the MPL 2.0. Website: https://rabbitmq.com\x08platformS\0\0\0\x11Erl\
        ang/OTP 25.2.3\x07productS\0\0\0\x08RabbitMQ\x07versionS\0\0\0\x063.10.8\0\0\0\
        \x0eAMQPLAIN PLAIN\0\0\0\x05en_US\xce";

    fn answer(bytes: &[u8]) -> End {
        talk(&PROTOCOL, &[REQUEST], &[bytes])
    }

    fn frame(payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [METHOD_FRAME, &length, payload, &[FRAME_END]].concat()
    }

    fn long_bytes(bytes: &[u8]) -> Vec<u8> {
        let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
        [&length, bytes].concat()
    }

    fn close_frame(code: u16, text: &str) -> Vec<u8> {
        let length = u8::try_from(text.len()).unwrap();
        let payload = [
            &CLOSE[..],
            &code.to_be_bytes(),
            &[length],
            text.as_bytes(),
            &[0; 4],
        ];
        frame(&payload.concat())
    }

    #[test]
    fn a_broker_that_starts_is_up() {
        let answered = up(&answer(START_FRAME), "");
        assert_eq!(answered.said, "asks for a login by AMQPLAIN PLAIN");
        assert_eq!(answered.note.as_deref(), Some(LOGIN_NOT_CHECKED));
    }

    #[test]
    fn a_broker_of_another_version_is_up() {
        for (header, said) in [
            (b"AMQP\0\x01\0\0", "AMQP 1.0"),
            (b"AMQP\x02\x01\0\0", "AMQP 1.0, and wants TLS"),
            (b"AMQP\x03\x01\0\0", "AMQP 1.0, and asks for a login"),
            (b"AMQP\0\0\x09\x01", "AMQP 0-9-1"),
            (b"AMQP\x01\x01\0\x0a", "AMQP 0-10"),
        ] {
            assert_eq!(up(&answer(header), "").said, said);
            let closed = talk_to_its_end(&PROTOCOL, &[REQUEST], &[header]);
            assert_eq!(up(&closed, "").said, said);
        }
        let sasl = up(&answer(b"AMQP\x03\x01\0\0"), "");
        assert_eq!(sasl.note.as_deref(), Some(LOGIN_NOT_CHECKED));
    }

    #[test]
    fn a_broker_that_closes_is_not_serving() {
        let text = "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'";
        let answered = not_serving(&answer(&close_frame(320, text)), "320");
        assert_eq!(answered.said, format!("closes with 320: {text}"));
        not_serving(&answer(&close_frame(541, "INTERNAL_ERROR")), "541");
    }

    #[test]
    fn an_answer_counts_once_it_is_whole() {
        for whole in [
            START_FRAME.to_vec(),
            close_frame(320, "CONNECTION_FORCED"),
            b"AMQP\0\x01\0\0".to_vec(),
        ] {
            for end in 0..whole.len() {
                assert_eq!(answer(&whole[..end]), End::Waits, "{end}");
                let cut = talk_to_its_end(&PROTOCOL, &[REQUEST], &[&whole[..end]]);
                assert_eq!(cut, End::Closed, "{end}");
            }
        }
    }

    #[test]
    fn what_is_not_amqp() {
        let mut endless = START_FRAME.to_vec();
        *endless.last_mut().unwrap() = 0;
        let lying = [&START[..], &[0, 9], &[0, 0, 0, 9], b"few"].concat();
        for bytes in [
            b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(),
            b"AMQX",
            b"\x15\x03\x03\0\x02\x02\x46",
            // Another channel, another method, another version.
            b"\x01\0\x01\0\0\0\x04\0\x0a\0\x0a\xce",
            b"\x01\0\0\0\0\0\x04\0\x0a\0\x1e\xce",
            &frame(&[&START[..], &[1, 0]].concat()),
            // Lengths that cannot be.
            b"\x01\0\0\0\0\0\x03\0\x0a\0\xce",
            b"\x01\0\0\0\x01\0\0",
            b"\x01\0\0\xff\xff\xff\xff",
            &endless,
            &frame(&lying),
            &frame(&[&CLOSE[..], &[1, 64, 9], b"few"].concat()),
        ] {
            foreign(&answer(bytes));
        }
    }

    #[test]
    fn the_longest_answer_is_read() {
        let rest = LONGEST - START.len() - 2 - 3 * 4;
        let table = long_bytes(&vec![0; rest]);
        let payload = [&START[..], &[0, 9], &table, &[0; 8]].concat();
        let whole = frame(&payload);
        assert_eq!(whole.len(), LIMIT);
        up(&answer(&whole), "");
    }
}
