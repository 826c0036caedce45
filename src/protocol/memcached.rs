//! memcached: its version.
//!
//! Wire formats: `doc/protocol.txt` of memcached, and its binary protocol
//! (`doc/protocol-binary.txt`), which a server with SASL speaks alone.

use super::{
    Answer, Asks, Greeting, LOGIN_NOT_CHECKED, Next, Page, Protocol, Received, Scheme, Site, Tls,
    Unmet,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "memcached",
    title: "memcached",
    schemes: &[scheme("memcached"), scheme("memcache")],
    tls: Tls::FromTheStart,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "`version` and `quit`; over a second connection the binary `VERSION`, where the first is closed without a word",
        up: "`VERSION`, `ERROR`, `CLIENT_ERROR unauthenticated`",
        down: "`ERROR Too many open connections`, `SERVER_ERROR`",
        blind: "the login; whether it keeps anything: it evicts when its memory is full",
        log: "nothing",
    },
};

const fn scheme(name: &'static str) -> Scheme {
    Scheme {
        name,
        port: Some(11211),
        tls: false,
    }
}

/// Twice, so that these are 24 bytes: a server that speaks the binary protocol alone waits for
/// as many before it closes.
const ASCII: &[u8] = b"version\r\nversion\r\nquit\r\n";
/// A request (`80`) for the version (`0b`): a header of 24 bytes without a body.
const BINARY: [u8; HEADER] = {
    let mut header = [0; HEADER];
    header[0] = 0x80;
    header[1] = 0x0b;
    header
};
/// The length of the binary protocol's header, in bytes.
const HEADER: usize = 24;
/// The longest line, and the longest body, in bytes.
const LONGEST: usize = 1024;
/// The binary protocol's "out of memory", "internal error", "busy" and "temporary failure".
const NOT_SERVING: &[u16] = &[0x82, 0x84, 0x85, 0x86];

enum Version {
    Begin,
    Asked,
    Again,
    AskedInBinary,
}

fn greeting(_: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(Version::Begin)
}

impl Greeting for Version {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        match self {
            Self::Begin => {
                *self = Self::Asked;
                Ok(Next::Send(ASCII.to_vec()))
            }
            Self::Asked if received.is_over() && received.rest().is_empty() => {
                *self = Self::Again;
                Ok(Next::Reconnect)
            }
            Self::Asked => {
                const STARTS: &[&[u8]] = &[b"VERSION ", b"ERROR", b"CLIENT_ERROR", b"SERVER_ERROR"];
                received.expect_one_of(STARTS)?;
                judge(&String::from_utf8_lossy(received.line(LONGEST)?)).map(Next::Done)
            }
            Self::Again => {
                *self = Self::AskedInBinary;
                Ok(Next::Send(BINARY.to_vec()))
            }
            Self::AskedInBinary => binary(received).map(Next::Done),
        }
    }
}

fn judge(line: &str) -> Result<Answer, Unmet> {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let answer = match word {
        "VERSION" => return Ok(Answer::up(line)),
        "SERVER_ERROR" => Answer::not_serving(line),
        "ERROR" if rest.starts_with("Too many open connections") => Answer::not_serving(line),
        "CLIENT_ERROR" => Answer::up(line).with_note(LOGIN_NOT_CHECKED),
        "ERROR" => Answer::up(line),
        _ => return Err(Unmet::Foreign),
    };
    Ok(answer.with_code(word))
}

/// An answer (`81`) about the version (`0b`), without key and extras.
fn binary(received: &mut Received) -> Result<Answer, Unmet> {
    received.expect(&[0x81, 0x0b, 0, 0, 0, 0])?;
    let header: [u8; HEADER] = received.peek_array()?;
    let [_, _, _, _, _, _, high, low, length @ ..] = header;
    let length = *length.first_chunk().ok_or(Unmet::Foreign)?;
    let status = u16::from_be_bytes([high, low]);
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > LONGEST {
        return Err(Unmet::Foreign);
    }
    let whole = received.take(HEADER + length)?;
    let body = String::from_utf8_lossy(whole.get(HEADER..).unwrap_or_default());
    Ok(if status == 0 {
        Answer::up(format!("VERSION {body}")).with_note(LOGIN_NOT_CHECKED)
    } else {
        let said = format!("status {status:#06x} {body}");
        let answer = if NOT_SERVING.contains(&status) {
            Answer::not_serving(said.trim_end())
        } else {
            Answer::up(said.trim_end()).with_note(LOGIN_NOT_CHECKED)
        };
        answer.with_code(format!("{status:#06x}"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{
        End, Says, foreign, hex, not_serving, play, talk, talk_to_its_end, up,
    };
    use super::*;

    const ASKS: &str = "version\r\nversion\r\nquit\r\n";

    fn answers(line: &str) -> End {
        talk(&PROTOCOL, &[ASKS], &[line])
    }

    #[test]
    fn it_asks_with_24_bytes() {
        assert_eq!(ASKS.len(), HEADER);
        assert_eq!(BINARY.to_vec(), hex(&format!("800b{}", "00".repeat(22))));
    }

    #[test]
    fn lines() {
        let end = answers("VERSION 1.6.18\r\nVERSION 1.6.18\r\n");
        let answer = up(&end, "");
        assert_eq!(answer.said, "VERSION 1.6.18");
        assert_eq!((answer.note, &*answer.goodbye), (None, b"".as_slice()));
        up(&answers("ERROR\r\n"), "ERROR");
        let answer = up(&answers("CLIENT_ERROR unauthenticated\r\n"), "CLIENT_ERROR");
        assert_eq!(answer.note.as_deref(), Some(LOGIN_NOT_CHECKED));
        for line in [
            "ERROR Too many open connections\r\n",
            "SERVER_ERROR out of memory\r\n",
        ] {
            let code = line.split(' ').next().unwrap_or_default();
            not_serving(&answers(line), code);
            not_serving(&talk_to_its_end(&PROTOCOL, &[ASKS], &[line]), code);
        }
    }

    #[test]
    fn other_lines_are_not_memcached() {
        for line in [
            "VERSIONS\r\n",
            "ERRORS\r\n",
            "CLIENT_ERRORS x\r\n",
            "+PONG\r\n",
            "-ERR unknown command 'version'\r\n",
            "HTTP/1.1 400 Bad Request\r\n",
            "220 mail ESMTP\r\n",
            &format!("VERSION {}", "x".repeat(2000)),
        ] {
            foreign(&answers(line));
        }
    }

    #[test]
    fn half_a_line_is_no_answer() {
        assert_eq!(answers("VERSION 1.6"), End::Waits);
        let end = talk_to_its_end(&PROTOCOL, &[ASKS], &["VERSION 1.6"]);
        assert_eq!(end, End::Closed);
    }

    /// A server with SASL closes at the first, and answers the second.
    fn in_binary(recorded: &str) -> End {
        let ours = [ASKS.as_bytes(), &BINARY];
        let theirs = [Says::Close, Says::Bytes(hex(recorded))];
        play(&PROTOCOL, Site::default(), &ours, &theirs)
    }

    #[test]
    fn a_server_that_closes_without_a_word_is_asked_in_binary() {
        let end = talk_to_its_end(&PROTOCOL, &[ASKS], &[""]);
        assert_eq!(end, End::Moves(Next::Reconnect));
        let header = |status: &str, length: &str| {
            format!("81 0b 0000 00 00 {status} {length} 00000000 0000000000000000")
        };
        let end = in_binary(&format!(r#"{} "1.6.18""#, header("0000", "00000006")));
        let answer = up(&end, "");
        assert_eq!(answer.said, "VERSION 1.6.18");
        assert_eq!(answer.note.as_deref(), Some(LOGIN_NOT_CHECKED));
        let end = in_binary(&format!(
            r#"{} "Auth failure.""#,
            header("0020", "0000000d")
        ));
        assert_eq!(up(&end, "0x0020").said, "status 0x0020 Auth failure.");
        for status in ["0082", "0084", "0085", "0086"] {
            let end = in_binary(&header(status, "00000000"));
            not_serving(&end, &format!("0x{status}"));
        }
        foreign(&in_binary(&header("0000", "00000401")));
        foreign(&in_binary("80 0b"));
        foreign(&in_binary("81 0a"));
        assert_eq!(in_binary("81 0b 0000 00 00"), End::Waits);
        assert_eq!(in_binary(&header("0000", "00000006")), End::Waits);
    }

    #[test]
    fn one_that_closes_twice_has_closed() {
        let ours = [ASKS.as_bytes(), &BINARY];
        let theirs = [Says::Close, Says::Close];
        let end = play(&PROTOCOL, Site::default(), &ours, &theirs);
        assert_eq!(end, End::Closed);
    }
}
