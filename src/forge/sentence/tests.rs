//! What one end writes, the other reads.

use super::*;

fn names(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|n| named(&format!("target-{n}"), Some(Cause::Refused), None))
}

#[test]
fn sentences_fit_and_say_what_is_left_out() {
    let line = write(Says::Down, names(50), 50);
    assert!(line.chars().count() <= LONGEST, "{line}");
    assert_eq!(
        line,
        "down: target-0 (refused), target-1 (refused), target-2 (refused), target-3 (refused) and 46 more - environment, not this change"
    );
    assert_eq!(
        write(Says::Down, names(2), 2),
        "down: target-0 (refused), target-1 (refused) - environment, not this change"
    );
    assert_eq!(
        write(Says::DownHere, names(1), 1),
        "down: target-0 (refused)"
    );
    let long = write(Says::Waiting, ["é".repeat(200)], 1);
    assert!(long.chars().count() <= LONGEST, "{long}");
    // Exactly as long as it may be, and one character longer.
    let exact = |length: usize| write(Says::Up, ["x".repeat(length), "y".to_owned()], 2);
    assert_eq!(exact(133), format!("up: {}, y", "x".repeat(133)));
    assert_eq!(exact(134), "up: 2 more");
}

/// The names that do not fit are not even made.
#[test]
fn the_length_of_the_list_does_not_matter() {
    let made = std::cell::Cell::new(0);
    let names = (0..usize::MAX).map(|n| {
        made.set(made.get() + 1);
        format!("t{n}")
    });
    let line = write(Says::Down, names, usize::MAX);
    assert!(
        line.ends_with(" more - environment, not this change"),
        "{line}"
    );
    assert!(made.get() < LONGEST, "{line}");
}

#[test]
fn what_a_sentence_says() {
    use Verdict::{Down, Up};
    for (text, said) in [
        (
            "up: billing, staging-llm",
            Some((Up, &["billing", "staging-llm"][..])),
        ),
        ("up: a and 3 more", Some((Up, &["a"]))),
        ("up: and", Some((Up, &["and"]))),
        ("up: more and 12 more", Some((Up, &["more"]))),
        ("up: a.b_c-1", Some((Up, &["a.b_c-1"]))),
        ("down: a (refused)", Some((Down, &["a"]))),
        (
            "down: a (refused) - environment, not this change",
            Some((Down, &["a"])),
        ),
        (
            "down: a (status 503), b (tls-expired) and 46 more - environment, not this change",
            Some((Down, &["a", "b"])),
        ),
        // Nothing is named.
        ("up: 2 more", None),
        ("down: 46 more - environment, not this change", None),
        // What version 1.0 wrote.
        ("up: 2 dependencies reachable", None),
        ("up: 0 dependencies reachable (2 optional not)", None),
        // Other sentences.
        ("unknown: a (dns) - runner's network, not this change", None),
        ("waiting for: a (refused)", None),
        ("no verdict: the step was interrupted", None),
        ("error: dep-preflight itself failed", None),
        ("Successful in 12s", None),
        ("", None),
        ("up: ", None),
        ("down: ", None),
        // Nearly.
        ("up: a,b", None),
        ("up: a, ", None),
        ("up: a (refused)", None),
        ("up: -a", None),
        ("up: a b", None),
        ("up: é", None),
        ("up: a and 03 more", None),
        ("up: a and many more", None),
        ("up: a\n", None),
        (" up: a", None),
        ("UP: a", None),
        ("down: a", None),
        ("down: a (because)", None),
        ("down: a (status)x", None),
        ("down: a (status 5033)", None),
        ("down: a (status 099)", None),
        ("down: a(refused)", None),
        ("down: a (refused), b - environment, not this change", None),
        ("down: a (refused) - environment, not this chan…", None),
        ("down: a (refused) - environment, not this change.", None),
    ] {
        let read = read(text).map(|seen| (seen.verdict, seen.names));
        assert_eq!(
            read,
            said.map(|(verdict, names)| (verdict, names.to_vec())),
            "{text:?}"
        );
    }
    let long = format!("up: {}", "a".repeat(65));
    assert_eq!(read(&long), None);
}

/// A name of a target, of any length.
fn name(random: &mut fastrand::Rng) -> String {
    const FIRST: &[u8] = b"azAZ09";
    const REST: &[u8] = b"azAZ09._-";
    let length = if random.bool() {
        random.usize(0..4)
    } else {
        random.usize(0..64)
    };
    let first = FIRST[random.usize(..FIRST.len())];
    let rest = (0..length).map(|_| REST[random.usize(..REST.len())]);
    std::iter::once(first).chain(rest).map(char::from).collect()
}

/// Whatever there is to say: what is read are the names that it begins with, and what all of
/// them are.
#[test]
fn what_is_written_is_read() {
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..50_000 {
        let names: Vec<_> = (0..random.usize(1..12))
            .map(|_| name(&mut random))
            .collect();
        let says = [
            Says::Up,
            Says::Down,
            Says::DownHere,
            Says::Unknown,
            Says::Waiting,
        ][random.usize(..5)];
        let shown: Vec<_> = names
            .iter()
            .map(|name| {
                let cause =
                    (says != Says::Up).then(|| Cause::ALL[random.usize(..Cause::ALL.len())]);
                let status = random.bool().then(|| random.u16(100..1000));
                named(name, cause, status)
            })
            .collect();
        let line = write(says, shown, names.len());
        assert!(line.chars().count() <= LONGEST, "{line}");
        let verdict = match says {
            Says::Up => Verdict::Up,
            Says::Down | Says::DownHere => Verdict::Down,
            Says::Unknown | Says::Waiting => {
                assert_eq!(read(&line), None, "{line}");
                continue;
            }
        };
        let Some(seen) = read(&line) else {
            assert!(line.contains(": ") && line.contains(" more"), "{line}");
            continue;
        };
        assert_eq!(seen.verdict, verdict, "{line}");
        assert!(!seen.names.is_empty(), "{line}");
        assert_eq!(seen.names, names[..seen.names.len()], "{line}");
        let whole = !line.contains(" more");
        assert!(!whole || seen.names.len() == names.len(), "{line}");
    }
}
