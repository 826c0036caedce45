//! One question in a datagram in the place of a conversation.

use super::{Answer, Greeting, Site};

/// A question, and what its answer means.
#[derive(Debug)]
pub(crate) struct Question {
    /// What is sent, with a number that its answer has to repeat.
    pub(crate) ask: fn(&Site<'_>, u16) -> Vec<u8>,
    /// What a datagram means, after what was asked; `None` if it is no answer to that.
    pub(crate) read: fn(&[u8], &[u8]) -> Option<Answer>,
    /// The same question over a connection.
    pub(crate) stream: fn(Vec<u8>) -> Box<dyn Greeting>,
}
