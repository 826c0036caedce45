//! What was given: the texts of options, each with where it came from.

use std::ffi::OsString;
use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};

use super::options::{self, InputOption};
use super::origin::{Origin, PREFIX, Place, in_variable};
use crate::environment;

/// The options that say what to ask. They are taken from one side alone: a `url` on the command
/// line replaces `targets` in the environment.
const SOURCES: [&str; 3] = ["url", "targets", "config"];

/// Options as texts. Nothing is checked here, and nothing has a default.
#[derive(Debug, Default)]
pub struct RawInputs(Vec<Given>);

/// One option that was given. Its `Debug` does not show what the token is.
pub(super) struct Given {
    pub(super) option: &'static InputOption,
    pub(super) text: String,
    pub(super) origin: Origin,
}

impl Given {
    /// Where it stands, for problems with it.
    pub(super) fn place(&self) -> Place<'_> {
        Place::of(self.option.name, &self.origin)
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.option.name {
            "token" => "***",
            _ => &self.text,
        };
        write!(f, "{}={text:?} ({})", self.option.name, self.origin)
    }
}

impl RawInputs {
    /// Reads the inputs from environment variables. Bytes that are not text are replaced, so
    /// that the error about the value can show it.
    pub fn from_env(vars: &[(OsString, OsString)]) -> Self {
        let vars = environment::exactly(vars, is_variable)
            .into_iter()
            .map(|(name, value)| (name, value.to_string_lossy().into_owned()));
        environment::typed(PREFIX, vars.collect())
    }

    /// Notes an option that was given. An empty one was not: a forge hands over an empty variable
    /// for an input that was left out. Blanks and line ends around a value are not a part of
    /// it: a block scalar of YAML hands over a line end that nobody sees.
    pub(crate) fn give(&mut self, option: &'static InputOption, text: &str, origin: Origin) {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return;
        }
        let text = if option.is_yaml() { text } else { trimmed };
        self.0.push(Given {
            option,
            text: text.to_owned(),
            origin,
        });
    }

    /// The same by the option's name, for the program's own use.
    pub(crate) fn with(mut self, name: &str, text: &str) -> Self {
        debug_assert!(InputOption::named(name).is_some(), "{name}");
        if let Some(option) = InputOption::named(name) {
            self.give(option, text, Origin::Unknown);
        }
        self
    }

    /// The option of this name, if it was given.
    pub(super) fn get(&self, name: &str) -> Option<&Given> {
        debug_assert!(InputOption::named(name).is_some(), "{name}");
        self.0.iter().find(|given| given.option.name == name)
    }

    /// Its text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(|given| given.text.as_str())
    }

    /// All that was given, in the order of the table.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Given> {
        options::OPTIONS.iter().filter_map(|option| {
            self.0
                .iter()
                .find(|given| std::ptr::eq(given.option, option))
        })
    }

    /// Whether it says what to ask.
    fn has_source(&self) -> bool {
        SOURCES.iter().any(|source| self.get(source).is_some())
    }

    /// These inputs without what to ask, and its name.
    pub(crate) fn without_source(mut self) -> Self {
        self.0
            .retain(|given| given.option.name != "name" && !SOURCES.contains(&given.option.name));
        self
    }

    /// These inputs, and where one is missing, that of `other`.
    pub(crate) fn or(mut self, other: Self) -> Self {
        let other = if self.has_source() {
            other.without_source()
        } else {
            other
        };
        for given in other.0 {
            if self.get(given.option.name).is_none() {
                self.0.push(given);
            }
        }
        self
    }
}

/// Whether this is the environment variable of an input. Nothing is put together for that: the
/// environment of a job has a hundred others.
fn is_variable(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else {
        return false;
    };
    let is = |input: &str| input.bytes().map(in_variable).eq(rest.bytes());
    options::inputs().any(|option| is(option.name))
}

/// The environment's library hands over a mapping; the table says what its keys mean.
impl<'de> Deserialize<'de> for RawInputs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = RawInputs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the inputs, each by its name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawInputs, A::Error> {
                let mut raw = RawInputs::default();
                while let Some((name, text)) = map.next_entry::<String, String>()? {
                    let name = name.replace('_', "-");
                    if let Some(option) = InputOption::named(&name) {
                        raw.give(option, &text, Origin::Variable(option.name));
                    }
                }
                Ok(raw)
            }
        }
        deserializer.deserialize_map(Texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::origin::variable;

    fn env(vars: &[(&str, &str)]) -> RawInputs {
        let vars: Vec<_> = vars.iter().map(|(k, v)| (k.into(), v.into())).collect();
        RawInputs::from_env(&vars)
    }

    #[test]
    fn empty_is_not_given_and_foreign_variables_do_not_matter() {
        let raw = env(&[
            ("PREFLIGHT_URL", "http://h"),
            ("PREFLIGHT_NAME", " "),
            ("PREFLIGHT_FAIL_ON_DOWN", "false"),
            ("URL", "no"),
            ("PREFLIGHT_OPTIONAL", "true"),
        ]);
        assert_eq!(raw.text("url"), Some("http://h"));
        assert_eq!(raw.text("fail-on-down"), Some("false"));
        assert_eq!(raw.0.len(), 2, "{raw:?}");
    }

    #[test]
    fn the_token_does_not_show() {
        let vars = [("PREFLIGHT_TOKEN", "SECRET"), ("PREFLIGHT_TIMEOUT", "1s")];
        assert_eq!(
            format!("{:?}", env(&vars)),
            r#"RawInputs([token="***" (PREFLIGHT_TOKEN), timeout="1s" (PREFLIGHT_TIMEOUT)])"#
        );
    }

    #[test]
    fn every_input_has_a_variable() {
        let names: Vec<_> = options::inputs()
            .map(|input| variable(input.name))
            .collect();
        let vars: Vec<_> = names.iter().map(|name| (name.as_str(), "x")).collect();
        let given: Vec<_> = env(&vars).iter().map(|given| given.option.name).collect();
        let inputs: Vec<_> = options::inputs().map(|input| input.name).collect();
        assert_eq!(given, inputs);
        assert!(names.contains(&"PREFLIGHT_FAIL_ON_DOWN".to_owned()));
    }

    #[cfg(not(windows))]
    #[test]
    fn another_spelling_of_an_input_changes_nothing() {
        let raw = env(&[
            ("PREFLIGHT_URL", "http://h"),
            ("PREFLIGHT_Url", "http://i"),
            ("PREFLIGHT_timeout", "1s"),
            ("preflight_name", "n"),
        ]);
        assert_eq!(raw.text("url"), Some("http://h"));
        assert_eq!(raw.0.len(), 1, "{raw:?}");
    }

    #[test]
    fn values_are_trimmed_but_not_the_indentation_of_yaml() {
        let raw = env(&[
            ("PREFLIGHT_CONFIG", "preflight.yml\n"),
            ("PREFLIGHT_NAME", "\t foo \r\n"),
            ("PREFLIGHT_TARGETS", "  a: http://h\n  b: http://h\n"),
        ]);
        assert_eq!(raw.text("config"), Some("preflight.yml"));
        assert_eq!(raw.text("name"), Some("foo"));
        assert!(
            raw.text("targets")
                .is_some_and(|text| text.starts_with("  a"))
        );
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_no_text_do_no_harm() {
        use std::os::unix::ffi::OsStringExt;
        let bad = OsString::from_vec(vec![0xff, 0xfe]);
        let raw = RawInputs::from_env(&[(bad.clone(), bad.clone()), ("PREFLIGHT_URL".into(), bad)]);
        assert_eq!(raw.text("url"), Some("\u{fffd}\u{fffd}"));
    }

    #[test]
    fn what_to_ask_comes_from_one_side() {
        let merged = RawInputs::default().with("url", "http://cli").or(env(&[
            ("PREFLIGHT_TARGETS", "a: http://env"),
            ("PREFLIGHT_NAME", "env"),
            ("PREFLIGHT_TIMEOUT", "2s"),
        ]));
        assert_eq!((merged.text("targets"), merged.text("name")), (None, None));
        assert_eq!(merged.text("timeout"), Some("2s"));
    }
}
