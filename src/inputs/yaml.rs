//! YAML as a tree of text: every scalar as a string, every key in its order, duplicates kept.
//!
//! The library parses; this tree is what lets us report all problems at once, each with its
//! place, where a typed parse would stop at the first.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Options};

/// A YAML value.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// Nothing, `~` or `null`.
    Null,
    /// Any scalar, as text.
    Scalar(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, duplicates included.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// What it is, for error messages.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Scalar(_) => "a single value",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Parses one YAML document. The error has line and column, and no piece of the text: it may
/// hold a credential.
pub fn parse(text: &str) -> Result<Node, String> {
    let mut options = Options::default();
    options.duplicate_keys = DuplicateKeyPolicy::PassThrough;
    options.strict_booleans = true;
    options.with_snippet = false;
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let message = crate::text::show_value(&error.to_string());
        format!("is not valid YAML: {message}")
    })
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, a list or a mapping")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_are_text_and_duplicates_stay() {
        let tree = parse("a: <500\nb: 200\na: {optional: true, x: ~}\nc: no\n8080: [1]").unwrap();
        let scalar = |text: &str| Node::Scalar(text.into());
        let Node::Map(entries) = tree else {
            panic!("no mapping")
        };
        assert_eq!(entries.len(), 5);
        assert_eq!(entries[0], ("a".into(), scalar("<500")));
        assert_eq!(entries[1], ("b".into(), scalar("200")));
        assert_eq!(entries[3], ("c".into(), scalar("no")));
        assert_eq!(entries[4], ("8080".into(), Node::List(vec![scalar("1")])));
    }

    #[test]
    fn an_own_key_beats_a_merged_one() {
        let tree = parse("x: &x {k: 1, l: 2}\ny: {<<: *x, k: 3}").unwrap();
        let Node::Map(entries) = tree else {
            panic!("no mapping")
        };
        let Node::Map(y) = &entries[1].1 else {
            panic!("no mapping")
        };
        assert_eq!(y.iter().filter(|(key, _)| key == "k").count(), 1);
    }

    #[test]
    fn errors_show_a_place_and_no_text() {
        let error = parse("a: https://u:secret@h\n b: [").unwrap_err();
        assert!(error.contains("line 2"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
