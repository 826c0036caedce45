//! What is wrong with a configuration, in words that say how to mend it.

use crate::text;

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The input, or the path of the key: `timeout`, `targets.llm.expect`.
    pub input: String,
    /// What was given, masked; `None` where it says nothing or must not be shown.
    pub value: Option<String>,
    /// Why it cannot be used, and what would be right.
    pub reason: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{}: \"{value}\" {}", self.input, self.reason),
            None => write!(f, "{}: {}", self.input, self.reason),
        }
    }
}

/// The place of a key: `targets.llm` and `expect` make `targets.llm.expect`. A key can be
/// anything, an address or a header with a secret too, so each is masked before it becomes a part.
#[must_use]
pub fn under(place: &str, key: &str) -> String {
    format!("{place}.{}", text::show_key(key))
}

/// Everything that is wrong, in the order it was found.
#[derive(Debug, Default, thiserror::Error)]
#[error("the configuration has {}", text::count(.0.len(), "problem"))]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Notes a value that cannot be used. The value is masked here, so no caller can forget.
    pub fn value(&mut self, input: &str, value: &str, reason: impl Into<String>) {
        self.0.push(Problem {
            input: text::clean(input, 3 * text::PIECE),
            value: Some(text::show_value(value)),
            reason: reason.into(),
        });
    }

    /// Notes a problem that no single value shows.
    pub fn general(&mut self, input: &str, reason: impl Into<String>) {
        self.0.push(Problem {
            input: text::clean(input, 3 * text::PIECE),
            value: None,
            reason: reason.into(),
        });
    }

    /// Unwraps a parsed value, or notes why there is none.
    pub fn take<T>(&mut self, input: &str, value: &str, parsed: Result<T, String>) -> Option<T> {
        match parsed {
            Ok(parsed) => Some(parsed),
            Err(reason) => {
                self.value(input, value, reason);
                None
            }
        }
    }
}
