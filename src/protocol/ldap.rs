//! LDAP: a search of the root DSE for no attribute (RFC 4511, 4.5.1), without a bind.

use super::{
    Answer, Asks, Greeting, LIMIT, LOGIN_NOT_CHECKED, NO_TLS, Next, Page, Protocol, Received,
    Scheme, Site, Tls, Unmet,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "ldap",
    title: "LDAP",
    schemes: &[
        Scheme {
            name: "ldap",
            port: Some(389),
            tls: false,
        },
        Scheme {
            name: "ldaps",
            port: Some(636),
            tls: true,
        },
    ],
    tls: Tls::Upgrade,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "a search of the root DSE for no attribute (with `tls: true` after StartTLS), without a bind; it leaves with `unbind`",
        up: "every result but those of the next column, 53 (a login is demanded) included",
        down: "51 (busy), 52 (unavailable); no offer of TLS where `tls: true` asks for it",
        blind: "logins, entries",
        log: "nothing below slapd's level `stats`",
    },
};

/// Message 1: base object `""`, scope base, never follow aliases, at most 1 entry within 5 s,
/// `(objectClass=*)`, the attribute `1.1`, which stands for none (RFC 4511, 4.5.1.8).
const SEARCH: &[u8] = b"\x30\x2a\x02\x01\x01\x63\x25\x04\0\x0a\x01\0\x0a\x01\0\x02\x01\x01\
    \x02\x01\x05\x01\x01\0\x87\x0bobjectClass\x30\x05\x04\x031.1";
/// Message 1: the extended request `StartTLS` (RFC 4511, 4.14).
const START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
const UNBIND: &[u8] = b"\x30\x05\x02\x01\x02\x42\0";
/// `busy` and `unavailable` (RFC 4511, A.1).
const NOT_SERVING: &[u8] = &[51, 52];
/// Results that ask for a login, or for a better one.
const LOGIN: &[u8] = &[8, 48, 49, 50, 53];

enum Search {
    Begin { upgrade: bool },
    StartsTls,
    Searches,
}

fn greeting(site: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(Search::Begin {
        upgrade: site.upgrade,
    })
}

impl Greeting for Search {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        match self {
            Self::Begin { upgrade: true } => {
                *self = Self::StartsTls;
                Ok(Next::Send(START_TLS.to_vec()))
            }
            Self::Begin { upgrade: false } => {
                *self = Self::Searches;
                Ok(Next::Send(SEARCH.to_vec()))
            }
            Self::StartsTls => match result(received)? {
                0 => {
                    *self = Self::Begin { upgrade: false };
                    Ok(Next::StartTls)
                }
                code if NOT_SERVING.contains(&code) => Ok(Next::Done(judge(code))),
                _ => {
                    let answer = Answer::not_serving(NO_TLS);
                    Ok(Next::Done(answer.with_goodbye(UNBIND)))
                }
            },
            Self::Searches => Ok(Next::Done(judge(result(received)?))),
        }
    }
}

fn judge(code: u8) -> Answer {
    let said = match code {
        0 => "the root entry".to_owned(),
        51 => "busy (51)".to_owned(),
        52 => "unavailable (52)".to_owned(),
        other => format!("result {other}"),
    };
    let answer = match code {
        code if NOT_SERVING.contains(&code) => Answer::not_serving(said),
        code if LOGIN.contains(&code) => Answer::up(said).with_note(LOGIN_NOT_CHECKED),
        _ => Answer::up(said),
    };
    answer.with_code(code.to_string()).with_goodbye(UNBIND)
}

/// The result code of the message that ends our request: entries and references before it are
/// passed over.
fn result(received: &mut Received) -> Result<u8, Unmet> {
    loop {
        received.expect(b"\x30")?;
        let (head, length) = length_of(received.rest().get(1..).unwrap_or_default())?;
        if length > LIMIT {
            return Err(Unmet::Foreign);
        }
        let message = received.take(1 + head + length)?;
        let (id, rest) = element(message.get(1 + head..).unwrap_or_default())?;
        let (operation, _) = element(rest)?;
        if id.tag != 0x02 {
            return Err(Unmet::Foreign);
        }
        match operation.tag {
            // An entry, a reference.
            0x64 | 0x73 => {}
            // The end of a search, the answer to an extended request; with message 0 a notice of
            // disconnection.
            0x65 | 0x78 => {
                let (code, _) = element(operation.content)?;
                return match (code.tag, code.content) {
                    (0x0a, [code]) => Ok(*code),
                    _ => Err(Unmet::Foreign),
                };
            }
            _ => return Err(Unmet::Foreign),
        }
    }
}

/// An element of BER (X.690, 8.1).
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
}

/// The first element of a message that is there as a whole, and what follows it.
fn element(bytes: &[u8]) -> Result<(Element<'_>, &[u8]), Unmet> {
    let (tag, rest) = bytes.split_first().ok_or(Unmet::Foreign)?;
    let (head, length) = length_of(rest).map_err(|_| Unmet::Foreign)?;
    let content = rest.get(head..).unwrap_or_default();
    let (content, rest) = content.split_at_checked(length).ok_or(Unmet::Foreign)?;
    Ok((Element { tag: *tag, content }, rest))
}

/// How many bytes a length has, and which one it is. Active Directory writes all of its own with
/// four bytes.
fn length_of(bytes: &[u8]) -> Result<(usize, usize), Unmet> {
    let first = *bytes.first().ok_or(Unmet::More)?;
    match first {
        0..=0x7f => Ok((1, usize::from(first))),
        0x81..=0x84 => {
            let count = usize::from(first & 0x7f);
            let digits = bytes.get(1..=count).ok_or(Unmet::More)?;
            let length = digits
                .iter()
                .fold(0_u64, |length, digit| length << 8 | u64::from(*digit));
            Ok((1 + count, usize::try_from(length).unwrap_or(usize::MAX)))
        }
        _ => Err(Unmet::Foreign),
    }
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{End, Says, foreign, hex, not_serving, play, talk, up};
    use super::*;

    fn searched(answer: &str) -> End {
        talk(&PROTOCOL, &[SEARCH], &[hex(answer)])
    }

    #[test]
    fn results() {
        let entry = "3009 020101 6404 0400 3000";
        let end = searched(&format!("{entry} 300c 020101 6507 0a0100 0400 0400"));
        let answer = up(&end, "0");
        assert_eq!(answer.goodbye, UNBIND);
        for (code, text) in [("01", "1"), ("08", "8"), ("20", "32"), ("30", "48")] {
            up(
                &searched(&format!("300c 020101 6507 0a01{code} 0400 0400")),
                text,
            );
        }
        let login = searched("300c 020101 6507 0a0135 0400 0400");
        assert_eq!(up(&login, "53").note.as_deref(), Some(LOGIN_NOT_CHECKED));
        not_serving(&searched("300c 020101 6507 0a0133 0400 0400"), "51");
        not_serving(&searched("300c 020101 6507 0a0134 0400 0400"), "52");
    }

    #[test]
    fn lengths_of_every_form() {
        up(
            &searched("30 84 0000000c 020101 6507 0a0100 0400 0400"),
            "0",
        );
        up(&searched("30 810c 020101 6507 0a0100 0400 0400"), "0");
        up(&searched("30 82000c 020101 6507 0a0100 0400 0400"), "0");
        foreign(&searched("30 84 ffffffff"));
        foreign(&searched("30 80"));
        foreign(&searched("30 03 020101"));
        foreign(&searched("30 0c 020101 65ff 0a0100 0400 0400"));
    }

    #[test]
    fn a_notice_of_disconnection_counts() {
        not_serving(&searched("300c 020100 7807 0a0134 0400 0400"), "52");
        foreign(&searched("300c 020101 6107 0a0100 0400 0400"));
        foreign(&searched("4854 5450"));
        assert_eq!(searched("300c 0201"), End::Waits);
    }

    #[test]
    fn tls_is_asked_for_within() {
        let site = || Site {
            upgrade: true,
            ..Site::default()
        };
        let says = |answer: &str| [Says::Bytes(hex(answer))];
        let well = says("300c 020101 7807 0a0100 0400 0400");
        let end = play(&PROTOCOL, site(), &[START_TLS], &well);
        assert_eq!(end, End::Moves(Next::StartTls));
        let refused = says("300c 020101 7807 0a0102 0400 0400");
        let end = play(&PROTOCOL, site(), &[START_TLS], &refused);
        assert_eq!(not_serving(&end, "").said, NO_TLS);
        let busy = says("300c 020101 7807 0a0133 0400 0400");
        not_serving(&play(&PROTOCOL, site(), &[START_TLS], &busy), "51");
    }
}
