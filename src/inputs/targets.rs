//! The YAML mapping of targets: name to address, or name to options.

use std::collections::HashSet;

use reqwest::Url;
use reqwest::header::HeaderMap;

use super::nearest::nearest;
use super::problem::{Problems, under};
use super::raw::CONFIG_KEYS;
use super::values;
use super::yaml::Node;
use crate::probe::Probe;
use crate::probe::http::HttpProbe;
use crate::probe::http::{Method, StatusSet};
use crate::target::{Attempts, Policy, Target};
use crate::text;

/// The options of a target.
const KEYS: [&str; 9] = [
    "url",
    "timeout",
    "attempts",
    "interval",
    "expect",
    "method",
    "redirects",
    "optional",
    "headers",
];

/// The options of targets that say nothing of their own: the step-wide ones.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// How often and how long to try.
    pub policy: Policy,
    /// Which statuses are up.
    pub expect: StatusSet,
    /// The method.
    pub method: Method,
    /// How many redirects to follow.
    pub redirects: u32,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            policy: Policy {
                timeout: std::time::Duration::from_secs(10),
                attempts: Attempts::AtMost(3),
                interval: std::time::Duration::from_secs(1),
            },
            expect: StatusSet::default(),
            method: Method::Get,
            redirects: 10,
        }
    }
}

impl Defaults {
    /// A target without options of its own.
    #[must_use]
    pub fn target(&self, name: String, url: Url) -> Target {
        Target {
            name,
            required: true,
            policy: self.policy,
            probe: Probe::Http(HttpProbe {
                url,
                method: self.method,
                headers: HeaderMap::new(),
                expect: self.expect.clone(),
                redirects: self.redirects,
            }),
        }
    }
}

/// Reads the mapping; `input` is the place it stands in, for error messages.
pub(crate) fn read(
    node: &Node,
    input: &str,
    defaults: &Defaults,
    problems: &mut Problems,
) -> Vec<Target> {
    let entries = match node {
        Node::Map(entries) if !entries.is_empty() => entries,
        other => {
            problems.general(
                input,
                format!(
                    "is {}, not a mapping of name to URL; write for example \"llm: https://llm.example/health\"",
                    if matches!(other, Node::Map(_)) { "empty" } else { other.kind() }
                ),
            );
            return Vec::new();
        }
    };
    let mut seen = HashSet::new();
    let mut targets = Vec::with_capacity(entries.len());
    for (name, node) in entries {
        if problems.are_enough() {
            break;
        }
        let place = under(input, name);
        if let Some(hint) = misplaced(name, node) {
            problems.general(&place, hint);
            continue;
        }
        let named = values::name(name)
            .map_err(|reason| problems.key(input, name, reason))
            .ok();
        if !seen.insert(name.trim()) {
            problems.general(&place, "is defined a second time; names are unique");
        }
        let target = one(node, &place, defaults, problems);
        if let (Some(name), Some(target)) = (named, target) {
            targets.push(Target { name, ..target });
        }
    }
    targets
}

/// What to say about an entry that was meant for another level of the file.
fn misplaced(name: &str, node: &Node) -> Option<&'static str> {
    match node {
        Node::Map(entries) if name == "targets" && entries.iter().all(|(key, _)| key != "url") => {
            Some("is a mapping of targets within one; take out one of the two")
        }
        Node::Scalar(text) if CONFIG_KEYS.contains(&name) && !text.contains("://") => Some(
            "is an option of the whole step, not a target; it is an input of its own, and in a config file stands beside targets",
        ),
        _ => None,
    }
}

fn one(node: &Node, place: &str, defaults: &Defaults, problems: &mut Problems) -> Option<Target> {
    match node {
        Node::Scalar(text) => {
            let url = problems.take(place, text, values::url(text))?;
            Some(defaults.target(String::new(), url))
        }
        Node::Map(options) => with_options(options, place, defaults, problems),
        Node::Null | Node::List(_) => {
            problems.general(
                place,
                format!("is {}, not a URL or a mapping with a url", node.kind()),
            );
            None
        }
    }
}

/// What to say about an option that is none of a target's.
fn unknown(key: &str) -> String {
    if CONFIG_KEYS.contains(&key) {
        return "is an option of the whole step, not of a target; it is an input of its own, and in a config file stands beside targets".to_owned();
    }
    match nearest(key, KEYS) {
        Some(meant) => format!("is not an option of a target; did you mean {meant}?"),
        None => format!(
            "is not an option of a target; there are {}",
            KEYS.join(", ")
        ),
    }
}

/// What to say about an option that has more than one value.
pub(super) fn not_single(key: &str, node: &Node) -> String {
    // A set of statuses looks like a list to everybody who knows YAML.
    if let (Node::List(items), "expect") = (node, key) {
        let parts: Option<Vec<_>> = items
            .iter()
            .map(|item| match item {
                Node::Scalar(text) => Some(text.trim()),
                _ => None,
            })
            .collect();
        let set = parts.map(|parts| parts.join(","));
        if let Some(set) = set.filter(|set| values::status_set(set).is_ok()) {
            let set = text::sanitize(&set, text::PIECE);
            return format!("is a list; write it as one value, \"{set}\"");
        }
    }
    format!("is {}, not a single value", node.kind())
}

fn with_options(
    options: &[(String, Node)],
    place: &str,
    defaults: &Defaults,
    problems: &mut Problems,
) -> Option<Target> {
    let mut own = defaults.clone();
    let mut url = None;
    let mut required = true;
    let mut headers = HeaderMap::new();
    let mut seen = HashSet::new();
    for (key, node) in options {
        if problems.are_enough() {
            break;
        }
        let at = under(place, key);
        if !seen.insert(key.as_str()) {
            problems.general(&at, "is given a second time");
        }
        if key == "headers" {
            headers = read_headers(node, &at, problems);
            continue;
        }
        let text = match node {
            Node::Scalar(text) => text.as_str(),
            // An option without a value is one that is not given, as an empty input is. A target
            // without an address would not be asked, and nobody would notice.
            Node::Null if key != "url" && KEYS.contains(&key.as_str()) => continue,
            Node::Null => "",
            Node::List(_) | Node::Map(_) => {
                let why = if KEYS.contains(&key.as_str()) {
                    not_single(key, node)
                } else {
                    unknown(key)
                };
                problems.general(&at, why);
                continue;
            }
        };
        let mut set = |problems: &mut Problems| -> Option<()> {
            match key.as_str() {
                "url" => url = Some(problems.take(&at, text, values::url(text))?),
                "timeout" => {
                    own.policy.timeout =
                        problems.take(&at, text, values::positive_duration(text))?;
                }
                "attempts" => {
                    own.policy.attempts = problems.take(&at, text, values::attempts(text))?;
                }
                "interval" => {
                    own.policy.interval = problems.take(&at, text, values::duration(text))?;
                }
                "expect" => own.expect = problems.take(&at, text, values::status_set(text))?,
                "method" => own.method = problems.take(&at, text, values::method(text))?,
                "redirects" => own.redirects = problems.take(&at, text, values::redirects(text))?,
                "optional" => required = !problems.take(&at, text, values::boolean(text))?,
                _ => problems.explained(&at, || unknown(key)),
            }
            Some(())
        };
        set(problems);
    }
    if !seen.contains("url") {
        problems.general(place, "has no url");
    }
    let mut target = own.target(String::new(), url?);
    target.required = required;
    let Probe::Http(probe) = &mut target.probe;
    probe.headers = headers;
    Some(target)
}

/// How many headers of its own a target may have: as many as an answer may.
const HEADERS: usize = crate::net::client::FIELD_LIMIT;

fn read_headers(node: &Node, place: &str, problems: &mut Problems) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let entries = match node {
        Node::Map(entries) => entries.as_slice(),
        Node::Null => &[],
        Node::Scalar(_) | Node::List(_) => {
            problems.general(
                place,
                format!("is {}, not a mapping of header to value", node.kind()),
            );
            &[]
        }
    };
    for (name, node) in entries {
        if problems.are_enough() {
            break;
        }
        let at = format!("{place}.{}", values::show_header_name(name));
        let Node::Scalar(value) = node else {
            problems.general(&at, format!("is {}, not a single value", node.kind()));
            continue;
        };
        match values::header(name, value) {
            Ok(_) if headers.len() >= HEADERS => {
                problems.general(place, format!("are more than {HEADERS}"));
                break;
            }
            Ok((name, value)) => {
                if headers.insert(name, value).is_some() {
                    problems.general(&at, "is given a second time");
                }
            }
            Err(reason) => problems.general(&at, reason),
        }
    }
    headers
}
