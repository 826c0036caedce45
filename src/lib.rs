//! dep-preflight: can every service that an e2e run depends on be reached?
//!
//! The way of the data, which is the order of the modules below:
//!
//! ```text
//! environment, command line, config file
//!   → inputs → targets → probe (run: schedule, retry) → verdict (control) → report → exit
//! ```
//!
//! Only `screen` writes to standard output and standard error. Only `probe` and
//! `forge::api` send anything, through `net`.

mod cli;
mod durations;
mod environment;
mod inputs;

mod target;

mod net;
mod probe;
mod protocol;
mod record;

mod verdict;

mod forge;
mod report;

mod run;

mod address;
mod demo;
mod exit;
mod file;
mod nearest;
mod screen;
mod text;
mod timestamp;

pub mod facade;

use std::ffi::OsString;

use cli::Request;
use durations::DEADLINE;
use forge::Job;
use inputs::resolve::Surroundings;
use inputs::{RawInputs, ReportTo, resolve};
pub use report::model::Start;
use report::{Failure, Sinks};
use run::watchdog::Watchdog;
pub use run::watchdog::run as supervise;
use screen::{Screen, Stream};

/// Runs the whole tool and returns the exit status of the process.
pub fn run(
    start: Start,
    args: Vec<OsString>,
    vars: Vec<(OsString, OsString)>,
    watchdog: &Watchdog,
) -> u8 {
    let job = Job::from_env(&vars);
    let from_env = RawInputs::from_env(&vars);
    drop(vars);
    run::signals::survive_file_size_limit();
    let json = args.iter().any(|arg| arg == "--json");
    let request = cli::parse(args);
    let screen = Screen::open(job.in_ci, log_stream(&request, &from_env, json));
    let sinks = Sinks {
        outputs: job.outputs.clone(),
        summary: job.summary.clone(),
        ..Sinks::log(screen, job.in_ci, watchdog.claim())
    };
    watchdog.report_to(&sinks);
    let latest = start.instant + DEADLINE;
    let (cli, urls) = match request {
        Request::Print(text) => {
            text.lines().for_each(|line| sinks.screen.line(line));
            sinks.screen.close(false, latest);
            return 0;
        }
        Request::Demo => return demo::run(start, &sinks),
        Request::Wrong(reason) => return sinks.failed(&Failure::invalid(&[reason], 0), latest),
        Request::Probe { inputs, urls } => (inputs, urls),
    };
    let from_env = if urls.is_empty() {
        from_env
    } else {
        from_env.without_source()
    };
    let surroundings = Surroundings {
        api: job.api.as_ref().ok().cloned(),
        by_hand: !job.in_job,
        now: start.time,
    };
    let raw = cli.or(from_env);
    // Before a file is read that may be a pipe nobody writes. A config file may have another
    // deadline; that it can be read within this one is as much as can be asked.
    let known = raw.text("deadline").map(inputs::values::deadline);
    if let Some(Ok(deadline)) = known {
        watchdog.deadline(start.instant + deadline);
    }
    watchdog.waits_for(files_to_read(&raw));
    let resolved = resolve(raw, &urls, surroundings);
    watchdog.waits_for(None);
    match resolved {
        Ok(inputs) => run::run(start, inputs, &job, sinks, watchdog),
        Err(problems) => {
            let lines: Vec<_> = problems.kept.iter().map(ToString::to_string).collect();
            sinks.failed(&Failure::invalid(&lines, problems.more), latest)
        }
    }
}

/// The files that inputs name, in words, if there are any.
fn files_to_read(raw: &RawInputs) -> Option<String> {
    let files: Vec<_> = ["config", "ca-certificates"]
        .into_iter()
        .filter_map(|input| {
            let path = text::show_value(raw.text(input)?);
            Some(format!("{input} (\"{path}\")"))
        })
        .collect();
    (!files.is_empty()).then(|| files.join(" and "))
}

/// Where the log goes: not where the report is wanted. A command line that makes no sense may
/// have asked for `json` all the same, and somebody reads on.
fn log_stream(request: &Request, from_env: &RawInputs, json: bool) -> Stream {
    let wanted = match request {
        Request::Probe { inputs, .. } => inputs
            .text("report-file")
            .or_else(|| from_env.text("report-file")),
        Request::Wrong(_) if json => return Stream::Err,
        Request::Wrong(_) => from_env.text("report-file"),
        Request::Demo | Request::Print(_) => None,
    };
    match wanted.map(ReportTo::named) {
        Some(ReportTo::Stdout) => Stream::Err,
        _ => Stream::Out,
    }
}
