//! From what was typed to what is meant: merges the doors, applies defaults, collects every
//! problem.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::Path;

use super::config_file::{read_certificates, read_config};
use super::problem::Problems;
use super::raw::RawInputs;
use super::targets::{self, Defaults};
use super::yaml::{self, Node};
use super::{Inputs, ReportTo, StatusInputs, values};
use crate::durations::DEADLINE;
use crate::secret::Token;
use crate::target::Target;
use crate::text;

/// The longest context that a forge takes, in characters.
const CONTEXT: usize = 255;

/// What the surroundings contribute to the defaults.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// The forge's API address, the default of `control`.
    pub api_url: Option<String>,
    /// Whether a person called, who can be pointed to `--help`.
    pub by_hand: bool,
}

/// Merges and checks everything. `raw` holds the command line's options over the
/// environment's; `urls` are the addresses given as arguments.
pub fn resolve(
    mut raw: RawInputs,
    urls: &[String],
    surroundings: &Surroundings,
) -> Result<Inputs, Problems> {
    let mut problems = Problems::default();
    raw = raw.trimmed();
    for (input, field) in raw.fields() {
        // The mark of bytes that were no text. Nothing is guessed from what is left.
        if field
            .as_deref()
            .is_some_and(|text| text.contains('\u{fffd}'))
        {
            problems.general(input, "is not UTF-8 text");
        }
    }
    let config = raw
        .config
        .as_deref()
        .and_then(|path| read_config(path, &mut problems));
    let (raw, config_targets) = match config {
        Some((file, node)) => (raw.or(file), Some(node)),
        None => (raw, None),
    };
    let defaults = read_defaults(&raw, &mut problems);
    check_source(&raw, urls, surroundings.by_hand, &mut problems);
    let targets = read_targets(&raw, urls, config_targets, &defaults, &mut problems);
    let mut inputs = Inputs {
        targets,
        deadline: read(
            raw.deadline.as_deref(),
            "deadline",
            values::deadline,
            &mut problems,
        )
        .unwrap_or(DEADLINE),
        control: read_control(&raw, surroundings, &mut problems),
        fail_on_down: read(
            raw.fail_on_down.as_deref(),
            "fail-on-down",
            values::boolean,
            &mut problems,
        )
        .unwrap_or(true),
        status: StatusInputs {
            post: read(
                raw.commit_status.as_deref(),
                "commit-status",
                values::boolean,
                &mut problems,
            )
            .unwrap_or(true),
            context: raw
                .status_context
                .as_deref()
                .map(|context| text::truncate(&text::sanitize(context, text::LONG), CONTEXT)),
            target_url: read(
                raw.target_url.as_deref(),
                "target-url",
                values::link,
                &mut problems,
            ),
            sha: read(raw.sha.as_deref(), "sha", values::sha, &mut problems),
            token: raw
                .token
                .as_deref()
                .map(|token| Token::new(token.to_owned())),
        },
        summary: read(
            raw.summary.as_deref(),
            "summary",
            values::boolean,
            &mut problems,
        )
        .unwrap_or(true),
        ca_certificates: raw
            .ca_certificates
            .as_deref()
            .and_then(|path| read_certificates(path, &mut problems)),
        report_file: raw.report_file.as_deref().map(ReportTo::named),
        report_pipe: None,
    };
    // Last, because it may leave a file behind, which is taken back where nothing will be written.
    if let Some(ReportTo::File(path)) = &inputs.report_file {
        // A link that leads nowhere is there, too.
        let existed = path.symlink_metadata().is_ok();
        inputs.report_pipe = check_writable(path, &mut problems);
        if !existed && !problems.is_empty() {
            // It is gone already where it could not be made.
            let _ = std::fs::remove_file(path);
        }
    }
    if problems.is_empty() {
        Ok(inputs)
    } else {
        Err(problems)
    }
}

fn read<T>(
    value: Option<&str>,
    input: &str,
    parse: impl Fn(&str) -> Result<T, String>,
    problems: &mut Problems,
) -> Option<T> {
    let value = value?;
    problems.take(input, value, parse(value))
}

fn read_defaults(raw: &RawInputs, problems: &mut Problems) -> Defaults {
    let mut defaults = Defaults::default();
    let policy = &mut defaults.policy;
    if let Some(timeout) = read(
        raw.timeout.as_deref(),
        "timeout",
        values::positive_duration,
        problems,
    ) {
        policy.timeout = timeout;
    }
    if let Some(attempts) = read(
        raw.attempts.as_deref(),
        "attempts",
        values::attempts,
        problems,
    ) {
        policy.attempts = attempts;
    }
    if let Some(interval) = read(
        raw.interval.as_deref(),
        "interval",
        values::duration,
        problems,
    ) {
        policy.interval = interval;
    }
    if let Some(expect) = read(
        raw.expect.as_deref(),
        "expect",
        values::status_set,
        problems,
    ) {
        defaults.expect = expect;
    }
    if let Some(method) = read(raw.method.as_deref(), "method", values::method, problems) {
        defaults.method = method;
    }
    if let Some(redirects) = read(
        raw.redirects.as_deref(),
        "redirects",
        values::redirects,
        problems,
    ) {
        defaults.redirects = redirects;
    }
    defaults
}

/// Exactly one thing says what to probe.
fn check_source(raw: &RawInputs, urls: &[String], by_hand: bool, problems: &mut Problems) {
    let given: Vec<&str> = [
        (!urls.is_empty(), "addresses"),
        (raw.url.is_some(), "url"),
        (raw.targets.is_some(), "targets"),
        (raw.config.is_some(), "config"),
    ]
    .into_iter()
    .filter_map(|(given, name)| given.then_some(name))
    .collect();
    match given.as_slice() {
        [] if by_hand => problems.general(
            "url",
            "nothing to probe; give an address, or --config and a file; --help shows everything",
        ),
        [] => problems.general(
            "url",
            "nothing to probe; give exactly one of url, targets and config",
        ),
        [_] => {}
        several => problems.general(
            several.first().copied().unwrap_or_default(),
            format!(
                "{} are given; give exactly one of them",
                several.join(" and ")
            ),
        ),
    }
    if raw.name.is_some() && raw.url.is_none() && urls.len() != 1 {
        problems.general("name", "names a single target; it goes with url alone");
    }
}

fn read_targets(
    raw: &RawInputs,
    urls: &[String],
    config: Option<Node>,
    defaults: &Defaults,
    problems: &mut Problems,
) -> Vec<Target> {
    let name = read(raw.name.as_deref(), "name", values::name, problems);
    let mut targets = Vec::new();
    if let Some(url) = read(raw.url.as_deref(), "url", values::url, problems) {
        let name = name.clone().unwrap_or_else(|| values::name_of(&url));
        targets.push(defaults.target(name, url));
    }
    for url in urls {
        if let Some(url) = problems.take("url", url, values::url(url)) {
            let name = name.clone().unwrap_or_else(|| values::name_of(&url));
            targets.push(defaults.target(name, url));
        }
    }
    number(&mut targets);
    if let Some(text) = &raw.targets {
        match yaml::parse(text) {
            Ok(node) => targets.extend(targets::read(&node, "targets", defaults, problems)),
            Err(reason) => problems.general("targets", reason),
        }
    }
    if let Some(node) = config {
        targets.extend(targets::read(&node, "targets", defaults, problems));
    }
    targets
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
            target.name = host.chars().take(64 - end.len()).collect::<String>() + &end;
        }
    }
}

fn read_control(
    raw: &RawInputs,
    surroundings: &Surroundings,
    problems: &mut Problems,
) -> Option<reqwest::Url> {
    match raw.control.as_deref() {
        Some(value) if value.trim().eq_ignore_ascii_case("off") => None,
        Some(value) => problems.take(
            "control",
            value,
            values::url(value).map_err(|reason| format!("{reason}; or off")),
        ),
        // The forge's address is not the user's to mend: one that cannot be used is not a control address.
        None => surroundings
            .api_url
            .as_deref()
            .and_then(|url| values::url(url).ok()),
    }
}

/// Opens the report file as it will be written later, and leaves its content alone.
fn check_writable(path: &Path, problems: &mut Problems) -> Option<File> {
    crate::file::check(path).unwrap_or_else(|error| {
        problems.value(
            "report-file",
            &path.to_string_lossy(),
            format!("cannot be written: {error}"),
        );
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(set: impl Fn(&mut RawInputs)) -> RawInputs {
        let mut raw = RawInputs::default();
        set(&mut raw);
        raw
    }

    fn problems(raw: RawInputs, urls: &[&str]) -> Vec<String> {
        let urls: Vec<_> = urls.iter().map(ToString::to_string).collect();
        resolve(raw, &urls, &Surroundings::default())
            .unwrap_err()
            .kept
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn all_problems_at_once() {
        let found = problems(
            raw(|raw| {
                raw.targets =
                    Some("a: {url: h, timeout: 5, foo: 1}\na: http://u:p@h\n-b: []".into());
                raw.url = Some("ftp://x".into());
                raw.attempts = Some("0".into());
                raw.sha = Some("abc".into());
            }),
            &[],
        );
        assert_eq!(found.len(), 11, "{found:#?}");
        assert!(!found.concat().contains("u:p"), "{found:#?}");
    }

    #[test]
    fn addresses_on_one_host_are_numbered() {
        let urls = ["http://h/a", "http://h/b", "http://h-2/", "http://h/c"].map(String::from);
        let inputs = resolve(RawInputs::default(), &urls, &Surroundings::default()).unwrap();
        let names: Vec<_> = inputs
            .targets
            .iter()
            .map(|target| target.name.as_str())
            .collect();
        assert_eq!(names, ["h", "h-2", "h-2-2", "h-3"]);
    }

    #[test]
    fn nothing_to_probe_and_too_much() {
        assert!(problems(RawInputs::default(), &[])[0].contains("nothing to probe"));
        let both = raw(|raw| {
            raw.url = Some("http://h".into());
            raw.targets = Some("a: http://h".into());
        });
        assert!(problems(both, &[])[0].contains("url and targets"));
        let named = raw(|raw| raw.name = Some("n".into()));
        assert!(problems(named, &["http://a", "http://b"])[0].contains("single target"));
    }

    #[test]
    fn own_options_beat_step_wide_ones() {
        let inputs = resolve(
            raw(|raw| {
                raw.targets =
                    Some("a: {url: http://h, timeout: 2s, optional: TRUE}\nb: http://h".into());
                raw.timeout = Some("5s".into());
                raw.attempts = Some("unlimited".into());
            }),
            &[],
            &Surroundings {
                api_url: Some("https://forge.example/api/v1".into()),
                by_hand: false,
            },
        )
        .unwrap();
        let [a, b] = inputs.targets.as_slice() else {
            panic!("two targets")
        };
        assert_eq!(
            (a.policy.timeout.as_secs(), b.policy.timeout.as_secs()),
            (2, 5)
        );
        assert_eq!((a.required, b.required), (false, true));
        assert_eq!(a.policy.attempts, crate::target::Attempts::Unlimited);
        assert!(inputs.control.is_some());
    }
}
