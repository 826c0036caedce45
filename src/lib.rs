//! dep-preflight: can every service that an e2e run depends on be reached?
//!
//! The way of the data, which is the order of the modules below:
//!
//! ```text
//! environment, command line, config file
//!   → inputs → targets → probe (run: schedule, retry) → verdict (control) → report → exit
//! ```
//!
//! Only [`screen`] writes to standard output and standard error. Only [`probe`] and
//! [`report::commit_status`] send anything, through [`net`].

mod cli;
mod durations;
mod environment;
mod inputs;

mod target;

mod net;
mod probe;
mod record;

mod verdict;

mod forge;
mod report;

mod run;

mod demo;
mod exit;
mod file;
mod screen;
mod secret;
mod text;

pub mod facade;

use std::ffi::OsString;
use std::path::PathBuf;

use cli::Request;
use durations::DEADLINE;
use exit::{Exit, RunResult};
use forge::RunnerEnv;
use inputs::resolve::Surroundings;
use inputs::{RawInputs, ReportTo, resolve};
pub use report::model::Start;
use run::watchdog::Watchdog;
pub use run::watchdog::run as supervise;
use screen::{Screen, Stream, Tone};

/// Runs the whole tool and returns the exit status of the process.
pub fn run(
    start: Start,
    args: Vec<OsString>,
    vars: Vec<(OsString, OsString)>,
    watchdog: &Watchdog,
) -> u8 {
    let env = RunnerEnv::from_env(vars.clone());
    let from_env = RawInputs::from_env(vars);
    run::signals::survive_file_size_limit();
    let json = args.iter().any(|arg| arg == "--json");
    let request = cli::parse(args);
    let screen = Screen::open(env.in_ci(), log_stream(&request, &from_env, json));
    let outputs = env.github_output.as_ref().map(PathBuf::from);
    watchdog.report_to(&screen, outputs);
    let (cli, urls) = match request {
        Request::Print(text) => {
            text.lines().for_each(|line| screen.line(line));
            screen.close(false, start.instant + DEADLINE);
            return 0;
        }
        Request::Demo => return demo::run(start, &screen, watchdog),
        Request::Wrong(reason) => {
            return refuse(start, &env, &screen, watchdog, &[reason], 0);
        }
        Request::Probe { inputs, urls } => (*inputs, urls),
    };
    let from_env = if urls.is_empty() {
        from_env
    } else {
        from_env.without_source()
    };
    let surroundings = Surroundings {
        api_url: env.github_api_url.clone(),
        by_hand: !env.in_job(),
    };
    let raw = cli.or(from_env);
    // Before a file is read that may be a pipe nobody writes. A config file may have another
    // deadline; that it can be read within this one is as much as can be asked.
    let known = raw.deadline.as_deref().map(inputs::values::deadline);
    if let Some(Ok(deadline)) = known {
        watchdog.deadline(start.instant + deadline);
    }
    watchdog.waits_for(files_to_read(&raw));
    let resolved = resolve(raw, &urls, &surroundings);
    watchdog.waits_for(None);
    match resolved {
        Ok(inputs) => run::run(start, inputs, &env, &screen, watchdog),
        Err(problems) => {
            let lines: Vec<_> = problems.kept.iter().map(ToString::to_string).collect();
            refuse(start, &env, &screen, watchdog, &lines, problems.more)
        }
    }
}

/// The files that inputs name, in words, if there are any.
fn files_to_read(raw: &RawInputs) -> Option<String> {
    let named = [
        ("config", &raw.config),
        ("ca-certificates", &raw.ca_certificates),
    ];
    let files: Vec<_> = named
        .into_iter()
        .filter_map(|(input, path)| {
            let path = text::show_value(path.as_deref()?);
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
            .report_file
            .as_ref()
            .or(from_env.report_file.as_ref()),
        Request::Wrong(_) if json => return Stream::Err,
        Request::Wrong(_) => from_env.report_file.as_ref(),
        Request::Demo | Request::Print(_) => None,
    };
    match wanted.map(|path| ReportTo::named(path)) {
        Some(ReportTo::Stdout) => Stream::Err,
        _ => Stream::Out,
    }
}

/// A configuration that cannot be used: nothing is probed and nothing is sent.
fn refuse(
    start: Start,
    env: &RunnerEnv,
    screen: &Screen,
    watchdog: &Watchdog,
    problems: &[String],
    more: usize,
) -> u8 {
    let exit = Exit::of(RunResult::Invalid);
    watchdog.claim();
    for line in report::log::invalid(problems, more) {
        screen.toned(line, Tone::Bad);
    }
    let told = inputs::problem::in_one_line(problems, more);
    if run::annotates(env, screen) {
        screen.line(report::annotations::invalid(&told));
    }
    let message = format!("invalid configuration: {told}");
    watchdog.claim_outputs();
    if let Some(path) = env.github_output.as_ref().map(PathBuf::from)
        && let Err(error) = report::outputs::write(&path, &report::outputs::failed(exit, &message))
    {
        let why = format!("the outputs cannot be written: {error}");
        screen.line(report::annotations::internal(&why));
    }
    // All is written, and only a reader of the log can still hold the end up.
    watchdog.settle(exit.code());
    screen.close(true, start.instant + DEADLINE);
    exit.code()
}
