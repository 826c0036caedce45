//! The command line: the same inputs by the same names.

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::inputs::RawInputs;

/// Asks every service that an e2e run depends on whether it can be reached.
#[derive(Debug, Parser)]
#[command(
    name = "dep-preflight",
    disable_version_flag = true,
    args_conflicts_with_subcommands = true,
    after_help = "Every option can be given as an environment variable too: PREFLIGHT_TIMEOUT for --timeout.\n\
Any HTTP answer below 500 means reachable, 401 included. No credential is ever sent.\n\
Exit codes: 0 up, 70 down, 75 unknown (the runner's own network), 78 bad configuration, 1 internal failure."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Addresses to ask; several on one host are numbered
    #[arg(value_name = "URL")]
    urls: Vec<String>,
    #[command(flatten)]
    inputs: RawInputs,
    /// Print the version and a digest of the sources it was built from
    #[arg(short = 'V', long)]
    version: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start five services on this machine, ask them, and show what a user would see
    Demo,
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Request {
    /// Probe.
    Probe {
        /// The options.
        inputs: Box<RawInputs>,
        /// The addresses.
        urls: Vec<String>,
    },
    /// Show off.
    Demo,
    /// Print this and stop.
    Print(String),
    /// The command line makes no sense, for this reason.
    Wrong(String),
}

/// Reads the arguments, the program's name not among them.
#[must_use]
pub fn parse(args: Vec<OsString>) -> Request {
    // The action passes no argument; that way costs nothing.
    if args.is_empty() {
        return Request::Probe {
            inputs: Box::default(),
            urls: Vec::new(),
        };
    }
    let named = std::iter::once(OsString::from(env!("CARGO_PKG_NAME"))).chain(args);
    let parsed = Cli::command()
        .try_get_matches_from(named)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(Cli { version: true, .. }) => Request::Print(version()),
        Ok(Cli {
            command: Some(Command::Demo),
            ..
        }) => Request::Demo,
        Ok(cli) => Request::Probe {
            inputs: Box::new(non_empty(cli.inputs)),
            urls: cli.urls,
        },
        Err(error) if !error.use_stderr() => {
            Request::Print(error.to_string().trim_end().to_owned())
        }
        Err(error) => Request::Wrong(error.to_string()),
    }
}

/// An empty option is one that was not given, as in the environment.
fn non_empty(mut inputs: RawInputs) -> RawInputs {
    for (_, field) in inputs.fields() {
        if field.as_deref().is_some_and(|text| text.trim().is_empty()) {
            *field = None;
        }
    }
    inputs
}

/// `dep-preflight 0.1.0 (sources 0123456789abcdef)`.
#[must_use]
pub fn version() -> String {
    format!(
        "{} {} (sources {})",
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_VERSION"),
        env!("DEP_PREFLIGHT_SOURCE_DIGEST")
    )
}
