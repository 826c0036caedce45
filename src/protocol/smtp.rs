//! SMTP: the greeting (RFC 5321, 3.1). Nothing is said before it: servers that wait on purpose
//! (postscreen) log who does not.

use super::reply::Reply;
use super::{
    Answer, Asks, Greeting, NO_TLS, Next, Page, Protocol, Received, Scheme, Site, Tls, Unmet,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "smtp",
    title: "SMTP",
    schemes: &[
        Scheme {
            name: "smtp",
            port: Some(25),
            tls: false,
        },
        Scheme {
            name: "smtps",
            port: Some(465),
            tls: true,
        },
    ],
    tls: Tls::Upgrade,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "nothing: it waits for the greeting (with `tls: true` then `EHLO` and `STARTTLS`), and leaves with `QUIT`",
        up: "`220`",
        down: "`421` and other `4yz`, `554` and other `5yz`; no offer of TLS where `tls: true` asks for it",
        blind: "logins, senders, recipients: no mail is begun",
        log: "2 lines, `connect` and `disconnect`",
    },
};

enum Mail {
    Greeted { upgrade: bool },
    Hello { said: String },
    Offered { said: String },
    Asked { said: String },
    Encrypted { said: String },
}

fn greeting(site: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(Mail::Greeted {
        upgrade: site.upgrade,
    })
}

impl Greeting for Mail {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        let (next, state) = match self {
            Self::Greeted { upgrade } => {
                let Reply { code, said, .. } = Reply::take(received)?;
                match code {
                    220 if *upgrade => (None, Self::Hello { said }),
                    220 => return Ok(done(said)),
                    400.. => return Ok(Next::Done(refused(code, said))),
                    _ => return Err(Unmet::Foreign),
                }
            }
            Self::Hello { said } => {
                let hello = HELLO.to_vec();
                let said = std::mem::take(said);
                (Some(Next::Send(hello)), Self::Offered { said })
            }
            Self::Offered { said } => {
                let reply = Reply::take(received)?;
                let offers = |line: &String| {
                    let word = line.get(4..).unwrap_or_default();
                    word.eq_ignore_ascii_case("STARTTLS")
                };
                // 500 and 502 are what a server says that does not know the command.
                if reply.code >= 400 && !matches!(reply.code, 500 | 502) {
                    return Ok(Next::Done(refused(reply.code, reply.said)));
                }
                if !(reply.code == 250 && reply.lines.iter().any(offers)) {
                    return Ok(Next::Done(without_tls()));
                }
                let said = std::mem::take(said);
                let start = b"STARTTLS\r\n".to_vec();
                (Some(Next::Send(start)), Self::Asked { said })
            }
            Self::Asked { said } => {
                if Reply::take(received)?.code != 220 {
                    return Ok(Next::Done(without_tls()));
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

/// Some refuse a name without a domain; this domain is nobody's (RFC 2606, 2).
const HELLO: &[u8] = b"EHLO dep-preflight.invalid\r\n";
const QUIT: &[u8] = b"QUIT\r\n";

fn done(said: String) -> Next {
    Next::Done(Answer::up(said).with_code("220").with_goodbye(QUIT))
}

fn refused(code: u16, said: String) -> Answer {
    let answer = Answer::not_serving(said).with_code(code.to_string());
    answer.with_goodbye(QUIT)
}

fn without_tls() -> Answer {
    Answer::not_serving(NO_TLS).with_goodbye(QUIT)
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{End, Says, foreign, not_serving, play, talk, up};
    use super::*;

    const NOTHING: &[&[u8]] = &[];

    #[test]
    fn greetings() {
        let greeted = |line: &str| talk(&PROTOCOL, NOTHING, &[line]);
        let answer = up(&greeted("220 mail.example ESMTP Postfix\r\n"), "220");
        assert_eq!(answer.goodbye, QUIT);
        up(&greeted("220-mail.example\r\n220 ESMTP\r\n"), "220");
        not_serving(&greeted("421 4.7.0 Error: too many connections\r\n"), "421");
        not_serving(&greeted("554 5.7.1 Client host rejected\r\n"), "554");
        not_serving(&greeted("450 4.3.2 try again later\r\n"), "450");
        not_serving(&greeted("521 5.3.2 no mail here\r\n"), "521");
        foreign(&greeted("250 OK\r\n"));
        foreign(&greeted("SSH-2.0-x\r\n"));
        assert_eq!(greeted("220 mail"), End::Waits);
    }

    fn upgraded(ours: &[&str], theirs: &[&str]) -> End {
        let site = Site {
            upgrade: true,
            ..Site::default()
        };
        let says: Vec<_> = theirs
            .iter()
            .map(|line| Says::Bytes(line.as_bytes().to_vec()))
            .collect();
        play(&PROTOCOL, site, ours, &says)
    }

    #[test]
    fn tls_is_asked_for_within() {
        let ours = ["EHLO dep-preflight.invalid\r\n", "STARTTLS\r\n"];
        let offer = "250-mail\r\n250-PIPELINING\r\n250 STARTTLS\r\n";
        let end = upgraded(&ours, &["220 mail\r\n", offer, "220 ready\r\n"]);
        assert_eq!(end, End::Moves(Next::StartTls));
        let end = upgraded(&ours, &["220 mail\r\n", offer, "454 not now\r\n"]);
        not_serving(&end, "");
        let end = upgraded(&ours[..1], &["220 mail\r\n", "250 PIPELINING\r\n"]);
        assert_eq!(not_serving(&end, "").said, NO_TLS);
        let end = upgraded(&ours[..1], &["220 mail\r\n", "502 unknown command\r\n"]);
        assert_eq!(not_serving(&end, "").said, NO_TLS);
        let refused = "504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname\r\n";
        let end = upgraded(&ours[..1], &["220 mail\r\n", refused]);
        assert_ne!(not_serving(&end, "504").said, NO_TLS);
        let end = upgraded(&ours[..1], &["220 mail\r\n", "421 closing\r\n"]);
        not_serving(&end, "421");
        not_serving(&upgraded(&[], &["421 busy\r\n"]), "421");
    }
}
