//! The fields of a BSON document, <https://bsonspec.org/spec.html>: the outermost ones, of which
//! only those that count here are read.

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Bool(bool),
    Number(i32),
    /// A number of another type, and whether it is other than zero.
    OtherNumber(bool),
    /// Anything else.
    Other,
}

impl Value<'_> {
    /// Whether it is true, or a number other than zero.
    pub(super) const fn is_true(self) -> bool {
        match self {
            Self::Bool(is_true) | Self::OtherNumber(is_true) => is_true,
            Self::Number(number) => number != 0,
            Self::Text(_) | Self::Other => false,
        }
    }
}

/// A document, field by field: name and value, or `None` where it is broken, and then no more.
#[derive(Debug)]
pub(super) struct Document<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Document<'a> {
    /// The document that these bytes begin with; `None` if its length lies.
    pub(super) fn new(bytes: &'a [u8]) -> Option<Self> {
        let (length, _) = bytes.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        match bytes.get(4..length)?.split_last()? {
            (0, fields) => Some(Self { rest: Some(fields) }),
            _ => None,
        }
    }
}

impl<'a> Iterator for Document<'a> {
    type Item = Option<(&'a [u8], Value<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        let fields = self.rest.take()?;
        let (kind, rest) = fields.split_first()?;
        let field = text(rest).and_then(|(name, rest)| {
            let (value, rest) = value(*kind, rest)?;
            self.rest = Some(rest);
            Some((name, value))
        });
        Some(field)
    }
}

/// A value of this type, and what follows; `None` where there is no such type, or its length
/// lies.
fn value(kind: u8, bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let fixed = match kind {
        0x02 => {
            let (text, rest) = sized(bytes, 4)?;
            let (_, text) = text.split_first_chunk::<4>()?;
            let text = std::str::from_utf8(text.strip_suffix(b"\0")?);
            return Some((text.map_or(Value::Other, Value::Text), rest));
        }
        0x08 => {
            let (value, rest) = bytes.split_first()?;
            return Some((Value::Bool(*value != 0), rest));
        }
        0x10 => {
            let (value, rest) = bytes.split_first_chunk()?;
            return Some((Value::Number(i32::from_le_bytes(*value)), rest));
        }
        0x01 => {
            let (value, rest) = bytes.split_first_chunk()?;
            let is_zero = f64::from_le_bytes(*value) == 0.0;
            return Some((Value::OtherNumber(!is_zero), rest));
        }
        0x12 => {
            let (value, rest) = bytes.split_first_chunk::<8>()?;
            return Some((Value::OtherNumber(*value != [0; 8]), rest));
        }
        // A document, an array, code with its scope: the length counts itself.
        0x03 | 0x04 | 0x0f => return Some((Value::Other, sized(bytes, 0)?.1)),
        // Code and a symbol, which are strings; a pointer, which is one with an id; binary.
        0x0d | 0x0e => return Some((Value::Other, sized(bytes, 4)?.1)),
        0x0c => return Some((Value::Other, sized(bytes, 4 + 12)?.1)),
        0x05 => return Some((Value::Other, sized(bytes, 4 + 1)?.1)),
        // A regular expression: two texts.
        0x0b => return Some((Value::Other, text(text(bytes)?.1)?.1)),
        0x06 | 0x0a | 0x7f | 0xff => 0,
        0x09 | 0x11 => 8,
        0x07 => 12,
        0x13 => 16,
        _ => return None,
    };
    Some((Value::Other, bytes.get(fixed..)?))
}

/// What a length stands before that leaves out `more` bytes, with the length, and what follows.
fn sized(bytes: &[u8], more: usize) -> Option<(&[u8], &[u8])> {
    let (length, _) = bytes.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    bytes.split_at_checked(length.checked_add(more)?.max(4))
}

/// Bytes up to a zero, and what follows it.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((bytes.get(..end)?, bytes.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(fields: &[u8]) -> Vec<u8> {
        let length = u32::try_from(fields.len() + 5).unwrap().to_le_bytes();
        [&length, fields, &[0]].concat()
    }

    fn read(fields: &[u8]) -> Vec<Option<(String, String)>> {
        let bytes = document(fields);
        let fields = Document::new(&bytes).unwrap();
        let show = |(name, value)| (String::from_utf8_lossy(name).into(), format!("{value:?}"));
        fields.map(|field| field.map(show)).collect()
    }

    /// A field of each type, and behind each of them one that is found.
    #[test]
    fn every_type_is_known_by_its_length() {
        for (field, value) in [
            (
                b"\x01f\0\0\0\0\0\0\0\xf0\x3f".as_slice(),
                "OtherNumber(true)",
            ),
            (b"\x01f\0\0\0\0\0\0\0\0\0", "OtherNumber(false)"),
            (b"\x02f\0\x03\0\0\0hi\0", "Text(\"hi\")"),
            (b"\x02f\0\x02\0\0\0\xff\0", "Other"),
            (b"\x03f\0\x05\0\0\0\0", "Other"),
            (b"\x04f\0\x0c\0\0\0\x100\0\x01\0\0\0\0", "Other"),
            (b"\x05f\0\x02\0\0\0\0ab", "Other"),
            (b"\x06f\0", "Other"),
            (b"\x07f\0twelve bytes", "Other"),
            (b"\x08f\0\x01", "Bool(true)"),
            (b"\x08f\0\0", "Bool(false)"),
            (b"\x09f\0\0\0\0\0\0\0\0\0", "Other"),
            (b"\x0af\0", "Other"),
            (b"\x0bf\0a.*\0i\0", "Other"),
            (b"\x0cf\0\x02\0\0\0a\0twelve bytes", "Other"),
            (b"\x0df\0\x02\0\0\0a\0", "Other"),
            (b"\x0ef\0\x02\0\0\0a\0", "Other"),
            (b"\x0ff\0\x0f\0\0\0\x02\0\0\0a\0\x05\0\0\0\0", "Other"),
            (b"\x10f\0\xff\xff\xff\xff", "Number(-1)"),
            (b"\x11f\0\0\0\0\0\0\0\0\0", "Other"),
            (b"\x12f\0\x01\0\0\0\0\0\0\0", "OtherNumber(true)"),
            (b"\x13f\0sixteen bytes...", "Other"),
            (b"\x7ff\0", "Other"),
            (b"\xfff\0", "Other"),
        ] {
            let fields = read(&[field, b"\x08last\0\x01"].concat());
            let expected = [("f", value), ("last", "Bool(true)")];
            let expected = expected.map(|(name, value)| Some((name.into(), value.into())));
            assert_eq!(fields, expected, "{field:?}");
            // Cut anywhere, it is broken, and nothing follows.
            for end in 1..field.len() {
                let cut = read(&field[..end]);
                assert!(cut.iter().rev().skip(1).all(Option::is_some), "{field:?}");
                assert!(cut.last().unwrap().is_none(), "{field:?} {end}");
            }
        }
        assert!(read(b"\x20f\0").last().unwrap().is_none());
    }

    #[test]
    fn a_length_that_lies_is_no_document() {
        let whole = document(b"\x08f\0\x01");
        assert_eq!(whole.len(), 9);
        for length in (0..5).chain(10..64).chain([u32::MAX]) {
            let mut bytes = whole.clone();
            bytes[..4].copy_from_slice(&length.to_le_bytes());
            assert!(Document::new(&bytes).is_none(), "{length}");
        }
        for lie in [b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80"] {
            for kind in [2, 3, 4, 5, 0x0c, 0x0d, 0x0f] {
                let fields = [&[kind, b'f', 0], lie.as_slice(), b"a\0"].concat();
                assert_eq!(read(&fields), [None]);
            }
        }
        assert_eq!(read(b"\x02f\0\0\0\0\0"), [None]);
    }
}
