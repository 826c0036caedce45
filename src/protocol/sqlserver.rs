//! SQL Server: what it and a client agree on before a login.
//!
//! Wire format: [MS-TDS] 2.2.3 (packets) and 2.2.6.5 (PRELOGIN). Built from the specification:
//! no server was there to try it against.

use super::{
    Answer, Asks, Greeting, LOGIN_NOT_CHECKED, Next, Page, Protocol, Received, Scheme, Site, Tls,
    Unmet,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "sqlserver",
    title: "SQL Server",
    schemes: &[scheme("sqlserver"), scheme("mssql")],
    tls: Tls::Never,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "a PRELOGIN message (built from the specification, never seen against a real server)",
        up: "the answer to it, with the server's version",
        down: "none (a server that closes is down as `closed`)",
        blind: "the login; the database; whether it upgrades itself (only logins are told so); its certificate, as TLS begins within the protocol",
        log: "not known",
    },
};

const fn scheme(name: &'static str) -> Scheme {
    Scheme {
        name,
        port: Some(1433),
        tls: false,
    }
}

/// A packet of type 0x12, the last of its message, 26 bytes; the options VERSION (six bytes at
/// 11) and ENCRYPTION (one byte at 17); version 0, and no encryption.
const PRELOGIN: [u8; 26] = [
    0x12, 0x01, 0x00, 0x1a, 0, 0, 0, 0, // packet header
    0x00, 0x00, 0x0b, 0x00, 0x06, // VERSION
    0x01, 0x00, 0x11, 0x00, 0x01, // ENCRYPTION
    0xff, // end of the options
    0, 0, 0, 0, 0, 0, 0x02, // their values: no version, ENCRYPT_NOT_SUP
];
/// The length of a packet's header, in bytes.
const HEADER: usize = 8;
/// The longest packet, in bytes: as long as they are before a client asks for more.
const LONGEST: u16 = 4096;

struct Prelogin {
    sent: bool,
}

fn greeting(_: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(Prelogin { sent: false })
}

impl Greeting for Prelogin {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        if !std::mem::replace(&mut self.sent, true) {
            return Ok(Next::Send(PRELOGIN.to_vec()));
        }
        // A tabular result, and the last packet of it.
        received.expect(&[0x04, 0x01])?;
        let [_, _, length @ ..] = received.peek_array::<4>()?;
        let length = u16::from_be_bytes(length);
        if length > LONGEST {
            return Err(Unmet::Foreign);
        }
        // VERSION comes first.
        let [.., option] = received.peek_array::<{ HEADER + 1 }>()?;
        if option != 0 {
            return Err(Unmet::Foreign);
        }
        let packet = received.take(usize::from(length))?;
        let version = packet.get(HEADER..).and_then(version);
        let answer = Answer::up(version.ok_or(Unmet::Foreign)?);
        Ok(Next::Done(answer.with_note(LOGIN_NOT_CHECKED)))
    }
}

/// The version in the first option: its place and length, then major, minor and build there.
fn version(options: &[u8]) -> Option<String> {
    let (place, rest) = options.get(1..)?.split_first_chunk()?;
    let (length, _) = rest.split_first_chunk()?;
    let place = usize::from(u16::from_be_bytes(*place));
    let length = usize::from(u16::from_be_bytes(*length));
    let value = options.get(place..place + length)?;
    let [major, minor, high, low, ..] = *value else {
        return None;
    };
    let build = u16::from_be_bytes([high, low]);
    Some(format!("version {major}.{minor}.{build}"))
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{End, foreign, hex, talk, talk_to_its_end, up};
    use super::*;

    fn asks() -> Vec<u8> {
        hex("12 01 001a 0000 00 00 | 00 000b 0006 | 01 0011 0001 | ff | 000000000000 02")
    }

    fn answers(recorded: &str) -> End {
        talk(&PROTOCOL, &[asks()], &[hex(recorded)])
    }

    #[test]
    fn an_answer_with_a_version_is_up() {
        let answer = "04 01 001a 0000 01 00 | 00 000b 0006 | 01 0011 0001 | ff | 10001027 0000 02";
        let answer = up(&answers(answer), "");
        assert_eq!(answer.said, "version 16.0.4135");
        assert_eq!(answer.note.as_deref(), Some(LOGIN_NOT_CHECKED));
        assert_eq!(answer.goodbye, b"".as_slice());
        // It wants encryption, and more options.
        let answer = "04 01 0020 0000 01 00 | 00 0010 0006 | 01 0016 0001 | 02 0017 0001 | ff
            | 0f0007d0 0000 03 00";
        assert_eq!(up(&answers(answer), "").said, "version 15.0.2000");
    }

    #[test]
    fn other_answers_are_not_sql_server() {
        for recorded in [
            r#""HTTP/1.1 400 Bad Request" 0d0a"#,
            // A request; not the last packet of its message.
            "12 01 001a 0000 00 00",
            "04 00 001a 0000 01 00",
            // Longer than any; shorter than its header; an error token.
            "04 01 1001",
            "04 01 0004 0000 01 00 00",
            "04 01 000a 0000 01 00 aa 00",
            // A version that is elsewhere, or too short.
            "04 01 000e 0000 01 00 | 00 00ff 0006 ff",
            "04 01 0010 0000 01 00 | 00 0006 0002 ff 1000",
            "04 01 000e 0000 01 00 | 00 ffff ffff ff",
        ] {
            foreign(&answers(recorded));
        }
    }

    #[test]
    fn half_an_answer_is_none() {
        for recorded in ["", "04", "04 01 001a 0000 01 00 | 00 000b 0006 | 01"] {
            assert_eq!(answers(recorded), End::Waits);
            let end = talk_to_its_end(&PROTOCOL, &[asks()], &[hex(recorded)]);
            assert_eq!(end, End::Closed);
        }
    }
}
