//! The outputs file, read by the rules of the strictest runner.
//!
//! GitHub, nektos act, Gitea and Forgejo read the same bytes differently, so only what all of them
//! read alike is let through.

use std::collections::BTreeMap;

/// The contract's limit for a line of the outputs file. Old runners stop
/// reading, without a word, at 64 KiB.
const LONGEST_LINE: usize = 60 * 1024;

/// What a forge takes as outputs of one job.
const LARGEST_FILE: usize = 1024 * 1024;

/// Reads a file of outputs: names with their values.
pub(crate) fn read(file: &str) -> Result<BTreeMap<String, String>, String> {
    if file.len() > LARGEST_FILE {
        return Err(format!("outputs of {} bytes", file.len()));
    }
    if file.contains(['\r', '\u{feff}', '\0']) {
        return Err("CR, BOM or NUL in the outputs".to_owned());
    }
    if !file.is_empty() && !file.ends_with('\n') {
        return Err("the last line of the outputs does not end".to_owned());
    }
    let mut found = BTreeMap::new();
    let mut lines = file.lines();
    while let Some(line) = lines.next() {
        let (name, value) = entry(line, &mut lines)?;
        // The last one counts on every forge: an empty one takes back what was said before.
        let takes_back = value.is_empty();
        if let Some(twice) = found.insert(name.clone(), value)
            && !takes_back
        {
            return Err(format!("{name} is written twice, first as {twice:?}"));
        }
    }
    Ok(found)
}

/// Reads the entry that begins with this line.
fn entry<'file>(
    line: &str,
    lines: &mut impl Iterator<Item = &'file str>,
) -> Result<(String, String), String> {
    let (name, value) = match (line.split_once('='), line.split_once("<<")) {
        (Some((name, value)), None) => (name, checked(value)?.to_owned()),
        (Some((name, value)), Some((longer, _))) if name.len() < longer.len() => {
            (name, checked(value)?.to_owned())
        }
        (_, Some((_, delimiter))) if delimiter.len() < 16 => {
            return Err(format!("a delimiter that can be guessed: {line:?}"));
        }
        (_, Some((name, delimiter))) => (name, multiline(delimiter, lines)?),
        (None, None) => return Err(format!("invalid format {line:?}")),
    };
    if name.is_empty() || name.trim() != name {
        return Err(format!("no name for an output: {line:?}"));
    }
    Ok((name.to_owned(), value))
}

fn multiline<'file>(
    delimiter: &str,
    lines: &mut impl Iterator<Item = &'file str>,
) -> Result<String, String> {
    let mut value = Vec::new();
    for line in lines {
        if line == delimiter {
            let lost =
                value.len() > 1 && value.first().is_some_and(|first: &&str| first.is_empty());
            return if lost {
                Err("a leading empty line is lost".to_owned())
            } else {
                Ok(value.join("\n"))
            };
        }
        value.push(checked(line)?);
    }
    Err(format!("no end of a value: {delimiter:?}"))
}

fn checked(line: &str) -> Result<&str, String> {
    if line.len() > LONGEST_LINE {
        Err(format!("a line of {} bytes", line.len()))
    } else {
        Ok(line)
    }
}
