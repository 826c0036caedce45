//! Where a value came from, in the words of whoever wrote it there: `--timeout`,
//! `PREFLIGHT_TIMEOUT`, `preflight.yml:4`.

use std::fmt;
use std::rc::Rc;

use super::values;
use crate::text;

/// The prefix of the inputs in the environment. Never `INPUT_`: runners of the act family
/// rebuild the `inputs` context from such names.
pub(crate) const PREFIX: &str = "PREFLIGHT_";

/// The environment variable of an input.
pub fn variable(input: &str) -> String {
    let mut name = PREFIX.to_owned();
    name.extend(input.bytes().map(in_variable).map(char::from));
    name
}

/// What a letter of an input's name is in that of its variable.
pub(super) const fn in_variable(letter: u8) -> u8 {
    match letter {
        b'-' => b'_',
        letter => letter.to_ascii_uppercase(),
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The program itself, or nowhere in particular.
    Unknown,
    /// An argument of the command line that is not an option: an address.
    Argument,
    /// An option of the command line, by its name.
    CommandLine(&'static str),
    /// The environment variable of an input, by the input's name.
    Variable(&'static str),
    /// A line of a text of YAML; the first is 1, and 0 is the text as a whole.
    Line(Rc<str>, u32),
}

impl Origin {
    /// A text of YAML that this is the name of.
    pub(super) fn document(name: &str) -> Self {
        Self::Line(name.into(), 0)
    }

    /// A line of the text.
    pub(super) fn line(&self, line: u32) -> Self {
        match self {
            Self::Line(document, _) => Self::Line(Rc::clone(document), line),
            other => other.clone(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => Ok(()),
            Self::Argument => f.write_str("command line"),
            Self::CommandLine(option) => write!(f, "--{option}"),
            Self::Variable(input) => f.write_str(&variable(input)),
            Self::Line(document, 0) => f.write_str(document),
            Self::Line(document, line) => write!(f, "{document}:{line}"),
        }
    }
}

/// What a problem is about: an input or a key by its path, and where it came from. It costs
/// nothing until somebody wants to see it.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    within: Option<&'a Place<'a>>,
    key: Key<'a>,
    origin: Origin,
}

#[derive(Debug, Clone, Copy)]
enum Key<'a> {
    /// The name of an input.
    Input(&'a str),
    /// A key as somebody wrote it. It can be anything, an address or a header with a secret too.
    Written(&'a str),
    /// The name of a header as somebody wrote it.
    Header(&'a str),
}

impl<'a> Place<'a> {
    /// An input that came from there.
    pub fn of(input: &'a str, origin: &Origin) -> Self {
        Self {
            within: None,
            key: Key::Input(input),
            origin: origin.clone(),
        }
    }

    /// A key that somebody wrote, at the top of a text of YAML.
    pub(super) fn written(key: &'a str, origin: Origin) -> Self {
        Self {
            within: None,
            key: Key::Written(key),
            origin,
        }
    }

    /// A key of the mapping that stands here, in this line.
    pub(super) fn under(&'a self, key: &'a str, line: u32) -> Self {
        Self {
            within: Some(self),
            key: Key::Written(key),
            origin: self.origin.line(line),
        }
    }

    /// This place, in a line of its text.
    pub(super) fn in_line(&self, line: u32) -> Self {
        Self {
            origin: self.origin.line(line),
            ..self.clone()
        }
    }

    /// The same as [`Place::under`] for a header.
    pub(super) fn header(&'a self, name: &'a str, line: u32) -> Self {
        Self {
            key: Key::Header(name),
            ..self.under(name, line)
        }
    }

    /// Its path: `targets.llm.expect`.
    fn path(&self, f: &mut String) {
        if let Some(within) = self.within {
            within.path(f);
            f.push('.');
        }
        match self.key {
            Key::Input(name) => f.push_str(name),
            Key::Written(key) => f.push_str(&text::show_key(key)),
            Key::Header(name) => f.push_str(&values::show_header_name(name)),
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut path = String::new();
        self.path(&mut path);
        f.write_str(&text::sanitize(&path, 3 * text::PIECE))?;
        match &self.origin {
            Origin::Unknown => Ok(()),
            origin => write!(f, " ({origin})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_says_where_it_was_written() {
        let shown = |origin: &Origin| Place::of("timeout", origin).to_string();
        assert_eq!(shown(&Origin::Unknown), "timeout");
        assert_eq!(
            shown(&Origin::CommandLine("timeout")),
            "timeout (--timeout)"
        );
        assert_eq!(
            shown(&Origin::Variable("fail-on-down")),
            "timeout (PREFLIGHT_FAIL_ON_DOWN)"
        );
        let file = Origin::document("preflight.yml");
        assert_eq!(shown(&file), "timeout (preflight.yml)");
        assert_eq!(shown(&file.line(4)), "timeout (preflight.yml:4)");
        let targets = Place::of("targets", &Origin::document("PREFLIGHT_TARGETS"));
        let (target, secret) = (targets.under("llm", 2), "k=SECRET");
        assert_eq!(target.to_string(), "targets.llm (PREFLIGHT_TARGETS:2)");
        assert_eq!(
            target.under(secret, 3).header("X-A: SECRET", 4).to_string(),
            "targets.llm.k=***.X-A: *** (PREFLIGHT_TARGETS:4)"
        );
    }
}
