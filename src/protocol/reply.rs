//! Replies of SMTP and FTP: three digits and a text, over several lines where a dash follows the
//! digits (RFC 5321, 4.2.1; RFC 959, 4.2).

use super::{Received, Unmet};

/// The longest line, in bytes; RFC 5321 allows 512.
const LINE: usize = 4096;
/// The most lines.
const LINES: usize = 64;

/// A whole reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// Its code, from 100 to 599.
    pub(super) code: u16,
    /// The code and the text of its first line.
    pub(super) said: String,
    /// All lines.
    pub(super) lines: Vec<String>,
}

impl Reply {
    /// Takes a reply.
    pub(super) fn take(received: &mut Received) -> Result<Self, Unmet> {
        let mut lines = Vec::new();
        let mut length = 0;
        loop {
            let rest = received.rest().get(length..).unwrap_or_default();
            let start = rest.get(..rest.len().min(4)).unwrap_or_default();
            if !is_start(start) || lines.len() == LINES {
                return Err(Unmet::Foreign);
            }
            let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
                return Err(if rest.len() > LINE {
                    Unmet::Foreign
                } else {
                    Unmet::More
                });
            };
            if end > LINE {
                return Err(Unmet::Foreign);
            }
            let line = rest.get(..end).unwrap_or_default();
            let line = String::from_utf8_lossy(line).trim_end().to_owned();
            length += end + 1;
            let goes_on = line.as_bytes().get(3) == Some(&b'-');
            lines.push(line);
            if !goes_on {
                break;
            }
        }
        received.take(length)?;
        let said = lines.first().cloned().unwrap_or_default();
        let code = said.get(..3).and_then(|code| code.parse().ok());
        Ok(Self {
            code: code.ok_or(Unmet::Foreign)?,
            said,
            lines,
        })
    }
}

/// Whether these bytes, as far as they have come, can be the start of a reply's line.
fn is_start(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().all(|(index, byte)| match index {
        0 => (b'1'..=b'5').contains(byte),
        1 | 2 => byte.is_ascii_digit(),
        _ => matches!(byte, b' ' | b'-' | b'\r' | b'\n'),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(bytes: &[u8]) -> Result<(u16, usize), Unmet> {
        let mut received = Received::default();
        received.add(bytes);
        Reply::take(&mut received).map(|reply| (reply.code, reply.lines.len()))
    }

    #[test]
    fn a_reply_ends_with_its_last_line() {
        assert_eq!(take(b"220 mail ESMTP\r\n"), Ok((220, 1)));
        assert_eq!(take(b"220-mail\r\n220 ESMTP\r\n"), Ok((220, 2)));
        assert_eq!(take(b"220\r\n"), Ok((220, 1)));
        assert_eq!(take(b"220-mail\r\n"), Err(Unmet::More));
        assert_eq!(take(b"22"), Err(Unmet::More));
    }

    #[test]
    fn what_is_none_is_not_waited_for() {
        for bytes in [&b"SSH"[..], b"6", b"22x", b"2200", b"220-a\r\nHTTP"] {
            assert_eq!(take(bytes), Err(Unmet::Foreign), "{bytes:?}");
        }
        assert_eq!(take(&b"220-a\r\n".repeat(65)), Err(Unmet::Foreign));
        let long = [b"220 ".as_slice(), &[b'x'; 5000]].concat();
        assert_eq!(take(&long), Err(Unmet::Foreign));
    }
}
