//! What holds for every protocol of the table.

use std::collections::HashSet;

use super::*;

#[test]
fn schemes_are_unique_and_in_lower_case() {
    let mut seen = HashSet::from(["http", "https", "ws", "wss"]);
    for scheme in schemes() {
        assert!(seen.insert(scheme.name), "{} twice", scheme.name);
        let fine = |ch: char| ch.is_ascii_lowercase() || ch.is_ascii_digit() || ch == '+';
        assert!(scheme.name.chars().all(fine), "{}", scheme.name);
    }
    for protocol in PROTOCOLS {
        assert_eq!(protocol.name, protocol.schemes[0].name);
    }
}

/// Whatever comes, a greeting comes to an end, and sends no more than a few messages.
#[test]
fn nonsense_ends_every_conversation() {
    for protocol in PROTOCOLS {
        let Asks::Stream(greeting) = protocol.asks else {
            continue;
        };
        for byte in 0..=255_u8 {
            let mut machine = greeting(&Site::default());
            let mut received = Received::default();
            let mut steps = 0;
            loop {
                match machine.next(&mut received) {
                    Ok(Next::Done(_)) | Err(Unmet::Foreign) => break,
                    Ok(_) => steps += 1,
                    Err(_) if received.is_over() => break,
                    Err(_) if received.whole().len() >= LIMIT => received.end(),
                    Err(_) => received.add(&[byte; 1024]),
                }
                assert!(steps < 16, "{}: {byte:#04x}", protocol.name);
            }
        }
    }
}
