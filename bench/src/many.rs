//! Many targets at once, each of which takes 200 ms to answer.

use std::fmt::Write;
use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::action::Job;
use crate::figures::{Table, grouped, median, mib, ms, verdict};
use crate::process::{Sample, expect_success};
use crate::server::Server;
use crate::sys;
use crate::{Options, Result};

const DELAY: Duration = Duration::from_millis(200);
const PORTS: usize = 16;
/// How much more than its share a target may cost in a larger crowd.
const LINEAR: f64 = 1.3;

/// The programs, in the order that a crowd starts them.
const OURS: usize = 0;
const CURL: usize = 1;
const BARE: usize = 2;
const REDIS: usize = 3;
const NAMES: [&str; 4] = [
    "dep-preflight",
    "curl -Z",
    "bare epoll client",
    "dep-preflight, redis",
];

/// The medians of one program at one number of targets.
#[derive(Clone, Copy)]
struct Cost {
    wall: f64,
    cpu: f64,
    memory: f64,
    server: f64,
    /// Wall, divided by that of the bare client in the same round.
    to_bare: f64,
}

pub fn section(options: &Options) -> Result<String> {
    let limit = sys::raise_file_limit()?;
    let job = Job::new(options, "many")?;
    let server = Server::start(PORTS, DELAY, None)?;
    let mut table = Table::new(&[
        "targets",
        "program",
        "runs",
        "wall ms",
        "CPU ms",
        "peak MiB",
        "the server's CPU ms",
    ]);
    let mut all = Vec::new();
    for (count, most, few) in [
        (1, 11, 2),
        (10, 11, 2),
        (100, 11, 2),
        (1_000, 11, 3),
        (10_000, 5, 1),
    ] {
        let runs = options.count(most, few);
        let costs = crowd(&job, &server, count, runs)?;
        for (name, cost) in NAMES.iter().zip(&costs) {
            table.row(vec![
                grouped(count as u64),
                (*name).to_owned(),
                runs.to_string(),
                format!("{:.1}", cost.wall),
                format!("{:.1}", cost.cpu),
                format!("{:.1}", cost.memory),
                format!("{:.1}", cost.server),
            ]);
        }
        all.push((count, costs));
    }
    let mut text = format!("{table}\n{}\n", checks(&all));
    let backlog = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap_or_default();
    writeln!(
        text,
        "Targets are spread over {PORTS} ports; the server has one thread and answers after 200 ms. \
         dep-preflight runs as the whole step, from a config file; curl with `-K`, \
         `--parallel-immediate` and `--parallel-max 300`, its limit. Open files: {limit} at most; \
         accept queue: {}.",
        backlog.trim()
    )?;
    Ok(text)
}

fn crowd(job: &Job, server: &Server, count: usize, runs: usize) -> Result<[Cost; 4]> {
    let mut programs = programs(job, server, count)?;
    let mut samples: [Vec<(Sample, f64)>; 4] = Default::default();
    for round in 0..runs {
        for turn in 0..programs.len() {
            let index = (round + turn) % programs.len();
            job.fresh()?;
            let before = server.cpu();
            let sample = expect_success(&mut programs[index], &job.said())?;
            samples[index].push((sample, ms(server.cpu().saturating_sub(before))));
        }
    }
    let bare: Vec<f64> = samples[BARE].iter().map(|(one, _)| ms(one.wall)).collect();
    Ok(samples.map(|samples| {
        let of = |value: fn(&Sample) -> f64| median(samples.iter().map(|(one, _)| value(one)));
        Cost {
            wall: of(|one| ms(one.wall)),
            cpu: of(|one| ms(one.cpu)),
            memory: of(|one| mib(one.memory)),
            server: median(samples.iter().map(|(_, server)| *server)),
            to_bare: median(
                samples
                    .iter()
                    .zip(&bare)
                    .map(|((one, _), bare)| ms(one.wall) / bare),
            ),
        }
    }))
}

fn programs(job: &Job, server: &Server, count: usize) -> Result<[Command; 4]> {
    let mut config = String::from("targets:\n");
    let mut redis = config.clone();
    let mut curls = String::new();
    let mut lines = String::new();
    for index in 0..count {
        let address = format!("127.0.0.1:{}", server.ports[index % server.ports.len()]);
        writeln!(config, "  service-{index}: http://{address}/{index}")?;
        writeln!(redis, "  service-{index}: redis://{address}/{index}")?;
        writeln!(
            curls,
            "url = \"http://{address}/{index}\"\noutput = \"/dev/null\""
        )?;
        writeln!(lines, "{address} /{index}")?;
    }
    let file = |name: &str, text: &str| -> Result<String> {
        let path = job.path(name);
        fs::write(&path, text)?;
        Ok(path.to_str().ok_or("a path that is no text")?.to_owned())
    };
    let config = file("preflight.yml", &config)?;
    let redis = file("redis.yml", &redis)?;
    let redis = job.step(&[("PREFLIGHT_CONFIG", &redis)]);
    let ours = job.step(&[("PREFLIGHT_CONFIG", &config)]);
    let mut curl = job.command("curl");
    curl.args(["-s", "-Z", "--parallel-immediate", "--parallel-max", "300"]);
    curl.args(["-K", &file("curl.conf", &curls)?]);
    let mut bare = job.command(std::env::current_exe()?);
    bare.args(["ask", &file("targets.txt", &lines)?]);
    Ok([ours, curl, bare, redis])
}

fn checks(all: &[(usize, [Cost; 4])]) -> Table {
    let mut table = Table::new(&["figure", "is", "at most", ""]);
    let mut check = |name: &str, is: f64, most: f64, unit: &str| {
        table.row(vec![
            name.to_owned(),
            format!("{is:.2}{unit}"),
            format!("{most}{unit}"),
            verdict(is <= most).to_owned(),
        ]);
    };
    let at = |count: usize, program: usize| {
        all.iter()
            .find(|(targets, _)| *targets == count)
            .map(|(_, costs)| costs[program])
    };
    let (Some(one), Some(thousand), Some(ten)) = (at(1, OURS), at(1_000, OURS), at(10_000, OURS))
    else {
        return table;
    };
    check(
        "1,000 targets: wall, ours / bare epoll client",
        thousand.to_bare,
        1.2,
        "",
    );
    check("1,000 targets: peak memory", thousand.memory, 30.0, " MiB");
    check("10,000 targets: wall", ten.wall / 1000.0, 1.3, " s");
    check("10,000 targets: peak memory", ten.memory, 140.0, " MiB");
    // What a target adds in a crowd of 10,000, compared with a crowd of 1,000.
    for (name, of) in [
        ("CPU", (|cost| cost.cpu) as fn(Cost) -> f64),
        ("peak memory", |cost| cost.memory),
        ("wall beyond the delay", |cost| cost.wall),
    ] {
        let added = |cost: Cost, count: f64| (of(cost) - of(one)) / (count - 1.0);
        let growth = added(ten, 10_000.0) / added(thousand, 1_000.0);
        check(
            &format!("what one more target costs, 10,000 / 1,000: {name}"),
            growth,
            LINEAR,
            "",
        );
    }
    if let Some(redis) = at(1_000, REDIS) {
        for (name, of) in [
            ("CPU", (|cost| cost.cpu) as fn(Cost) -> f64),
            ("peak memory", |cost| cost.memory),
        ] {
            check(
                &format!("1,000 targets, redis / http: {name}"),
                of(redis) / of(thousand),
                1.0,
                "",
            );
        }
    }
    if let Some(curl) = at(1_000, CURL) {
        table.row(vec![
            "1,000 targets: wall, ours / curl -Z".to_owned(),
            format!("{:.2}", thousand.wall / curl.wall),
            String::new(),
            String::new(),
        ]);
    }
    table
}
