//! Step outputs, in the file syntax that the strictest runner takes.
//!
//! No blank line between entries (the act family fails on it), no value that begins with a
//! line end, no line near 64 KiB (older runners drop it and all that follows), a delimiter
//! that nobody can guess.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};

use super::model::Report;
use crate::verdict::Verdict;

/// Every output, with what it says.
pub const OUTPUTS: &[(&str, &str)] = &[
    ("result", "up, down, unknown, invalid or error"),
    (
        "exit-code",
        "the code that stands for the result, whatever fail-on-down says",
    ),
    ("message", "one line for people: what was found"),
    ("up", "JSON array of the names of targets that are up"),
    ("down", "JSON array of the names of targets that are down"),
    (
        "unknown",
        "JSON array of the names of targets that are unknown",
    ),
    (
        "cause",
        "cause of the first target that made the result; empty when up",
    ),
    (
        "http-status",
        "last HTTP status of that target; empty if there was none",
    ),
    ("duration-ms", "duration of the whole step"),
    (
        "code",
        "what that target answered in its protocol's own words, such as 401, 57P03 or -LOADING; empty if nothing",
    ),
    ("report", "the JSON report"),
    (
        "report-file",
        "where the report was written; empty if nowhere",
    ),
];

/// The longest line that is written, in bytes.
const LINE: usize = 60 * 1024;
/// The largest report that goes into an output; a forge takes 1 MiB of them per job.
const REPORT: usize = 512 * 1024;

/// Name and value of each output, in the order of [`OUTPUTS`].
pub type Values = Vec<(&'static str, String)>;

/// The outputs of a run that could not be finished: all that a later step may branch on.
pub fn failed(result: crate::exit::Exit, message: &str) -> Values {
    vec![
        ("result", result.result.as_str().to_owned()),
        ("exit-code", result.code().to_string()),
        ("message", crate::text::sanitize(message, 2000)),
    ]
}

/// The outputs of a report, and whether the report itself was too large to be one.
pub fn of_report(report: &Report, report_file: Option<&Path>) -> (Values, bool) {
    let names = |verdict| {
        json(
            &report
                .with(verdict)
                .map(|target| &target.name)
                .collect::<Vec<_>>(),
        )
    };
    let decisive = report.decisive();
    let cause = decisive.and_then(|target| target.cause);
    let status = decisive.and_then(|target| target.http_status);
    let whole = json(report);
    let too_large = whole.len() > REPORT;
    let values = vec![
        ("result", report.exit.result.as_str().to_owned()),
        ("exit-code", report.exit.code().to_string()),
        ("message", report.headline()),
        ("up", names(Verdict::Up)),
        ("down", names(Verdict::Down)),
        ("unknown", names(Verdict::Unknown)),
        (
            "cause",
            cause
                .map(|cause| cause.as_str().to_owned())
                .unwrap_or_default(),
        ),
        (
            "http-status",
            status.map(|status| status.to_string()).unwrap_or_default(),
        ),
        ("duration-ms", report.duration_ms.to_string()),
        (
            "code",
            decisive
                .and_then(|target| target.code.clone())
                .unwrap_or_default(),
        ),
        ("report", if too_large { String::new() } else { whole }),
        (
            "report-file",
            report_file
                .map(|path| path.to_string_lossy().into_owned())
                .unwrap_or_default(),
        ),
    ];
    (values, too_large)
}

/// Compact JSON, broken between elements where a line would become too long.
pub(crate) fn json(value: &impl Serialize) -> String {
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Broken::default());
    // Our own types serialise; a failure would leave an empty output.
    if value.serialize(&mut serializer).is_err() {
        return String::new();
    }
    String::from_utf8(out).unwrap_or_default()
}

/// Breaks lines in front of an element or a key once the line has [`Broken::SOFT`] bytes. No
/// single string of a report is near the difference to [`LINE`].
#[derive(Default)]
struct Broken {
    column: usize,
}

impl Broken {
    const SOFT: usize = LINE / 2;

    fn separate<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        if self.column > Self::SOFT {
            writer.write_all(b"\n")?;
            self.column = 0;
        }
        // A generous guess of what follows, which spares a counting writer.
        self.column += 16;
        Ok(())
    }
}

impl Formatter for Broken {
    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.separate(writer, first)
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.separate(writer, first)
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        escape: serde_json::ser::CharEscape,
    ) -> io::Result<()> {
        self.column += 6;
        CompactFormatter.write_char_escape(writer, escape)
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        self.column += fragment.len();
        CompactFormatter.write_string_fragment(writer, fragment)
    }
}

/// The file's text.
pub fn render(values: &Values) -> String {
    let mut text = String::new();
    for (name, value) in values {
        let value = fold(value);
        let delimiter = delimiter(&value);
        text.push_str(&format!("{name}<<{delimiter}\n{value}\n{delimiter}\n"));
    }
    text
}

/// What the strictest reader would lose is not written: line ends at the start, carriage
/// returns, lines beyond the limit.
fn fold(value: &str) -> String {
    value
        .trim_start_matches(['\n', '\r'])
        .replace('\r', "")
        .split('\n')
        .map(|line| {
            let mut end = line.len().min(LINE);
            while !line.is_char_boundary(end) {
                end -= 1;
            }
            line.get(..end).unwrap_or_default()
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn delimiter(value: &str) -> String {
    loop {
        let delimiter = format!(
            "ghadelimiter_{:016x}{:016x}",
            fastrand::u64(..),
            fastrand::u64(..)
        );
        if !value.contains(&delimiter) {
            return delimiter;
        }
    }
}

/// Appends the outputs to the runner's file.
pub(crate) fn write(path: &Path, values: &Values) -> io::Result<()> {
    crate::file::append(path, &render(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_arrays_are_broken_and_stay_json() {
        let names: Vec<_> = (0..20_000).map(|n| format!("target-{n}")).collect();
        let text = json(&names);
        assert!(
            text.lines().all(|line| line.len() < LINE),
            "a line is too long"
        );
        assert!(text.lines().count() > 1);
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), names);
        assert_eq!(json(&["a", "b"]), r#"["a","b"]"#);
    }

    #[test]
    fn values_are_folded_to_what_every_reader_keeps() {
        assert_eq!(fold("\n\r\na\r\nb\n"), "a\nb\n");
        assert_eq!(fold(&"é".repeat(LINE)).len(), LINE);
    }

    #[test]
    fn entries_follow_each_other_without_a_blank_line() {
        let text = render(&vec![("a", "1".into()), ("b", String::new())]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 6);
        assert_eq!((lines[1], lines[4]), ("1", ""));
        assert!(lines[0].starts_with("a<<ghadelimiter_") && lines[3].starts_with("b<<"));
        assert_eq!(lines[0].split_once("<<").unwrap().1, lines[2]);
    }
}
