//! What each fuzz target does with the fuzzer's bytes. The checks are shared with the tool's
//! property tests, `tests/properties.rs`.

mod checks;

/// Configuration to targets or problems.
pub fn config(data: &[u8]) {
    checks::config::check(data);
}

/// Single values: durations, status sets, names, addresses, headers.
pub fn values(data: &[u8]) {
    checks::values::check(data);
}

/// Event files and the runner's environment to commit and links.
pub fn event(data: &[u8]) {
    checks::event::check(data);
}

/// What was found to log, annotations, summary, outputs, description and report.
pub fn render(data: &[u8]) {
    checks::render::check(data);
}

/// A server's bytes to an attempt, and all that is printed about it.
pub fn answer(data: &[u8]) {
    checks::answer::check(data);
}

/// What a service says, in any protocol of the table, to an attempt, and all that is printed
/// about it.
pub fn talk(data: &[u8]) {
    checks::talk::check(data);
}
