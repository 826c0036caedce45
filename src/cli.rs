//! The command line: the same inputs by the same names.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::inputs::RawInputs;
use crate::inputs::options::{self, InputOption};
use crate::inputs::origin::Origin;
use crate::nearest::nearest;
use crate::text;

const ABOUT: &str = "Asks every service that an e2e run depends on whether it can be reached";
const AFTER_HELP: &str = "\
Every option can be given as an environment variable too: PREFLIGHT_TIMEOUT for --timeout.
Any HTTP answer below 500 means reachable, 401 included. No credential is ever sent.
Exit codes: 0 up, 70 down, 75 unknown (the runner's own network), 78 bad configuration, 1 internal failure.";

/// The arguments that are not inputs.
const URLS: &str = "urls";
const JSON: &str = "json";
const VERSION: &str = "version";
const DEMO: &str = "demo";

/// What the command line asks for.
#[derive(Debug)]
pub enum Request {
    /// Probe.
    Probe {
        /// The options.
        inputs: RawInputs,
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
pub fn parse(args: Vec<OsString>) -> Request {
    // The action passes no argument; that way costs nothing.
    if args.is_empty() {
        return Request::Probe {
            inputs: RawInputs::default(),
            urls: Vec::new(),
        };
    }
    let named = std::iter::once(OsString::from(env!("CARGO_PKG_NAME"))).chain(args);
    match command().try_get_matches_from(named) {
        Ok(matches) => request(&matches),
        Err(error) if !error.use_stderr() => {
            Request::Print(error.to_string().trim_end().to_owned())
        }
        Err(error) => Request::Wrong(wrong(&error)),
    }
}

fn command() -> Command {
    let flag = |name, help| {
        Arg::new(name)
            .long(name)
            .action(ArgAction::SetTrue)
            .help(help)
    };
    Command::new(env!("CARGO_PKG_NAME"))
        .about(ABOUT)
        .after_help(AFTER_HELP)
        .disable_version_flag(true)
        .args_conflicts_with_subcommands(true)
        .subcommand(
            Command::new(DEMO)
                .about("Start five services on this machine, ask them, and show what a user would see"),
        )
        .arg(
            Arg::new(URLS)
                .value_name("URL")
                .num_args(0..)
                .help("Addresses to ask; several on one host are numbered"),
        )
        .args(options::inputs().map(argument))
        .arg(
            flag(JSON, "Write the JSON report to standard output and the log to standard error: `--report-file -`")
                .conflicts_with("report-file"),
        )
        .arg(
            flag(VERSION, "Print the version and a digest of the sources it was built from").short('V'),
        )
}

fn argument(option: &'static InputOption) -> Arg {
    // The token's default is an expression, and the forge's alone.
    let help = if option.default.is_empty() || option.default.starts_with("${{") {
        option.help.to_owned()
    } else {
        format!("{} (default: {})", option.help, option.default)
    };
    Arg::new(option.name)
        .long(option.name)
        .value_name(option.value)
        .help(help)
}

fn request(matches: &ArgMatches) -> Request {
    if matches.get_flag(VERSION) {
        return Request::Print(version());
    }
    if matches.subcommand_name() == Some(DEMO) {
        return Request::Demo;
    }
    let mut inputs = RawInputs::default();
    for option in options::inputs() {
        if let Some(text) = matches.get_one::<String>(option.name) {
            inputs.give(option, text, Origin::CommandLine(option.name));
        } else if option.name == "report-file" && matches.get_flag(JSON) {
            inputs.give(option, "-", Origin::CommandLine(JSON));
        }
    }
    let urls = matches.get_many(URLS).into_iter().flatten().cloned();
    Request::Probe {
        inputs,
        urls: urls.collect(),
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
    let options = options::inputs()
        .map(|input| input.name)
        .chain([JSON, "help", VERSION]);
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
fn version() -> String {
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
            assert_eq!(inputs.text("report-file"), Some("-"));
        }
        assert!(refused(&["--json", "--report-file", "x"]).contains("--report-file"));
    }
}
