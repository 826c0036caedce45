//! What came from the other side, taken piece by piece: however TCP split it, a piece is there
//! as a whole or not at all.

use super::Unmet;

/// What was received, and how much of it was taken.
#[derive(Debug, Default)]
pub(crate) struct Received {
    bytes: Vec<u8>,
    taken: usize,
    over: bool,
    quiet: bool,
}

impl Received {
    /// More has come.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.quiet = false;
        self.bytes.extend_from_slice(bytes);
    }

    /// Nothing more will come: the other side has closed or reset the connection.
    pub(crate) fn end(&mut self) {
        self.over = true;
    }

    /// Nothing came for as long as [`Unmet::MoreWithin`] said.
    pub(crate) fn fall_quiet(&mut self) {
        self.quiet = true;
    }

    /// Whether nothing more will come.
    pub(crate) const fn is_over(&self) -> bool {
        self.over
    }

    /// Whether nothing came for as long as was waited.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Everything since the connection stood, what was taken included.
    pub(crate) fn whole(&self) -> &[u8] {
        &self.bytes
    }

    /// What was not taken yet.
    pub(crate) fn rest(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    /// So many bytes, without taking them.
    pub(crate) fn peek(&self, length: usize) -> Result<&[u8], Unmet> {
        self.rest().get(..length).ok_or(Unmet::More)
    }

    /// So many bytes, without taking them, as an array.
    pub(crate) fn peek_array<const N: usize>(&self) -> Result<[u8; N], Unmet> {
        self.rest().first_chunk().copied().ok_or(Unmet::More)
    }

    /// Takes so many bytes.
    pub(crate) fn take(&mut self, length: usize) -> Result<&[u8], Unmet> {
        let end = self.taken.saturating_add(length);
        let piece = self.bytes.get(self.taken..end).ok_or(Unmet::More)?;
        self.taken = end;
        Ok(piece)
    }

    /// Takes a line, and returns it without its end (`\n` or `\r\n`). One of more than `limit`
    /// bytes is not this protocol's.
    pub(crate) fn line(&mut self, limit: usize) -> Result<&[u8], Unmet> {
        let rest = self.bytes.get(self.taken..).unwrap_or_default();
        match rest.iter().take(limit + 2).position(|byte| *byte == b'\n') {
            Some(end) => {
                let line = rest.get(..end).unwrap_or_default();
                self.taken += end + 1;
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                if line.len() > limit {
                    return Err(Unmet::Foreign);
                }
                Ok(line)
            }
            None if rest.len() > limit + 1 => Err(Unmet::Foreign),
            None => Err(Unmet::More),
        }
    }

    /// Whether what was not taken begins with `start`, as far as it has come: what cannot become
    /// it is not this protocol, and nothing more of it is waited for.
    pub(crate) fn expect(&self, start: &[u8]) -> Result<(), Unmet> {
        let rest = self.rest();
        if rest.starts_with(start) {
            Ok(())
        } else if start.starts_with(rest) {
            Err(Unmet::More)
        } else {
            Err(Unmet::Foreign)
        }
    }

    /// Whether it begins with one of these; which one it is. As [`Self::expect`].
    pub(crate) fn expect_one_of(&self, starts: &[&[u8]]) -> Result<usize, Unmet> {
        let mut unmet = Unmet::Foreign;
        for (index, start) in starts.iter().enumerate() {
            match self.expect(start) {
                Ok(()) => return Ok(index),
                Err(Unmet::More) => unmet = Unmet::More,
                Err(_) => {}
            }
        }
        Err(unmet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(bytes: &[u8]) -> Received {
        let mut received = Received::default();
        received.add(bytes);
        received
    }

    #[test]
    fn a_piece_is_there_as_a_whole_or_not_at_all() {
        let mut pieces = received(b"abc\r\nd");
        assert_eq!(pieces.take(9), Err(Unmet::More));
        assert_eq!(pieces.take(1), Ok(b"a".as_slice()));
        assert_eq!(pieces.line(10), Ok(b"bc".as_slice()));
        assert_eq!(pieces.line(10), Err(Unmet::More));
        pieces.add(b"\n");
        assert_eq!(pieces.line(10), Ok(b"d".as_slice()));
        assert_eq!(pieces.rest(), b"");
    }

    #[test]
    fn a_line_beyond_its_limit_is_refused_before_it_ends() {
        assert_eq!(received(b"12345").line(3), Err(Unmet::Foreign));
        assert_eq!(received(b"123\r").line(3), Err(Unmet::More));
        assert_eq!(received(b"123\r\n").line(3), Ok(b"123".as_slice()));
        assert_eq!(received(b"1234\n").line(3), Err(Unmet::Foreign));
    }

    #[test]
    fn what_cannot_belong_is_not_waited_for() {
        let starts: &[&[u8]] = &[b"+", b"INFO"];
        assert_eq!(received(b"IN").expect_one_of(starts), Err(Unmet::More));
        assert_eq!(received(b"IX").expect_one_of(starts), Err(Unmet::Foreign));
        assert_eq!(received(b"INFO {").expect_one_of(starts), Ok(1));
        assert_eq!(received(b"").expect_one_of(starts), Err(Unmet::More));
    }
}
