//! What a service says, in any protocol of the table and in any pieces: nothing is sent but the
//! protocol's own messages, the conversation ends, and nothing that was said gets out of place.

use dep_preflight::facade::conversation::{self, Talk};
use dep_preflight::facade::{
    Cause, Control, Next, PROTOCOLS, Probe, Record, ServiceProbe, Target, TargetOptions, log,
    model::{self, RunInfo, Start},
    values, verdict,
};

use super::{HEADER, SECRET, lines, render};

/// Stands between two pieces; an empty piece is a silence.
const CUT: &[u8] = b"<>";
/// The most that is said of an answer: 200 characters, and some words of ours.
const DETAIL: usize = 1000;

/// The protocol (its name, or a byte that is its number), a space, whether TLS is asked for (an
/// odd digit), a space; what follows is said.
pub(crate) fn check(data: &[u8]) {
    let mut words = data.splitn(3, |byte| *byte == b' ');
    let mut word = || words.next().unwrap_or_default();
    let (name, options, said) = (word(), word(), word());
    let named = PROTOCOLS
        .iter()
        .find(|protocol| protocol.name.as_bytes() == name);
    let number = name.iter().map(|byte| usize::from(*byte)).sum::<usize>();
    let protocol = named.unwrap_or(&PROTOCOLS[number % PROTOCOLS.len()]);
    // What the fuzzer learns of the secrets of other checks.
    if has_piece_of_a_secret(said) {
        return;
    }
    let scheme = protocol
        .schemes
        .iter()
        .find(|scheme| !scheme.name.ends_with("+srv"))
        .unwrap_or_else(|| panic!("{} has no scheme", protocol.name));
    let address = format!("{}://127.0.0.1:9/name", scheme.name);
    let address = values::target(&address).unwrap_or_else(|why| panic!("{address} {why}"));
    let options = TargetOptions {
        tls: options.first().is_some_and(|byte| byte % 2 == 1),
        ..TargetOptions::default()
    };
    let target = options.target("dep".to_owned(), address);
    let Probe::Service(probe) = &target.probe else {
        unreachable!("it is asked in its own protocol");
    };
    let pieces = pieces(said);
    let whole = conversation::talk(probe, &pieces);
    sound(probe, &whole);
    let bytes = one_by_one(&pieces);
    let split = conversation::talk(probe, &bytes);
    sound(probe, &split);
    // Where a connection is left for another one, or for TLS, it matters what came with what.
    if whole.moves == 0 && split.moves == 0 && !pieces.iter().any(|piece| piece.is_empty()) {
        assert_eq!(whole.sent, split.sent, "it depends on how TCP splits it");
        let judged = |talk: &Talk| {
            let attempt = talk.attempt.as_ref();
            attempt.map(|attempt| (attempt.cause, attempt.code.clone(), attempt.note.clone()))
        };
        assert_eq!(judged(&whole), judged(&split), "it depends on the pieces");
    }
    for talk in [whole, split] {
        printed(&target, talk);
    }
}

fn has_piece_of_a_secret(said: &[u8]) -> bool {
    [SECRET, HEADER]
        .iter()
        .flat_map(|secret| secret.as_bytes().windows(4))
        .any(|piece| said.windows(4).any(|part| part == piece))
}

fn pieces(said: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut rest = said;
    while let Some(at) = rest.windows(CUT.len()).position(|part| part == CUT) {
        pieces.push(&rest[..at]);
        rest = &rest[at + CUT.len()..];
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

fn one_by_one<'a>(pieces: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let split = |piece: &&'a [u8]| -> Vec<&'a [u8]> {
        if piece.is_empty() {
            vec![*piece]
        } else {
            piece.chunks(1).collect()
        }
    };
    pieces.iter().flat_map(split).collect()
}

/// It ended, and sent what is known of the protocol, each message as often as it may be.
fn sound(probe: &ServiceProbe, talk: &Talk) {
    let name = probe.service.protocol.name;
    assert!(talk.moves <= 2, "{name}: {} connections", talk.moves);
    assert!(talk.sent.len() <= 6, "{name}: {:?}", talk.sent);
    for message in &talk.sent {
        assert!(
            known::is_own(name, message),
            "{name} never sends {message:?}"
        );
    }
    let attempt = talk.attempt.as_ref();
    let attempt = attempt.unwrap_or_else(|| panic!("{name} runs for ever: {talk:?}"));
    match attempt.cause {
        None | Some(Cause::NotServing) => {
            for text in [&attempt.code, &attempt.note.clone().map(Into::into)]
                .into_iter()
                .flatten()
            {
                assert!(!text.is_empty(), "{name}: {attempt:?}");
                lines::clean(text);
            }
        }
        Some(Cause::Closed | Cause::Protocol) => assert_eq!(attempt.code, None, "{attempt:?}"),
        Some(cause) => panic!("{name}: {cause} from bytes: {attempt:?}"),
    }
    assert!(!attempt.detail.is_empty(), "{name} says nothing");
    assert!(attempt.detail.chars().count() <= DETAIL, "{attempt:?}");
    lines::clean(&attempt.detail);
}

/// All that is printed about it.
fn printed(target: &Target, talk: Talk) {
    let Some(attempt) = talk.attempt else { return };
    let ended = attempt.cause.map(|_| Next::UsedUp);
    if let Some(next) = ended {
        lines::log(&log::attempt(target, 1, &attempt, next));
    }
    let records = [Record {
        duration: attempt.duration,
        on_this_machine: true,
        ended,
        attempts: vec![attempt],
        ..Record::of(target)
    }];
    let outcome = verdict::conclude(&records, Control::Off, None, std::time::SystemTime::now());
    let report = model::build(Start::now(), outcome, RunInfo::default());
    render::told(&report, true, "report.json", |_| ());
}

/// The messages of each protocol, as its specification has them: not taken from the code.
mod known {
    /// Whether the protocol has this message of ours.
    pub(super) fn is_own(protocol: &str, message: &[u8]) -> bool {
        let fixed: &[&[u8]] = match protocol {
            "tcp" | "tls" | "nats" => &[],
            "postgres" => &[
                b"\0\0\0\x08\x04\xd2\x16\x2f",
                b"\0\0\0\x1c\0\x03\0\0user\0dep-preflight\0\0",
                b"X\0\0\0\x04",
            ],
            "mysql" => return is_mysql(message),
            "redis" => &[b"*1\r\n$4\r\nPING\r\n"],
            "mongodb" => &[b"\x34\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\
                \x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0"],
            "amqp" => &[b"AMQP\0\0\x09\x01"],
            "kafka" => &[b"\0\0\0\x17\0\x12\0\0\0\0\0\x07\0\x0ddep-preflight"],
            "grpc" => &[b"\0\0\0\0\x06\x0a\x04name"],
            "memcached" => &[
                b"version\r\nversion\r\nquit\r\n",
                b"\x80\x0b\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            ],
            "mqtt" => &[b"\x10\x0c\0\x04MQTT\x04\x02\0\x0a\0\0", b"\xe0\0"],
            "ssh" => &[b"SSH-2.0-dep-preflight\r\n\0\0\0\x2c\x0a\x01\0\0\0\x0b\
                \0\0\0\x14reachable, thank you\0\0\0\0\0\0\0\0\0\0\0\0\0\0"],
            "smtp" => &[
                b"EHLO dep-preflight.invalid\r\n",
                b"STARTTLS\r\n",
                b"QUIT\r\n",
            ],
            "imap" => &[b"a STARTTLS\r\n", b"b LOGOUT\r\n"],
            "pop3" => &[b"STLS\r\n", b"QUIT\r\n"],
            "ftp" => &[b"AUTH TLS\r\n", b"QUIT\r\n"],
            "ldap" => &[
                b"\x30\x2a\x02\x01\x01\x63\x25\x04\0\x0a\x01\0\x0a\x01\0\x02\x01\x01\
                  \x02\x01\x05\x01\x01\0\x87\x0bobjectClass\x30\x05\x04\x031.1",
                b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037",
                b"\x30\x05\x02\x01\x02\x42\0",
            ],
            "zookeeper" => &[b"srvr"],
            "cassandra" => &[b"\x04\0\0\0\x05\0\0\0\0"],
            "dns" => &[
                b"\x44\x50\x01\0\0\x01\0\0\0\0\0\0\x04name\0\0\x01\0\x01",
                b"\0\x16\x44\x50\x01\0\0\x01\0\0\0\0\0\0\x04name\0\0\x01\0\x01",
            ],
            "sqlserver" => &[b"\x12\x01\0\x1a\0\0\0\0\0\0\x0b\0\x06\x01\0\x11\0\x01\xff\
                \0\0\0\0\0\0\x02"],
            _ => panic!("no messages of {protocol} are listed in fuzz/checks/talk.rs"),
        };
        fixed.contains(&message)
    }

    /// A packet: `SSLRequest`, a login as nobody by a method that the server named, an empty one,
    /// or `COM_QUIT`.
    fn is_mysql(message: &[u8]) -> bool {
        let [low, middle, 0, sequence, payload @ ..] = message else {
            return false;
        };
        if usize::from(u16::from_le_bytes([*low, *middle])) != payload.len() {
            return false;
        }
        let settings = |capabilities: &[u8; 4]| {
            let mut start = capabilities.to_vec();
            start.extend(b"\0\0\0\x01\x21");
            start.resize(32, 0);
            start
        };
        let plain = settings(b"\x01\x82\x08\0");
        let tls = settings(b"\x01\x8a\x08\0");
        if payload.is_empty() || (*sequence == 0 && payload == b"\x01") || payload == tls {
            return true;
        }
        let login = payload
            .strip_prefix(plain.as_slice())
            .or_else(|| payload.strip_prefix(tls.as_slice()));
        let method = login
            .and_then(|login| login.strip_prefix(b"dep-preflight\0\0"))
            .and_then(|login| login.strip_suffix(b"\0"));
        method.is_some_and(|method| {
            let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            (1..=64).contains(&method.len()) && method.iter().all(is_word)
        })
    }
}
