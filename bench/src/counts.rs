//! Instructions that a start takes, as callgrind counts them: the same on a noisy machine.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::action::Job;
use crate::figures::{Table, grouped, median};
use crate::server::Server;
use crate::{Options, Result, authority, record};

/// Growth beyond this is flagged.
const GROWTH: f64 = 0.05;
/// Functions that are listed for whoever wants to make it less.
const LISTED: usize = 15;

const SYSTEM: &str = "one https target, up, system's root";

/// What a start is called, its inputs, and the exit status that it must have.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], i32);

pub fn section(options: &Options) -> Result<String> {
    let job = Job::new(options, "counts")?;
    let tls = job.path("tls");
    authority::write(&tls)?;
    let ca = tls.join("ca.pem");
    let ca = ca.to_str().ok_or("a path that is no text")?;
    let plain = Server::start(1, Duration::ZERO, None)?;
    let secure = Server::start(1, Duration::ZERO, Some(&tls))?;
    let plain_url = format!("http://127.0.0.1:{}/health", plain.port());
    let secure_url = format!("https://127.0.0.1:{}/health", secure.port());
    // Port 1 (tcpmux) is nobody's.
    let refused_url = "http://127.0.0.1:1/health";

    let http = [
        ("PREFLIGHT_URL", plain_url.as_str()),
        ("PREFLIGHT_NAME", "api"),
    ];
    let https = [
        ("PREFLIGHT_URL", secure_url.as_str()),
        ("PREFLIGHT_NAME", "api"),
        ("PREFLIGHT_CA_CERTIFICATES", ca),
    ];
    let system = [http[1], https[0]];
    let refused = [
        ("PREFLIGHT_URL", refused_url),
        ("PREFLIGHT_NAME", "api"),
        ("PREFLIGHT_ATTEMPTS", "1"),
    ];
    let mut cases: Vec<Case> = vec![
        ("--version", &[], 0),
        ("one http target, up", &http, 0),
        ("one https target, up, private CA", &https, 0),
        ("one http target, refused", &refused, 70),
    ];
    // For all of them: one more root makes no difference to the others.
    let trusted = authority::trust(&tls)?;
    if trusted.is_some() {
        cases.push((SYSTEM, &system, 0));
    }

    let kept = record::kept_counts(options);
    let mut table = Table::new(&[
        "start",
        "instructions",
        "spread",
        "kept before",
        "change",
        "",
    ]);
    for (name, inputs, status) in cases {
        let mut counts = Vec::new();
        for _ in 0..options.count(5, 1) {
            counts.push(count(&job, &options.binary, inputs, status)? as f64);
        }
        let low = counts.iter().copied().fold(f64::INFINITY, f64::min);
        let high = counts.iter().copied().fold(0.0, f64::max);
        let is = median(counts);
        let before = kept.iter().find(|(kept, _)| kept == name);
        let change = before.map(|(_, before)| is / *before as f64 - 1.0);
        table.row(vec![
            name.to_owned(),
            grouped(is as u64),
            format!("{:.2} %", (high - low) / is * 100.0),
            before.map_or_else(|| "none".to_owned(), |(_, before)| grouped(*before)),
            change.map_or_else(String::new, |change| format!("{:+.1} %", change * 100.0)),
            match change {
                Some(change) if change > GROWTH => "GREW",
                Some(_) => "PASS",
                None => "",
            }
            .to_owned(),
        ]);
    }
    if let Some(profiled) = &options.profile {
        for (name, inputs) in [
            ("http", &http as &[_]),
            ("https", &https),
            ("https-system", &system),
        ] {
            if name == "https-system" && trusted.is_none() {
                continue;
            }
            let file = profile(options, &job, profiled, name, inputs)?;
            eprintln!("where the {name} start spends its instructions: {file}");
        }
    }
    Ok(format!(
        "{table}\nThe whole step in each case but `--version`; growth by more than 5 % is flagged. \
         https depends on how many roots the system has.\n"
    ))
}

fn callgrind(job: &Job, binary: &Path, inputs: &[(&str, &str)]) -> Result<Command> {
    let mut command = job.command("valgrind");
    command
        .arg("--tool=callgrind")
        .arg(format!(
            "--callgrind-out-file={}",
            job.path("callgrind").display()
        ))
        .arg(binary);
    job.fresh()?;
    Ok(if inputs.is_empty() {
        command.arg("--version");
        command
    } else {
        job.step_by(command, inputs)
    })
}

fn count(job: &Job, binary: &Path, inputs: &[(&str, &str)], status: i32) -> Result<u64> {
    let mut command = callgrind(job, binary, inputs)?;
    let ended = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()?;
    if ended.status.code() != Some(status) {
        let said = String::from_utf8_lossy(&ended.stderr);
        return Err(format!("under valgrind: {}: {said}", ended.status).into());
    }
    let file = fs::read_to_string(job.path("callgrind"))?;
    let total = file
        .lines()
        .find_map(|line| {
            line.strip_prefix("summary: ")
                .or(line.strip_prefix("totals: "))
        })
        .ok_or("callgrind wrote no total")?;
    Ok(total.trim().parse()?)
}

/// Writes the functions that cost most, with what they call and by themselves.
fn profile(
    options: &Options,
    job: &Job,
    binary: &Path,
    name: &str,
    inputs: &[(&str, &str)],
) -> Result<String> {
    count(job, binary, inputs, 0)?;
    let mut text = String::new();
    for (title, inclusive) in [("with what it calls", "yes"), ("by itself", "no")] {
        let said = Command::new("callgrind_annotate")
            .arg(format!("--inclusive={inclusive}"))
            .args(["--auto=no", "--threshold=100"])
            .arg(job.path("callgrind"))
            .output()?;
        let said = String::from_utf8_lossy(&said.stdout);
        let functions = said
            .lines()
            .skip_while(|line| !line.contains("file:function"))
            .filter(|line| line.contains('%') && line.contains(':'));
        writeln!(text, "Instructions, each function {title}:\n")?;
        for line in functions.take(4 * LISTED) {
            writeln!(text, "{}", short(line))?;
        }
        text.push('\n');
    }
    let file = options.work.join(format!("profile-{name}.txt"));
    fs::write(&file, text)?;
    Ok(file.display().to_string())
}

/// A line of `callgrind_annotate` without what is the same in all of them: the object, and
/// where this machine keeps its sources.
fn short(line: &str) -> String {
    let line = line.trim();
    let line = line.split(" [/").next().unwrap_or(line);
    let Some((cost, place)) = line.split_once(")  ") else {
        return line.to_owned();
    };
    let place = match place.split_once("/registry/src/") {
        Some((_, rest)) => rest.split_once('/').map_or(rest, |(_, rest)| rest),
        None if place.starts_with("/rustc/") => place
            .split_once("/library/")
            .map_or(place, |(_, rest)| rest),
        None => place.rsplit_once("/src/").map_or(place, |(_, rest)| rest),
    };
    format!("{cost})  {place}")
}
