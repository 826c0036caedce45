//! ZooKeeper: its word for "how are you" (`srvr`).
//!
//! Wire format: the four letter words of the administrator's guide,
//! <https://zookeeper.apache.org/doc/current/zookeeperAdmin.html>. Not `ruok`: that is answered
//! `imok` without a quorum, and is switched off since 3.5.3, where `srvr` is not.

use super::{Answer, Asks, Greeting, Next, Page, Protocol, Received, Scheme, Site, Tls, Unmet};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "zookeeper",
    title: "ZooKeeper",
    schemes: &[scheme("zookeeper"), scheme("zk")],
    tls: Tls::FromTheStart,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "`srvr`",
        up: "`Zookeeper version: …`; that `srvr` is not in the whitelist",
        down: "`This ZooKeeper instance is not currently serving requests`: it has no quorum",
        blind: "where `srvr` is not in the whitelist, whether there is a quorum",
        log: "one line at the level of info",
    },
};

const fn scheme(name: &'static str) -> Scheme {
    Scheme {
        name,
        port: Some(2181),
        tls: false,
    }
}

const SERVING: &[u8] = b"Zookeeper version: ";
const NOT_SERVING: &[u8] = b"This ZooKeeper instance is not currently serving requests";
const SWITCHED_OFF: &[u8] = b"srvr is not executed because it is not in the whitelist";

struct Srvr {
    sent: bool,
}

fn greeting(_: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(Srvr { sent: false })
}

impl Greeting for Srvr {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        if !std::mem::replace(&mut self.sent, true) {
            return Ok(Next::Send(b"srvr".to_vec()));
        }
        let which = received.expect_one_of(&[SERVING, NOT_SERVING, SWITCHED_OFF])?;
        // The server closes behind its last word. A connection that was cut in the middle of
        // the first line has said nothing.
        if !received.is_over() {
            return Err(Unmet::More);
        }
        let text = String::from_utf8_lossy(received.rest());
        let (first, others) = text.split_once('\n').ok_or(Unmet::More)?;
        Ok(Next::Done(match which {
            0 => serving(first, others),
            1 => Answer::not_serving(first),
            _ => Answer::up(first).with_note("whether it has a quorum was not checked"),
        }))
    }
}

/// A server that serves: its version, and its part in the ensemble.
fn serving(first: &str, others: &str) -> Answer {
    // `Zookeeper version: 3.8.0-5a02a05eddb59aee6ac762f7ea82e92a68eb9c0f, built on …`
    let version = first.split([' ', '-', ',']).nth(2).unwrap_or_default();
    let version = format!("ZooKeeper {version}");
    let mut lines = others.lines();
    match lines.find_map(|line| line.strip_prefix("Mode: ")) {
        Some("read-only") => Answer::up(format!("{version}, read-only"))
            .with_note("it has no quorum, and only reads"),
        Some(mode) => Answer::up(format!("{version}, {mode}")),
        None => Answer::up(version),
    }
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{End, foreign, not_serving, talk, talk_to_its_end, up};
    use super::*;

    /// What ZooKeeper 3.8.0 answers.
    const ANSWER: &str = "Zookeeper version: 3.8.0-${mvngit.commit.id}, built on 2024-12-29 17:54 UTC\n\
        Latency min/avg/max: 0/0.0/0\n\
        Received: 1\n\
        Sent: 0\n\
        Connections: 1\n\
        Outstanding: 0\n\
        Zxid: 0x0\n\
        Mode: standalone\n\
        Node count: 5\n";

    fn answer(text: &str) -> End {
        talk_to_its_end(&PROTOCOL, &["srvr"], &[text])
    }

    #[test]
    fn a_server_with_a_quorum_is_up() {
        let answered = up(&answer(ANSWER), "");
        assert_eq!(answered.said, "ZooKeeper 3.8.0, standalone");
        assert_eq!(answered.note, None);
        for mode in ["leader", "follower", "observer"] {
            let other = ANSWER.replace("standalone", mode);
            let said = up(&answer(&other), "").said;
            assert_eq!(said, format!("ZooKeeper 3.8.0, {mode}"));
        }
        let answered = up(&answer(&ANSWER.replace("standalone", "read-only")), "");
        assert!(answered.note.unwrap().contains("quorum"));
    }

    #[test]
    fn one_without_is_not_serving() {
        let line = "This ZooKeeper instance is not currently serving requests\n";
        not_serving(&answer(line), "");
    }

    #[test]
    fn one_that_does_not_say_is_up() {
        let line = "srvr is not executed because it is not in the whitelist.\n";
        let answered = up(&answer(line), "");
        assert!(answered.note.unwrap().contains("quorum"));
    }

    #[test]
    fn an_answer_has_come_once_the_server_closes() {
        for end in 0..=ANSWER.len() {
            let part = &ANSWER[..end];
            assert_eq!(talk(&PROTOCOL, &["srvr"], &[part]), End::Waits, "{end}");
        }
        let line = ANSWER.find('\n').unwrap();
        for end in 0..=line {
            assert_eq!(answer(&ANSWER[..end]), End::Closed, "{end}");
        }
        let said = up(&answer(&ANSWER[..=line]), "").said;
        assert_eq!(said, "ZooKeeper 3.8.0");
    }

    #[test]
    fn what_is_not_zookeeper() {
        for text in [
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            "ruok is not executed because it is not in the whitelist.\n",
            "ZooKeeper\n",
            "imok",
            "\0\0\0\x29",
        ] {
            foreign(&answer(text));
        }
    }
}
