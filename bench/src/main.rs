//! Measures dep-preflight beside what people use in its place. scripts/bench builds and calls
//! it; the sections below are in the order of BENCHMARKS.md.

mod action;
mod authority;
mod client;
mod counts;
mod figures;
mod history;
mod hostile;
mod many;
mod overshoot;
mod process;
mod record;
mod server;
mod sizes;
mod start;
mod sys;

// Of the test kit, what has no need of the rest of it.
#[allow(dead_code, reason = "the suites use more of it")]
#[path = "../../tests/kit/action_yml.rs"]
mod action_yml;
#[allow(dead_code, reason = "the suites use more of it")]
#[path = "../../tests/kit/certificates.rs"]
mod certificates;
#[path = "../../tests/kit/environment.rs"]
mod environment;
#[path = "../../tests/kit/outputs.rs"]
mod outputs;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

type Section = (&'static str, &'static str, fn(&Options) -> Result<String>);

const SECTIONS: [Section; 7] = [
    ("start", "Start to exit, one target", start::section),
    ("many", "Many targets, 200 ms each", many::section),
    (
        "overshoot",
        "Overshoot of a deadline of 3 s",
        overshoot::section,
    ),
    ("hostile", "Hostile input of 1 MiB", hostile::section),
    ("counts", "Instructions of a start", counts::section),
    ("sizes", "Size", sizes::section),
    (
        "history",
        "Red steps that another run has seen",
        history::section,
    ),
];

/// What scripts/bench says.
#[derive(Default)]
pub struct Options {
    /// The repository.
    root: PathBuf,
    /// The binary to measure.
    binary: PathBuf,
    /// The same with its symbols, to be profiled.
    profile: Option<PathBuf>,
    /// Where files may be left.
    work: PathBuf,
    wait_on: Option<PathBuf>,
    wait_for_it: Option<PathBuf>,
    /// Date and versions, for the record.
    seen: String,
    quick: bool,
    record: bool,
    sections: Vec<String>,
    /// All of the above, as it was said.
    args: Vec<String>,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self {
            args: args.to_vec(),
            ..Self::default()
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            match arg.as_str() {
                "--root" => options.root = value()?.into(),
                "--binary" => options.binary = value()?.into(),
                "--profile" => options.profile = Some(value()?.into()),
                "--work" => options.work = value()?.into(),
                "--wait-on" => options.wait_on = Some(value()?.into()),
                "--wait-for-it" => options.wait_for_it = Some(value()?.into()),
                "--seen" => options.seen.clone_from(value()?),
                "--quick" => options.quick = true,
                "--record" => options.record = true,
                name if SECTIONS.iter().any(|(section, ..)| *section == name) => {
                    options.sections.push(name.to_owned());
                }
                other => return Err(format!("what is {other}?").into()),
            }
        }
        fs::create_dir_all(&options.work)?;
        Ok(options)
    }

    /// How often something is run.
    fn count(&self, usual: usize, quick: usize) -> usize {
        if self.quick { quick } else { usual }
    }

    fn wants(&self, section: &str) -> bool {
        self.sections.is_empty() || self.sections.iter().any(|one| one == section)
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.split_first() {
        Some((command, rest)) if command == "serve" => server::serve(rest),
        Some((command, rest)) if command == "ask" => client::ask(rest),
        Some((command, rest)) if command == "isolated" => {
            Options::parse(rest).and_then(|options| overshoot::isolated(&options))
        }
        _ => Options::parse(&args).and_then(|options| bench(&options)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("preflight-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench(options: &Options) -> Result<()> {
    let machine = machine(options);
    for (name, title, section) in SECTIONS {
        if !options.wants(name) {
            continue;
        }
        eprintln!("measuring: {title}");
        let tables = format!("{}\n{machine}", section(options)?);
        println!("## {title}\n\n{tables}");
        if options.record {
            record::write(options, name, title, &tables)?;
        }
    }
    Ok(())
}

/// Where the figures were seen, in one line.
fn machine(options: &Options) -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .and_then(|rest| rest.split_once(": "))
        .map_or("unknown CPU", |(_, name)| name.trim());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let memory = read("/proc/meminfo")
        .split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse::<u64>().ok())
        .map_or(0, |kib| kib.div_ceil(1024 * 1024));
    format!(
        "Seen on: {model}, {cores} cores, {memory} GiB, Linux {}; {}{}.\n",
        kernel.trim(),
        options.seen,
        if options.quick { "; a quick run" } else { "" },
    )
}
