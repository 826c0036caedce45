use std::env;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::daemon::Daemon;
use crate::kit::program;
use crate::kit::run::Run;
use crate::kit::step::Preflight;

/// Servers under way at once.
const AT_ONCE: usize = 3;
/// How many probes the log is counted over.
const PROBES: usize = 20;

/// Whether a server is part of every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    Light,
    Heavy,
}

/// A server, and what is done with it.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) weight: Weight,
    pub(crate) play: fn(&mut Table),
}

/// What came of the states of one server.
pub(crate) struct Table {
    server: String,
    version: String,
    rows: Vec<[String; 8]>,
    wrong: Vec<String>,
}

/// What is expected of a state.
pub(crate) struct Wanted {
    result: &'static str,
    /// Either of them, where two have a `|` between them.
    cause: &'static str,
    code: &'static str,
}

/// It is up, with this code.
pub(crate) const fn up(code: &'static str) -> Wanted {
    Wanted {
        result: "up",
        cause: "",
        code,
    }
}

/// It says that it cannot serve, with this code.
pub(crate) const fn not_serving(code: &'static str) -> Wanted {
    down("not-serving", code)
}

/// It is down by this cause.
pub(crate) const fn down(cause: &'static str, code: &'static str) -> Wanted {
    Wanted {
        result: "down",
        cause,
        code,
    }
}

/// It closes unasked. Whether that is seen as the end or as a reset depends on whether our
/// question was there before.
pub(crate) const fn cut_off() -> Wanted {
    down("closed|reset", "")
}

impl Table {
    /// What the server says about itself.
    pub(crate) fn version(&mut self, version: impl Into<String>) {
        self.version = version.into();
    }

    /// Another server in the same table.
    pub(crate) fn server(&mut self, name: &str) {
        name.clone_into(&mut self.server);
    }

    /// Asks the server in this state, and notes what came of it.
    pub(crate) fn state(&mut self, state: &str, url: impl Display, wanted: &Wanted) -> Run {
        self.step(state, Preflight::probing(url), wanted)
    }

    /// The same by a step of its own.
    pub(crate) fn step(&mut self, state: &str, step: Preflight, wanted: &Wanted) -> Run {
        let run = step.run();
        self.note(state, &run, wanted, "");
        run
    }

    /// The same over TLS, by the authority of the tests: by `tls: true` where the scheme does not
    /// say it.
    pub(crate) fn tls(&mut self, state: &str, url: impl Display, wanted: &Wanted) -> Run {
        let step = Preflight::new().set("targets", format!("dep: {{url: '{url}', tls: true}}"));
        self.step(state, step.trusting(), wanted)
    }

    /// Asks it twenty times, each by a connection of its own, and counts what its log says about
    /// that: at most so many lines in all.
    pub(crate) fn log(&mut self, state: &str, url: impl Display, daemon: &Daemon, most: usize) {
        self.log_of(state, url, &|| daemon.log_lines(), most);
    }

    /// The same for a log that is elsewhere.
    pub(crate) fn log_of(
        &mut self,
        state: &str,
        url: impl Display,
        lines: &dyn Fn() -> usize,
        most: usize,
    ) {
        let before = settled(lines);
        let targets: Vec<_> = (0..PROBES)
            .map(|number| (format!("t{number}"), url.to_string()))
            .collect();
        let run = Preflight::targets(&targets).trusting().run();
        run.up();
        let said = settled(lines) - before;
        let text = format!("{said} of {most}");
        self.note(
            state,
            &run,
            &up(run.output("code").to_owned().leak()),
            &text,
        );
        if said > most {
            self.wrong.push(format!(
                "{}: {state}: {said} lines for {PROBES} probes",
                self.server
            ));
        }
    }

    fn note(&mut self, state: &str, run: &Run, wanted: &Wanted, log: &str) {
        let found = ["result", "cause", "code"].map(|name| run.output(name).to_owned());
        let [result, cause, code] = found;
        let right = result == wanted.result
            && wanted.cause.split('|').any(|one| one == cause)
            && code == wanted.code;
        let message = run.target(0)["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if !right {
            let Wanted {
                result,
                cause,
                code,
            } = wanted;
            self.wrong.push(format!(
                "{}: {state}: wanted {result} {cause} {code}\n{run}",
                self.server
            ));
        }
        let ok = if right { "ok" } else { "WRONG" };
        self.rows.push([
            self.server.clone(),
            self.version.clone(),
            state.to_owned(),
            format!("{result} {cause}"),
            code,
            log.to_owned(),
            ok.to_owned(),
            message.chars().take(90).collect(),
        ]);
    }
}

/// A number of lines that has stopped growing: servers write after the client has left.
fn settled(lines: &dyn Fn() -> usize) -> usize {
    let mut last = lines();
    loop {
        thread::sleep(std::time::Duration::from_millis(300));
        let now = lines();
        if now == last {
            return now;
        }
        last = now;
    }
}

/// Plays the servers of this weight, and prints the table.
pub(crate) fn run(servers: &[Server], weight: Weight) {
    // Without one, nothing need be started.
    program::under_test();
    let only = env::var("SERVICES").unwrap_or_default();
    let without = env::var("SERVICES_WITHOUT").unwrap_or_default();
    let known = |word: &str| servers.iter().any(|server| server.name == word);
    let typo = without.split_whitespace().find(|word| !known(word));
    assert_eq!(
        typo, None,
        "SERVICES_WITHOUT names a server that is not here"
    );
    let is_left_out = |name: &str| without.split_whitespace().any(|word| word == name);
    let servers: Vec<_> = servers
        .iter()
        .filter(|server| server.weight == weight && server.name.contains(&only))
        .collect();
    let (turn, tables) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let index = turn.fetch_add(1, Ordering::Relaxed);
                    let Some(server) = servers.get(index) else {
                        return;
                    };
                    let mut table = Table {
                        server: server.name.to_owned(),
                        version: String::new(),
                        rows: Vec::new(),
                        wrong: Vec::new(),
                    };
                    if is_left_out(server.name) {
                        let mut row = [const { String::new() }; 8];
                        server.name.clone_into(&mut row[0]);
                        "left out by SERVICES_WITHOUT".clone_into(&mut row[2]);
                        table.rows.push(row);
                    } else {
                        let played = catch_unwind(AssertUnwindSafe(|| (server.play)(&mut table)));
                        if let Err(why) = played {
                            let why = why
                                .downcast_ref::<String>()
                                .map(String::as_str)
                                .or_else(|| why.downcast_ref::<&str>().copied())
                                .unwrap_or("it panicked");
                            table.wrong.push(format!("{}: {why}", server.name));
                        }
                    }
                    tables.lock().unwrap().push((index, table));
                }
            });
        }
    });
    let mut tables = tables.into_inner().unwrap();
    tables.sort_by_key(|(index, _)| *index);
    print(tables.iter().flat_map(|(_, table)| &table.rows));
    let wrong: Vec<_> = tables
        .into_iter()
        .flat_map(|(_, table)| table.wrong)
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn print<'a>(rows: impl Iterator<Item = &'a [String; 8]> + 'a) {
    let heads = [
        "server",
        "version",
        "state",
        "verdict",
        "code",
        "log of 20",
        "",
        "message",
    ];
    let heads = heads.map(str::to_owned);
    let rows: Vec<[String; 8]> = std::iter::once(heads.clone())
        .chain(rows.cloned())
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<_> = (0..heads.len()).map(width).collect();
    for row in &rows {
        let cells = row.iter().zip(&widths);
        let line: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        println!("{}", line.join("  ").trim_end());
    }
}
