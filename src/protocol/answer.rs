//! What a dependency answered, in its own words and in ours.

use std::borrow::Cow;

/// The note beside an answer that asks for a login, or would before it does anything.
pub(crate) const LOGIN_NOT_CHECKED: &str = "the login was not checked";

/// What an answer comes to that refuses TLS, where TLS was asked for.
pub(crate) const NO_TLS: &str = "does not offer TLS";

/// An answer in the target's own protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Whether it would serve whoever may log in; if not, no credential helps now.
    pub(crate) is_serving: bool,
    /// The answer's code in the protocol's own words: `57P03`, `-LOADING`.
    pub(crate) code: Option<String>,
    /// What was answered, for people: `asks for SCRAM-SHA-256`. As it came: it is escaped by
    /// who prints it.
    pub(crate) said: String,
    /// What an `up` leaves open.
    pub(crate) note: Option<Cow<'static, str>>,
    /// The protocol's word for leaving, if it has one before a login.
    pub(crate) goodbye: Cow<'static, [u8]>,
}

impl Answer {
    /// It is serving.
    pub(crate) fn up(said: impl Into<String>) -> Self {
        Self {
            is_serving: true,
            code: None,
            said: said.into(),
            note: None,
            goodbye: Cow::Borrowed(&[]),
        }
    }

    /// It is there, and cannot serve now.
    pub(crate) fn not_serving(said: impl Into<String>) -> Self {
        Self {
            is_serving: false,
            ..Self::up(said)
        }
    }

    /// The same answer with the protocol's code.
    pub(crate) fn with_code(self, code: impl Into<String>) -> Self {
        Self {
            code: Some(code.into()),
            ..self
        }
    }

    /// The same answer with a note.
    pub(crate) fn with_note(self, note: impl Into<Cow<'static, str>>) -> Self {
        Self {
            note: Some(note.into()),
            ..self
        }
    }

    /// The same answer, to be left with these words.
    pub(crate) fn with_goodbye(self, goodbye: impl Into<Cow<'static, [u8]>>) -> Self {
        Self {
            goodbye: goodbye.into(),
            ..self
        }
    }
}
