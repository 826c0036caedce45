//! Workflow commands in a log, read by the rules of the strictest runner: what GitHub, nektos act,
//! Gitea and Forgejo do not read alike is refused.

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
pub(crate) fn read(log: &str) -> Result<Vec<Annotation>, String> {
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
