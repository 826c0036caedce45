//! One request over HTTP/2 in the place of a conversation: what is sent, and what comes back.

use http::HeaderMap;

use super::{Answer, Site};

/// A request, and what its answer means.
#[derive(Debug)]
pub(crate) struct Call {
    /// Its path.
    pub(crate) path: &'static str,
    /// Its header fields beside those of HTTP/2, in lower case.
    pub(crate) fields: &'static [(&'static str, &'static str)],
    /// Its body.
    pub(crate) body: fn(&Site<'_>) -> Vec<u8>,
    /// Whether body and trailers say more than this head does; else nobody waits for them.
    pub(crate) goes_on: fn(&Reply) -> bool,
    /// What the answer means; `None` if it is not the protocol's.
    pub(crate) judge: fn(&Reply, &Site<'_>) -> Option<Answer>,
    /// What it means that the server turns the request away before it answers, by the word that
    /// HTTP/2 has for that.
    pub(crate) turned_away: fn(&str) -> Answer,
}

/// The most that is read of an answer's body, in bytes.
pub(crate) const BODY_LIMIT: usize = 4 * 1024;

/// An answer, as far as it was read.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    /// The status of HTTP.
    pub(crate) status: u16,
    /// The head.
    pub(crate) headers: HeaderMap,
    /// The body, up to [`BODY_LIMIT`].
    pub(crate) body: Vec<u8>,
    /// What followed the body.
    pub(crate) trailers: HeaderMap,
}

impl Reply {
    /// A field of the trailers, or else of the head.
    pub(crate) fn field(&self, name: &str) -> Option<&[u8]> {
        let value = self.trailers.get(name).or_else(|| self.headers.get(name))?;
        Some(value.as_bytes())
    }
}
