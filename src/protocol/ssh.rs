//! SSH: the identification (RFC 4253, 4.2). Ours follows, with a message that says why it leaves
//! (11.1): to close without one counts as a scan with some who watch the log.

use super::foreign::what;
use super::{
    Answer, Asks, Greeting, LOGIN_NOT_CHECKED, Next, Page, Protocol, Received, Scheme, Site, Tls,
    Unmet,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "ssh",
    title: "SSH",
    schemes: &[Scheme {
        name: "ssh",
        port: Some(22),
        tls: false,
    }],
    tls: Tls::Never,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "nothing: it reads the identification, then sends its own and `SSH_MSG_DISCONNECT`",
        up: "`SSH-2.0-…`, `SSH-1.99-…`",
        down: "`Exceeded MaxStartups`, `Not allowed at this time`",
        blind: "host keys, logins",
        log: "2 lines, which say who came and why it left; OpenSSH 9.8 and later penalise a host for each visit without a login (`PerSourcePenalties`)",
    },
};

/// The longest line, in bytes (RFC 4253, 4.2).
const LINE: usize = 255;
/// The most lines before the identification.
const LINES: usize = 64;
/// Our identification, and a packet of 44 bytes, 10 of them padding: `SSH_MSG_DISCONNECT` (1),
/// `BY_APPLICATION` (11), a text, no language.
const GOODBYE: &[u8] = b"SSH-2.0-dep-preflight\r\n\
    \0\0\0\x2c\x0a\x01\0\0\0\x0b\0\0\0\x14reachable, thank you\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

struct Identification {
    lines: usize,
}

fn greeting(_: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(Identification { lines: 0 })
}

impl Greeting for Identification {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        loop {
            let is_text = |byte: &u8| *byte >= b' ' || b"\t\r\n".contains(byte);
            // What follows the line is binary, and may have come with it.
            let mut line = received.rest().iter().take_while(|byte| **byte != b'\n');
            if !line.by_ref().take(LINE).all(is_text) {
                return Err(Unmet::Foreign);
            }
            let line = received.line(LINE)?;
            if what(line).is_some_and(|what| what != "an SSH server") {
                return Err(Unmet::Foreign);
            }
            let line = String::from_utf8_lossy(line).into_owned();
            if line.starts_with("SSH-2.0-") || line.starts_with("SSH-1.99-") {
                let answer = Answer::up(line).with_note(LOGIN_NOT_CHECKED);
                return Ok(Next::Done(answer.with_goodbye(GOODBYE)));
            }
            if line.starts_with("Exceeded MaxStartups")
                || line.starts_with("Not allowed at this time")
            {
                return Ok(Next::Done(Answer::not_serving(line)));
            }
            self.lines += 1;
            if self.lines == LINES || line.starts_with("SSH-") {
                return Err(Unmet::Foreign);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{End, foreign, not_serving, talk, talk_to_its_end, up};
    use super::*;

    const NOTHING: &[&[u8]] = &[];

    #[test]
    fn identifications() {
        let said = |text: &str| talk(&PROTOCOL, NOTHING, &[text]);
        let answer = up(&said("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"), "");
        assert_eq!(answer.said, "SSH-2.0-OpenSSH_9.2p1 Debian-2");
        assert_eq!(answer.goodbye, GOODBYE);
        assert_eq!(GOODBYE.len(), "SSH-2.0-dep-preflight\r\n".len() + 4 + 44);
        up(&said("SSH-1.99-x\n"), "");
        let with_keys = "SSH-2.0-x\r\n\0\0\x04\x0c\x0a\x14";
        up(&said(with_keys), "");
        up(
            &said("Unauthorised access is forbidden.\r\nSSH-2.0-x\r\n"),
            "",
        );
        not_serving(&said("Exceeded MaxStartups\r\n"), "");
        not_serving(&said("Not allowed at this time\r\n"), "");
        foreign(&said("SSH-1.5-x\r\n"));
        foreign(&said("HTTP/1.1 400 Bad Request\r\n"));
        foreign(&said("220 mail\r\n"));
        foreign(&said("\u{1}"));
        foreign(&said(&"x".repeat(300)));
        foreign(&said(&"hello\r\n".repeat(70)));
        assert_eq!(said("SSH-2.0-"), End::Waits);
        let closed = talk_to_its_end(&PROTOCOL, NOTHING, &["hello\r\n"]);
        assert_eq!(closed, End::Closed);
    }
}
