//! FTP: the greeting (RFC 959, 5.4), and `AUTH TLS` (RFC 4217).

use super::reply::Reply;
use super::{
    Answer, Asks, Greeting, LOGIN_NOT_CHECKED, NO_TLS, Next, Page, Protocol, Received, Scheme,
    Site, Tls, Unmet,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "ftp",
    title: "FTP",
    schemes: &[
        Scheme {
            name: "ftp",
            port: Some(21),
            tls: false,
        },
        Scheme {
            name: "ftps",
            port: Some(990),
            tls: true,
        },
    ],
    tls: Tls::Upgrade,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "nothing: it waits for the greeting (with `tls: true` then `AUTH TLS`), and leaves with `QUIT`",
        up: "`220`",
        down: "`421`, `120` (ready in some minutes), other `4yz` and `5yz`; no offer of TLS where `tls: true` asks for it",
        blind: "logins, files, data connections",
        log: "1 line",
    },
};

enum Files {
    Greeted { upgrade: bool },
    Ask { said: String },
    Asked { said: String },
    Encrypted { said: String },
}

fn greeting(site: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(Files::Greeted {
        upgrade: site.upgrade,
    })
}

impl Greeting for Files {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        let (next, state) = match self {
            Self::Greeted { upgrade } => {
                let Reply { code, said, .. } = Reply::take(received)?;
                match code {
                    220 if *upgrade => (None, Self::Ask { said }),
                    220 => return Ok(done(said)),
                    120 | 400.. => {
                        let answer = Answer::not_serving(said).with_code(code.to_string());
                        return Ok(Next::Done(answer.with_goodbye(QUIT)));
                    }
                    _ => return Err(Unmet::Foreign),
                }
            }
            Self::Ask { said } => {
                let said = std::mem::take(said);
                let ask = b"AUTH TLS\r\n".to_vec();
                (Some(Next::Send(ask)), Self::Asked { said })
            }
            Self::Asked { said } => {
                if Reply::take(received)?.code != 234 {
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

fn done(said: String) -> Next {
    let answer = Answer::up(said).with_code("220").with_goodbye(QUIT);
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
        assert_eq!(up(&greeted("220 (vsFTPd 3.0.3)\r\n"), "220").goodbye, QUIT);
        not_serving(
            &greeted("421 There are too many connected users\r\n"),
            "421",
        );
        not_serving(&greeted("120 ready in 5 minutes\r\n"), "120");
        not_serving(&greeted("500 OOPS: vsftpd: refusing to run\r\n"), "500");
        foreign(&greeted("230 logged in\r\n"));
        foreign(&greeted("+OK\r\n"));
    }

    #[test]
    fn tls_is_asked_for_within() {
        let site = || Site {
            upgrade: true,
            ..Site::default()
        };
        let says = |lines: &[&str]| -> Vec<_> {
            let lines = lines.iter();
            lines
                .map(|line| Says::Bytes(line.as_bytes().to_vec()))
                .collect()
        };
        let ours = ["AUTH TLS\r\n"];
        let well = says(&["220 files\r\n", "234 go on\r\n"]);
        let end = play(&PROTOCOL, site(), &ours, &well);
        assert_eq!(end, End::Moves(Next::StartTls));
        let without = says(&["220 files\r\n", "530 Please login\r\n"]);
        let end = play(&PROTOCOL, site(), &ours, &without);
        assert_eq!(not_serving(&end, "").said, NO_TLS);
    }
}
