use std::any::Any;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Instant;

use crate::case::{self, Case};
use crate::engine::Engine;
use crate::fixture::Fixture;
use crate::job;
use crate::kit::forge::Kind;
use crate::kit::program;
use crate::process;

/// The engines that must be there, by name, with commas between them.
const WANTED: &str = "DEP_PREFLIGHT_RUNNERS";
const WANTED_BY_DEFAULT: &str = "act";

/// An engine, and the forge that it is told to work for.
pub(crate) struct Row {
    title: &'static str,
    pub(crate) engine: Engine,
    pub(crate) forge: Kind,
    /// What tells the forge's own runner from others, and `exec` does not set by itself.
    pub(crate) environment: &'static [(&'static str, &'static str)],
    /// What the forge says of its version; the link goes by that.
    pub(crate) version: &'static str,
    /// The run in the link of the commit status: its id, or on Forgejo its number.
    pub(crate) run: &'static str,
}

pub(crate) const ROWS: [Row; 5] = [
    Row {
        title: "nektos/act",
        engine: Engine::Act,
        forge: Kind::Github,
        environment: &[],
        version: "1.26.0",
        run: "4711",
    },
    Row {
        title: "Gitea's environment on nektos/act",
        engine: Engine::Act,
        forge: Kind::Gitea,
        environment: &[],
        version: "1.26.0",
        run: "4711",
    },
    Row {
        title: "Forgejo's environment on nektos/act",
        engine: Engine::Act,
        forge: Kind::Gitea,
        environment: &[("FORGEJO_ACTIONS", "true")],
        version: "14.0.0+gitea-1.22.0",
        run: "12",
    },
    Row {
        title: "Gitea runner",
        engine: Engine::GiteaRunner,
        forge: Kind::Gitea,
        environment: &[],
        version: "1.26.0",
        run: "4711",
    },
    Row {
        title: "Forgejo runner",
        engine: Engine::ForgejoRunner,
        forge: Kind::Gitea,
        environment: &[("FORGEJO_ACTIONS", "true")],
        version: "14.0.0+gitea-1.22.0",
        run: "12",
    },
];

/// What came of a row.
struct Outcome {
    version: String,
    passed: usize,
    result: String,
    seconds: f64,
    failures: Vec<String>,
}

#[test]
fn the_action_does_the_same_on_every_engine() {
    let wanted = std::env::var(WANTED).unwrap_or_else(|_| WANTED_BY_DEFAULT.to_owned());
    let wanted: Vec<&str> = wanted.split(',').map(str::trim).collect();
    for name in &wanted {
        let known = Engine::ALL.map(Engine::name);
        assert!(
            known.contains(name),
            "{WANTED}: {name:?} is none of {known:?}"
        );
    }
    let fixture = Fixture::new();
    let cases = case::all(&fixture.nginx, &fixture.stopped);
    let outcomes: Vec<Outcome> = thread::scope(|scope| {
        let rows = ROWS.each_ref().map(|row| {
            let wanted = wanted.contains(&row.engine.name());
            let (fixture, cases) = (&fixture, &cases);
            scope.spawn(move || play(row, wanted, fixture, cases))
        });
        rows.map(|row| row.join().unwrap()).into()
    });
    // Past the capture of tests' output: what was run, and what was not, is always said.
    let table = table(&outcomes, &program::under_test().shown(), cases.len());
    io::stdout().write_all(table.as_bytes()).unwrap();
    let failures: Vec<_> = outcomes.into_iter().flat_map(|row| row.failures).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn play(row: &Row, wanted: bool, fixture: &Fixture, cases: &[Case]) -> Outcome {
    let mut outcome = Outcome {
        version: "-".to_owned(),
        passed: 0,
        result: "ok".to_owned(),
        seconds: 0.0,
        failures: Vec::new(),
    };
    match row.engine.find() {
        Ok(program) => {
            let started = Instant::now();
            outcome.version = version(&program);
            for case in cases {
                let tried = AssertUnwindSafe(|| job::play(row, &program, fixture, case));
                match panic::catch_unwind(tried) {
                    Ok(()) => outcome.passed += 1,
                    Err(why) => outcome.failures.push(format!(
                        "{}: {}: {}",
                        row.title,
                        case.job,
                        text(&*why)
                    )),
                }
            }
            if !outcome.failures.is_empty() {
                "FAILED".clone_into(&mut outcome.result);
            }
            outcome.seconds = started.elapsed().as_secs_f64();
        }
        Err(why) => {
            outcome.result = format!("not run: {why}");
            if wanted {
                let demand = format!("{}: {why}, and {WANTED} demands it", row.title);
                outcome.failures.push(demand);
            }
        }
    }
    outcome
}

/// The last word of what an engine says of its version.
fn version(program: &Path) -> String {
    let home = tempfile::TempDir::new().unwrap();
    let mut command: Command = process::isolated(program, home.path());
    let said = process::output(command.arg("--version"));
    let word = said
        .lines()
        .next()
        .and_then(|line| line.split_whitespace().last());
    word.unwrap_or("?").to_owned()
}

fn text(why: &(dyn Any + Send)) -> String {
    let owned = why.downcast_ref::<String>().cloned();
    owned
        .or_else(|| why.downcast_ref::<&str>().map(|&text| text.to_owned()))
        .unwrap_or_default()
}

fn table(outcomes: &[Outcome], program: &str, cases: usize) -> String {
    let mut table = format!(
        "\nThe action on runner engines (program: {program})\n\n{:36} {:8} {:>6} {:>8}  result\n",
        "runner", "version", "cases", "seconds"
    );
    for (row, outcome) in ROWS.iter().zip(outcomes) {
        let Outcome {
            version,
            passed,
            result,
            seconds,
            ..
        } = outcome;
        let count = format!("{passed}/{cases}");
        table += &format!(
            "{:36} {version:8} {count:>6} {seconds:>8.1}  {result}\n",
            row.title
        );
    }
    table + "\n"
}
