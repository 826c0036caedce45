//! The YAML mapping of targets: name to address, or name to options.

mod known;

use std::collections::HashSet;
use std::time::SystemTime;

use reqwest::header::HeaderMap;

use super::options::{self, InputOption, Meaning, Of};
use super::origin::Place;
use super::problem::Problems;
use super::values;
use super::yaml::{Entry, Node};
use crate::address::Address;
use crate::durations::{INTERVAL, TIMEOUT};
use crate::nearest::nearest;
use crate::probe::Probe;
use crate::probe::conversation::ServiceProbe;
use crate::probe::http::{HttpProbe, Method, StatusSet};
use crate::protocol::Tls;
use crate::target::{Attempts, Known, Policy, Target};
use crate::text;

/// How many headers of its own a target may have: as many as an answer may.
const HEADERS: usize = crate::net::http1::FIELD_LIMIT;
/// What to say about an option of the whole run that stands elsewhere.
const OF_THE_RUN: &str = "it is an input of its own, and in a config file stands beside targets";

/// The options of one target, or of all that do not say otherwise.
#[derive(Debug, Clone)]
pub struct TargetOptions {
    /// The address; each target has its own.
    pub url: Option<Address>,
    /// How often and how long to try.
    pub policy: Policy,
    /// Which statuses are up.
    pub expect: StatusSet,
    /// The method.
    pub method: Method,
    /// How many redirects to follow.
    pub redirects: u32,
    /// Whether TLS is asked for, where the scheme does not say it.
    pub tls: bool,
    /// Whether the verdict counts.
    pub required: bool,
    /// A known incident.
    pub known: Option<Known>,
    /// Headers.
    pub headers: HeaderMap,
}

impl Default for TargetOptions {
    fn default() -> Self {
        Self {
            url: None,
            policy: Policy {
                timeout: TIMEOUT,
                attempts: Attempts::AtMost(3),
                interval: INTERVAL,
            },
            expect: StatusSet::default(),
            method: Method::Get,
            redirects: 10,
            tls: false,
            required: true,
            known: None,
            headers: HeaderMap::new(),
        }
    }
}

impl TargetOptions {
    /// A target with these options.
    pub fn target(self, name: String, address: Address) -> Target {
        let probe = match address {
            Address::Http { url, websocket } => Probe::Http(HttpProbe {
                url,
                websocket,
                method: self.method,
                headers: self.headers,
                expect: self.expect,
                redirects: self.redirects,
            }),
            Address::Service(service) => Probe::Service(ServiceProbe {
                tls: self.tls || service.scheme.tls,
                service,
            }),
        };
        Target {
            name,
            required: self.required,
            known: self.known,
            policy: self.policy,
            probe,
        }
    }
}

/// Reads the mapping that stands in a place, at the time `now`.
pub(super) fn read(
    node: &Node,
    place: &Place<'_>,
    defaults: &TargetOptions,
    now: SystemTime,
    problems: &mut Problems,
) -> Vec<Target> {
    let entries = match node {
        Node::Map(entries) if !entries.is_empty() => entries,
        other => {
            let what = match other {
                Node::Map(_) => "empty",
                other => other.kind(),
            };
            problems.general(
                place,
                format!(
                    "is {what}, not a mapping of name to URL; write for example \"llm: https://llm.example/health\""
                ),
            );
            return Vec::new();
        }
    };
    let mut seen = HashSet::new();
    let mut targets = Vec::with_capacity(entries.len());
    for Entry { key, line, node } in entries {
        if problems.are_enough() {
            break;
        }
        let at = place.under(key, *line);
        if let Some(hint) = misplaced(key, node) {
            problems.general(&at, hint);
            continue;
        }
        let named = values::name(key)
            .map_err(|reason| problems.key(&place.in_line(*line), key, reason))
            .ok();
        if !seen.insert(key.trim()) {
            problems.general(&at, "is defined a second time; names are unique");
        }
        let target = one(node, &at, defaults, now, problems);
        if let (Some(name), Some((options, url))) = (named, target) {
            targets.push(options.target(name, url));
        }
    }
    targets
}

/// What to say about an entry that was meant for another level of the file.
fn misplaced(name: &str, node: &Node) -> Option<String> {
    match node {
        Node::Map(entries)
            if name == "targets" && entries.iter().all(|entry| entry.key != "url") =>
        {
            Some("is a mapping of targets within one; take out one of the two".to_owned())
        }
        Node::Scalar(text) if is_of_the_run(name) && !text.contains("://") => Some(format!(
            "is an option of the whole step, not a target; {OF_THE_RUN}"
        )),
        _ => None,
    }
}

fn is_of_the_run(name: &str) -> bool {
    InputOption::named(name).is_some_and(|option| option.places.file)
}

/// The options of a target, and its address.
fn one(
    node: &Node,
    place: &Place<'_>,
    defaults: &TargetOptions,
    now: SystemTime,
    problems: &mut Problems,
) -> Option<(TargetOptions, Address)> {
    match node {
        Node::Scalar(text) => {
            let address = problems.take_address(place, text)?;
            Some((defaults.clone(), address))
        }
        Node::Map(entries) => with_options(entries, place, defaults, now, problems),
        Node::Null | Node::List(_) => {
            problems.general(
                place,
                format!("is {}, not a URL or a mapping with a url", node.kind()),
            );
            None
        }
    }
}

fn with_options(
    entries: &[Entry],
    place: &Place<'_>,
    defaults: &TargetOptions,
    now: SystemTime,
    problems: &mut Problems,
) -> Option<(TargetOptions, Address)> {
    let mut options = defaults.clone();
    let mut seen = HashSet::new();
    for Entry { key, line, node } in entries {
        if problems.are_enough() {
            break;
        }
        let at = place.under(key, *line);
        if !seen.insert(key.as_str()) {
            problems.general(&at, "is given a second time");
        }
        let Some(option) = InputOption::named(key).filter(|option| option.places.target) else {
            problems.explained(&at, || unknown(key));
            continue;
        };
        match (option.meaning, node) {
            (Meaning::Headers, node) => options.headers = read_headers(node, &at, problems),
            (Meaning::Known, node) => options.known = known::read(node, &at, now, problems),
            // An option without a value is one that is not given, as an empty input is. A target
            // without an address would not be asked, and nobody would notice.
            (_, Node::Null) if key != "url" => {}
            (Meaning::Target(set), Node::Scalar(_) | Node::Null) => {
                let text = match node {
                    Node::Scalar(text) => text,
                    _ => "",
                };
                let parsed = set(&mut options, text);
                problems.take_value(&at, text, parsed);
            }
            _ => problems.general(&at, not_single(key, node)),
        }
    }
    if !seen.contains("url") {
        problems.general(place, "has no url");
    }
    let address = options.url.take()?;
    check_options(entries, &options, &address, place, problems);
    Some((options, address))
}

/// Refuses options that the target's protocol has no use for.
fn check_options(
    entries: &[Entry],
    options: &TargetOptions,
    address: &Address,
    place: &Place<'_>,
    problems: &mut Problems,
) {
    for Entry { key, line, .. } in entries {
        let Some(option) = InputOption::named(key) else {
            continue;
        };
        let at = place.under(key, *line);
        match (option.of, address) {
            (Of::Http, Address::Service(service)) => problems.general(
                &at,
                format!(
                    "is for http and https only, and this target is asked in {}; take it out",
                    service.protocol.title
                ),
            ),
            (Of::Services, Address::Http { .. }) if options.tls => problems.general(
                &at,
                "is for other protocols; for http, write https:// in the url",
            ),
            (Of::Services, Address::Service(service))
                if options.tls && !service.scheme.tls && service.protocol.tls == Tls::Never =>
            {
                problems.general(
                    &at,
                    format!("is not possible: {} has no TLS", service.protocol.title),
                );
            }
            _ => {}
        }
    }
}

/// What to say about an option that is not a target's.
fn unknown(key: &str) -> String {
    if is_of_the_run(key) {
        return format!("is an option of the whole step, not of a target; {OF_THE_RUN}");
    }
    let known = || options::of_target().map(|option| option.name);
    match nearest(key, known()) {
        Some(meant) => format!("is not an option of a target; did you mean {meant}?"),
        None => format!(
            "is not an option of a target; there are {}",
            known().collect::<Vec<_>>().join(", ")
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

fn read_headers(node: &Node, place: &Place<'_>, problems: &mut Problems) -> HeaderMap {
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
    for Entry { key, line, node } in entries {
        if problems.are_enough() {
            break;
        }
        let at = place.header(key, *line);
        let Node::Scalar(value) = node else {
            problems.general(&at, format!("is {}, not a single value", node.kind()));
            continue;
        };
        match values::header(key, value) {
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
