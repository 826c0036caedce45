//! What holds for every input, however hostile: one module per fuzz target.
//!
//! The fuzz targets feed these checks bytes that coverage guides, the property tests bytes
//! that chance spliced together. A check that fails panics. Nothing here uses the tool's own
//! judgement of what is harmless: that is what is being checked.

pub(crate) mod answer;
pub(crate) mod config;
pub(crate) mod event;
pub(crate) mod lines;
pub(crate) mod outputs;
pub(crate) mod render;
pub(crate) mod talk;
pub(crate) mod values;

/// Stands between the parts of an input; no part can have it.
const SEPARATOR: u8 = 0x1e;

/// Stands where a secret may stand: in user info, a query value, a header, a token. Nothing
/// else contains it, so wherever it is printed, a secret was.
pub(crate) const SECRET: &str = "Zq7Xk9Wv8Jp4";

/// The same, where it is to be told apart: the value of a header.
pub(crate) const HEADER: &str = "Jp4Wv8Xk9Zq7";

/// A fuzzer's bytes as choices and texts: the first part is the choices, one per byte, every
/// other part a text.
pub(crate) struct Feed<'a> {
    choices: std::slice::Iter<'a, u8>,
    parts: Vec<&'a [u8]>,
    next: usize,
}

impl<'a> Feed<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        let mut parts = data.split(|byte| *byte == SEPARATOR);
        Self {
            choices: parts.next().unwrap_or_default().iter(),
            parts: parts.collect(),
            next: 0,
        }
    }

    /// A number below `many`, 0 once the choices are used up. Digits and letters count from 0
    /// on, so that a seed can be read.
    pub(crate) fn choose(&mut self, many: usize) -> usize {
        let value = match self.choices.next() {
            None => 0,
            Some(byte @ b'0'..=b'9') => byte - b'0',
            Some(byte @ b'a'..=b'z') => byte - b'a' + 10,
            Some(byte) => *byte,
        };
        usize::from(value) % many
    }

    pub(crate) fn flag(&mut self) -> bool {
        self.choose(2) == 1
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.choose(from.len())]
    }

    /// The next part as it is; the first again after the last.
    pub(crate) fn bytes(&mut self) -> &'a [u8] {
        if self.parts.is_empty() {
            return &[];
        }
        let part = self.parts[self.next % self.parts.len()];
        self.next += 1;
        part
    }

    /// The next part as text in which the secret does not stand: what the fuzzer learns of it
    /// must not get to where it may be shown.
    pub(crate) fn text(&mut self) -> String {
        without_secret(&String::from_utf8_lossy(self.bytes()))
    }

    pub(crate) fn maybe(&mut self) -> Option<String> {
        self.flag().then(|| self.text())
    }
}

/// Text in which no piece of a secret stands: every piece has one of four capitals.
fn without_secret(text: &str) -> String {
    text.replace(['J', 'W', 'X', 'Z'], "j")
}
