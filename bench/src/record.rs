//! BENCHMARKS.md: each section's tables stand between two comments, and only what is between
//! them is rewritten.

use std::fs;

use crate::{Options, Result};

const EMPTY: &str = "# Benchmarks

What `scripts/bench` printed on the machine that each section names. `scripts/bench --record`
rewrites the tables, `scripts/bench SECTION --record` those of one section.
";

fn marks(section: &str) -> (String, String) {
    (
        format!("<!-- bench:{section} -->\n"),
        format!("<!-- /bench:{section} -->\n"),
    )
}

fn block<'a>(text: &'a str, section: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let (open, close) = marks(section);
    let (before, rest) = text.split_once(&open)?;
    let (inside, after) = rest.split_once(&close)?;
    Some((before, inside, after))
}

/// Puts a section's tables in their place, or at the end.
pub fn write(options: &Options, section: &str, title: &str, tables: &str) -> Result<()> {
    let path = options.root.join("BENCHMARKS.md");
    let text = fs::read_to_string(&path).unwrap_or_else(|_| EMPTY.to_owned());
    let (open, close) = marks(section);
    let text = match block(&text, section) {
        Some((before, _, after)) => format!("{before}{open}\n{tables}\n{close}{after}"),
        None => format!("{text}\n## {title}\n\n{open}\n{tables}\n{close}"),
    };
    fs::write(path, text)?;
    Ok(())
}

/// The instruction counts that were recorded last.
pub fn kept_counts(options: &Options) -> Vec<(String, u64)> {
    let text = fs::read_to_string(options.root.join("BENCHMARKS.md")).unwrap_or_default();
    let Some((_, inside, _)) = block(&text, "counts") else {
        return Vec::new();
    };
    inside
        .lines()
        .filter_map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            let name = cells.next()?.to_owned();
            let count = cells.next()?.replace(',', "").parse().ok()?;
            Some((name, count))
        })
        .collect()
}
