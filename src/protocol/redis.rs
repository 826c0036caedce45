//! Redis, Valkey and what speaks like them: `PING`.
//!
//! Wire format: RESP, <https://redis.io/docs/latest/develop/reference/protocol-spec/>. A client
//! that is not let in (too many, protected mode) is told so unasked.

use super::{
    Answer, Asks, Greeting, LOGIN_NOT_CHECKED, Next, Page, Protocol, Received, Scheme, Site, Tls,
    Unmet,
};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "redis",
    title: "Redis",
    schemes: &[
        scheme("redis", false),
        scheme("valkey", false),
        scheme("rediss", true),
        scheme("valkeys", true),
    ],
    tls: Tls::FromTheStart,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "`PING`",
        up: "`+PONG`; `-NOAUTH`, `-NOPERM` and other errors",
        down: "`-LOADING`, `-BUSY`, `-MISCONF`, `-MASTERDOWN`, `-CLUSTERDOWN`, `-TRYAGAIN`, `-DENIED`, `-ERR max number of clients reached`",
        blind: "with a password set, whether it is loading, busy or without its master (`-NOAUTH` comes first); slots of a cluster; whether a replica takes writes",
        log: "nothing",
    },
};

const fn scheme(name: &'static str, tls: bool) -> Scheme {
    Scheme {
        name,
        port: Some(6379),
        tls,
    }
}

/// The longest line; `-DENIED` has 1,065 bytes.
const LINE: usize = 4096;
/// Errors of a server that cannot serve whoever asks.
const NOT_SERVING: &[&str] = &[
    "LOADING",
    "BUSY",
    "MISCONF",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "TRYAGAIN",
    "DENIED",
];

struct Ping {
    sent: bool,
}

fn greeting(_: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(Ping { sent: false })
}

impl Greeting for Ping {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        if !std::mem::replace(&mut self.sent, true) {
            return Ok(Next::Send(b"*1\r\n$4\r\nPING\r\n".to_vec()));
        }
        received.expect_one_of(&[b"+PONG", b"-"])?;
        let line = String::from_utf8_lossy(received.line(LINE)?).into_owned();
        judge(&line).map(Next::Done)
    }
}

fn judge(line: &str) -> Result<Answer, Unmet> {
    if line == "+PONG" {
        return Ok(Answer::up(line));
    }
    let error = line.strip_prefix('-').ok_or(Unmet::Foreign)?;
    let (word, _) = error.split_once(' ').unwrap_or((error, ""));
    let is_word = |ch: char| ch.is_ascii_uppercase() || ch == '_';
    if word.is_empty() || !word.chars().all(is_word) {
        return Err(Unmet::Foreign);
    }
    let is_full = error.starts_with("ERR max number of clients");
    let answer = if NOT_SERVING.contains(&word) || is_full {
        Answer::not_serving(line)
    } else {
        Answer::up(line).with_note(LOGIN_NOT_CHECKED)
    };
    Ok(answer.with_code(format!("-{word}")))
}

#[cfg(test)]
mod tests {
    use super::super::transcript::{foreign, not_serving, talk, up};
    use super::*;

    #[test]
    fn answers() {
        let answer = |line: &str| talk(&PROTOCOL, &["*1\r\n$4\r\nPING\r\n"], &[line]);
        up(&answer("+PONG\r\n"), "");
        for line in [
            "-NOAUTH Authentication required.\r\n",
            "-NOPERM this user has no permissions to run the 'ping' command\r\n",
            "-ERR unknown command 'PING'\r\n",
        ] {
            let code = line.split(' ').next().unwrap_or_default();
            up(&answer(line), code);
        }
        for line in [
            "-LOADING Redis is loading the dataset in memory\r\n",
            "-BUSY Redis is busy running a script.\r\n",
            "-MISCONF Redis is configured to save RDB snapshots\r\n",
            "-MASTERDOWN Link with MASTER is down\r\n",
            "-CLUSTERDOWN Hash slot not served\r\n",
            "-TRYAGAIN Multiple keys request during rehashing of slot\r\n",
            "-DENIED Redis is running in protected mode\r\n",
            "-ERR max number of clients reached\r\n",
        ] {
            let code = line.split(' ').next().unwrap_or_default();
            not_serving(&answer(line), code);
        }
        for line in [
            "+OK\r\n",
            "$4\r\nPONG\r\n",
            "ERROR\r\n",
            "-err x\r\n",
            "-\r\n",
        ] {
            foreign(&answer(line));
        }
    }

    #[test]
    fn a_line_that_never_ends_is_not_redis() {
        foreign(&talk(
            &PROTOCOL,
            &["*1\r\n$4\r\nPING\r\n"],
            &[&format!("-ERR {}", "x".repeat(5000))],
        ));
    }

    /// Redis 7 explains at length how to let others in.
    #[test]
    fn protected_mode_is_told_at_length() {
        let line = format!("-DENIED {}\r\n", "x".repeat(1057));
        let answer = talk(&PROTOCOL, &["*1\r\n$4\r\nPING\r\n"], &[&line]);
        not_serving(&answer, "-DENIED");
    }
}
