use std::ops::RangeInclusive;

use serde_json::{Value, json};

use crate::kit::run::Run;
use crate::lab::Lab;

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
        let (result, cause) = (run.output("result"), run.output("cause"));
        let exit = run
            .code
            .map_or("signal".to_owned(), |code| code.to_string());
        let took = run.ended_after_signal.unwrap_or(run.took);
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let mut wrong = Vec::new();
        let mut check = |what: &str, got: &str, wanted: &str| {
            if got != wanted {
                wrong.push(format!("{what} is '{got}', should be '{wanted}'"));
            }
        };
        check("verdict", result, self.verdict);
        check("cause", cause, self.cause);
        check("exit code", &exit, &self.exit.to_string());
        check("seen", seen, self.seen.unwrap_or(seen));
        check("standard error", &run.stderr, "");
        if let (false, Some(filed)) = (result.is_empty(), run.filed_report()["result"].as_str()) {
            check("the report's result", filed, result);
        }
        if !self.millis.contains(&millis) {
            wrong.push(format!("took {millis} ms, should be {:?}", self.millis));
        }
        json!({
            "verdict": result, "cause": cause, "exit": exit, "millis": millis,
            "seen": seen, "wrong": wrong, "log": run.to_string(),
        })
    }
}
