//! Configuration, through every door: what is accepted is within bounds, and what is refused
//! is refused in clean lines that give nothing away.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use dep_preflight::facade::values::url;
use dep_preflight::facade::{
    Exit, InputOption, Inputs, OPTIONS, Probe, RawInputs, Request, RunResult, Surroundings,
    annotations, cli, in_one_line, log, outputs, resolve, text, variable,
};

use super::{Feed, SECRET, lines, values};

/// Inputs that take any text, in the order in which the seeds count them: new ones come last.
/// The others are paths, which are not the fuzzer's to choose, and the token.
fn plain() -> Vec<&'static str> {
    let known = [
        "name",
        "timeout",
        "attempts",
        "interval",
        "deadline",
        "expect",
        "method",
        "redirects",
        "control",
        "fail-on-down",
        "commit-status",
        "status-context",
        "target-url",
        "sha",
        "summary",
        "url",
        "targets",
    ];
    let is_text = |option: &&InputOption| option.places.input && option.value != "FILE";
    let table = OPTIONS.iter().filter(is_text).map(|option| option.name);
    let new = table.filter(|name| *name != "token" && !known.contains(name));
    known.into_iter().chain(new).collect()
}

/// Options of one target, and one that there is not.
fn of_a_target() -> Vec<&'static str> {
    let apart = ["url", "headers"];
    let table = OPTIONS.iter().filter(|option| option.places.target);
    let names = table.map(|option| option.name);
    names
        .filter(|name| !apart.contains(name))
        .chain(["foo"])
        .collect()
}

/// Values that are often right.
const RIGHT: [&str; 8] = [
    "10s",
    "3",
    "unlimited",
    "true",
    "<500",
    "GET",
    "2xx",
    "500ms",
];

pub(crate) fn check(data: &[u8]) {
    let feed = &mut Feed::new(data);
    let mut given: Vec<(&str, String)> = Vec::new();
    let mut urls = Vec::new();
    let mut file = None;
    match feed.choose(6) {
        0 => given.push(("url", address(feed))),
        1 => given.push(("targets", yaml(feed))),
        2 => {
            let file = file.insert(Scratch::with(&yaml(feed)));
            given.push(("config", file.0.display().to_string()));
        }
        3 => given.push(("config", format!("/nowhere/{}", feed.text()))),
        4 => urls.push(address(feed)),
        _ => {}
    }
    for _ in 0..feed.choose(5) {
        let name = feed.pick(&plain());
        let value = match feed.choose(4) {
            0 | 1 => feed.text(),
            2 => feed.pick(&RIGHT).to_owned(),
            // As YAML it could be anything, a key that may be shown included.
            _ if name == "targets" => yaml(feed),
            _ => address(feed),
        };
        given.push((name, value));
    }
    if feed.flag() {
        given.push(("token", format!("{}{SECRET}", feed.text())));
    }
    // A config file may name one; it must not be written.
    given.push(("report-file", "/dev/null".to_owned()));
    let Some((raw, urls)) = through_a_door(feed, &given, urls) else {
        return;
    };
    let surroundings = Surroundings {
        now: std::time::SystemTime::now(),
        api: feed.maybe().and_then(|text| url(&text).ok()),
        by_hand: feed.flag(),
    };
    match resolve(raw, &urls, surroundings) {
        Ok(inputs) => accepted(&inputs),
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            lines::hides(&format!("{problems} {problems:?}"));
            let texts: Vec<_> = problems.kept.iter().map(ToString::to_string).collect();
            refused(&texts, problems.more);
        }
    }
}

/// From the environment or the command line; `None` where the latter refuses.
fn through_a_door(
    feed: &mut Feed<'_>,
    given: &[(&str, String)],
    urls: Vec<String>,
) -> Option<(RawInputs, Vec<String>)> {
    if feed.choose(4) != 3 {
        let vars: Vec<(OsString, OsString)> = given
            .iter()
            .map(|(name, value)| (variable(name).into(), value.into()))
            .collect();
        return Some((RawInputs::from_env(&vars), urls));
    }
    let mut args: Vec<OsString> = Vec::new();
    for (name, value) in given {
        args.push(format!("--{name}={value}").into());
    }
    args.extend(urls.into_iter().map(OsString::from));
    match cli::parse(args) {
        Request::Probe { inputs, urls } => Some((inputs, urls)),
        Request::Wrong(reason) => {
            refused(&[reason], 0);
            None
        }
        Request::Print(_) | Request::Demo => None,
    }
}

/// An address with secrets where secrets can be, right or wrong otherwise.
fn address(feed: &mut Feed<'_>) -> String {
    let scheme = match feed.choose(8) {
        0..=2 => "https://".to_owned(),
        3 | 4 => "http://".to_owned(),
        5 => String::new(),
        6 => "HTTP:".to_owned(),
        _ => feed.text(),
    };
    let user = match feed.choose(4) {
        0 | 1 => String::new(),
        // What would end the user info is not part of it.
        kind => {
            let text = feed.text().replace(['/', '?', '#', '\\'], "");
            let colon = if kind == 2 { ":" } else { "" };
            format!("{text}{colon}{SECRET}@")
        }
    };
    let host = match feed.choose(3) {
        0 => "h.example".to_owned(),
        1 => "[::1]:80".to_owned(),
        _ => feed.text(),
    };
    let path = feed.maybe().unwrap_or_default();
    let query = match feed.choose(5) {
        0 | 1 => String::new(),
        2 => format!("?key={SECRET}"),
        3 => format!("?{}={SECRET}{}", feed.text(), feed.text()),
        _ => format!("?a=b&{SECRET}"),
    };
    let fragment = if feed.flag() {
        format!("#{SECRET}")
    } else {
        String::new()
    };
    format!("{scheme}{user}{host}/{path}{query}{fragment}")
}

/// A mapping of targets with secrets in addresses and headers, or whatever the fuzzer thinks.
fn yaml(feed: &mut Feed<'_>) -> String {
    if feed.choose(3) == 0 {
        return feed.text();
    }
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    let mut out = String::new();
    for number in 0..=feed.choose(3) {
        let name = match feed.choose(4) {
            0 => quoted(&feed.text()),
            1 => quoted(&address(feed)),
            _ => format!("t{number}"),
        };
        let node = match feed.choose(5) {
            0 | 1 => quoted(&address(feed)),
            2 => feed.text(),
            // What stands between quotes elsewhere can be written without.
            3 => format!("https://u:{SECRET}@h.example/?key={SECRET}"),
            _ => {
                let mut options = vec![format!("url: {}", quoted(&address(feed)))];
                for _ in 0..feed.choose(4) {
                    let key = feed.pick(&of_a_target());
                    let value = if feed.flag() {
                        feed.pick(&RIGHT).to_owned()
                    } else {
                        feed.text()
                    };
                    options.push(format!("{key}: {}", quoted(&value)));
                }
                if feed.flag() {
                    let header = quoted(&feed.text());
                    let value = quoted(&format!("{}{SECRET}", feed.text()));
                    options.push(format!("headers: {{{header}: {value}}}"));
                }
                format!("{{{}}}", options.join(", "))
            }
        };
        out.push_str(&format!("{name}: {node}\n"));
    }
    if feed.flag() {
        out.push_str(&feed.text());
    }
    if feed.flag() {
        let indented = out.replace('\n', "\n  ");
        out = format!("targets:\n  {indented}\n{}", feed.text());
    }
    out
}

fn accepted(inputs: &Inputs) {
    assert!(!inputs.targets.is_empty(), "nothing to probe");
    values::sensible(inputs.deadline);
    assert!(!inputs.deadline.is_zero());
    let mut names = HashSet::new();
    for target in &inputs.targets {
        values::is_name(&target.name);
        assert!(names.insert(&target.name), "{} twice", target.name);
        values::sensible(target.policy.timeout);
        values::sensible(target.policy.interval);
        assert!(!target.policy.timeout.is_zero());
        match &target.probe {
            Probe::Http(probe) => {
                values::is_address(&probe.url);
                for (name, value) in &probe.headers {
                    values::is_header(name.as_str(), value.as_bytes());
                }
            }
            Probe::Service(probe) => values::is_service(&probe.service),
        }
        lines::hides(&target.probe.address(text::LONG));
        lines::clean(&target.probe.address(text::LONG));
    }
    if let Some(control) = &inputs.control {
        values::is_address(control);
    }
    if let Some(context) = &inputs.status.context {
        lines::clean(context);
    }
    if let Some(token) = &inputs.status.token {
        lines::hides(&format!("{token:?}"));
    }
}

fn refused(problems: &[String], more: usize) {
    for problem in problems {
        lines::clean(problem);
        lines::hides(problem);
    }
    for line in log::invalid(problems, more) {
        lines::log(&line);
    }
    let all = in_one_line(problems, more);
    lines::annotation(&annotations::command(
        annotations::Level::Error,
        "CONFIG",
        &all,
    ));
    let exit = Exit::of(RunResult::Invalid);
    let values = outputs::failed(exit, &format!("invalid configuration: {all}"));
    let text = outputs::render(&values);
    let read = super::outputs::read(&text).unwrap_or_else(|why| panic!("{why}: {text:?}"));
    assert_eq!(read.len(), 3);
    lines::clean(&read[2].1);
    lines::hides(&text);
}

/// A file that is gone after the check.
struct Scratch(PathBuf);

impl Scratch {
    fn with(content: &str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("dep-preflight-{}-{number}.yml", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).unwrap_or_else(|error| panic!("{error}"));
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
