//! The file of step outputs, read as the strictest of all runners would: what any of them
//! refuses, loses or changes is an error here.

use super::lines::LONGEST;

/// Names and values, in their order.
pub(crate) fn read(text: &str) -> Result<Vec<(String, String)>, String> {
    if text.starts_with('\u{feff}') {
        return Err("a byte order mark".to_owned());
    }
    if text.contains('\r') {
        return Err("a character that some runners lose".to_owned());
    }
    // A value's last line needs its line end, and a later step appends to the file.
    let Some(text) = text.strip_suffix('\n') else {
        return if text.is_empty() {
            Ok(Vec::new())
        } else {
            Err("no line end at the end".to_owned())
        };
    };
    let mut lines = text.split('\n');
    let mut entries = Vec::new();
    while let Some(line) = lines.next() {
        if line.len() > LONGEST {
            return Err(format!("a line of {} bytes", line.len()));
        }
        let (name, delimiter) = line
            .split_once("<<")
            .filter(|(name, delimiter)| {
                !name.is_empty() && !name.contains('=') && !delimiter.is_empty()
            })
            .ok_or_else(|| format!("no entry begins with {line:?}"))?;
        let mut value: Vec<&str> = Vec::new();
        loop {
            let line = lines.next().ok_or_else(|| format!("{name} does not end"))?;
            if line == delimiter {
                break;
            }
            if line.len() > LONGEST {
                return Err(format!("a line of {} bytes in {name}", line.len()));
            }
            value.push(line);
        }
        if value.is_empty() {
            return Err(format!("{name} has no value at all"));
        }
        if value.len() > 1 && value[0].is_empty() {
            return Err(format!("{name} begins with a line end"));
        }
        entries.push((name.to_owned(), value.join("\n")));
    }
    Ok(entries)
}

/// What can be meant by a value, since no writer gets more past every reader: no line ends at
/// its start, no carriage return, no line that is too long.
pub(crate) fn meant(value: &str) -> String {
    let value = value.replace('\r', "");
    let mut meant = String::new();
    for (number, line) in value.trim_start_matches('\n').split('\n').enumerate() {
        if number > 0 {
            meant.push('\n');
        }
        let mut length = 0;
        meant.extend(line.chars().take_while(|ch| {
            length += ch.len_utf8();
            length <= LONGEST
        }));
    }
    meant
}
