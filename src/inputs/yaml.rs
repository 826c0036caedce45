//! YAML as a tree of text: every scalar as a string, every key in its order, duplicates kept.
//!
//! The library parses; this tree is what lets us report all problems at once, each with its
//! place, where a typed parse would stop at the first.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use crate::text;

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
    Map(Vec<Entry>),
}

/// A key of a mapping, and what stands under it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) key: String,
    /// The line that the key stands in; the first is 1.
    pub(crate) line: u32,
    /// Its value.
    pub(crate) node: Node,
}

/// Why a text is not YAML that a configuration can be read from. No piece of the text is shown:
/// it may hold a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not valid YAML: line {line}, column {column}: {why}")]
pub(crate) struct YamlError {
    line: usize,
    column: usize,
    why: String,
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
                .map(|entry| VALUE + entry.key.len() + entry.node.size())
                .fold(VALUE, usize::saturating_add),
        }
    }

    /// What it is, for error messages.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Scalar(_) => "a single value",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Parses one YAML document.
pub(crate) fn parse(text: &str) -> Result<Node, YamlError> {
    let refused = |at: &Marker, why: &str| YamlError {
        line: at.line(),
        column: at.col() + 1,
        why: text::sanitize(why, text::PIECE),
    };
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| refused(error.marker(), error.info()))?;
        let line = u32::try_from(span.start.line()).unwrap_or(u32::MAX);
        builder
            .take(event, line)
            .map_err(|why| refused(&span.start, why))?;
    }
    Ok(builder.document.unwrap_or(Node::Null))
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
    Map(Vec<Entry>, Option<(String, u32)>),
}

impl Builder {
    fn take(&mut self, event: Event<'_>, line: u32) -> Result<(), &'static str> {
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
                self.add(node, anchor, size, line)
            }
            Event::SequenceStart(anchor, tag) => {
                only(tag.as_deref(), "seq")?;
                self.open(Open::List(Vec::new()), anchor)
            }
            Event::MappingStart(anchor, tag) => {
                only(tag.as_deref(), "map")?;
                self.open(Open::Map(Vec::new(), None), anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(line),
            Event::Alias(anchor) => {
                let (node, size) = self.anchors.get(&anchor).ok_or("an alias to nothing")?;
                // Counted before it is copied.
                self.copied += size;
                if self.copied > COPIES {
                    return Err("too large: more than a configuration can need");
                }
                let (node, size) = (node.clone(), *size);
                self.add(node, 0, size, line)
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

    fn close(&mut self, line: u32) -> Result<(), &'static str> {
        let (node, anchor) = match self.open.pop() {
            Some((Open::List(items), anchor)) => (Node::List(items), anchor),
            Some((Open::Map(entries, _), anchor)) => (Node::Map(merged(entries)), anchor),
            None => return Err("an end without a start"),
        };
        let size = if anchor > 0 { node.size() } else { VALUE };
        self.add(node, anchor, size, line)
    }

    /// Puts a complete value where it belongs; a key keeps its line.
    fn add(
        &mut self,
        node: Node,
        anchor: usize,
        size: usize,
        line: u32,
    ) -> Result<(), &'static str> {
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
                (Some((key, _)), node) if key == "<<" && !can_be_merged(&node) => {
                    return Err(
                        "a << that refers to something other than a mapping, or a list of them",
                    );
                }
                (Some((key, line)), node) => entries.push(Entry { key, line, node }),
                (None, Node::Scalar(text)) => *key = Some((text, line)),
                (None, Node::Null) => *key = Some(("null".to_owned(), line)),
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
fn merged(entries: Vec<Entry>) -> Vec<Entry> {
    let is_merge = |entry: &Entry| entry.key == "<<";
    if !entries.iter().any(is_merge) {
        return entries;
    }
    let (merges, mut own): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_merge);
    let sources = merges.into_iter().flat_map(|merge| match merge.node {
        Node::List(items) => items,
        single => vec![single],
    });
    let mut known: HashSet<String> = own.iter().map(|entry| entry.key.clone()).collect();
    for source in sources {
        if let Node::Map(entries) = source {
            own.extend(
                entries
                    .into_iter()
                    .filter(|entry| known.insert(entry.key.clone())),
            );
        }
    }
    own
}

#[cfg(test)]
mod tests;
