//! The token, which shows nowhere.

/// The token for the forge's API. It has no `Display`, its `Debug` shows nothing, and only the
/// API's client can read it.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Wraps a secret.
    pub(crate) const fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret itself, for the request that needs it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(***)")
    }
}
