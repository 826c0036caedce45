//! Plays recorded conversations against the machines: whole, and byte by byte.

use super::{Answer, Asks, Greeting, Next, Protocol, Received, Site, Unmet};

/// How a conversation ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Answered(Answer),
    NotThisProtocol,
    /// It waits for more than the transcript has.
    Waits,
    /// The other side closed before an answer.
    Closed,
    /// It was to go on over another connection, or in TLS, and the transcript ends there.
    Moves(Next),
}

/// What the other side says, step by step.
pub(crate) enum Says {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Nothing for as long as is waited.
    Nothing,
    /// It closes.
    Close,
}

/// Plays `theirs` against a greeting of this protocol, which is to send `ours`, one by one.
/// Whether TCP splits it or not, it ends in the same way.
pub(crate) fn talk(
    protocol: &Protocol,
    ours: &[impl AsRef<[u8]>],
    theirs: &[impl AsRef<[u8]>],
) -> End {
    play(protocol, Site::default(), ours, &bytes(theirs))
}

/// The same, where the other side closes after its last words.
pub(crate) fn talk_to_its_end(
    protocol: &Protocol,
    ours: &[impl AsRef<[u8]>],
    theirs: &[impl AsRef<[u8]>],
) -> End {
    let mut says = bytes(theirs);
    says.push(Says::Close);
    play(protocol, Site::default(), ours, &says)
}

fn bytes(pieces: &[impl AsRef<[u8]>]) -> Vec<Says> {
    let pieces = pieces.iter();
    pieces
        .map(|piece| Says::Bytes(piece.as_ref().to_vec()))
        .collect()
}

/// Plays it whole and byte by byte.
pub(crate) fn play(
    protocol: &Protocol,
    site: Site<'_>,
    ours: &[impl AsRef<[u8]>],
    theirs: &[Says],
) -> End {
    let Asks::Stream(greeting) = protocol.asks else {
        panic!("{} is no conversation", protocol.name);
    };
    play_greeting(|| greeting(&site), ours, theirs)
}

/// The same with a greeting that no protocol begins with.
pub(crate) fn play_greeting(
    greeting: impl Fn() -> Box<dyn Greeting>,
    ours: &[impl AsRef<[u8]>],
    theirs: &[Says],
) -> End {
    let whole = once(greeting(), ours, theirs, false);
    let split = once(greeting(), ours, theirs, true);
    assert_eq!(whole, split, "it depends on how TCP splits it");
    whole
}

fn once(
    mut greeting: Box<dyn Greeting>,
    ours: &[impl AsRef<[u8]>],
    theirs: &[Says],
    split: bool,
) -> End {
    let mut received = Received::default();
    let mut sent = 0;
    let mut says = theirs.iter().flat_map(|says| match says {
        Says::Bytes(bytes) if split => bytes.iter().map(|byte| Says::Bytes(vec![*byte])).collect(),
        Says::Bytes(bytes) => vec![Says::Bytes(bytes.clone())],
        Says::Nothing => vec![Says::Nothing],
        Says::Close => vec![Says::Close],
    });
    let end = loop {
        match greeting.next(&mut received) {
            Ok(Next::Send(bytes)) => {
                let expected = ours.get(sent).map(AsRef::as_ref);
                assert_eq!(Some(bytes.as_slice()), expected, "message {sent}");
                sent += 1;
            }
            Ok(Next::HalfClose) => {}
            Ok(next @ (Next::StartTls | Next::Reconnect)) if sent == ours.len() => {
                break End::Moves(next);
            }
            Ok(Next::StartTls | Next::Reconnect) => received = Received::default(),
            Ok(Next::Done(answer)) => break End::Answered(answer),
            Err(Unmet::Foreign) => break End::NotThisProtocol,
            Err(_) if received.is_over() => break End::Closed,
            Err(unmet) => match says.next() {
                Some(Says::Bytes(bytes)) => received.add(&bytes),
                Some(Says::Nothing) => {
                    assert!(matches!(unmet, Unmet::MoreWithin(_)), "it waits for ever");
                    received.fall_quiet();
                }
                Some(Says::Close) => received.end(),
                None => break End::Waits,
            },
        }
    };
    assert_eq!(sent, ours.len(), "not all was sent");
    end
}

/// It is up, with this code; `""` for none.
#[track_caller]
pub(crate) fn up(end: &End, code: &str) -> Answer {
    answered(end, true, code)
}

/// It is not serving, with this code; `""` for none.
#[track_caller]
pub(crate) fn not_serving(end: &End, code: &str) -> Answer {
    answered(end, false, code)
}

#[track_caller]
fn answered(end: &End, is_serving: bool, code: &str) -> Answer {
    let End::Answered(answer) = end else {
        panic!("{end:?}");
    };
    assert_eq!(answer.is_serving, is_serving, "{answer:?}");
    assert_eq!(
        answer.code.as_deref().unwrap_or_default(),
        code,
        "{answer:?}"
    );
    answer.clone()
}

/// It is not this protocol.
#[track_caller]
pub(crate) fn foreign(end: &End) {
    assert_eq!(*end, End::NotThisProtocol);
}

/// Bytes as they were recorded: hex digits and `"text"`; blanks and `|` only group.
#[track_caller]
pub(crate) fn hex(recorded: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, part) in recorded.split('"').enumerate() {
        if index % 2 == 1 {
            bytes.extend_from_slice(part.as_bytes());
            continue;
        }
        let digits: Vec<_> = part.chars().filter(|ch| !" |\n".contains(*ch)).collect();
        for pair in digits.chunks(2) {
            let pair: String = pair.iter().collect();
            assert_eq!(pair.len(), 2, "half a byte in {part}");
            bytes.push(u8::from_str_radix(&pair, 16).expect(part));
        }
    }
    bytes
}
