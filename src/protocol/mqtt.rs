//! MQTT: a CONNECT of version 3.1.1 without a client id and without a login (MQTT 3.1.1, 3.1 and
//! 3.2; the reason codes of MQTT 5.0, 3.2.2.2).

use super::{
    Answer, Asks, Greeting, LOGIN_NOT_CHECKED, Next, Page, Protocol, Received, Scheme, Site, Tls,
    Unmet,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "mqtt",
    title: "MQTT",
    schemes: &[
        Scheme {
            name: "mqtt",
            port: Some(1883),
            tls: false,
        },
        Scheme {
            name: "mqtts",
            port: Some(8883),
            tls: true,
        },
    ],
    tls: Tls::FromTheStart,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "`CONNECT` (3.1.1, clean session, no client id, no login), and leaves with `DISCONNECT`",
        up: "`CONNACK` with 0, 1, 2, 4, 5; reason codes of MQTT 5 but those of the next column",
        down: "`CONNACK` with 3 (server unavailable); of MQTT 5 `0x88`, `0x89`, `0x8a`, `0x97`, `0x9f`",
        blind: "logins, topics, retained messages",
        log: "3 lines",
    },
};

/// Length 12: the name `MQTT`, version 4, clean session, a keep-alive of 10 s, an empty client id.
const CONNECT: &[u8] = b"\x10\x0c\0\x04MQTT\x04\x02\0\x0a\0\0";
const DISCONNECT: &[u8] = b"\xe0\0";
/// The longest answer, in bytes; one of 3.1.1 has 2, with the properties of version 5 a few more.
const LONGEST: u8 = 127;

struct Connect {
    sent: bool,
}

fn greeting(_: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(Connect { sent: false })
}

impl Greeting for Connect {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        if !std::mem::replace(&mut self.sent, true) {
            return Ok(Next::Send(CONNECT.to_vec()));
        }
        received.expect(b"\x20")?;
        let [_, length]: [u8; 2] = received.peek_array()?;
        if !(2..=LONGEST).contains(&length) {
            return Err(Unmet::Foreign);
        }
        let [_, _, flags, reason]: [u8; 4] = received.peek_array()?;
        if flags > 1 {
            return Err(Unmet::Foreign);
        }
        received.take(2 + usize::from(length))?;
        Ok(Next::Done(judge(reason)))
    }
}

fn judge(reason: u8) -> Answer {
    let (serves, said) = match reason {
        0 => (true, "connection accepted"),
        1 | 0x84 => (true, "protocol version refused"),
        2 | 0x85 => (true, "client identifier refused"),
        3 | 0x88 => (false, "server unavailable"),
        4 | 0x86 => (true, "bad user name or password"),
        5 | 0x87 => (true, "not authorized"),
        0x89 => (false, "server busy"),
        0x8a => (false, "banned"),
        0x97 => (false, "quota exceeded"),
        0x9f => (false, "connection rate exceeded"),
        _ => (true, "connection refused"),
    };
    let code = if reason < 0x80 {
        reason.to_string()
    } else {
        format!("{reason:#04x}")
    };
    let said = format!("CONNACK {code}: {said}");
    match (serves, reason) {
        (true, 0) => Answer::up(said).with_code(code).with_goodbye(DISCONNECT),
        (true, _) => Answer::up(said)
            .with_code(code)
            .with_note(LOGIN_NOT_CHECKED),
        (false, _) => Answer::not_serving(said).with_code(code),
    }
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{End, foreign, hex, not_serving, talk, up};
    use super::*;

    #[test]
    fn answers() {
        let answered = |bytes: &str| talk(&PROTOCOL, &[CONNECT], &[hex(bytes)]);
        let accepted = up(&answered("20 02 00 00"), "0");
        assert_eq!(accepted.goodbye, DISCONNECT);
        for (bytes, code) in [
            ("20 02 00 01", "1"),
            ("20 02 00 02", "2"),
            ("20 02 00 04", "4"),
            ("20 02 00 05", "5"),
            ("20 03 00 84 00", "0x84"),
            ("20 03 00 86 00", "0x86"),
            ("20 03 00 87 00", "0x87"),
        ] {
            assert!(up(&answered(bytes), code).goodbye.is_empty());
        }
        for (bytes, code) in [
            ("20 02 00 03", "3"),
            ("20 03 00 88 00", "0x88"),
            ("20 03 00 89 00", "0x89"),
            ("20 03 00 8a 00", "0x8a"),
            ("20 03 00 97 00", "0x97"),
            ("20 03 00 9f 00", "0x9f"),
        ] {
            not_serving(&answered(bytes), code);
        }
        for bytes in ["20 00", "20 ff", "20 02 02 00", "48 54", "30 02"] {
            foreign(&answered(bytes));
        }
        assert_eq!(answered("20 02 00"), End::Waits);
    }
}
