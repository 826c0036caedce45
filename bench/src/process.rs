//! Runs one program and says what it cost.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;
use crate::sys;

/// No run takes longer than this.
const LIMIT: Duration = Duration::from_mins(1);

/// What one run cost, from before it was started until it was gone.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub wall: Duration,
    pub cpu: Duration,
    /// Peak of the resident memory, in bytes.
    pub memory: u64,
    pub status: i32,
}

/// Runs it. What it says goes to a file, as cheap to write to as a runner's pipe.
pub fn run(command: &mut Command, said: &Path) -> Result<Sample> {
    let file = File::create(said)?;
    command.stderr(file.try_clone()?).stdout(file);
    timed(command)
}

/// Runs it with the standard output that it has already.
pub fn timed(command: &mut Command) -> Result<Sample> {
    command.stdin(Stdio::null());
    let start = Instant::now();
    let child = command
        .spawn()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    let cost = sys::wait(child.id(), LIMIT)?;
    let wall = start.elapsed();
    let cost = cost.ok_or_else(|| {
        let program = command.get_program().display();
        format!("{program} was killed after {LIMIT:?}")
    })?;
    Ok(Sample {
        wall,
        cpu: cost.cpu,
        memory: cost.memory,
        status: cost.status,
    })
}

/// The same, for a program that must succeed.
pub fn expect_success(command: &mut Command, said: &Path) -> Result<Sample> {
    let sample = run(command, said)?;
    if sample.status == 0 {
        return Ok(sample);
    }
    let program = command.get_program().display();
    let text = std::fs::read_to_string(said).unwrap_or_default();
    let text: String = text.chars().take(2000).collect();
    Err(format!("{program} ended with {}: {text}", sample.status).into())
}
