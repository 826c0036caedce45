use std::collections::BTreeSet;
use std::thread;

use rustls::version::{TLS12, TLS13};
use serde_json::Value;

use crate::causes::FullQueue;
use crate::kit::certificates::Certified;
use crate::kit::forge::{Behaviour, Forge, Kind};
use crate::kit::http2::Http2;
use crate::kit::interface;
use crate::kit::peer::Action::{Hang, Hear, Reset, Say, Take};
use crate::kit::run::Run;
use crate::kit::running::eventually;
use crate::kit::server::{Refusing, Server, redirect, response};
use crate::kit::step::Preflight;
use crate::kit::tls::Tls;

/// For servers that never answer: long enough for an emulated program to connect and to ask.
const SHORT: &str = "2s";

/// A name that the resolver knows not to exist, and asks nobody for.
const NO_SUCH_NAME: &str = "http://dep.invalid./";

/// A cause, and a run that must end in it.
type Case = (&'static str, fn() -> Run);

const CASES: [Case; 17] = [
    ("dns", || Preflight::probing(NO_SUCH_NAME).run()),
    ("refused", || {
        Preflight::probing(Refusing::new().url()).run()
    }),
    ("unreachable", || {
        Preflight::probing("http://224.0.0.1:9/").run()
    }),
    ("connect-timeout", || {
        let queue = FullQueue::new();
        Preflight::probing(queue.url()).set("timeout", SHORT).run()
    }),
    ("tls-expired", || certified(Certified::Expired)),
    ("tls-hostname", || certified(Certified::OtherName)),
    ("tls-untrusted", || certified(Certified::UnknownIssuer)),
    ("tls", || {
        let plain = Server::script(&[Take(1), Say(b"220 mail.example ESMTP ready\r\n")]);
        Preflight::probing(plain.scheme("https").url()).run()
    }),
    ("reset", || {
        let server = Server::script(&[Hear, Reset]);
        Preflight::probing(server.url()).run()
    }),
    ("closed", || {
        let server = Server::script(&[Hear]);
        Preflight::probing(server.url()).run()
    }),
    ("response-timeout", || {
        let server = Server::script(&[Hear, Say(b"HTTP/1.1 200 OK\r\nA: "), Hang]);
        Preflight::probing(server.url()).set("timeout", SHORT).run()
    }),
    ("protocol", || {
        let server = Server::reply("SSH-2.0-OpenSSH_9.9\r\n");
        Preflight::probing(server.url()).run()
    }),
    ("proxy", || through_a_proxy_that_answers(407)),
    ("proxy-upstream", || through_a_proxy_that_answers(502)),
    ("local", without_descriptors),
    ("status", || {
        let server = Server::status(503);
        Preflight::probing(server.url()).run()
    }),
    ("not-serving", || {
        let server = Server::script(&[Take(14), Say(b"-LOADING Redis is loading\r\n")]);
        Preflight::probing(server.scheme("redis").url()).run()
    }),
];

fn certified(certified: Certified) -> Run {
    let server = Tls::new(certified).healthy();
    Preflight::probing(server.url()).trusting().run()
}

fn through_a_proxy_that_answers(status: u16) -> Run {
    let proxy = Server::status(status);
    Preflight::probing("https://dep.invalid/")
        .env("https_proxy", proxy.url())
        .run()
}

/// With as many files as the program, and what emulates it, need for themselves. Outputs could
/// not be written either, so nobody wants them here.
fn without_descriptors() -> Run {
    let server = Server::status(200).maybe();
    let limits = (5..40).map(|files| {
        Preflight::probing(server.url())
            .without("GITHUB_OUTPUT")
            .without("GITHUB_STEP_SUMMARY")
            .shell(format!("ulimit -n {files}"))
            .run()
    });
    let mut runs = limits.inspect(|run| assert_ne!(run.code, Some(70), "{run}"));
    runs.find(|run| run.code == Some(75))
        .expect("between too few to begin and enough for all there is a number")
}

#[test]
fn every_cause_is_found() {
    for (cause, play) in CASES {
        let run = play();
        let told = [
            format!("DEP-DOWN:{} {cause}: ", name(&run)),
            format!("RUNNER-NET:{} {cause}: ", name(&run)),
        ];
        assert!(
            told.iter().any(|start| run.lines(start).len() == 1),
            "{cause}\n{run}"
        );
        if !run.outputs.is_empty() {
            assert_eq!(run.output("cause"), cause, "{run}");
        }
    }
    let tested: BTreeSet<String> = CASES.iter().map(|case| case.0.to_owned()).collect();
    let causes = BTreeSet::from_iter(interface::causes());
    assert_eq!(tested, causes, "each cause has its case here");
}

/// The name of the only target: the host of its address.
fn name(run: &Run) -> &str {
    let last = run
        .stdout
        .lines()
        .rfind(|line| line.starts_with("DEP-DOWN:") || line.starts_with("RUNNER-NET:"));
    let name = last.and_then(|line| line.split_once(':')?.1.split(' ').next());
    name.unwrap_or_else(|| panic!("no last line\n{run}"))
}

#[test]
fn every_exit_code_is_given() {
    let (healthy, gone) = (Server::status(401), Refusing::new());
    let proxied = Preflight::probing("https://dep.invalid/").env("https_proxy", gone.url());
    let table = [
        ("up", 0, Preflight::probing(healthy.url())),
        ("down", 70, Preflight::probing(gone.url())),
        ("unknown", 75, proxied),
        (
            "invalid",
            78,
            Preflight::probing(gone.url()).set("timeout", "5"),
        ),
        (
            "",
            1,
            Preflight::probing(healthy.url()).env("GITHUB_OUTPUT", "/dev/full"),
        ),
    ];
    for (result, code, step) in table {
        let run = step.run();
        assert_eq!(
            (run.output("result"), run.code),
            (result, Some(code)),
            "{run}"
        );
    }
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let silent = Server::silent();
        let running = Preflight::probing(silent.url())
            .set("timeout", "50s")
            .start();
        eventually("the request", || silent.requests() == 1);
        let run = running.signal(signal).wait();
        assert_eq!(run.code, Some(code), "{run}");
        assert_eq!(run.output("exit-code"), code.to_string(), "{run}");
    }
}

/// That outputs, report, log and annotations agree, the invariants see to.
#[test]
fn outputs_summary_and_report_are_written() {
    let (healthy, failing, gone) = (Server::status(404), Server::status(503), Refusing::new());
    let targets = format!(
        "llm: {}\nbilling: {}\nextra: {{url: '{}', optional: true}}\n",
        healthy.url(),
        failing.url(),
        gone.url(),
    );
    let run = Preflight::new()
        .set("targets", targets)
        .set("report-file", "report.json")
        .run();
    run.down("status");
    for (output, value) in [
        ("exit-code", "70"),
        ("http-status", "503"),
        ("up", r#"["llm"]"#),
        ("down", r#"["billing","extra"]"#),
        ("unknown", "[]"),
    ] {
        assert_eq!(run.output(output), value, "{output}\n{run}");
    }
    let file: Value = serde_json::from_str(&run.read("report.json")).unwrap();
    assert_eq!(file["targets"], run.report()["targets"], "{run}");
    for words in ["llm", "billing", "extra"] {
        assert!(run.summary.contains(words), "{words}\n{}", run.summary);
    }
    assert!(
        !run.annotated("error", "DEP-DOWN:billing").is_empty(),
        "{run}"
    );
    assert!(
        !run.annotated("warning", "DEP-DOWN:extra").is_empty(),
        "{run}"
    );
}

/// Cryptography is written in assembler, for each architecture anew.
#[test]
fn a_healthy_service_is_up_whatever_it_speaks() {
    for version in [&TLS12, &TLS13] {
        let server = Tls::new(Certified::Well).only(version).healthy();
        Preflight::probing(server.url()).trusting().run().up();
    }
    let server = Tls::new(Certified::Well).http2(Http2::Answers(204));
    Preflight::probing(server.url()).trusting().run().up();
    let start = Server::reply(redirect(server.url()));
    Preflight::probing(start.url()).trusting().run().up();
    let plain = Server::status(200);
    let by_name = format!("http://localhost:{}/", plain.port());
    Preflight::probing(by_name).run().up();
}

#[test]
fn the_commit_status_is_posted() {
    let (healthy, failing) = (Server::status(200), Server::status(503));
    for kind in [Kind::Github, Kind::Gitea] {
        for (server, state) in [(&healthy, "success"), (&failing, "failure")] {
            let forge = Forge::new(kind);
            let run = Preflight::probing(server.url()).on(&forge).run();
            assert_eq!(forge.posted("state"), [state], "{run}");
            assert_eq!(warnings(&run), 0, "{run}");
        }
    }
}

#[test]
fn a_commit_status_that_is_refused_is_a_warning() {
    for (answer, result) in [(200, "up"), (503, "down")] {
        let forge = Forge::behaving(Kind::Github, Behaviour::Refuses(403));
        let server = Server::status(answer);
        let run = Preflight::probing(server.url()).on(&forge).run();
        assert_eq!(run.output("result"), result, "{run}");
        assert_eq!(warnings(&run), 1, "{run}");
    }
}

/// A forge's API that is not there, one way or another.
struct Gone {
    how: &'static str,
    api: String,
    /// Kept while the program runs.
    _servers: (Option<Server>, Option<Refusing>),
}

fn gone() -> Vec<Gone> {
    let server = |how, server: Server| Gone {
        how,
        api: server.at("/api/v1"),
        _servers: (Some(server), None),
    };
    let refusing = Refusing::new();
    vec![
        Gone {
            how: "refuses",
            api: refusing.url() + "api/v1",
            _servers: (None, Some(refusing)),
        },
        Gone {
            how: "has no address",
            api: NO_SUCH_NAME.to_owned() + "api/v1",
            _servers: (None, None),
        },
        server("resets", Server::script(&[Hear, Reset])),
        server("closes", Server::script(&[Hear])),
        server("talks garbage", Server::reply("junk\r\n\r\n")),
        server(
            "closes within the head",
            Server::reply("HTTP/1.1 201 Created\r\nContent-Ty"),
        ),
        server(
            "is not trusted",
            Tls::new(Certified::UnknownIssuer).healthy(),
        ),
        server("has expired", Tls::new(Certified::Expired).healthy()),
    ]
}

impl Gone {
    /// A run for this forge.
    fn judge(&self, step: Preflight) -> Run {
        let forge = Forge::new(Kind::Gitea).maybe();
        step.trusting()
            .on(&forge)
            .env("GITHUB_API_URL", &self.api)
            // Else this address is the control, too.
            .set("control", "off")
            .run()
    }
}

/// The exit code is the result's, and not that of a process that died.
#[test]
fn a_forge_that_is_gone_changes_nothing() {
    for forge in gone() {
        for (answer, result, code) in [(200, "up", 0), (503, "down", 70)] {
            let server = Server::status(answer);
            let run = forge.judge(Preflight::probing(server.url()));
            let found = (run.output("result"), run.code);
            assert_eq!(found, (result, Some(code)), "{}\n{run}", forge.how);
            assert_eq!(warnings(&run), 1, "{}\n{run}", forge.how);
            assert!(!run.summary.is_empty(), "{}\n{run}", forge.how);
        }
    }
}

/// A wait that is long enough to be told to the forge.
#[test]
fn a_forge_that_is_gone_while_a_target_is_waited_for_changes_nothing() {
    thread::scope(|scope| {
        for forge in gone() {
            scope.spawn(move || {
                let server =
                    Server::replies([response(503, "Retry-After: 12\r\n"), response(200, "")]);
                let step = Preflight::probing(server.url()).set("attempts", 2);
                let run = forge.judge(step);
                run.up();
                assert_eq!(run.target(0)["recovered"], true, "{}\n{run}", forge.how);
                assert_eq!(warnings(&run), 1, "{}\n{run}", forge.how);
            });
        }
    });
}

fn warnings(run: &Run) -> usize {
    let warnings = run.annotations.iter().filter(|one| one.level == "warning");
    warnings.count()
}
