//! What holds for a line that people read.

use super::{HEADER, SECRET};

/// The longest line that every runner takes, in bytes.
pub(crate) const LONGEST: usize = 60 * 1024;

/// The shortest piece of a secret that is one.
const PIECE: usize = 4;

/// Characters that move the cursor, end a line, hide text or turn it around.
fn is_harmful(ch: char) -> bool {
    ch.is_control()
        || matches!(ch,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}')
}

/// One line of harmless characters, and no longer than a runner takes.
pub(crate) fn clean(line: &str) {
    assert!(
        !line.contains(is_harmful),
        "a harmful character in {line:?}"
    );
    assert!(line.len() <= LONGEST, "a line of {} bytes", line.len());
}

/// A line of the log: no runner takes it for a command, and its start is ours.
pub(crate) fn log(line: &str) {
    const STARTS: [&str; 10] = [
        "  ",
        "dep-preflight",
        "UP ",
        "DEP-DOWN:",
        "RUNNER-NET:",
        "up: ",
        "down: ",
        "unknown: ",
        "no verdict: ",
        "invalid configuration",
    ];
    clean(line);
    assert!(
        STARTS.iter().any(|start| line.starts_with(start)),
        "not our start: {line:?}"
    );
    assert!(!line.trim_start().starts_with("::"), "a command: {line:?}");
    assert!(!line.contains("##["), "an old command: {line:?}");
}

/// A workflow command of ours, which all runners split at the same place, and whose text is
/// one line whichever way they take its escapes back.
pub(crate) fn annotation(line: &str) {
    clean(line);
    assert!(
        ["::error title=", "::warning title=", "::notice title="]
            .iter()
            .any(|start| line.starts_with(start)),
        "not our annotation: {line:?}"
    );
    assert!(!line.contains("##["), "an old command: {line:?}");
    // GitHub ends the head at the first `::` after the start, the act family at the last one
    // in the line; overlapping ones count for both.
    let first = line[2..].find("::").map(|at| at + 2);
    let last = line.rfind("::");
    assert!(first.is_some(), "no text: {line:?}");
    assert_eq!(first, last, "two ways to split {line:?}");
    let at = first.unwrap_or_default();
    let (head, text) = (&line[2..at], &line[at + 2..]);
    let title = head.split_once(" title=").map(|(_, title)| title);
    let title = title.unwrap_or_default();
    assert!(
        !title.contains([':', ',', '=', ' ']),
        "a title that ends early: {line:?}"
    );
    // GitHub and the toolkit undo `%25` last, the act family in any order.
    for decoded in [
        undo(text, &["%0D", "%0A", "%25"]),
        undo(text, &["%25", "%0D", "%0A"]),
    ] {
        clean(&decoded);
    }
}

fn undo(text: &str, order: &[&str]) -> String {
    order.iter().fold(text.to_owned(), |text, escape| {
        let meant = match *escape {
            "%0D" => "\r",
            "%0A" => "\n",
            _ => "%",
        };
        text.replace(escape, meant)
    })
}

/// Neither a secret nor a piece of one is in a text.
pub(crate) fn hides(text: &str) {
    for secret in [SECRET, HEADER] {
        // ASCII, so that every index is a boundary.
        for start in 0..=secret.len() - PIECE {
            let piece = &secret[start..start + PIECE];
            assert!(!text.contains(piece), "{piece:?} of a secret in {text:?}");
        }
    }
}

/// No secret is in a text as a whole. For text by a server that may have cut it itself.
pub(crate) fn hides_whole(text: &str) {
    for secret in [SECRET, HEADER] {
        assert!(!text.contains(secret), "a secret in {text:?}");
    }
}
