//! MySQL, MariaDB and the proxies before them: their greeting, and an answer to it.
//!
//! Wire format: "MySQL Client/Server Protocol", connection phase,
//! <https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html>.
//! The greeting alone shows that the server lives, and is answered all the same: whoever leaves
//! after it, or after an `AuthSwitchRequest`, is counted (`SUM_CONNECT_ERRORS`), and after
//! `max_connect_errors` of them the server shuts out the whole host. A login that is refused
//! does not count.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use super::{
    Answer, Asks, Greeting, LOGIN_NOT_CHECKED, NO_TLS, Next, Page, Protocol, Received, Scheme,
    Site, Tls, Unmet,
};
use crate::durations::REFUSAL;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "mysql",
    title: "MySQL",
    schemes: &[scheme("mysql"), scheme("mariadb")],
    tls: Tls::Upgrade,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "after its greeting, a login as the user `dep-preflight` without a password, which it refuses; leaving without would count against the host (`max_connect_errors`)",
        up: "a greeting, and then any other error (`1045`, `1698`, `3159`)",
        down: "`1040` (full), `1041`, `1053` (stopping), `1129` (host blocked), `1130` (host not allowed), `1135`, `1203`; with `tls: true`, no TLS",
        blind: "the login; the database; limits of accounts; whether it takes writes; a server that is gone behind a proxy",
        log: "MariaDB: one warning, `Access denied for user 'dep-preflight'`; MySQL: nothing, unless notes are logged; where `connection_control` is installed, it counts each probe as a failed login of `dep-preflight`, and holds the connection for as long as it delays such",
    },
};

const fn scheme(name: &'static str) -> Scheme {
    Scheme {
        name,
        port: Some(3306),
        tls: false,
    }
}

/// The longest packet, in bytes: greetings have about 100, errors at most 512 characters.
const LONGEST: u32 = 1024;
/// How many packets after the greeting are read.
const PACKETS: usize = 4;

/// `CLIENT_LONG_PASSWORD`, `PROTOCOL_41`, `SECURE_CONNECTION` and `PLUGIN_AUTH`.
const CAPABILITIES: u32 = 0x0008_8201;
/// `CLIENT_SSL`.
const SSL: u16 = 0x0800;
/// `CLIENT_PLUGIN_AUTH`, in the upper half of the capabilities.
const PLUGIN_AUTH: u16 = 0x0008;
/// The method of servers that name none.
const NATIVE: &[u8] = b"mysql_native_password";
/// `COM_QUIT`.
const QUIT: &[u8] = b"\x01\0\0\0\x01";

/// Errors of a server that serves nobody now, or nobody from this host: `ER_CON_COUNT_ERROR`,
/// `ER_OUT_OF_RESOURCES`, `ER_SERVER_SHUTDOWN`, `ER_HOST_IS_BLOCKED`,
/// `ER_HOST_NOT_PRIVILEGED`, `ER_CANT_CREATE_THREAD`, `ER_TOO_MANY_USER_CONNECTIONS`.
const NOT_SERVING: &[u16] = &[1040, 1041, 1053, 1129, 1130, 1135, 1203];

struct Login {
    upgrade: bool,
    /// What the greeting comes to, once it has come.
    greeted: Option<Answer>,
    /// What is to be done before anything is read.
    steps: VecDeque<Next>,
    packets: usize,
    switched: bool,
    more: bool,
}

fn greeting(site: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(Login {
        upgrade: site.upgrade,
        greeted: None,
        steps: VecDeque::new(),
        packets: 0,
        switched: false,
        more: false,
    })
}

impl Greeting for Login {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        if let Some(step) = self.steps.pop_front() {
            return Ok(step);
        }
        let Some(greeted) = self.greeted.clone() else {
            let (_, packet) = packet(received, &[9, 10, 0xff])?;
            self.begin(&packet)?;
            return self.next(received);
        };
        match packet(received, &[0, 1, 0xfe, 0xff]) {
            Ok((sequence, packet)) => Ok(self.go_on(sequence, &packet, greeted)),
            Err(Unmet::More) if !received.is_over() && !received.is_quiet() => {
                Err(Unmet::MoreWithin(REFUSAL))
            }
            // What became of the login cannot say more than the greeting.
            Err(_) => Ok(Next::Done(greeted)),
        }
    }
}

impl Login {
    /// The first packet, which the server sends unasked.
    fn begin(&mut self, packet: &[u8]) -> Result<(), Unmet> {
        match packet {
            [0xff, error @ ..] => {
                let answer = judge(error).ok_or(Unmet::Foreign)?;
                self.steps.push_back(Next::Done(answer));
            }
            // Protocol 9, before MySQL 4.1.
            [9, rest @ ..] => {
                let answer = if self.upgrade {
                    Answer::not_serving(NO_TLS)
                } else {
                    greets(until_nul(rest).ok_or(Unmet::Foreign)?.0)
                };
                self.steps.push_back(Next::Done(answer));
            }
            [10, rest @ ..] => self.answer(&Handshake::parse(rest).ok_or(Unmet::Foreign)?),
            _ => return Err(Unmet::Foreign),
        }
        Ok(())
    }

    /// Logs in as nobody, in TLS if it is wanted.
    fn answer(&mut self, handshake: &Handshake<'_>) {
        self.greeted = Some(greets(handshake.version));
        if self.upgrade && handshake.tls {
            self.steps.extend([
                Next::Send(framed(1, &settings(SSL))),
                Next::StartTls,
                Next::Send(response(2, SSL, handshake.method)),
            ]);
            return;
        }
        if self.upgrade {
            // It logs in all the same: to leave now would count against the host.
            self.greeted = Some(Answer::not_serving(NO_TLS));
        }
        let login = Next::Send(response(1, 0, handshake.method));
        self.steps.push_back(login);
    }

    /// A packet after the login.
    fn go_on(&mut self, sequence: u8, packet: &[u8], greeted: Answer) -> Next {
        self.packets += 1;
        let is_first = |seen: &mut bool| !std::mem::replace(seen, true);
        match packet {
            [0xff, error @ ..] => Next::Done(match judge(error) {
                Some(answer) if greeted.is_serving || !answer.is_serving => answer,
                _ => greeted,
            }),
            [0, ..] if greeted.is_serving => {
                Next::Done(Answer::up("asks for no password").with_goodbye(QUIT))
            }
            [0, ..] => Next::Done(greeted.with_goodbye(QUIT)),
            // AuthSwitchRequest, AuthMoreData: an empty answer is a wrong password, none at all
            // a fault of this host.
            [0xfe, ..] if self.packets < PACKETS && is_first(&mut self.switched) => {
                Next::Send(framed(sequence.wrapping_add(1), &[]))
            }
            [1, ..] if self.packets < PACKETS && is_first(&mut self.more) => {
                Next::Send(framed(sequence.wrapping_add(1), &[]))
            }
            _ => Next::Done(greeted),
        }
    }
}

/// The next packet, of one of these kinds: its sequence number, which is not looked at (MariaDB
/// sends early errors with 0 or 1), and its payload.
fn packet(received: &mut Received, kinds: &[u8]) -> Result<(u8, Vec<u8>), Unmet> {
    let [low, middle, high] = received.peek_array()?;
    let length = u32::from_le_bytes([low, middle, high, 0]);
    if !(1..=LONGEST).contains(&length) {
        return Err(Unmet::Foreign);
    }
    let [.., sequence, kind] = received.peek_array::<5>()?;
    if !kinds.contains(&kind) {
        return Err(Unmet::Foreign);
    }
    let packet = received.take(4 + length as usize)?;
    let payload = packet.get(4..).unwrap_or_default();
    Ok((sequence, payload.to_vec()))
}

/// What a greeting of protocol 10 says, as far as it matters.
struct Handshake<'a> {
    version: &'a [u8],
    /// Whether it offers TLS.
    tls: bool,
    /// The name of its authentication method.
    method: &'a [u8],
}

impl<'a> Handshake<'a> {
    fn parse(payload: &'a [u8]) -> Option<Self> {
        let (version, rest) = until_nul(payload)?;
        // A thread's number, eight bytes of salt, and a NUL.
        let (capabilities, rest) = rest.get(13..)?.split_first_chunk()?;
        let capabilities = u16::from_le_bytes(*capabilities);
        Some(Self {
            version,
            tls: capabilities & SSL != 0,
            method: Self::method(rest).unwrap_or(NATIVE),
        })
    }

    /// The method, by what stands behind the lower half of the capabilities.
    fn method(rest: &'a [u8]) -> Option<&'a [u8]> {
        // The character set and the status, two bytes of capabilities, the salt's length, ten
        // bytes that are reserved or MariaDB's.
        let (upper, rest) = rest.get(3..)?.split_first_chunk()?;
        if u16::from_le_bytes(*upper) & PLUGIN_AUTH == 0 {
            return None;
        }
        let (salt, rest) = rest.split_first()?;
        let salt = usize::from(*salt).saturating_sub(8).max(13);
        let rest = rest.get(10 + salt..)?;
        // MySQL 5.5.7 to 5.5.9 left out the NUL.
        let name = until_nul(rest).map_or(rest, |(name, _)| name);
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        (!name.is_empty() && name.len() <= 64 && name.iter().all(is_word)).then_some(name)
    }
}

fn until_nul(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let (text, rest) = bytes.split_at(end);
    Some((text, rest.get(1..).unwrap_or_default()))
}

/// The answer of a server of which nothing is known but its greeting.
fn greets(version: &[u8]) -> Answer {
    let version = String::from_utf8_lossy(version);
    Answer::up(format!("greets as {version}")).with_note(LOGIN_NOT_CHECKED)
}

/// What an error means: `u16 code`, perhaps `#` and five bytes of SQLSTATE, a message.
fn judge(error: &[u8]) -> Option<Answer> {
    let (code, text) = error.split_first_chunk()?;
    let code = u16::from_le_bytes(*code);
    let behind_state = match text {
        [b'#', _, _, _, _, _, text @ ..] => Some(text),
        _ => None,
    };
    let text = String::from_utf8_lossy(behind_state.unwrap_or(text));
    let answer = if NOT_SERVING.contains(&code) {
        Answer::not_serving(text)
    } else {
        Answer::up(text).with_note(LOGIN_NOT_CHECKED)
    };
    Some(answer.with_code(code.to_string()))
}

/// A packet.
fn framed(sequence: u8, payload: &[u8]) -> Vec<u8> {
    // No payload here comes near 64 KiB.
    let length = u16::try_from(payload.len()).unwrap_or(u16::MAX);
    let [low, high] = length.to_le_bytes();
    [&[low, high, 0, sequence], payload].concat()
}

/// How an `SSLRequest` and a `HandshakeResponse41` begin: capabilities, the longest packet
/// (16 MiB), the character set (utf8), 23 bytes that are reserved.
fn settings(more: u16) -> Vec<u8> {
    let capabilities = CAPABILITIES | u32::from(more);
    [
        capabilities.to_le_bytes().as_slice(),
        &[0, 0, 0, 1, 33],
        &[0; 23],
    ]
    .concat()
}

/// `HandshakeResponse41`: the user, no proof, the method that the server named, so that it need
/// not ask for another one.
fn response(sequence: u8, more: u16, method: &[u8]) -> Vec<u8> {
    let parts: [&[u8]; 4] = [&settings(more), b"dep-preflight\0\0", method, b"\0"];
    framed(sequence, &parts.concat())
}
