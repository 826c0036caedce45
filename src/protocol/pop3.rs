//! POP3: the greeting (RFC 1939, 4), and `STLS` (RFC 2595).

use super::{
    Answer, Asks, Greeting, LOGIN_NOT_CHECKED, NO_TLS, Next, Page, Protocol, Received, Scheme,
    Site, Tls, Unmet,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "pop3",
    title: "POP3",
    schemes: &[
        Scheme {
            name: "pop3",
            port: Some(110),
            tls: false,
        },
        Scheme {
            name: "pop3s",
            port: Some(995),
            tls: true,
        },
    ],
    tls: Tls::Upgrade,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "nothing: it waits for the greeting (with `tls: true` then `STLS`), and leaves with `QUIT`",
        up: "`+OK`",
        down: "`-ERR`; no offer of TLS where `tls: true` asks for it",
        blind: "logins and mailboxes",
        log: "1 line",
    },
};

/// The longest line, in bytes.
const LINE: usize = 4096;

enum Mailbox {
    Greeted { upgrade: bool },
    Ask { said: String },
    Asked { said: String },
    Encrypted { said: String },
}

fn greeting(site: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(Mailbox::Greeted {
        upgrade: site.upgrade,
    })
}

impl Greeting for Mailbox {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        let (next, state) = match self {
            Self::Greeted { upgrade } => {
                let (is_well, said) = status(received)?;
                if !is_well {
                    let answer = Answer::not_serving(said).with_code("-ERR");
                    return Ok(Next::Done(answer.with_goodbye(QUIT)));
                }
                if !*upgrade {
                    return Ok(done(said));
                }
                (None, Self::Ask { said })
            }
            Self::Ask { said } => {
                let said = std::mem::take(said);
                let ask = b"STLS\r\n".to_vec();
                (Some(Next::Send(ask)), Self::Asked { said })
            }
            Self::Asked { said } => {
                if !status(received)?.0 {
                    let answer = Answer::not_serving(NO_TLS);
                    return Ok(Next::Done(answer.with_goodbye(QUIT)));
                }
                let said = std::mem::take(said);
                (Some(Next::StartTls), Self::Encrypted { said })
            }
            Self::Encrypted { said } => return Ok(done(std::mem::take(said))),
        };
        *self = state;
        next.map_or_else(|| self.next(received), Ok)
    }
}

const QUIT: &[u8] = b"QUIT\r\n";

/// A line that says whether all is well.
fn status(received: &mut Received) -> Result<(bool, String), Unmet> {
    let which = received.expect_one_of(&[b"+OK", b"-ERR"])?;
    let line = received.line(LINE)?;
    Ok((which == 0, String::from_utf8_lossy(line).into_owned()))
}

fn done(said: String) -> Next {
    let answer = Answer::up(said).with_code("+OK").with_goodbye(QUIT);
    Next::Done(answer.with_note(LOGIN_NOT_CHECKED))
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{End, Says, foreign, not_serving, play, talk, up};
    use super::*;

    #[test]
    fn greetings() {
        let none: &[&[u8]] = &[];
        let greeted = |line: &str| talk(&PROTOCOL, none, &[line]);
        assert_eq!(up(&greeted("+OK Dovecot ready.\r\n"), "+OK").goodbye, QUIT);
        not_serving(&greeted("-ERR [SYS/TEMP] busy\r\n"), "-ERR");
        foreign(&greeted("+PONG\r\n"));
        foreign(&greeted("* OK\r\n"));
    }

    #[test]
    fn tls_is_asked_for_within() {
        let play = |theirs: &[&str]| {
            let site = Site {
                upgrade: true,
                ..Site::default()
            };
            let theirs = theirs.iter();
            let says: Vec<_> = theirs
                .map(|line| Says::Bytes(line.as_bytes().to_vec()))
                .collect();
            play(&PROTOCOL, site, &["STLS\r\n"], &says)
        };
        let end = play(&["+OK hi\r\n", "+OK begin\r\n"]);
        assert_eq!(end, End::Moves(Next::StartTls));
        let end = play(&["+OK hi\r\n", "-ERR unknown command\r\n"]);
        assert_eq!(not_serving(&end, "").said, NO_TLS);
    }
}
