use dep_preflight::facade::{PROTOCOLS, Protocol, Tls as HowTls};

use crate::kit::certificates::Certified;
use crate::kit::run::Run;
use crate::kit::server::Refusing;
use crate::kit::step::Preflight;
use crate::kit::tls::Tls;

/// Addresses and options: what they refuse, and what they say then.
mod addresses;

/// A conversation in each protocol, by its specification.
mod cases;

/// A server of one conversation.
mod fake;

use cases::{Case, Turn, case_of};
use fake::{Fake, Heard, Talk};

/// As long as a test waits for what must not come.
const BRIEF: &str = "2s";
/// Longer than any test may take: where it is over, what was to be seen at once was not.
const LONG: &str = "30s";

/// What each protocol came to: the report's target, and who was heard.
struct Found {
    case: &'static Case,
    verdict: String,
    message: String,
    heard: Vec<Heard>,
}

type Behaviour = Box<dyn Fn(&mut Talk) + Send + Sync>;

/// A server for each of these, which does so.
type Servers = Vec<(&'static Case, Behaviour)>;

/// One for each protocol.
fn each(behave: impl Fn(&'static Case) -> Behaviour) -> Servers {
    let cases = PROTOCOLS.iter().map(|protocol| case_of(protocol.name));
    cases.map(|case| (case, behave(case))).collect()
}

/// Asks all servers in one step.
fn ask(timeout: &str, servers: Servers) -> (Run, Vec<Found>) {
    let start = |(case, behave)| (case, Fake::start(behave));
    let fakes: Vec<(&Case, Fake)> = servers.into_iter().map(start).collect();
    let targets = fakes.iter().enumerate().map(|(place, (case, fake))| {
        let name = case.protocol;
        format!("{name}-{place}: {name}://{}\n", fake.host())
    });
    let run = Preflight::new()
        .set("targets", targets.collect::<String>())
        .set("report-file", "report.json")
        .set("timeout", timeout)
        .run();
    let report = run.filed_report();
    let found = fakes.into_iter().enumerate().map(|(place, (case, fake))| {
        let target = &report["targets"][place];
        let text = |key: &str| target[key].as_str().unwrap_or_default().to_owned();
        let verdict = [text("verdict"), text("cause"), text("code")].join(" ");
        Found {
            case,
            verdict: verdict.trim().to_owned(),
            message: text("message"),
            heard: fake.heard(),
        }
    });
    let found = found.collect();
    (run, found)
}

/// Asserts what every protocol came to; and that only its own bytes were sent.
#[track_caller]
fn judged(what: &str, (run, all): &(Run, Vec<Found>), wanted: impl Fn(&Case) -> String) {
    let mut wrong = String::new();
    for found in all {
        let (name, wanted) = (found.case.protocol, wanted(found.case));
        if found.verdict != wanted {
            let Found {
                verdict, message, ..
            } = found;
            wrong += &format!("{name}: {verdict:?}, not {wanted:?}: {message}\n");
        }
        for heard in &found.heard {
            if !found.case.knows(&heard.bytes) {
                wrong += &format!("{name}: sends {}\n", heard.bytes.escape_ascii());
            }
        }
    }
    assert!(wrong.is_empty(), "{what}:\n{wrong}{run}");
}

/// What a protocol comes to that cannot tell this from an answer, or the cause of all others.
fn but(exceptions: &'static [(&str, &str)], others: &str) -> impl Fn(&Case) -> String {
    move |case| {
        let exception = exceptions.iter().find(|(name, _)| *name == case.protocol);
        exception.map_or_else(|| others.to_owned(), |(_, wanted)| (*wanted).to_owned())
    }
}

/// What no protocol takes for its own, but for TCP, which has none.
const NOT_THE_PROTOCOL: fn(&Case) -> String = |case| match case.protocol {
    "tcp" => "up".to_owned(),
    "tls" => "down tls".to_owned(),
    _ => "down protocol".to_owned(),
};

/// A server that says this, and waits.
fn says(bytes: impl Into<Vec<u8>>) -> Behaviour {
    let bytes = bytes.into();
    Box::new(move |talk| _ = talk.say(&bytes))
}

#[test]
fn silence() {
    let found = ask(BRIEF, each(|_| says("")));
    // TCP listens for a moment only.
    let wanted = but(&[("tcp", "up")], "down response-timeout");
    judged("silence", &found, wanted);
}

#[test]
fn closed_at_once() {
    let found = ask(LONG, each(|_| Box::new(Talk::end)));
    judged("closed", &found, but(&[], "down closed"));
}

#[test]
fn reset_at_once() {
    let found = ask(LONG, each(|_| Box::new(Talk::reset)));
    judged("reset", &found, but(&[], "down reset"));
}

#[test]
fn nobody_listens() {
    for protocol in PROTOCOLS {
        let port = Refusing::new();
        let url = format!("{}://{}", protocol.name, port.host());
        Preflight::probing(url).run().down("refused");
    }
}

/// It begins to answer, and stops in the middle.
#[test]
fn half_an_answer() {
    let half = |case: &Case| case.answer()[..case.answer().len() / 2].to_vec();
    let found = ask(BRIEF, each(|case| says(half(case))));
    let wanted = but(&[("tcp", "up")], "down response-timeout");
    judged("half an answer", &found, wanted);
    let servers = each(|case| {
        let half = half(case);
        Box::new(move |talk| {
            talk.say(&half);
            talk.end();
        })
    });
    let found = ask(LONG, servers);
    let wanted = but(&[("tcp", "up")], "down closed");
    judged("half an answer, and the end", &found, wanted);
}

/// A mebibyte of what is nothing: refused before the timeout, and before it is all read.
#[test]
fn nonsense() {
    let all: [&[u8]; 5] = [b"x", b"\xff", b"\0", b"\x01\x02\x03\x04\x05", b"la la\r\n"];
    let servers = all.into_iter().flat_map(|nonsense| {
        let much = nonsense.repeat((1 << 20) / nonsense.len());
        each(move |_| says(much.as_slice()))
    });
    let found = ask(LONG, servers.collect());
    judged("nonsense", &found, NOT_THE_PROTOCOL);
}

/// It says that gigabytes will follow, or sends a line that never ends.
#[test]
fn lengths_that_lie() {
    let found = ask(LONG, each(|case| says((case.lie)())));
    judged("lengths", &found, NOT_THE_PROTOCOL);
}

/// Whoever else listens there is named.
#[test]
fn other_servers() {
    let (mut servers, mut names) = (Vec::new(), Vec::new());
    for (what, bytes, own) in cases::OTHERS {
        let others = each(|_| says(*bytes)).into_iter();
        let others = others.filter(|(case, _)| !own.contains(&case.protocol));
        servers.extend(others);
        names.resize(servers.len(), *what);
    }
    let found = ask(LONG, servers);
    judged("other servers", &found, NOT_THE_PROTOCOL);
    for (
        Found {
            case,
            verdict,
            message,
            ..
        },
        what,
    ) in found.1.iter().zip(names)
    {
        let is_named = verdict != "down protocol" || message.contains(what);
        assert!(is_named, "{}: {what} is not in {message:?}", case.protocol);
    }
}

/// Every scheme of every protocol: the answer counts, the goodbye is said, only the protocol's
/// own bytes are sent, and however much the server still has to say, it is not reset.
#[test]
fn good_conversations() {
    for protocol in PROTOCOLS {
        for scheme in protocol.schemes {
            // gRPC has a file of its own; SRV records need a name server.
            if protocol.name != "grpc" && !scheme.name.ends_with("+srv") {
                converse(protocol, scheme.name, "", scheme.tls, false);
            }
        }
    }
}

/// By `tls: true`: from the start, or within the protocol.
#[test]
fn good_conversations_in_tls_by_option() {
    for protocol in PROTOCOLS.iter().filter(|protocol| protocol.name != "grpc") {
        let (in_tls, upgrades) = match protocol.tls {
            HowTls::FromTheStart => (true, false),
            HowTls::Upgrade => (false, true),
            HowTls::Never => continue,
        };
        converse(protocol, protocol.name, ", tls: true", in_tls, upgrades);
    }
}

fn converse(protocol: &Protocol, scheme: &str, options: &str, in_tls: bool, upgrades: bool) {
    let case = case_of(protocol.name);
    let config = Tls::new(Certified::Well).config(&[]);
    let turns = if upgrades { case.upgrade } else { case.turns };
    let fake = Fake::start(Box::new(move |talk: &mut Talk| {
        if in_tls {
            talk.encrypt(&config);
        }
        for turn in turns {
            match turn {
                Turn::Hear(bytes) => talk.hear(bytes.len()),
                Turn::Say(bytes) => _ = talk.say(bytes),
                Turn::Answer(answer) => {
                    let asked = talk.last_heard();
                    talk.say(&answer(&asked));
                }
                Turn::Encrypt => talk.encrypt(&config),
                Turn::End => talk.end(),
            }
        }
    }));
    let targets = format!("dep: {{url: '{scheme}://{}'{options}}}", fake.host());
    let step = Preflight::new().trusting().set("targets", targets);
    let run = step.set("timeout", "10s").run();
    assert_eq!(run.up().output("code"), case.code, "{scheme}\n{run}");
    let heard = fake.heard();
    let [heard] = heard.as_slice() else {
        panic!("{scheme}: {} connections", heard.len());
    };
    let own = turns.iter().filter_map(|turn| match turn {
        Turn::Hear(bytes) => Some(*bytes),
        _ => None,
    });
    let wanted = own.chain([case.goodbye]).collect::<Vec<_>>().concat();
    let bytes = heard.bytes.escape_ascii();
    let same = case.is_same(&heard.bytes, &wanted);
    assert!(same, "{scheme}: {bytes}\nnot {}", wanted.escape_ascii());
    assert!(heard.took_leave, "{scheme} leaves without a word\n{run}");
    assert!(!was_reset(heard), "{scheme} was reset\n{run}");
}

/// Whether the other side has sent a reset: by now it is gone, and all that it sent has come.
fn was_reset(heard: &Heard) -> bool {
    let socket = heard.socket.as_ref().unwrap();
    socket.take_error().unwrap().is_some()
}

/// What comes in clear behind the server's word for TLS is not the server's for all that anybody
/// knows.
#[test]
fn nothing_is_believed_that_came_before_tls() {
    for protocol in PROTOCOLS.iter().filter(|one| one.tls == HowTls::Upgrade) {
        let case = case_of(protocol.name);
        let start = case.upgrade.iter();
        let start: Vec<_> = start
            .take_while(|turn| !matches!(turn, Turn::Encrypt))
            .collect();
        let last = start.iter().rposition(|turn| matches!(turn, Turn::Say(_)));
        let fake = Fake::start(Box::new(move |talk| {
            for (place, turn) in start.iter().enumerate() {
                match turn {
                    Turn::Hear(bytes) => talk.hear(bytes.len()),
                    Turn::Say(bytes) if Some(place) == last => {
                        talk.say(&[bytes, &b"* OK 220 R"[..]].concat());
                    }
                    Turn::Say(bytes) => _ = talk.say(bytes),
                    _ => unreachable!("only bytes come before TLS"),
                }
            }
        }));
        let url = format!("{}://{}", protocol.name, fake.host());
        let targets = format!("dep: {{url: '{url}', tls: true}}");
        let run = Preflight::new().trusting().set("targets", targets).run();
        run.down("protocol");
        let heard = fake.heard();
        let hello = heard[0].bytes.windows(2).any(|pair| pair == b"\x16\x03");
        assert!(!hello, "{url}: went on in TLS\n{run}");
    }
}

/// An answer that comes byte by byte is the same answer.
#[test]
fn one_byte_at_a_time() {
    let servers = each(|case| {
        Box::new(move |talk| {
            for turn in case.turns {
                match turn {
                    Turn::Hear(bytes) => talk.hear(bytes.len()),
                    Turn::Say(bytes) => talk.say_slowly(bytes),
                    Turn::Answer(answer) => {
                        let asked = talk.last_heard();
                        talk.say_slowly(&answer(&asked));
                    }
                    Turn::Encrypt => {}
                    Turn::End => talk.end(),
                }
            }
        })
    });
    let found = ask(BRIEF, servers);
    judged("byte by byte", &found, |case| match case.protocol {
        // It is no HTTP/2, and no TLS, that their cases say.
        "tls" | "grpc" => "down response-timeout".to_owned(),
        _ => format!("up  {}", case.code).trim().to_owned(),
    });
}
