//! The hard deadline when it is publishing that hangs: forge, standard output, files.

use std::time::Duration;

use crate::kit::forge::take;
use crate::kit::peer::Peer;
use crate::kit::step::Preflight;
use crate::lab::{DEP, FORGE, FORGE_URL, HOLE, Lab};
use crate::row::Row;

const DEP_URL: &str = "http://10.77.1.1/";

fn soon(step: Preflight) -> Preflight {
    step.set("deadline", "3s")
}

/// So many targets that refuse: more output than a pipe holds.
fn chatty(lab: &Lab) -> Preflight {
    two_thousand(lab, |number| format!("http://{DEP}/{number}"))
}

/// So many addresses without a scheme.
fn wrong(lab: &Lab) -> Preflight {
    two_thousand(lab, |_| DEP.to_owned())
}

fn two_thousand(lab: &Lab, url: impl Fn(u32) -> String) -> Preflight {
    let lines = (0..2000).map(|number| format!("  target-{number:04}: {}\n", url(number)));
    let file = lab.path("config.yml");
    let targets: String = lines.collect();
    std::fs::write(&file, format!("targets:\n{targets}")).unwrap();
    lab.step("").set("config", file.display())
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = of_forge();
    rows.extend(of_files());
    rows.extend(of_what_is_read());
    rows.into_iter().map(|row| row.within(0..=3750)).collect()
}

fn of_forge() -> Vec<Row> {
    vec![
        Row::up("deadline: forge hangs on the status", |lab| {
            lab.dep(200);
            lab.server("forge", &format!("{FORGE}:80"), Peer::mute);
            soon(lab.step(DEP_URL).on_forge_at(FORGE_URL))
                .run()
                .logs("COMMIT-STATUS")
        })
        .seen("dep 1/1 forge 1/1"),
        Row::up("deadline: forge black-holed", |lab| {
            lab.dep(200);
            let step = soon(lab.step(DEP_URL).on_forge_at(FORGE_URL));
            step.env("GITHUB_API_URL", format!("http://{HOLE}"))
                .run()
                .logs("COMMIT-STATUS")
        }),
        Row::up("deadline: forge's TLS unanswered", |lab| {
            lab.dep(200);
            lab.server("forge", &format!("{FORGE}:443"), Peer::hang);
            let step = soon(lab.step(DEP_URL).on_forge_at(FORGE_URL));
            step.env("GITHUB_API_URL", format!("https://{FORGE}"))
                .run()
                .logs("COMMIT-STATUS")
        }),
        Row::up("deadline: forge trickles its answer", |lab| {
            lab.dep(200);
            lab.server("forge", &format!("{FORGE}:80"), |peer| {
                peer.answer("HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n");
                peer.trickle(" ", Duration::from_millis(20));
            });
            soon(lab.step(DEP_URL).on_forge_at(FORGE_URL)).run()
        }),
        Row::up("deadline: Gitea hangs when asked for its version", |lab| {
            lab.dep(200);
            lab.server("forge", &format!("{FORGE}:80"), Peer::mute);
            soon(lab.step(DEP_URL).on_forge_at(FORGE_URL))
                .env("GITEA_ACTIONS", "true")
                .run()
        }),
        Row::down(
            "deadline: forge hangs while it waits, and then",
            "status",
            |lab| {
                lab.dep(503);
                lab.server("forge", &format!("{FORGE}:80"), Peer::mute);
                let step = soon(lab.step(DEP_URL).on_forge_at(FORGE_URL));
                step.set("attempts", "unlimited")
                    .run()
                    .logs("COMMIT-STATUS")
            },
        ),
    ]
}

fn of_files() -> Vec<Row> {
    vec![
        Row::down("deadline: nobody reads 2000 failures", "refused", |lab| {
            soon(chatty(lab)).unread().run()
        }),
        Row::down("2000 failures, read", "refused", |lab| {
            let run = soon(chatty(lab)).run();
            let told = run
                .stdout
                .lines()
                .filter(|line| line.starts_with("DEP-DOWN:target-"));
            assert_eq!(told.count(), 2000);
            run
        })
        .seen(""),
        Row::ends(
            "deadline: nobody reads 2000 problems",
            "invalid",
            "",
            78,
            |lab| {
                let run = soon(wrong(lab)).unread().run();
                assert_eq!(run.read("outputs").matches("result<<").count(), 1, "{run}");
                run
            },
        ),
        Row::ends(
            "deadline: report-file is a pipe nobody reads",
            "invalid",
            "",
            78,
            |lab| {
                let pipe = lab.fifo("pipe");
                soon(lab.step(DEP_URL))
                    .set("report-file", pipe.display())
                    .run()
            },
        ),
        Row::ends(
            "deadline: outputs file is a pipe nobody reads",
            "",
            "",
            1,
            |lab| {
                let pipe = lab.fifo("pipe");
                soon(lab.step(DEP_URL)).env("GITHUB_OUTPUT", pipe).run()
            },
        ),
        Row::down(
            "deadline: summary is a pipe nobody reads",
            "refused",
            |lab| {
                let pipe = lab.fifo("pipe");
                soon(lab.step(DEP_URL))
                    .env("GITHUB_STEP_SUMMARY", pipe)
                    .run()
            },
        ),
    ]
}

fn of_what_is_read() -> Vec<Row> {
    vec![
        Row::ends(
            "deadline: event file is a pipe nobody writes",
            "down",
            "refused",
            70,
            |lab| {
                let pipe = lab.fifo("pipe");
                lab.server("forge", &format!("{FORGE}:80"), take);
                soon(lab.step(DEP_URL))
                    .on_forge_at(FORGE_URL)
                    .env("GITHUB_EVENT_PATH", pipe)
                    .run()
            },
        ),
        Row::ends(
            "deadline: config is a pipe nobody writes",
            "error",
            "",
            1,
            |lab| {
                let pipe = lab.fifo("pipe");
                soon(lab.step(""))
                    .set("config", pipe.display())
                    .run()
                    .logs("could not be read before")
            },
        ),
        Row::ends("deadline: certificates are a pipe", "error", "", 1, |lab| {
            let pipe = lab.fifo("pipe");
            soon(lab.step(DEP_URL))
                .set("ca-certificates", pipe.display())
                .run()
                .logs("ca-certificates (")
        }),
        Row::up(
            "deadline: report-file is a pipe whose reader does not read",
            |lab| {
                let pipe = lab.fifo("pipe");
                lab.dep(200);
                let reader = std::fs::OpenOptions::new()
                    .read(true)
                    .write(true)
                    .open(&pipe);
                // As many targets as a pipe does not hold the report of.
                let lines = (0..500).map(|number| format!("t{number}: {DEP_URL}{number}\n"));
                let step = soon(lab.step("")).set("targets", lines.collect::<String>());
                let run = step.set("report-file", pipe.display()).run();
                drop(reader.unwrap());
                run.logs("REPORT-FILE")
            },
        ),
        Row::ends("outputs cannot be written", "", "", 1, |lab| {
            let nowhere = lab.path("nowhere/outputs");
            soon(lab.step(DEP_URL)).env("GITHUB_OUTPUT", nowhere).run()
        }),
    ]
}
