//! GitHub, nektos act, Gitea and Forgejo read the same bytes differently, so
//! only what all of them read alike is let through.

use std::collections::BTreeMap;

/// The contract's limit for a line of the outputs file. Old runners stop
/// reading, without a word, at 64 KiB.
const LONGEST_LINE: usize = 60 * 1024;

/// What a forge takes as outputs of one job.
const LARGEST_FILE: usize = 1024 * 1024;

/// Reads a file of outputs.
pub(crate) fn outputs(file: &str) -> Result<BTreeMap<String, String>, String> {
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
        if let Some(twice) = found.insert(name.clone(), value) {
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

/// A workflow command that makes an annotation.
#[derive(Debug)]
pub(crate) struct Annotation {
    pub(crate) level: String,
    pub(crate) title: String,
    pub(crate) text: String,
    /// The line as it was printed.
    pub(crate) raw: String,
}

/// Reads what of a log is a command, and refuses what only some runners would
/// take for one, or what none of ours says.
pub(crate) fn commands(log: &str) -> Result<Vec<Annotation>, String> {
    if let Some(control) = log.chars().find(|&char| char.is_control() && char != '\n') {
        return Err(format!("a control character in the log: {control:?}"));
    }
    if !log.is_empty() && !log.ends_with('\n') {
        return Err("the last line of the log does not end: act and Forgejo drop it".to_owned());
    }
    // GitHub's runner finds commands of the first generation anywhere in a line.
    if log.contains("##[") {
        return Err("##[ in the log is a command for GitHub's runner".to_owned());
    }
    let commands = log
        .lines()
        .filter(|line| line.trim_start().starts_with("::"));
    let mut annotations = Vec::new();
    for line in commands {
        let said = line
            .strip_prefix("::")
            .ok_or_else(|| format!("a blank before {line:?}"))?;
        // GitHub splits at the first `::`, act at the last.
        let (first, last) = (said.find("::"), said.rfind("::"));
        let Some(split) = first.filter(|_| first == last) else {
            return Err(format!("runners differ on {line:?}"));
        };
        let (command, text) = (&said[..split], &said[split + 2..]);
        let (level, properties) = command.split_once(' ').unwrap_or((command, ""));
        match level {
            "error" | "warning" | "notice" => annotations.push(Annotation {
                level: level.to_owned(),
                title: title(properties)?,
                text: unescape(text),
                raw: line.to_owned(),
            }),
            "group" | "endgroup" | "debug" => {}
            _ => return Err(format!("not a command of ours: {line:?}")),
        }
    }
    Ok(annotations)
}

/// The title, the only property that is used. act drops a value with a `=`.
fn title(properties: &str) -> Result<String, String> {
    let title = properties.strip_prefix("title=").unwrap_or(properties);
    if title.contains(['=', ',', ':']) || title.len() == properties.len() && !title.is_empty() {
        return Err(format!("not just a title: {properties:?}"));
    }
    Ok(unescape(&title.replace("%3A", ":").replace("%2C", ",")))
}

fn unescape(text: &str) -> String {
    text.replace("%0D", "\r")
        .replace("%0A", "\n")
        .replace("%25", "%")
}
