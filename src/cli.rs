//! The command line: the same inputs by the same names.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::inputs::nearest::nearest;
use crate::inputs::{INPUTS, RawInputs};
use crate::text;

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
    /// Write the JSON report to standard output and the log to standard error: `--report-file -`
    #[arg(long, conflicts_with = "report_file")]
    json: bool,
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
        Ok(mut cli) => {
            if cli.json {
                cli.inputs.report_file = Some("-".to_owned());
            }
            Request::Probe {
                // An empty option is one that was not given, as in the environment.
                inputs: Box::new(cli.inputs.trimmed()),
                urls: cli.urls,
            }
        }
        Err(error) if !error.use_stderr() => {
            Request::Print(error.to_string().trim_end().to_owned())
        }
        Err(error) => Request::Wrong(wrong(&error)),
    }
}

/// What is wrong with the arguments, in one line. Of a mistyped option no value is shown: it
/// may have been meant for `--token`.
fn wrong(error: &clap::Error) -> String {
    let argument = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => argument.as_str(),
        _ => "",
    };
    let why = match error.kind() {
        ErrorKind::UnknownArgument => unknown(argument),
        ErrorKind::TooManyValues => format!("{} takes no value", text::show_key(argument)),
        ErrorKind::InvalidSubcommand => "there is no such command; there is demo".to_owned(),
        _ => {
            let message = error.to_string();
            let first = message.lines().next().unwrap_or_default();
            text::show_value(first.strip_prefix("error: ").unwrap_or(first))
        }
    };
    format!("{why}; see --help")
}

fn unknown(argument: &str) -> String {
    let Some(option) = argument.strip_prefix("--") else {
        return format!("unexpected argument '{}'", text::show_key(argument));
    };
    let end = |ch: char| ch.is_whitespace() || "=:".contains(ch);
    let option = option.split(end).next().unwrap_or_default();
    let options = INPUTS
        .iter()
        .map(|input| input.name)
        .chain(["json", "help", "version"]);
    // An option that there is can still be out of place, behind a command.
    let meant = nearest(option, options)
        .filter(|meant| *meant != option)
        .map_or_else(String::new, |meant| format!("; did you mean --{meant}?"));
    format!(
        "unexpected argument '--{}'{meant}",
        text::show_value(option)
    )
}

/// `dep-preflight 0.1.0 (sources 0123456789abcdef)`.
#[must_use]
pub(crate) fn version() -> String {
    format!(
        "{} {} (sources {})",
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_VERSION"),
        env!("DEP_PREFLIGHT_SOURCE_DIGEST")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(args: &[&str]) -> String {
        match parse(args.iter().map(OsString::from).collect()) {
            Request::Wrong(why) => why,
            other => panic!("{args:?}: {other:?}"),
        }
    }

    #[test]
    fn an_unknown_option_offers_the_nearest_and_shows_no_value() {
        for (args, why) in [
            (
                &["--tiemout", "5s"][..],
                "unexpected argument '--tiemout'; did you mean --timeout?; see --help",
            ),
            (
                &["--tokne=SECRET"],
                "unexpected argument '--tokne'; did you mean --token?; see --help",
            ),
            (
                &["--tokne SECRET"],
                "unexpected argument '--tokne'; did you mean --token?; see --help",
            ),
            (
                &["--no-such-option"],
                "unexpected argument '--no-such-option'; see --help",
            ),
            (&["-x"], "unexpected argument '-x'; see --help"),
        ] {
            assert_eq!(refused(args), why, "{args:?}");
        }
        for args in [
            &["--version=SECRET"][..],
            &["--json=SECRET", "http://h"],
            &["-V=SECRET"],
            &["-tSECRET"],
            &["demo", "password=SECRET"],
            &["demo", "http://u:SECRET@h/?k=SECRET"],
            &["--url", "a", "--url", "SECRET"],
            &["--token"],
        ] {
            let why = refused(args);
            assert!(!why.contains("SECRET") && !why.contains('\n'), "{why}");
        }
    }

    #[test]
    fn json_is_the_report_on_standard_output() {
        for args in [["--json", "http://h"], ["--report-file=-", "http://h"]] {
            let Request::Probe { inputs, .. } = parse(args.map(OsString::from).to_vec()) else {
                panic!("{args:?}")
            };
            assert_eq!(inputs.report_file.as_deref(), Some("-"));
        }
        assert!(refused(&["--json", "--report-file", "x"]).contains("--report-file"));
    }
}
