//! The names that `action.yml` publishes. `tests/contract.rs` holds the code to them.

/// The keys of a section of it: `inputs`, `outputs`.
pub(crate) fn names<'file>(file: &'file str, section: &str) -> Vec<&'file str> {
    let start = format!("{section}:");
    let lines = file.lines().skip_while(|line| *line != start).skip(1);
    let section = lines.take_while(|line| line.is_empty() || line.starts_with(' '));
    // Keys of the section itself, not of what is below them.
    let keys = section.filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'));
    keys.filter(|key| !key.starts_with(' ')).collect()
}

/// The environment variable that an input is passed on by.
pub(crate) fn variable(input: &str) -> String {
    format!("PREFLIGHT_{}", input.to_uppercase().replace('-', "_"))
}
