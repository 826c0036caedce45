//! IMAP: the greeting (RFC 9051, 7.1).

use super::{
    Answer, Asks, Greeting, LOGIN_NOT_CHECKED, NO_TLS, Next, Page, Protocol, Received, Scheme,
    Site, Tls, Unmet,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "imap",
    title: "IMAP",
    schemes: &[
        Scheme {
            name: "imap",
            port: Some(143),
            tls: false,
        },
        Scheme {
            name: "imaps",
            port: Some(993),
            tls: true,
        },
    ],
    tls: Tls::Upgrade,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "nothing: it waits for the greeting (with `tls: true` then `STARTTLS`), and leaves with `LOGOUT`",
        up: "`* OK`, `* PREAUTH`",
        down: "`* BYE`; no offer of TLS where `tls: true` asks for it",
        blind: "logins and mailboxes",
        log: "1 line",
    },
};

/// The longest line, in bytes.
const LINE: usize = 4096;
/// The most lines before the answer to `STARTTLS`.
const LINES: usize = 64;

enum Mailbox {
    Greeted { upgrade: bool },
    Ask { greeted: Greeted },
    Asked { greeted: Greeted, lines: usize },
    Encrypted { greeted: Greeted },
}

/// The greeting's word and its line.
#[derive(Clone)]
struct Greeted {
    word: &'static str,
    line: String,
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
                const STARTS: &[(&[u8], &str)] = &[
                    (b"* OK", "OK"),
                    (b"* PREAUTH", "PREAUTH"),
                    (b"* BYE", "BYE"),
                ];
                let starts: Vec<_> = STARTS.iter().map(|(start, _)| *start).collect();
                let which = received.expect_one_of(&starts)?;
                let word = STARTS.get(which).map_or("", |(_, word)| word);
                let line = String::from_utf8_lossy(received.line(LINE)?).into_owned();
                let greeted = Greeted { word, line };
                if word == "BYE" {
                    let answer = Answer::not_serving(greeted.line).with_code(word);
                    return Ok(Next::Done(answer));
                }
                if !*upgrade {
                    return Ok(done(&greeted));
                }
                (None, Self::Ask { greeted })
            }
            Self::Ask { greeted } => {
                let ask = Next::Send(b"a STARTTLS\r\n".to_vec());
                let greeted = greeted.clone();
                (Some(ask), Self::Asked { greeted, lines: 0 })
            }
            Self::Asked { greeted, lines } => {
                let line = String::from_utf8_lossy(received.line(LINE)?).into_owned();
                // What is not tagged is about something else.
                if line.starts_with("* ") && *lines < LINES {
                    *lines += 1;
                    return self.next(received);
                }
                match line.strip_prefix("a ") {
                    Some(answer) if answer.starts_with("OK") => {
                        let greeted = greeted.clone();
                        (Some(Next::StartTls), Self::Encrypted { greeted })
                    }
                    Some(_) => {
                        let answer = Answer::not_serving(NO_TLS);
                        return Ok(Next::Done(answer.with_goodbye(LOGOUT)));
                    }
                    None => return Err(Unmet::Foreign),
                }
            }
            Self::Encrypted { greeted } => return Ok(done(greeted)),
        };
        *self = state;
        next.map_or_else(|| self.next(received), Ok)
    }
}

const LOGOUT: &[u8] = b"b LOGOUT\r\n";

fn done(greeted: &Greeted) -> Next {
    let answer = Answer::up(greeted.line.as_str()).with_code(greeted.word);
    Next::Done(answer.with_goodbye(LOGOUT).with_note(LOGIN_NOT_CHECKED))
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{End, Says, foreign, not_serving, play, talk, up};
    use super::*;

    #[test]
    fn greetings() {
        let none: &[&[u8]] = &[];
        let greeted = |line: &str| talk(&PROTOCOL, none, &[line]);
        let answer = up(
            &greeted("* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n"),
            "OK",
        );
        assert_eq!(answer.goodbye, LOGOUT);
        up(&greeted("* PREAUTH welcome\r\n"), "PREAUTH");
        not_serving(&greeted("* BYE too many connections\r\n"), "BYE");
        foreign(&greeted("* NO\r\n"));
        foreign(&greeted("+OK\r\n"));
        assert_eq!(greeted("* OK"), End::Waits);
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
            play(&PROTOCOL, site, &["a STARTTLS\r\n"], &says)
        };
        let end = play(&["* OK hi\r\n", "* 1 EXISTS\r\n", "a OK begin\r\n"]);
        assert_eq!(end, End::Moves(Next::StartTls));
        let end = play(&["* OK hi\r\n", "a BAD no\r\n"]);
        assert_eq!(not_serving(&end, "").said, NO_TLS);
        foreign(&play(&["* OK hi\r\n", "HTTP/1.1 400\r\n"]));
    }
}
