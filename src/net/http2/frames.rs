//! Reads along which frames come, for what the library does not tell: that the server asks for
//! HTTP/1.1 in a GOAWAY that would let our request be answered, and that it goes away.

use h2::Reason;

/// The reason `HTTP_1_1_REQUIRED` (RFC 9113, 7).
const HTTP_1_1_REQUIRED: [u8; 4] = [0, 0, 0, 13];
/// A frame's length, type, flags and stream.
const HEADER: usize = 9;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;

/// The frames of a connection, from its beginning.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// How many bytes of the frame at hand are still to come, and are of no interest.
    skip: usize,
    /// Why the server goes away, if it does.
    pub(super) goes_away: Option<Reason>,
}

impl Frames {
    /// Takes what has come, and says whether a frame in it asks for HTTP/1.1. What may be the
    /// beginning of such a frame is left for the next time.
    pub(super) fn ask_for_http1(&mut self, received: &mut Vec<u8>) -> bool {
        let mut rest = received.as_slice();
        let asked = loop {
            rest = match rest.split_at_checked(self.skip) {
                Some((_, rest)) => rest,
                None => {
                    self.skip -= rest.len();
                    break false;
                }
            };
            self.skip = 0;
            let Some(([high, middle, low, kind, _, _, _, _, _], payload)) =
                rest.split_first_chunk::<HEADER>()
            else {
                break false;
            };
            let reason_at = match *kind {
                RST_STREAM => Some(0),
                GOAWAY => Some(4),
                _ => None,
            };
            if let Some(at) = reason_at {
                let Some(reason) = payload.get(at..at + HTTP_1_1_REQUIRED.len()) else {
                    break false;
                };
                if reason == HTTP_1_1_REQUIRED {
                    break true;
                }
                if *kind == GOAWAY
                    && let Some(reason) = reason.first_chunk()
                {
                    self.goes_away = Some(u32::from_be_bytes(*reason).into());
                }
            }
            let [high, middle, low] = [*high, *middle, *low].map(usize::from);
            self.skip = HEADER + (high << 16 | middle << 8 | low);
        };
        let left = if self.skip > 0 { 0 } else { rest.len() };
        received.drain(..received.len() - left);
        asked
    }
}

/// Whether bytes may be the beginning of a server's HTTP/2: SETTINGS, for the connection as a whole
/// (RFC 9113, 3.4), or, of who does not even take the connection, GOAWAY.
pub(super) fn may_begin(bytes: &[u8]) -> bool {
    const SETTINGS: u8 = 4;
    let kind = bytes
        .get(3)
        .is_none_or(|kind| [SETTINGS, GOAWAY].contains(kind));
    let stream = bytes.iter().skip(5).take(HEADER - 5).all(|byte| *byte == 0);
    kind && stream
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let [.., high, middle, low] = payload.len().to_be_bytes();
        let mut frame = vec![high, middle, low, kind, 0, 0, 0, 0, 1];
        frame.extend(payload);
        frame
    }

    #[test]
    fn a_frame_that_asks_for_http1_is_found_wherever_it_is_cut() {
        let go_away = |reason| frame(GOAWAY, &[0, 0, 0, 1, 0, 0, 0, reason, b'x']);
        for (last, expected) in [
            (frame(RST_STREAM, &[0, 0, 0, 13]), true),
            (go_away(13), true),
            (frame(RST_STREAM, &[0, 0, 0, 8]), false),
            (go_away(0), false),
            (frame(0, &[0, 0, 0, 13]), false),
        ] {
            let settings = frame(4, &[0; 18]);
            let bytes = [settings, frame(0, &[13; 300]), last.clone()].concat();
            for size in 1..=bytes.len() {
                let (mut frames, mut left) = (Frames::default(), Vec::new());
                let asked = bytes.chunks(size).any(|part| {
                    left.extend(part);
                    frames.ask_for_http1(&mut left)
                });
                assert_eq!(asked, expected, "in pieces of {size}");
                let goes_away = last == go_away(0);
                let reason = goes_away.then_some(Reason::NO_ERROR);
                assert_eq!(frames.goes_away, reason, "in pieces of {size}");
                assert!(left.len() < 20, "in pieces of {size}");
            }
        }
    }

    #[test]
    fn what_cannot_be_http2_is_known_by_its_first_bytes() {
        for (bytes, expected) in [
            (&b"\0\0\x12\x04\0\0\0\0\0\0\x03"[..], true),
            (b"\0\0\x08\x07\0\0\0\0\0", true),
            (b"HTTP/1.1 400 Bad Request", false),
            (b"\x15\x03\x03\0\x02\x02\x46\0\0", false),
            (b"\x15\x03\x03\0\x02\x02\x46", false),
            // Cut.
            (b"\0\0\x12\x04", true),
            (b"HT", true),
        ] {
            assert_eq!(may_begin(bytes), expected, "{bytes:?}");
        }
    }
}
