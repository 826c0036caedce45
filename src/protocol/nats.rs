//! NATS: what the server says about itself, unasked
//! (<https://docs.nats.io/reference/reference-protocols/nats-protocol>).
//!
//! Nothing is sent. A `PING` without a login is answered with an error that the server logs.

use serde_json::Value;

use super::{
    Answer, Asks, Greeting, LIMIT, LOGIN_NOT_CHECKED, NO_TLS, Next, Page, Protocol, Received,
    Scheme, Site, Tls, Unmet,
};
use crate::durations::{BEFORE_TLS, LAST_WORD};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "nats",
    title: "NATS",
    schemes: &[Scheme {
        name: "nats",
        port: Some(4222),
        tls: false,
    }],
    tls: Tls::Upgrade,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "nothing: it reads the `INFO` line, and goes on in TLS where that says so",
        up: "`INFO`; errors that follow it, but for those of the next column",
        down: "`INFO` in lame duck mode (`ldm`); `-ERR 'maximum connections exceeded'`, `-ERR 'maximum account active connections exceeded'`; no offer of TLS where `tls: true` asks for it",
        blind: "logins, accounts, streams, the cluster",
        log: "nothing",
    },
};

/// The longest line after the first, in bytes.
const LINE: usize = 4096;

enum Info {
    Waited {
        upgrade: bool,
    },
    /// An error may follow, now that our side has said that it will send nothing.
    Over {
        answer: Answer,
    },
    /// TLS is next, unless an error follows at once: who is too many is told so in clear.
    Clear {
        answer: Answer,
    },
    Encrypted {
        answer: Answer,
    },
}

fn greeting(site: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(Info::Waited {
        upgrade: site.upgrade,
    })
}

impl Greeting for Info {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        match self {
            Self::Waited { upgrade } => {
                if received.expect_one_of(&[b"INFO ", b"-ERR "])? == 1 {
                    return error(received);
                }
                let line = received.line(LIMIT)?;
                let info = line.get("INFO ".len()..).unwrap_or_default();
                let info: Value = serde_json::from_slice(info).map_err(|_| Unmet::Foreign)?;
                let is = |name: &str| info.get(name).and_then(Value::as_bool).unwrap_or(false);
                let version = info.get("version").and_then(Value::as_str);
                let answer = Answer::up(format!("nats-server {}", version.unwrap_or("?")));
                if is("ldm") {
                    let answer = Answer::not_serving("INFO in lame duck mode: it is stopping");
                    return Ok(Next::Done(answer.with_code("ldm")));
                }
                let answer = if is("auth_required") {
                    answer.with_note(LOGIN_NOT_CHECKED)
                } else {
                    answer
                };
                if is("tls_required") || *upgrade && is("tls_available") {
                    *self = Self::Clear { answer };
                    return self.next(received);
                }
                if *upgrade {
                    return Ok(Next::Done(Answer::not_serving(NO_TLS)));
                }
                *self = Self::Over { answer };
                Ok(Next::HalfClose)
            }
            Self::Over { answer } => {
                if received.rest().starts_with(b"-ERR ") && received.rest().contains(&b'\n') {
                    return error(received);
                }
                if received.is_over() || received.is_quiet() {
                    return Ok(Next::Done(answer.clone()));
                }
                Err(Unmet::MoreWithin(LAST_WORD))
            }
            Self::Clear { answer } => {
                if !received.rest().is_empty() {
                    received.expect(b"-ERR ")?;
                    return error(received);
                }
                if !received.is_quiet() {
                    return Err(Unmet::MoreWithin(BEFORE_TLS));
                }
                let answer = answer.clone();
                *self = Self::Encrypted { answer };
                Ok(Next::StartTls)
            }
            Self::Encrypted { answer } => Ok(Next::Done(answer.clone())),
        }
    }
}

fn error(received: &mut Received) -> Result<Next, Unmet> {
    let line = String::from_utf8_lossy(received.line(LINE)?).into_owned();
    let plain = line.to_ascii_lowercase();
    let answer = if plain.contains("connections exceeded") {
        Answer::not_serving(line)
    } else {
        Answer::up(line).with_note(LOGIN_NOT_CHECKED)
    };
    Ok(Next::Done(answer.with_code("-ERR")))
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{
        End, Says, foreign, not_serving, play, talk, talk_to_its_end, up,
    };
    use super::*;

    const NOTHING: &[&[u8]] = &[];

    fn info(more: &str) -> String {
        format!("INFO {{\"server_id\":\"N\",\"version\":\"2.9.10\"{more}}}\r\n")
    }

    #[test]
    fn what_it_says_about_itself() {
        let answer = up(&talk_to_its_end(&PROTOCOL, NOTHING, &[info("")]), "");
        assert_eq!(answer.said, "nats-server 2.9.10");
        let closed = info(",\"auth_required\":true");
        let answer = up(&talk_to_its_end(&PROTOCOL, NOTHING, &[closed]), "");
        assert_eq!(answer.note.as_deref(), Some(LOGIN_NOT_CHECKED));
        let ldm = info(",\"ldm\":true");
        not_serving(&talk(&PROTOCOL, NOTHING, &[ldm]), "ldm");
        foreign(&talk(&PROTOCOL, NOTHING, &["INFO nothing\r\n"]));
        foreign(&talk(&PROTOCOL, NOTHING, &["+OK\r\n"]));
        assert_eq!(talk(&PROTOCOL, NOTHING, &["INFO {"]), End::Waits);
    }

    #[test]
    fn an_error_may_follow() {
        let followed = |line: &str| {
            let says = [info(""), line.to_owned()].concat();
            talk_to_its_end(&PROTOCOL, NOTHING, &[says])
        };
        not_serving(&followed("-ERR 'maximum connections exceeded'\r\n"), "-ERR");
        let account = "-ERR 'maximum account active connections exceeded'\r\n";
        not_serving(&followed(account), "-ERR");
        up(&followed("-ERR 'Authorization Violation'\r\n"), "-ERR");
        let says = [Says::Bytes(info("").into()), Says::Nothing];
        up(&play(&PROTOCOL, Site::default(), NOTHING, &says), "");
        let alone = talk(
            &PROTOCOL,
            NOTHING,
            &["-ERR 'maximum connections exceeded'\r\n"],
        );
        not_serving(&alone, "-ERR");
    }

    #[test]
    fn tls_as_the_server_says() {
        let upgraded = |upgrade: bool, more: &str| {
            let site = Site {
                upgrade,
                ..Site::default()
            };
            let says = [Says::Bytes(info(more).into()), Says::Nothing];
            play(&PROTOCOL, site, NOTHING, &says)
        };
        let tls = End::Moves(Next::StartTls);
        assert_eq!(upgraded(false, ",\"tls_required\":true"), tls);
        assert_eq!(upgraded(true, ",\"tls_available\":true"), tls);
        assert_eq!(not_serving(&upgraded(true, ""), "").said, NO_TLS);
    }

    /// Seen with 2.9.10: the error mostly comes with the `INFO`, and now and then after it.
    #[test]
    fn who_is_too_many_is_told_so_before_tls() {
        let required = info(",\"tls_required\":true");
        let error = "-ERR 'maximum connections exceeded'\r\n";
        let both = [required.as_str(), error].concat();
        not_serving(&talk(&PROTOCOL, NOTHING, &[both]), "-ERR");
        not_serving(&talk(&PROTOCOL, NOTHING, &[&required, error]), "-ERR");
        foreign(&talk(&PROTOCOL, NOTHING, &[&required, "PING\r\n"]));
        let end = talk_to_its_end(&PROTOCOL, NOTHING, &[required]);
        assert_eq!(end, End::Closed);
    }
}
