//! The config file: options of the run, and targets.

use std::collections::HashSet;

use super::options::{self, InputOption};
use super::origin::{Origin, Place};
use super::problem::Problems;
use super::raw::{Given, RawInputs};
use super::yaml::{self, Entry, Node};
use super::{ReportTo, files, targets};
use crate::nearest::nearest;
use crate::text;

/// What a config file holds.
pub(super) struct ConfigFile {
    /// The options of the run.
    pub(super) options: RawInputs,
    /// What stands under `targets`, and where.
    pub(super) targets: Option<(Node, Origin)>,
}

/// Reads the file that was given.
pub(super) fn read(given: &Given, problems: &mut Problems) -> Option<ConfigFile> {
    let (path, place) = (&given.text, given.place());
    let text = problems.take(&place, path, files::text(path))?;
    let entries = match problems.take(&place, path, yaml::parse(&text))? {
        Node::Map(entries) => entries,
        other => {
            let what = other.kind();
            problems.value(
                &place,
                path,
                format!("holds {what}, not a mapping with targets"),
            );
            return None;
        }
    };
    let document = if path == files::STDIN {
        Origin::document("standard input")
    } else {
        Origin::document(&text::show_value(path))
    };
    let config = read_entries(entries, &document, problems);
    // They may stand in what was left unread.
    if config.targets.is_none() && !problems.are_enough() {
        problems.value(&place, path, "has no targets");
    }
    Some(config)
}

fn read_entries(entries: Vec<Entry>, document: &Origin, problems: &mut Problems) -> ConfigFile {
    let mut config = ConfigFile {
        options: RawInputs::default(),
        targets: None,
    };
    let mut seen = HashSet::new();
    let mut listed = false;
    for Entry { key, line, node } in entries {
        if problems.are_enough() {
            break;
        }
        let origin = document.line(line);
        let place = Place::written(&key, origin.clone());
        if !seen.insert(key.clone()) {
            problems.general(&place, "is given a second time in the config file");
        }
        if key == "targets" {
            config.targets = Some((node, origin));
            continue;
        }
        let Some(option) = InputOption::named(&key).filter(|option| option.places.file) else {
            problems.explained(&place, || unknown(&key, &mut listed));
            continue;
        };
        match node {
            // The log is on its way to standard output before a config file is read.
            Node::Scalar(path)
                if option.name == "report-file" && ReportTo::named(&path) == ReportTo::Stdout =>
            {
                problems.value(
                    &place,
                    &path,
                    "is standard output, which a config file cannot choose; give it as an input",
                );
            }
            Node::Scalar(text) => config.options.give(option, &text, origin),
            Node::Null => {}
            Node::List(_) | Node::Map(_) => {
                problems.general(&place, targets::not_single(&key, &node));
            }
        }
    }
    config
}

/// What to say about a key that a config file does not have. Those that there are, are listed
/// once.
fn unknown(key: &str, listed: &mut bool) -> String {
    const WHAT: &str = "is not a key of a config file";
    let known = || std::iter::once("targets").chain(options::of_file().map(|option| option.name));
    match nearest(key, known()) {
        Some(meant) => format!("{WHAT}; did you mean {meant}?"),
        None if std::mem::replace(listed, true) => WHAT.to_owned(),
        None => format!(
            "{WHAT}; there are {}",
            known().collect::<Vec<_>>().join(", ")
        ),
    }
}
