//! What the worst input of one MiB costs: configurations with thousands of problems, aliases,
//! an event file, a certificate file. Black box, so that a slow sentence in the log counts too.

use std::fmt::Write;
use std::fs;
use std::time::Duration;

use crate::action::Job;
use crate::figures::{Table, median, ms, verdict};
use crate::process;
use crate::{Options, Result};

/// How large each input is, in bytes.
const SIZE: usize = 1024 * 1024;
/// How long the whole process may take over one of them.
const GOAL: Duration = Duration::from_millis(100);

/// Which input is hostile.
#[derive(Clone, Copy)]
enum Place {
    Config,
    Event,
    Certificates,
}

pub fn section(options: &Options) -> Result<String> {
    let job = Job::new(options, "hostile")?;
    let mut table = Table::new(&["input of 1 MiB", "exit code", "wall, ms", "MiB", "goal", ""]);
    for (name, place, text) in cases() {
        let file = job.path("input");
        fs::write(&file, &text)?;
        let path = file.to_str().ok_or("a path that is no text")?;
        // Nobody listens there, and nothing is asked twice.
        let quick = [
            ("PREFLIGHT_ATTEMPTS", "1"),
            ("PREFLIGHT_URL", "http://127.0.0.1:1/"),
        ];
        let mut samples = Vec::new();
        for _ in 0..options.count(5, 1) {
            job.fresh()?;
            let mut command = match place {
                Place::Config => job.step(&[("PREFLIGHT_CONFIG", path), ("PREFLIGHT_URL", "")]),
                Place::Certificates => {
                    job.step(&[quick[0], quick[1], ("PREFLIGHT_CA_CERTIFICATES", path)])
                }
                Place::Event => job.step(&quick),
            };
            if matches!(place, Place::Event) {
                command
                    .env("GITHUB_EVENT_PATH", path)
                    .env("GITHUB_API_URL", "http://127.0.0.1:1/api/v1")
                    .env("PREFLIGHT_TOKEN", "none");
            }
            samples.push(process::run(&mut command, &job.said())?);
        }
        let wall = median(samples.iter().map(|sample| ms(sample.wall)));
        let status = samples.last().map_or(-1, |sample| sample.status);
        let memory = samples.iter().map(|sample| sample.memory).max();
        table.row(vec![
            name.to_owned(),
            status.to_string(),
            format!("{wall:.0}"),
            format!("{:.0}", crate::figures::mib(memory.unwrap_or(0))),
            format!("{:.0}", ms(GOAL)),
            verdict(wall <= ms(GOAL)).to_owned(),
        ]);
    }
    Ok(table.to_string())
}

/// The inputs, each filled up to [`SIZE`] with what is worst about it.
fn cases() -> Vec<(&'static str, Place, String)> {
    vec![
        (
            "addresses of 199 colons",
            Place::Config,
            targets(&":".repeat(199)),
        ),
        (
            "addresses with `::` twice",
            Place::Config,
            targets("a::b::c"),
        ),
        (
            "addresses with user info",
            Place::Config,
            targets("https://u:p@h.example/?a=b"),
        ),
        ("unknown options", Place::Config, {
            fill("targets:\n  a:\n    url: http://127.0.0.1:1/\n", |n| {
                format!("    key{n}: x\n")
            })
        }),
        ("unknown keys of a file", Place::Config, {
            fill("targets: {a: \"http://127.0.0.1:1/\"}\n", |n| {
                format!("key{n}: x\n")
            })
        }),
        ("one value of 1 MiB", Place::Config, {
            format!("targets:\n  a: \"http://h/{}\"\n", "::%41".repeat(SIZE / 6))
        }),
        ("one address of 1 MiB, query", Place::Config, {
            format!(
                "targets:\n  a: \"http://u:p@h/?{}\"\n",
                "a=b&".repeat(SIZE / 4)
            )
        }),
        ("a name defined again and again", Place::Config, {
            fill("targets:\n", |_| "  a: http://h/\n".to_owned())
        }),
        ("headers that carry credentials", Place::Config, {
            fill("targets:\n  a:\n    url: http://h/\n    headers:\n", |n| {
                format!("      X-Token-{n}: secret\n")
            })
        }),
        ("aliases of a mapping", Place::Config, {
            let anchor = "x: &x {url: \"http://h/\", expect: 999}\ntargets:\n";
            fill(anchor, |n| format!("  a{n}: *x\n"))
        }),
        ("brackets that never end", Place::Config, "[".repeat(SIZE)),
        (
            "one line of blanks",
            Place::Config,
            format!("a: \"{}\"", " ".repeat(SIZE)),
        ),
        ("an event of nested lists", Place::Event, "[".repeat(SIZE)),
        (
            "an event of escapes",
            Place::Event,
            format!("{{\"a\": \"{}\"}}", "\\u0041".repeat(SIZE / 6)),
        ),
        ("an event of many keys", Place::Event, {
            let mut text = fill("{", |n| format!("\"k{n}\": {n}, "));
            text.push_str("\"pull_request\": {}}");
            text
        }),
        ("a certificate file without an end", Place::Certificates, {
            format!("-----BEGIN CERTIFICATE-----\n{}", "QUJD\n".repeat(SIZE / 5))
        }),
        ("a certificate file of empty ones", Place::Certificates, {
            fill("", |_| {
                "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n".to_owned()
            })
        }),
    ]
}

fn targets(value: &str) -> String {
    fill("targets:\n", |n| format!("  t{n}: \"{value}\"\n"))
}

/// A start, and lines behind it until it is large enough.
fn fill(start: &str, line: impl Fn(usize) -> String) -> String {
    let mut text = start.to_owned();
    let mut number = 0;
    while text.len() < SIZE {
        // Writing to a string cannot fail.
        let _ = write!(text, "{}", line(number));
        number += 1;
    }
    text
}
