//! How a run ended, in every form that the outside sees: word, exit code, commit state.
//!
//! This is the one table of exit codes; README and `action.yml` are tested against it.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

/// The result of the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunResult {
    /// Every required target can be reached.
    Up,
    /// At least one required target cannot be reached.
    Down,
    /// Something could not be reached, and it may be the runner's own fault.
    Unknown,
    /// The configuration is wrong; nothing was probed.
    Invalid,
    /// The tool itself failed, or it was interrupted.
    Error,
}

impl RunResult {
    /// All results, in the order of the table in the README.
    pub const ALL: [Self; 5] = [
        Self::Up,
        Self::Down,
        Self::Unknown,
        Self::Invalid,
        Self::Error,
    ];

    /// The value of the output `result`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Unknown => "unknown",
            Self::Invalid => "invalid",
            Self::Error => "error",
        }
    }

    /// The exit code, after sysexits.h where it has a fitting one: 75 is `EX_TEMPFAIL`, 78 is
    /// `EX_CONFIG`. 70 is one that test runners do not end in.
    pub const fn code(self) -> u8 {
        match self {
            Self::Up => 0,
            Self::Down => 70,
            Self::Unknown => 75,
            Self::Invalid => 78,
            Self::Error => 1,
        }
    }

    /// The state of the commit status, or `None` where none is posted.
    pub const fn commit_state(self) -> Option<&'static str> {
        match self {
            Self::Up => Some("success"),
            Self::Down => Some("failure"),
            Self::Unknown | Self::Error => Some("error"),
            Self::Invalid => None,
        }
    }
}

impl Serialize for RunResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A signal that asks the run to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// Ctrl-C, or a cancelled job.
    Sigint,
    /// A cancelled job's second warning.
    Sigterm,
    /// The terminal or the connection that it was started from is gone.
    Sighup,
}

impl Interrupt {
    /// The exit code by the shell's rule, 128 and the signal's number; that of a termination
    /// for a hangup, which asks for the same.
    pub const fn code(self) -> u8 {
        match self {
            Self::Sigint => 130,
            Self::Sigterm | Self::Sighup => 143,
        }
    }

    /// The signal's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sigint => "SIGINT",
            Self::Sigterm => "SIGTERM",
            Self::Sighup => "SIGHUP",
        }
    }
}

/// How the run ended: what was found, and what the process says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// What was found.
    pub result: RunResult,
    /// The signal that ended it early, if one did.
    pub interrupt: Option<Interrupt>,
}

impl Exit {
    /// An end without interruption.
    pub const fn of(result: RunResult) -> Self {
        Self {
            result,
            interrupt: None,
        }
    }

    /// The value of the output `exit-code`.
    pub const fn code(self) -> u8 {
        match self.interrupt {
            Some(interrupt) => interrupt.code(),
            None => self.result.code(),
        }
    }

    /// The exit status of the process: with `fail-on-down: false`, down and unknown do not
    /// fail the step. Everything else still does.
    pub const fn status(self, fail_on_down: bool) -> u8 {
        match self.result {
            RunResult::Down | RunResult::Unknown if !fail_on_down => 0,
            _ => self.code(),
        }
    }
}

/// `result` and `exit_code`, as they stand in the report.
impl Serialize for Exit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Exit", 2)?;
        fields.serialize_field("result", &self.result)?;
        fields.serialize_field("exit_code", &self.code())?;
        fields.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fail_on_down_spares_only_down_and_unknown() {
        let spared: Vec<_> = RunResult::ALL
            .into_iter()
            .filter(|result| {
                Exit::of(*result).status(false) == 0 && Exit::of(*result).status(true) != 0
            })
            .collect();
        assert_eq!(spared, [RunResult::Down, RunResult::Unknown]);
    }

    #[test]
    fn an_interrupt_has_the_last_word() {
        let exit = Exit {
            result: RunResult::Error,
            interrupt: Some(Interrupt::Sigterm),
        };
        assert_eq!((exit.code(), exit.status(false)), (143, 143));
    }
}
