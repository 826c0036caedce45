//! dep-preflight: can every service that an e2e run depends on be reached?
//!
//! The way of the data, which is the order of the modules below:
//!
//! ```text
//! environment, command line, config file
//!   → inputs → targets → probe (schedule, waiting) → verdict (control) → report → exit
//! ```
//!
//! Only [`screen`] writes to standard output. Only [`probe`] and [`report::commit_status`]
//! send anything, through [`net`].

pub mod cli;
mod environment;
pub mod inputs;

pub mod target;

pub mod net;
pub mod probe;
pub mod schedule;
pub mod signals;
pub mod waiting;
pub mod waiting_room;

pub mod control;
pub mod verdict;

pub mod forge;
pub mod report;
pub mod screen;
pub mod text;

pub mod demo;
pub mod exit;
pub mod step;
pub mod supervisor;

use std::ffi::OsString;
use std::path::PathBuf;

use cli::Request;
use exit::{Exit, RunResult};
use forge::RunnerEnv;
use inputs::resolve::{DEADLINE, Surroundings};
use inputs::{RawInputs, resolve};
use report::model::Start;
use screen::{Screen, Tone};
use supervisor::Supervisor;

/// Runs the whole tool and returns the exit status of the process.
pub fn run(
    start: Start,
    args: Vec<OsString>,
    vars: Vec<(OsString, OsString)>,
    supervisor: &Supervisor,
) -> u8 {
    let env = RunnerEnv::from_env(vars.clone());
    let screen = Screen::open(env.in_ci());
    let outputs = env.github_output.as_ref().map(PathBuf::from);
    supervisor.report_to(&screen, outputs);
    let (cli, urls) = match cli::parse(args) {
        Request::Print(text) => {
            text.lines().for_each(|line| screen.line(line));
            screen.close(false, start.instant + DEADLINE);
            return 0;
        }
        Request::Demo => return demo::run(start, &screen, supervisor),
        Request::Wrong(reason) => return refuse(start, &env, &screen, &reason_lines(&reason)),
        Request::Probe { inputs, urls } => (*inputs, urls),
    };
    let mut from_env = RawInputs::from_env(vars);
    if !urls.is_empty() {
        from_env = from_env.without_source();
    }
    let surroundings = Surroundings {
        api_url: env.github_api_url.clone(),
    };
    let raw = cli.or(from_env);
    // Before a file is read that may be a pipe nobody writes. A config file may have another
    // deadline; that it can be read within this one is as much as can be asked.
    let known = raw.deadline.as_deref().map(inputs::values::deadline);
    if let Some(Ok(deadline)) = known {
        supervisor.deadline(start.instant + deadline);
    }
    match resolve(raw, &urls, &surroundings) {
        Ok(inputs) => step::run(start, inputs, &env, &screen, supervisor),
        Err(problems) => {
            let lines: Vec<_> = problems.0.iter().map(ToString::to_string).collect();
            refuse(start, &env, &screen, &lines)
        }
    }
}

/// The problems of a command line that cannot be parsed, without clap's decoration.
fn reason_lines(reason: &str) -> Vec<String> {
    let first = reason.lines().next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    vec![format!("{}; see --help", text::show_value(first))]
}

/// A configuration that cannot be used: nothing is probed and nothing is sent.
fn refuse(start: Start, env: &RunnerEnv, screen: &Screen, problems: &[String]) -> u8 {
    let exit = Exit::of(RunResult::Invalid);
    for line in report::log::invalid(problems) {
        screen.toned(line, Tone::Bad);
    }
    let message = format!("invalid configuration: {}", problems.join("; "));
    if step::annotates(env) {
        screen.line(report::annotations::invalid(&problems.join("; ")));
    }
    if let Some(path) = env.github_output.as_ref().map(PathBuf::from)
        && let Err(error) = report::outputs::write(&path, &report::outputs::failed(exit, &message))
    {
        let why = format!("the outputs cannot be written: {error}");
        screen.line(report::annotations::internal(&why));
    }
    screen.close(true, start.instant + DEADLINE);
    exit.code()
}
