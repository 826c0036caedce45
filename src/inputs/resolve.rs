//! From what was typed to what is meant: merges the sources, applies defaults, collects every
//! problem.

use std::collections::{HashMap, HashSet};
use std::time::SystemTime;

use reqwest::Url;

use super::config_file;
use super::options::Meaning;
use super::origin::{Origin, Place};
use super::problem::Problems;
use super::raw::{Given, RawInputs};
use super::targets::{self, TargetOptions};
use super::yaml::{self, Node};
use super::{Inputs, ReportTo, values};
use crate::target::Target;

/// The longest name of a target, in characters.
const NAME: usize = 64;

/// What the surroundings contribute.
#[derive(Debug)]
pub struct Surroundings {
    /// The forge's API, the default of `control`.
    pub api: Option<Url>,
    /// Whether a person called, who can be pointed to `--help`.
    pub by_hand: bool,
    /// When the run began.
    pub now: SystemTime,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            api: None,
            by_hand: false,
            now: SystemTime::UNIX_EPOCH,
        }
    }
}

/// Merges and checks everything. `raw` holds the command line's options over the
/// environment's; `urls` are the addresses given as arguments.
pub fn resolve(
    raw: RawInputs,
    urls: &[String],
    surroundings: Surroundings,
) -> Result<Inputs, Problems> {
    let now = surroundings.now;
    let mut problems = Problems::default();
    for given in raw.iter() {
        // The mark of bytes that were no text. Nothing is guessed from what is left.
        if given.text.contains('\u{fffd}') {
            problems.general(&given.place(), "is not UTF-8 text");
        }
    }
    let config = raw
        .get("config")
        .and_then(|given| config_file::read(given, &mut problems));
    let (raw, configured) = match config {
        Some(config) => (raw.or(config.options), config.targets),
        None => (raw, None),
    };
    let mut inputs = Inputs {
        control: surroundings.api,
        ..Inputs::default()
    };
    let mut defaults = TargetOptions::default();
    for given in raw.iter() {
        let text = given.text.as_str();
        let parsed = match given.option.meaning {
            Meaning::Run(set) => set(&mut inputs, text),
            Meaning::Target(set) if given.option.places.file => set(&mut defaults, text),
            // What to ask.
            Meaning::Target(_) | Meaning::Source | Meaning::Headers | Meaning::Known => continue,
        };
        problems.take_value(&given.place(), text, parsed);
    }
    check_source(&raw, urls, surroundings.by_hand, &mut problems);
    inputs.targets = single(&raw, urls, &defaults, &mut problems);
    if let Some(given) = raw.get("targets") {
        let parsed = yaml::parse(&given.text).map_err(|why| problems.general(&given.place(), why));
        if let Ok(node) = parsed {
            let origin = Origin::document(&given.origin.to_string());
            read_mapping(&node, &origin, &defaults, now, &mut inputs, &mut problems);
        }
    }
    if let Some((node, origin)) = configured {
        read_mapping(&node, &origin, &defaults, now, &mut inputs, &mut problems);
    }
    if let Some(given) = raw.get("report-file") {
        check_writable(given, &mut inputs, &mut problems);
    }
    if problems.is_empty() {
        Ok(inputs)
    } else {
        Err(problems)
    }
}

/// Exactly one thing says what to ask.
fn check_source(raw: &RawInputs, urls: &[String], by_hand: bool, problems: &mut Problems) {
    let arguments = (!urls.is_empty()).then_some(("addresses", Origin::Argument));
    let options = ["url", "targets", "config"]
        .into_iter()
        .filter_map(|name| Some((name, raw.get(name)?.origin.clone())));
    let sources: Vec<_> = arguments.into_iter().chain(options).collect();
    let nowhere = Place::of("url", &Origin::Unknown);
    match sources.as_slice() {
        [] if by_hand => problems.general(
            &nowhere,
            "nothing to probe; give an address, or --config and a file; --help shows everything",
        ),
        [] => problems.general(
            &nowhere,
            "nothing to probe; give exactly one of url, targets and config",
        ),
        [_] => {}
        [(first, origin), ..] => {
            let names: Vec<_> = sources.iter().map(|(name, _)| *name).collect();
            problems.general(
                &Place::of(first, origin),
                format!(
                    "{} are given; give exactly one of them",
                    names.join(" and ")
                ),
            );
        }
    }
    if let Some(name) = raw.get("name")
        && raw.get("url").is_none()
        && urls.len() != 1
    {
        problems.general(
            &name.place(),
            "names a single target; it goes with url alone",
        );
    }
}

/// The targets that are given by their addresses alone.
fn single(
    raw: &RawInputs,
    urls: &[String],
    defaults: &TargetOptions,
    problems: &mut Problems,
) -> Vec<Target> {
    let name = raw
        .get("name")
        .and_then(|given| problems.take(&given.place(), &given.text, values::name(&given.text)));
    let url = raw.get("url");
    let url = url.map(|given| (given.place(), given.text.as_str()));
    let arguments = urls
        .iter()
        .map(|url| (Place::of("url", &Origin::Argument), url.as_str()));
    let mut targets = Vec::new();
    for (place, text) in url.into_iter().chain(arguments) {
        if let Some(address) = problems.take_address(&place, text) {
            let name = name
                .clone()
                .unwrap_or_else(|| values::name_of(address.host()));
            targets.push(defaults.clone().target(name, address));
        }
    }
    number(&mut targets);
    targets
}

fn read_mapping(
    node: &Node,
    origin: &Origin,
    defaults: &TargetOptions,
    now: SystemTime,
    inputs: &mut Inputs,
    problems: &mut Problems,
) {
    let place = Place::of("targets", origin);
    let targets = targets::read(node, &place, defaults, now, problems);
    inputs.targets.extend(targets);
}

/// Several addresses on one host get the host's name and a number: `h`, `h-2`, `h-3`.
fn number(targets: &mut [Target]) {
    let mut taken = HashSet::new();
    let mut numbers: HashMap<String, u32> = HashMap::new();
    for target in targets {
        if taken.insert(target.name.clone()) {
            continue;
        }
        let number = numbers.entry(target.name.clone()).or_insert(1);
        let host = target.name.clone();
        while !taken.insert(target.name.clone()) {
            *number += 1;
            let end = format!("-{number}");
            target.name = host.chars().take(NAME - end.len()).collect::<String>() + &end;
        }
    }
}

/// Opens the report file as it will be written later, and leaves its content alone. To be called
/// last: it may leave a file behind, which is taken back where nothing will be written.
fn check_writable(given: &Given, inputs: &mut Inputs, problems: &mut Problems) {
    let Some(ReportTo::File(path)) = &inputs.report_file else {
        return;
    };
    // A link that leads nowhere is there, too.
    let existed = path.symlink_metadata().is_ok();
    match crate::file::check(path) {
        Ok(pipe) => inputs.report_pipe = pipe,
        Err(error) => problems.value(
            &given.place(),
            &given.text,
            format!("cannot be written: {error}"),
        ),
    }
    if !existed && !problems.is_empty() {
        // It is gone already where it could not be made.
        let _ = std::fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests;
