//! The files that inputs name: the configuration, and root certificates.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;

use super::nearest::nearest;
use super::problem::Problems;
use super::raw::{CONFIG_KEYS, RawInputs};
use super::yaml::{self, Node};
use super::{ReportTo, targets};
use crate::text;

/// More than any sensible file has; a special file may go on for ever.
const FILE_LIMIT: u64 = 16 * 1024 * 1024;
/// The name of standard input.
const STDIN: &str = "-";

/// Reads a config file: its step-wide options, and what stands under `targets`. `-` is standard
/// input.
pub(super) fn read_config(path: &str, problems: &mut Problems) -> Option<(RawInputs, Node)> {
    let text = read_file(path, "config", problems)?;
    let Ok(text) = String::from_utf8(text) else {
        problems.value("config", path, "is not UTF-8 text");
        return None;
    };
    let entries = match yaml::parse(&text) {
        Ok(Node::Map(entries)) => entries,
        Ok(other) => {
            problems.value(
                "config",
                path,
                format!("holds {}, not a mapping with targets", other.kind()),
            );
            return None;
        }
        Err(reason) => {
            problems.value("config", path, reason);
            return None;
        }
    };
    let mut raw = RawInputs::default();
    let mut found = None;
    let mut seen = HashSet::new();
    for (key, node) in entries {
        if problems.are_enough() {
            break;
        }
        let shown = text::show_key(&key);
        if !seen.insert(key.clone()) {
            problems.general(&shown, "is given a second time in the config file");
        }
        if key == "targets" {
            found = Some(node);
            continue;
        }
        let Some(field) = raw.config_key(&key) else {
            problems.explained(&shown, || unknown(&key));
            continue;
        };
        match node {
            Node::Scalar(text) if !text.trim().is_empty() => *field = Some(text),
            Node::Scalar(_) | Node::Null => {}
            Node::List(_) | Node::Map(_) => {
                problems.general(&shown, targets::not_single(&key, &node));
            }
        }
    }
    raw = raw.trimmed();
    // The log is on its way to standard output before a config file is read.
    if let Some(path) = &raw.report_file
        && ReportTo::named(path) == ReportTo::Stdout
    {
        problems.value(
            "report-file",
            path,
            "is standard output, which a config file cannot choose; give it as an input",
        );
    }
    let Some(found) = found else {
        // The targets may stand in what was left unread.
        if problems.are_enough() {
            return None;
        }
        problems.value("config", path, "has no targets");
        return None;
    };
    Some((raw, found))
}

/// What to say about a key that is none of a config file's.
fn unknown(key: &str) -> String {
    let known = || std::iter::once("targets").chain(CONFIG_KEYS);
    match nearest(key, known()) {
        Some(meant) => format!("is not a key of a config file; did you mean {meant}?"),
        None => format!(
            "is not a key of a config file; there are {}",
            known().collect::<Vec<_>>().join(", ")
        ),
    }
}

fn read_file(path: &str, input: &str, problems: &mut Problems) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    let read = if path == STDIN && input == "config" {
        std::io::stdin()
            .lock()
            .take(FILE_LIMIT + 1)
            .read_to_end(&mut content)
    } else {
        File::open(path).and_then(|file| file.take(FILE_LIMIT + 1).read_to_end(&mut content))
    };
    match read {
        Ok(_) if content.len() as u64 > FILE_LIMIT => {
            problems.value(input, path, "is larger than 16 MiB");
            None
        }
        Ok(_) => Some(content),
        Err(error) => {
            problems.value(input, path, format!("cannot be read: {error}"));
            None
        }
    }
}

/// Reads a file of root certificates.
pub(super) fn read_certificates(path: &str, problems: &mut Problems) -> Option<Vec<u8>> {
    let pem = read_file(path, "ca-certificates", problems)?;
    match crate::net::roots::parse_pem(&pem) {
        Ok(_) => Some(pem),
        Err(reason) => {
            problems.value("ca-certificates", path, reason.to_string());
            None
        }
    }
}
