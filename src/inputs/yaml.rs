//! YAML as a tree of text: every scalar as a string, every key in its order, duplicates kept.
//!
//! The library parses; this tree is what lets us report all problems at once, each with its
//! place, where a typed parse would stop at the first.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

/// The deepest nesting: ours is four levels deep.
const DEPTH: usize = 32;
/// The most there may be of it, aliases counted with all they stand for: a few lines of aliases
/// to aliases would fill the memory otherwise. A value counts as [`VALUE`] bytes and its text.
const SIZE: usize = 64 * 1024 * 1024;
/// The most that aliases may add to what was written.
const COPIES: usize = 8 * 1024 * 1024;
/// What a value takes beside its text.
const VALUE: usize = 64;

/// A YAML value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
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
    /// What it takes in memory, roughly.
    fn size(&self) -> usize {
        match self {
            Self::Null => VALUE,
            Self::Scalar(text) => VALUE + text.len(),
            Self::List(items) => VALUE + items.iter().map(Self::size).sum::<usize>(),
            Self::Map(entries) => entries
                .iter()
                .map(|(key, node)| VALUE + key.len() + node.size())
                .fold(VALUE, usize::saturating_add),
        }
    }

    /// What it is, for error messages.
    #[must_use]
    pub(crate) const fn kind(&self) -> &'static str {
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
pub(crate) fn parse(text: &str) -> Result<Node, String> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let mark = error.marker();
            place(mark.line(), mark.col(), error.info())
        })?;
        builder
            .take(event)
            .map_err(|why| place(span.start.line(), span.start.col(), why))?;
    }
    Ok(builder.document.unwrap_or(Node::Null))
}

fn place(line: usize, column: usize, why: &str) -> String {
    let why = crate::text::sanitize(why, crate::text::PIECE);
    format!(
        "is not valid YAML: line {line}, column {}: {why}",
        column + 1
    )
}

/// Builds the tree from the parser's events.
#[derive(Default)]
struct Builder {
    open: Vec<(Open, usize)>,
    anchors: HashMap<usize, (Node, usize)>,
    size: usize,
    copied: usize,
    document: Option<Node>,
}

/// A collection that is not complete yet.
enum Open {
    List(Vec<Node>),
    Map(Vec<(String, Node)>, Option<String>),
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), &'static str> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let means_null = matches!(text.as_ref(), "" | "~" | "null" | "Null" | "NULL");
                let null = match tag.as_deref().map(core_tag).transpose()? {
                    None => style == ScalarStyle::Plain && means_null,
                    Some("null") if means_null => true,
                    Some("str" | "int" | "float" | "bool") => false,
                    Some("merge") if text == "<<" => false,
                    Some(_) => return Err(TAG),
                };
                let node = if null {
                    Node::Null
                } else {
                    Node::Scalar(text.into_owned())
                };
                let size = node.size();
                self.add(node, anchor, size)
            }
            Event::SequenceStart(anchor, tag) => {
                only(tag.as_deref(), "seq")?;
                self.open(Open::List(Vec::new()), anchor)
            }
            Event::MappingStart(anchor, tag) => {
                only(tag.as_deref(), "map")?;
                self.open(Open::Map(Vec::new(), None), anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => {
                let (node, size) = self.anchors.get(&anchor).ok_or("an alias to nothing")?;
                // Counted before it is copied.
                self.copied += size;
                if self.copied > COPIES {
                    return Err("too large: more than a configuration can need");
                }
                let (node, size) = (node.clone(), *size);
                self.add(node, 0, size)
            }
            Event::DocumentStart(_) if self.document.is_some() => {
                Err("a second document; there may be one only")
            }
            Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::StreamStart
            | Event::StreamEnd
            | Event::Nothing => Ok(()),
        }
    }

    fn open(&mut self, collection: Open, anchor: usize) -> Result<(), &'static str> {
        if self.open.len() >= DEPTH {
            return Err("nested too deeply");
        }
        self.open.push((collection, anchor));
        Ok(())
    }

    fn close(&mut self) -> Result<(), &'static str> {
        let (node, anchor) = match self.open.pop() {
            Some((Open::List(items), anchor)) => (Node::List(items), anchor),
            Some((Open::Map(entries, _), anchor)) => (Node::Map(merged(entries)), anchor),
            None => return Err("an end without a start"),
        };
        let size = if anchor > 0 { node.size() } else { VALUE };
        self.add(node, anchor, size)
    }

    /// Puts a complete value where it belongs.
    fn add(&mut self, node: Node, anchor: usize, size: usize) -> Result<(), &'static str> {
        self.size += size;
        if self.size > SIZE {
            return Err("too large: more than a configuration can need");
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut() {
            None => self.document = Some(node),
            Some((Open::List(items), _)) => items.push(node),
            Some((Open::Map(entries, key), _)) => match (key.take(), node) {
                (Some(key), node) if key == "<<" && !can_be_merged(&node) => {
                    return Err(
                        "a << that refers to something other than a mapping, or a list of them",
                    );
                }
                (Some(key), node) => entries.push((key, node)),
                (None, Node::Scalar(text)) => *key = Some(text),
                (None, Node::Null) => *key = Some("null".to_owned()),
                (None, Node::List(_) | Node::Map(_)) => {
                    return Err("a key that is not a single value");
                }
            },
        }
        Ok(())
    }
}

const TAG: &str =
    "a tag that is not known, or not for this kind of value; what begins with ! needs quotes";

/// The word of a tag that every YAML has: `!!str` is `str`.
fn core_tag(tag: &Tag) -> Result<&str, &'static str> {
    const CORE: &str = "tag:yaml.org,2002:";
    match (tag.handle.as_str(), tag.suffix.strip_prefix(CORE)) {
        (CORE, _) => Ok(&tag.suffix),
        ("", Some(word)) => Ok(word),
        _ => Err(TAG),
    }
}

/// Refuses any tag but one.
fn only(tag: Option<&Tag>, word: &str) -> Result<(), &'static str> {
    match tag.map(core_tag).transpose()? {
        Some(other) if other != word => Err(TAG),
        _ => Ok(()),
    }
}

fn can_be_merged(node: &Node) -> bool {
    match node {
        Node::Map(_) => true,
        Node::List(items) => items.iter().all(|item| matches!(item, Node::Map(_))),
        Node::Null | Node::Scalar(_) => false,
    }
}

/// Takes in what `<<` refers to; a mapping's own keys win.
fn merged(entries: Vec<(String, Node)>) -> Vec<(String, Node)> {
    if !entries.iter().any(|(key, _)| key == "<<") {
        return entries;
    }
    let (merges, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(key, _)| key == "<<");
    let sources = merges.into_iter().flat_map(|(_, node)| match node {
        Node::List(items) => items,
        single => vec![single],
    });
    let mut known: HashSet<String> = own.iter().map(|(key, _)| key.clone()).collect();
    for source in sources {
        if let Node::Map(entries) = source {
            own.extend(
                entries
                    .into_iter()
                    .filter(|(key, _)| known.insert(key.clone())),
            );
        }
    }
    own
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
    fn tags_that_are_not_known_are_refused_where_they_stand() {
        for text in [
            "a: 1\nb: !2xx",
            "a: 1\nb: !2xx 3",
            "a: 1\nb: !!binary aGk=",
            "a: 1\nb: !env {c: d}",
            "a: 1\nb: !!map [c]",
            "a: 1\nb: !<tag:example,2000:x> c",
        ] {
            let why = parse(text).unwrap_err();
            assert!(
                why.contains("line 2") && why.contains("tag"),
                "{text}: {why}"
            );
        }
        let text = "a: !!str\nb: !!int 7\nc: !!null\nd: !!map {}\ne: !!seq []\nf: !<tag:yaml.org,2002:str> ~";
        let Node::Map(entries) = parse(text).unwrap() else {
            panic!("no mapping")
        };
        let nodes: Vec<_> = entries.into_iter().map(|(_, node)| node).collect();
        let scalar = |text: &str| Node::Scalar(text.into());
        let (map, list) = (Node::Map(Vec::new()), Node::List(Vec::new()));
        assert_eq!(
            nodes,
            [scalar(""), scalar("7"), Node::Null, map, list, scalar("~")]
        );
    }

    #[test]
    fn a_merge_of_what_is_no_mapping_is_refused() {
        for text in [
            "a: 1\nb: {<<: foo}",
            "x: &x 1\nb: {<<: [*x]}",
            "a: 1\nb: {<<: }",
        ] {
            let why = parse(text).unwrap_err();
            assert!(
                why.contains("line 2") && why.contains("<<"),
                "{text}: {why}"
            );
        }
        assert!(parse("x: &x {k: 1}\ny: {!!merge <<: [*x, *x]}").is_ok());
    }

    #[test]
    fn aliases_cannot_fill_the_memory() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..20 {
            let alias = format!("*a{}, ", level - 1).repeat(10);
            text.push_str(&format!("a{level}: &a{level} [{alias}]\n"));
        }
        assert!(
            parse(&text)
                .unwrap_err()
                .contains("too large: more than a configuration can need")
        );
        assert!(parse(&"[".repeat(100_000)).is_err());
        assert!(
            parse("a: 1\n---\nb: 2")
                .unwrap_err()
                .contains("second document")
        );
        assert_eq!(parse("").unwrap(), Node::Null);
    }

    #[test]
    fn errors_show_a_place_and_no_text() {
        let error = parse("a: https://u:secret@h\n b: [").unwrap_err();
        assert!(error.contains("line 2"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}
