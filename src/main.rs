//! The binary: collects what surrounds it and hands over to the library.

use std::process::ExitCode;

use dep_preflight::{Start, supervise};

/// In place of musl's own allocator (Cargo.toml has the reason).
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    let start = Start::now();
    supervise(start.instant, move |watchdog| {
        let args = std::env::args_os().skip(1).collect();
        let vars = std::env::vars_os().collect();
        dep_preflight::run(start, args, vars, watchdog)
    })
}
