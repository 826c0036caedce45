use std::ops::RangeInclusive;

use serde_json::{Value, json};

use crate::lab::Lab;
use crate::run::Run;

/// A case, and what must come of it.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) play: fn(&Lab) -> Run,
    verdict: &'static str,
    cause: &'static str,
    exit: i32,
    millis: RangeInclusive<u64>,
    seen: Option<&'static str>,
}

impl Row {
    /// The step ends in this result, by this cause, with this exit code.
    pub(crate) const fn ends(
        name: &'static str,
        verdict: &'static str,
        cause: &'static str,
        exit: i32,
        play: fn(&Lab) -> Run,
    ) -> Self {
        Self {
            name,
            play,
            verdict,
            cause,
            exit,
            millis: 0..=4000,
            seen: None,
        }
    }

    pub(crate) const fn up(name: &'static str, play: fn(&Lab) -> Run) -> Self {
        Self::ends(name, "up", "", 0, play)
    }

    pub(crate) const fn down(
        name: &'static str,
        cause: &'static str,
        play: fn(&Lab) -> Run,
    ) -> Self {
        Self::ends(name, "down", cause, 70, play)
    }

    pub(crate) const fn unknown(
        name: &'static str,
        cause: &'static str,
        play: fn(&Lab) -> Run,
    ) -> Self {
        Self::ends(name, "unknown", cause, 75, play)
    }

    /// How long it takes, in milliseconds.
    pub(crate) const fn within(mut self, millis: RangeInclusive<u64>) -> Self {
        self.millis = millis;
        self
    }

    /// Who came: for each server its name, connections and requests, as in `dep 3/3`; for a
    /// name server its questions by UDP and by TCP.
    pub(crate) const fn seen(mut self, seen: &'static str) -> Self {
        self.seen = Some(seen);
        self
    }

    /// The most that it may take; long rows are played first.
    pub(crate) const fn most(&self) -> u64 {
        *self.millis.end()
    }

    /// The row as it went, with what is wrong about it.
    pub(crate) fn judge(&self, run: &Run, seen: &str) -> Value {
        let result = run.output("result");
        let cause = run.output("cause");
        let millis = u64::try_from(run.took.as_millis()).unwrap_or(u64::MAX);
        let mut wrong = run.problems();
        let mut check = |what: &str, got: String, wanted: String| {
            if got != wanted {
                wrong.push(format!("{what} is '{got}', should be '{wanted}'"));
            }
        };
        check("verdict", result.clone(), self.verdict.to_owned());
        check("cause", cause.clone(), self.cause.to_owned());
        check("exit code", run.exit(), self.exit.to_string());
        if let Some(wanted) = self.seen {
            check("seen", seen.to_owned(), wanted.to_owned());
        }
        if !self.millis.contains(&millis) {
            wrong.push(format!("took {millis} ms, should be {:?}", self.millis));
        }
        json!({
            "verdict": result, "cause": cause, "exit": run.exit(), "millis": millis,
            "seen": seen, "wrong": wrong, "log": run.to_string(),
        })
    }
}
