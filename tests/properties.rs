//! Invariants of every parser and renderer, over inputs that chance puts together.
//!
//! The checks are those of the fuzz targets (`fuzz/`, run by `scripts/fuzz`). Their seeds are
//! read here as they are, so that an input that once failed is tried by every test run, and
//! spliced with snippets that mean something to some parser.

#![expect(
    clippy::indexing_slicing,
    reason = "a check that is wrong about an index fails like any other"
)]

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::{Index, select};

#[path = "../fuzz/checks/mod.rs"]
mod checks;

/// What a fuzz target does with its bytes.
type Check = fn(&[u8]);

/// Texts that mean something to somebody: runners, browsers, terminals, parsers.
const SNIPPETS: &[&str] = &[
    "\u{1e}",
    "\n",
    "\r\n",
    "\t",
    "  ",
    "\0",
    "\u{1b}[31m",
    "\u{202e}",
    "\u{feff}",
    "\u{200b}",
    "é",
    "😀",
    "::",
    ":::",
    "::error title=x::y",
    "::set-env name=PATH::x",
    "::1",
    "[fe80::1]:80",
    "##[",
    "%0A",
    "%25",
    "%0D%0A::x",
    "|",
    "\\|",
    "<img src=x>",
    "```\n",
    "[x](http://h)",
    "<<",
    "ghadelimiter_",
    "=",
    ",",
    "-",
    ".",
    "/",
    "//",
    "?",
    "&",
    "#",
    "@",
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    ": ",
    "- ",
    "!!binary ",
    "&a ",
    "*a",
    "<<: *a",
    "https://",
    "http://u:p@h/?k=v",
    "HTTP/1.1 503 x\r\n",
    "Content-Type: text/plain\r\n",
    "Retry-After: 18446744073709551615\r\n",
    "Transfer-Encoding: chunked\r\n",
    "\r\n\r\n",
    "$Q",
    "$H",
    "10s",
    "0",
    "599",
    "<500",
    "2xx",
    "18446744073709551616",
    "-1",
];

/// The seeds of a fuzz target; none where the package was taken out of its repository.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    paths
        .iter()
        .filter_map(|path| fs::read(path).ok())
        .collect()
}

/// A seed, or nothing, into which snippets, bytes and texts are put anywhere.
fn inputs(target: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let mut seeds = seeds(target);
    seeds.push(Vec::new());
    let piece = prop_oneof![
        3 => select(SNIPPETS).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
        1 => any::<String>().prop_map(String::into_bytes),
    ];
    let splices = prop::collection::vec((any::<Index>(), any::<bool>(), piece), 0..12);
    (select(seeds), splices).prop_map(|(mut input, splices)| {
        for (index, replaces, piece) in splices {
            let at = index.index(input.len() + 1);
            let end = if replaces {
                (at + piece.len()).min(input.len())
            } else {
                at
            };
            input.splice(at..end, piece);
        }
        input
    })
}

/// What was found once and every seed keeps holding.
#[test]
fn seeds_hold() {
    let targets: [(&str, Check); 6] = [
        ("config", checks::config::check),
        ("values", checks::values::check),
        ("event", checks::event::check),
        ("render", checks::render::check),
        ("answer", checks::answer::check),
        ("talk", checks::talk::check),
    ];
    for (target, check) in targets {
        for seed in seeds(target) {
            check(&seed);
        }
    }
}

proptest! {
    // What fails is kept as a seed, under a name that says what it is.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn config(input in inputs("config")) {
        checks::config::check(&input);
    }

    #[test]
    fn values(input in inputs("values")) {
        checks::values::check(&input);
    }

    #[test]
    fn event(input in inputs("event")) {
        checks::event::check(&input);
    }

    #[test]
    fn render(input in inputs("render")) {
        checks::render::check(&input);
    }

    #[test]
    fn answer(input in inputs("answer")) {
        checks::answer::check(&input);
    }

    #[test]
    fn talk(input in inputs("talk")) {
        checks::talk::check(&input);
    }
}
