//! DNS (RFC 1035, 4.1): one question, whose answer may be any that shows a name server at work.

use super::Unmet;
use super::{Answer, Asks, Greeting, Next, Page, Protocol, Question, Received, Scheme, Site, Tls};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "dns",
    title: "DNS",
    schemes: &[Scheme {
        name: "dns",
        port: Some(53),
        tls: false,
    }],
    tls: Tls::Never,
    path: Some("the name whose IPv4 address is asked for; none: the root's name servers are"),
    asks: Asks::Question(&QUESTION),
    page: Page {
        asks: "`. NS`, without recursion; with a name, its `A`, with recursion; by UDP, after a second by TCP as well",
        up: "any answer but `SERVFAIL`: `NOERROR`, `NXDOMAIN`, `REFUSED`, `NOTIMP`, `FORMERR`",
        down: "`SERVFAIL`",
        blind: "other names, and whether the records are right",
        log: "nothing, unless it logs questions",
    },
};

static QUESTION: Question = Question {
    ask,
    read,
    stream: |asked| Box::new(Tcp { asked, sent: false }),
};

/// The length of the header: id, flags, and four counts.
const HEADER: usize = 12;
/// In the third byte: it is an answer.
const IS_ANSWER: u8 = 0x80;
/// In the third byte: the server is to ask others if need be.
const RECURSION: u8 = 1;
const A: u8 = 1;
const NS: u8 = 2;
/// The Internet's class.
const IN: u8 = 1;

/// The answers' codes (RFC 1035, 4.1.1; RFC 2136, 2.2), by number.
const CODES: [&str; 11] = [
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
    "NXRRSET", "NOTAUTH", "NOTZONE",
];

fn ask(site: &Site<'_>, id: u16) -> Vec<u8> {
    let (flags, kind) = if site.path.is_empty() {
        (0, NS)
    } else {
        (RECURSION, A)
    };
    let mut question = id.to_be_bytes().to_vec();
    question.extend([flags, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    // A label has at most 63 bytes: the address was held to that.
    for label in site.path.split('.').filter(|label| !label.is_empty()) {
        question.extend(u8::try_from(label.len()));
        question.extend_from_slice(label.as_bytes());
    }
    question.extend([0, 0, kind, 0, IN]);
    question
}

/// What a message means; `None` if it is no answer to this question.
fn read(asked: &[u8], message: &[u8]) -> Option<Answer> {
    let [
        id @ ..,
        flags,
        code,
        _,
        _,
        answers_high,
        answers_low,
        _,
        _,
        _,
        _,
    ] = message.first_chunk::<HEADER>()?;
    if !asked.starts_with(id) || flags & IS_ANSWER == 0 {
        return None;
    }
    let number = code & 0x0f;
    let code = CODES.get(usize::from(number)).copied();
    let code = code.map_or_else(|| format!("RCODE{number}"), str::to_owned);
    let answers = u16::from_be_bytes([*answers_high, *answers_low]);
    let said = match (number, answers) {
        (0, 1) => format!("{code}, with 1 record"),
        (0, _) => format!("{code}, with {answers} records"),
        _ => code.clone(),
    };
    let answer = match number {
        2 => Answer::not_serving(said),
        3 => Answer::up(said).with_note("it says that there is no such name"),
        5 => Answer::up(said).with_note("it does not answer such questions from here"),
        _ => Answer::up(said),
    };
    Some(answer.with_code(code))
}

/// The same question over TCP, where each message has its length before it (RFC 1035, 4.2.2).
struct Tcp {
    asked: Vec<u8>,
    sent: bool,
}

impl Greeting for Tcp {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        if !self.sent {
            self.sent = true;
            let length = u16::try_from(self.asked.len()).unwrap_or_default();
            let mut message = length.to_be_bytes().to_vec();
            message.extend_from_slice(&self.asked);
            return Ok(Next::Send(message));
        }
        let length = usize::from(u16::from_be_bytes(received.peek_array()?));
        let begun = received.rest().get(2..).unwrap_or_default();
        let same = begun.iter().zip(&self.asked).take(2).all(|(a, b)| a == b);
        if length < HEADER || !same {
            return Err(Unmet::Foreign);
        }
        let message = received.peek(2 + length)?.get(2..).unwrap_or_default();
        read(&self.asked, message)
            .map(Next::Done)
            .ok_or(Unmet::Foreign)
    }
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{self, End, Says, foreign, hex, not_serving, up};
    use super::*;

    const ID: u16 = 0x4450;

    fn asked(path: &str) -> Vec<u8> {
        let site = Site {
            path,
            ..Site::default()
        };
        ask(&site, ID)
    }

    /// An answer to `. NS` with this code, without records.
    fn answer(code: u8) -> Vec<u8> {
        let mut message = hex("4450 8000 0001 0000 0000 0000 00 0002 0001");
        message[3] = 0x80 | code;
        message
    }

    #[test]
    fn it_asks_for_the_root_or_for_a_name() {
        let root = "4450 0000 0001 0000 0000 0000 00 0002 0001";
        assert_eq!(asked(""), hex(root));
        let name = "4450 0100 0001 0000 0000 0000 03 \"dep\" 07 \"example\" 00 0001 0001";
        assert_eq!(asked("dep.example"), hex(name));
        assert_eq!(asked("dep.example."), hex(name));
    }

    #[test]
    fn every_answer_but_servfail_is_up() {
        for (number, code, is_serving) in [
            (0, "NOERROR", true),
            (1, "FORMERR", true),
            (2, "SERVFAIL", false),
            (3, "NXDOMAIN", true),
            (4, "NOTIMP", true),
            (5, "REFUSED", true),
            (9, "NOTAUTH", true),
            (15, "RCODE15", true),
        ] {
            let found = read(&asked(""), &answer(number)).unwrap();
            assert_eq!(found.is_serving, is_serving, "{code}");
            assert_eq!(found.code.as_deref(), Some(code));
            assert_eq!(found.note.is_some(), [3, 5].contains(&number), "{code}");
        }
    }

    /// dnsmasq 2.90, for a name that it has an address for.
    #[test]
    fn records_are_counted() {
        let message = "4450 8580 0001 0001 0000 0000 03 \"dep\" 07 \"example\" 00 0001 0001
            c00c 0001 0001 00000000 0004 0a000001";
        let found = read(&asked("dep.example"), &hex(message)).unwrap();
        assert_eq!(found.said, "NOERROR, with 1 record");
        let none = read(&asked(""), &answer(0)).unwrap();
        assert_eq!(none.said, "NOERROR, with 0 records");
    }

    #[test]
    fn only_an_answer_to_the_question_counts() {
        for message in [
            // Another id, a question, half a header, nothing.
            "4451 8000 0001 0000 0000 0000 00 0002 0001",
            "4450 0000 0001 0000 0000 0000 00 0002 0001",
            "4450 8000 0001 0000 0000",
            "",
        ] {
            assert_eq!(read(&asked(""), &hex(message)), None, "{message}");
        }
    }

    #[track_caller]
    fn over_tcp(theirs: &[u8]) -> End {
        let asked = asked("");
        let mut ours = vec![0, 17];
        ours.extend(&asked);
        let greeting = || (QUESTION.stream)(asked.clone());
        transcript::play_greeting(
            greeting,
            &[ours],
            &[Says::Bytes(theirs.to_vec()), Says::Close],
        )
    }

    #[test]
    fn over_tcp_it_has_its_length_before_it() {
        let framed = |message: &[u8]| [&[0, 17], message].concat();
        up(&over_tcp(&framed(&answer(5))), "REFUSED");
        not_serving(&over_tcp(&framed(&answer(2))), "SERVFAIL");
        assert_eq!(over_tcp(&framed(&answer(2))[..18]), End::Closed);
        assert_eq!(over_tcp(b""), End::Closed);
        foreign(&over_tcp(b"SSH-2.0-OpenSSH_9.9\r\n"));
        foreign(&over_tcp(&hex("0005 4450 8000 00")));
        foreign(&over_tcp(&framed(&asked(""))));
    }
}
