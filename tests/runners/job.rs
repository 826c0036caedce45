use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::case::{Case, Verdict};
use crate::engine::Job;
use crate::engines::Row;
use crate::fixture::Fixture;
use crate::kit::forge::{Behaviour, Forge};
use crate::kit::run::Run;
use crate::kit::running::eventually;
use crate::kit::step::{Preflight, TOKEN};
use crate::kit::{commands, invariants};
use crate::log::Log;
use crate::process::{self, Process};

/// The head of the pull request that the jobs run for: no commit of the repository.
const PULL_HEAD: &str = "1111111111111111111111111111111111111111";

/// What an engine sets by itself.
const BY_ENGINE: [&str; 3] = ["GITHUB_EVENT_NAME", "GITHUB_SHA", "GITHUB_JOB"];

/// What an engine may do because of the action, files and printed commands alike.
const OBEYED: [&str; 4] = ["error", "set-output", "summary", "warning"];

/// A job that has ended.
pub(crate) struct Done {
    home: TempDir,
    log: Log,
    /// All that the engine said.
    pub(crate) said: String,
    succeeded: bool,
    started: Instant,
}

/// Runs a case as a job, and asserts everything about it.
pub(crate) fn play(row: &Row, program: &Path, fixture: &Fixture, case: &Case) {
    let forge = Forge::behaving(row.forge, Behaviour::Version(row.version));
    let forge = if case.state().is_some() {
        forge
    } else {
        forge.unhit()
    };
    let done = run(row, program, fixture, case, &forge, true);
    let said = &done.said;
    assert!(!said.contains(TOKEN), "the token is in the log\n{said}");
    let run = done.step(case);
    invariants::check(&run);
    check_outputs(case, &done, &run);
    check_log(case, &done, &run);
    check_job(case, &done);
    let head = if case.push || !row.engine.takes_payload() {
        &fixture.head
    } else {
        PULL_HEAD
    };
    check_statuses(row, case, &forge, head);
}

/// Runs a case as a job; its log is for programs, or for people.
pub(crate) fn run(
    row: &Row,
    program: &Path,
    fixture: &Fixture,
    case: &Case,
    forge: &Forge,
    json: bool,
) -> Done {
    let home = TempDir::new().unwrap();
    let seen = home.path().join("seen");
    fs::create_dir(&seen).unwrap();
    let payload = home.path().join("payload.json");
    fs::write(&payload, event(case).to_string()).unwrap();
    let mut environment = forge.environment();
    environment.retain(|(name, _)| !BY_ENGINE.contains(name));
    let own = row.environment.iter();
    environment.extend(own.map(|&(name, value)| (name, value.to_owned())));
    environment.push(("SEEN", seen.display().to_string()));
    let job = Job {
        name: case.job,
        event: if case.push { "push" } else { "pull_request" },
        payload: &payload,
        workflow: &fixture.workflow(),
        instance: &forge.server.at(""),
        json,
        environment: &environment,
    };
    let mut command = process::isolated(program, home.path());
    command
        .env("ACT_DISABLE_VERSION_CHECK", "1")
        .current_dir(fixture.repository())
        .args(row.engine.arguments(&job));
    let started = Instant::now();
    let mut process = Process::start(&mut command, home.path());
    let mut status = None;
    eventually(case.job, || {
        status = process.ended();
        status.is_some()
    });
    let read = |name: &str| fs::read_to_string(home.path().join(name)).unwrap();
    let stdout = read("stdout");
    Done {
        log: Log::parse(&stdout),
        said: stdout + &read("stderr"),
        succeeded: status.unwrap().success(),
        started,
        home,
    }
}

fn event(case: &Case) -> Value {
    let repository = json!({"full_name": "acme/shop", "default_branch": "main"});
    if case.push {
        return json!({"ref": "refs/heads/main", "repository": repository});
    }
    json!({
        "number": 7,
        "pull_request": {
            "number": 7,
            "head": {"ref": "change", "sha": PULL_HEAD, "repo": repository},
            "base": {"ref": "main", "sha": "2".repeat(40), "repo": repository},
        },
        "repository": repository,
    })
}

impl Done {
    /// What a later step has written down.
    fn seen(&self, name: &str) -> String {
        let path = self.home.path().join("seen").join(name);
        fs::read_to_string(&path).unwrap_or_else(|_| panic!("no {name}\n{}", self.said))
    }

    fn happened(&self, name: &str) -> bool {
        self.home.path().join("seen").join(name).exists()
    }

    /// The step as if it had been run without an engine: what it printed as the engine has
    /// taken it, its outputs as a later step has seen them.
    fn step(&self, case: &Case) -> Run {
        let codes = BTreeSet::from_iter(self.log.exits());
        let code = match codes.len() {
            0 => 0,
            1 => *codes.first().unwrap(),
            _ => panic!("{codes:?}\n{}", self.said),
        };
        let stdout = self.log.printed();
        let outputs: BTreeMap<String, String> =
            serde_json::from_str(&self.seen("OUTPUTS")).unwrap();
        Run {
            step: Preflight::bare(),
            code: Some(code),
            annotations: commands::read(&stdout)
                .unwrap_or_else(|why| panic!("{why}\n{}", self.said)),
            stdout,
            stderr: String::new(),
            outputs,
            summary: self.log.summary(),
            took: self.started.elapsed(),
            ended_after_signal: None,
            lenient: case.exit() == 0,
        }
    }
}

/// Outputs, as the next step reads them after success and after failure.
fn check_outputs(case: &Case, done: &Done, run: &Run) {
    run.found(case.result, case.cause);
    assert_eq!(run.code, Some(case.exit()), "{run}");
    assert_eq!(run.output("exit-code"), case.code().to_string(), "{run}");
    assert_eq!(run.output("http-status"), case.http_status, "{run}");
    assert_eq!(done.seen("REPORT"), run.output("report"), "{run}");
    let first = case.targets.first().map(|target| match target.1 {
        Verdict::Up => "up",
        Verdict::Down | Verdict::OptionalDown => "down",
    });
    assert_eq!(done.seen("VERDICT"), first.unwrap_or("none"), "{run}");
    if first.is_some() {
        for (output, verdicts) in [
            ("up", [Verdict::Up; 2]),
            ("down", [Verdict::Down, Verdict::OptionalDown]),
        ] {
            let names: Vec<String> = serde_json::from_str(run.output(output)).unwrap();
            assert_eq!(names, case.names(&verdicts), "{output}\n{run}");
        }
        let several_lines = case.targets.len() > 100;
        assert_eq!(run.output("report").contains('\n'), several_lines, "{run}");
    }
}

/// The log: nothing lost, no command but our own, and what people need to know.
fn check_log(case: &Case, done: &Done, run: &Run) {
    let obeyed = done.log.commands();
    assert!(
        obeyed.iter().all(|one| OBEYED.contains(one)),
        "{obeyed:?}\n{run}"
    );
    let titles: Vec<_> = run
        .annotations
        .iter()
        .map(|one| format!("{} {}", one.level, one.title))
        .collect();
    let of = |level: &str, verdict| {
        let names = case.names(&[verdict]).into_iter().take(10);
        names
            .map(move |name| format!("{level} DEP-DOWN:{name}"))
            .collect::<Vec<_>>()
    };
    let expected = if case.result == "invalid" {
        vec!["error CONFIG".to_owned()]
    } else {
        [
            of("error", Verdict::Down),
            of("warning", Verdict::OptionalDown),
        ]
        .concat()
    };
    assert_eq!(titles, expected, "{run}");
    let code = format!("exit code {}", case.code());
    assert!(run.stdout.contains(&code), "the last line is lost\n{run}");
    if case.result == "down" {
        run.shows(&[
            "this is the environment, not the change under test",
            "2 attempts",
        ]);
    }
    let summary = format!("### dep-preflight: {}", case.result);
    assert_eq!(
        run.summary.starts_with(&summary),
        case.state().is_some(),
        "{run}"
    );
}

/// What becomes of the job, and which of its later steps were taken.
fn check_job(case: &Case, done: &Done) {
    let fails = case.job_fails();
    let said = &done.said;
    assert_eq!(done.seen("ENDED"), case.ended().join(" "), "{said}");
    assert_eq!(done.succeeded, !fails, "{said}");
    let result = if fails { "failure" } else { "success" };
    assert_eq!(done.log.job_result(), Some(result), "{said}");
    let down = case.result == "down";
    for (step, taken) in [
        ("went-on", !fails),
        ("branched", down && !fails),
        ("branched-after-failure", down && fails),
    ] {
        assert_eq!(done.happened(step), taken, "{step}\n{said}");
    }
}

/// The commit statuses: pending ones while it waited, then what was found.
fn check_statuses(row: &Row, case: &Case, forge: &Forge, head: &str) {
    let path = format!("{}/repos/acme/shop/statuses/{head}", row.forge.base());
    let runs = forge.server.at("/acme/shop/actions/runs/");
    for post in forge.posts() {
        let body = post.json();
        assert_eq!(post.word(1), path);
        let authorization = post.header("authorization");
        assert_eq!(authorization, Some(format!("Bearer {TOKEN}").as_str()));
        assert_eq!(
            body["context"],
            format!("dep-preflight / e2e / {}", case.job)
        );
        assert!(body["target_url"].as_str().unwrap().starts_with(&runs));
        assert!(
            body["description"].as_str().unwrap().chars().count() <= 140,
            "{body}"
        );
    }
    let link = forge.posted("target_url").pop();
    let expected = case.state().map(|_| format!("{runs}{}", row.run));
    assert_eq!(link, expected);
    let mut states = forge.posted("state");
    assert_eq!(states.pop().as_deref(), case.state());
    assert!(states.iter().all(|state| state == "pending"), "{states:?}");
    let description = forge.posted("description").pop().unwrap_or_default();
    let culprit = case
        .names(&[Verdict::Down])
        .first()
        .copied()
        .unwrap_or_default();
    let named = description.contains(culprit) && description.contains(case.cause);
    assert!(named, "{description}");
}
