//! Start to exit for one target, in pairs: ours and another program, in turns.

use std::fmt::Write;
use std::process::Command;
use std::time::Duration;

use crate::action::Job;
use crate::figures::{Table, median, mib, ms, quantile, verdict};
use crate::process::{Sample, expect_success};
use crate::server::Server;
use crate::{Options, Result, authority};

const PRIVATE: &str = "https, private CA";
const SYSTEM: &str = "https, system's root";

/// Another program that answers the same question.
struct Rival {
    name: &'static str,
    command: Command,
    pairs: usize,
    /// The most of its wall time that ours may take.
    target: Option<f64>,
}

/// A pairing that was run.
struct Pairing {
    ours: Vec<Sample>,
    theirs: Vec<Sample>,
}

pub fn section(options: &Options) -> Result<String> {
    let job = Job::new(options, "start")?;
    let tls = job.path("tls");
    authority::write(&tls)?;
    let ca = tls.join("ca.pem");
    let ca = ca.to_str().ok_or("a path that is no text")?;
    let plain = Server::start(1, Duration::ZERO, None)?;
    let secure = Server::start(1, Duration::ZERO, Some(&tls))?;
    let plain_url = format!("http://127.0.0.1:{}/health", plain.port());
    let secure_url = format!("https://127.0.0.1:{}/health", secure.port());

    let mut costs = Table::new(&[
        "target",
        "program",
        "runs",
        "median ms",
        "p90 ms",
        "CPU ms",
        "peak MiB",
    ]);
    let mut ratios = Table::new(&[
        "target",
        "ours against",
        "pairs",
        "wall, ours / theirs",
        "quartiles",
        "CPU",
        "at most",
        "",
    ]);
    let mut skipped = "";
    for (scheme, url, ca) in [
        ("http", &plain_url, None),
        (PRIVATE, &secure_url, Some(ca)),
        (SYSTEM, &secure_url, None),
    ] {
        let trusted = if scheme == SYSTEM {
            let trusted = authority::trust(&tls)?;
            if trusted.is_none() {
                skipped = " https with a root of the system was left out: it needs root.";
                continue;
            }
            trusted
        } else {
            None
        };
        let mut inputs = vec![("PREFLIGHT_URL", url.as_str()), ("PREFLIGHT_NAME", "api")];
        inputs.extend(ca.map(|ca| ("PREFLIGHT_CA_CERTIFICATES", ca)));
        let mut step = job.step(&inputs);
        for (index, rival) in rivals(options, &job, url, ca).iter_mut().enumerate() {
            let pairing = pair(options, &job, &mut step, rival)?;
            if index == 0 {
                costs.row(cost_row(
                    scheme,
                    "dep-preflight, the whole step",
                    &pairing.ours,
                ));
            }
            costs.row(cost_row(scheme, rival.name, &pairing.theirs));
            ratios.row(ratio_row(scheme, rival, &pairing));
        }
        if let Some(mut launcher) = launcher(options, &job, &inputs) {
            let mut samples = Vec::new();
            for _ in 0..options.count(60, 10) {
                job.fresh()?;
                samples.push(expect_success(&mut launcher, &job.said())?);
            }
            costs.row(cost_row(scheme, "the same by dist/run.sh", &samples));
        }
        drop(trusted);
    }
    let mut text = format!("{costs}\n{ratios}\n");
    writeln!(
        text,
        "The step writes its outputs and the summary, as the action runs it; no token, control \
         off. curl is `curl -s -o /dev/null`, with `--cacert` for https; wait-on does not check \
         the certificate, wait-for-it only connects. Ratios are medians over pairs that ran one \
         after the other, in changing order. The private authority is given by `ca-certificates`; \
         the system's root is one more in the system's own list.{skipped}"
    )?;
    Ok(text)
}

fn rivals(options: &Options, job: &Job, url: &str, ca: Option<&str>) -> Vec<Rival> {
    let secure = url.starts_with("https");
    let mut curl = job.command("curl");
    curl.args(["-s", "-o", "/dev/null"]);
    if let Some(ca) = ca {
        curl.args(["--cacert", ca]);
    }
    curl.arg(url);
    let mut rivals = vec![Rival {
        name: "curl",
        command: curl,
        pairs: options.count(300, 30),
        target: Some(if secure { 0.3 } else { 0.28 }),
    }];
    // It checks no certificate: the second https row would be the first again.
    let again = secure && ca.is_none();
    if let Some(program) = options.wait_on.as_ref().filter(|_| !again) {
        let mut command = job.command(program);
        command.args(["-t", "10000"]);
        command.arg(url.replacen("://", "-get://", 1));
        rivals.push(Rival {
            name: "wait-on",
            command,
            pairs: options.count(30, 3),
            target: None,
        });
    }
    if let Some(program) = options.wait_for_it.as_ref().filter(|_| !secure) {
        let mut command = job.command(program);
        let address = url
            .trim_start_matches("http://")
            .trim_end_matches("/health");
        command.args(["-q", "-t", "10", address]);
        rivals.push(Rival {
            name: "wait-for-it",
            command,
            pairs: options.count(60, 10),
            target: None,
        });
    }
    rivals
}

/// The step as action.yml starts it, if the binary that is measured is the one in dist/.
fn launcher(options: &Options, job: &Job, inputs: &[(&str, &str)]) -> Option<Command> {
    let dist = options.root.join("dist");
    let script = dist.join("run.sh");
    if !script.exists() || options.binary.parent() != Some(&dist) {
        return None;
    }
    let mut command = job.command("sh");
    command.arg(script).env("GITHUB_ACTION_PATH", &options.root);
    Some(job.step_by(command, inputs))
}

fn pair(options: &Options, job: &Job, step: &mut Command, rival: &mut Rival) -> Result<Pairing> {
    let said = job.said();
    let mut pairing = Pairing {
        ours: Vec::new(),
        theirs: Vec::new(),
    };
    let warm_up = options.count(3, 1);
    for round in 0..rival.pairs + warm_up {
        job.fresh()?;
        let (ours, theirs) = if round % 2 == 0 {
            let ours = expect_success(step, &said)?;
            (ours, expect_success(&mut rival.command, &said)?)
        } else {
            let theirs = expect_success(&mut rival.command, &said)?;
            (expect_success(step, &said)?, theirs)
        };
        if round >= warm_up {
            pairing.ours.push(ours);
            pairing.theirs.push(theirs);
        }
    }
    Ok(pairing)
}

fn cost_row(scheme: &str, name: &str, samples: &[Sample]) -> Vec<String> {
    let wall = || samples.iter().map(|sample| ms(sample.wall));
    vec![
        scheme.to_owned(),
        name.to_owned(),
        samples.len().to_string(),
        format!("{:.2}", median(wall())),
        format!("{:.2}", quantile(wall(), 0.9)),
        format!("{:.2}", median(samples.iter().map(|one| ms(one.cpu)))),
        format!("{:.1}", median(samples.iter().map(|one| mib(one.memory)))),
    ]
}

fn ratio_row(scheme: &str, rival: &Rival, pairing: &Pairing) -> Vec<String> {
    let pairs = || pairing.ours.iter().zip(&pairing.theirs);
    let wall = || pairs().map(|(ours, theirs)| ms(ours.wall) / ms(theirs.wall));
    let cpu = median(pairs().map(|(ours, theirs)| ms(ours.cpu) / ms(theirs.cpu)));
    let ratio = median(wall());
    vec![
        scheme.to_owned(),
        rival.name.to_owned(),
        pairing.ours.len().to_string(),
        format!("{ratio:.3}"),
        format!(
            "{:.3} to {:.3}",
            quantile(wall(), 0.25),
            quantile(wall(), 0.75)
        ),
        format!("{cpu:.3}"),
        rival
            .target
            .map(|most| most.to_string())
            .unwrap_or_default(),
        rival
            .target
            .map(|most| verdict(ratio <= most).to_owned())
            .unwrap_or_default(),
    ]
}
