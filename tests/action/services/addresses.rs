use dep_preflight::facade::{PROTOCOLS, Tls};

use super::cases::case_of;
use super::fake::Fake;
use super::says;
use crate::inputs::refused;
use crate::kit::step::Preflight;

/// What every protocol refuses in an address, and how it says what to write.
#[test]
fn addresses_of_every_scheme() {
    for scheme in PROTOCOLS.iter().flat_map(|protocol| protocol.schemes) {
        let name = scheme.name;
        let by_srv = name.ends_with("+srv");
        let port = if by_srv { "" } else { ":9" };
        let mut table = vec![
            (format!("{name}://h1{port},h2{port}"), "several hosts"),
            (format!("{name}://h{port}/?sslmode=x"), "options behind a ?"),
            (format!("{name}://h{port}/#x"), "options behind a ?"),
            (format!("{name}://"), "has no host"),
            (format!("{name}://h:"), "no port behind the colon"),
            (
                format!("{name}://h:0"),
                if by_srv { "has a port" } else { "port 0" },
            ),
            (format!("{name}://a b{port}"), "blanks"),
            (
                format!("{name}://$HOST{port}"),
                "variable that was not replaced",
            ),
            (format!("{name}:h{port}"), "no scheme"),
        ];
        let hint = format!("write {name}://HOST:PORT");
        if scheme.port.is_none() && !by_srv {
            table.push((format!("{name}://h"), &hint));
        }
        let lines = table.iter().enumerate();
        let lines = lines.map(|(number, (url, _))| format!("t{number}: \"{url}\"\n"));
        let run = refused(
            Preflight::new().set("targets", lines.collect::<String>()),
            &[],
        );
        for (number, (url, words)) in table.iter().enumerate() {
            let start = format!("  - targets.t{number} ");
            let said = run.lines(&start).join("");
            assert!(
                said.contains(words),
                "{url}: {words:?} is not in {said:?}\n{run}"
            );
        }
    }
}

/// An unknown scheme is told all that there are, and the nearest.
#[test]
fn unknown_schemes() {
    let all: Vec<_> = PROTOCOLS.iter().map(|protocol| protocol.name).collect();
    refused(Preflight::probing("gopher://127.0.0.1:9"), &all);
    for (wrong, right) in [
        ("rediss2", "rediss"),
        ("postgre", "postgres"),
        ("mysqll", "mysql"),
        ("kafak", "kafka"),
        ("mongod", "mongodb"),
        ("htttp", "http"),
    ] {
        let meant = format!("did you mean {right}://");
        refused(
            Preflight::probing(format!("{wrong}://127.0.0.1:9")),
            &[&meant],
        );
    }
}

/// On a target, an option of another protocol is a mistake.
#[test]
fn options_of_another_protocol_are_refused_on_a_target() {
    let refuses = |target: String, words: &[&str]| {
        refused(
            Preflight::new().set("targets", format!("dep: {{{target}}}")),
            words,
        );
    };
    for protocol in PROTOCOLS {
        let url = format!("url: '{}://127.0.0.1:9'", protocol.name);
        for option in [
            "expect: 200",
            "method: HEAD",
            "redirects: 3",
            "headers: {X-A: b}",
        ] {
            let name = option.split(':').next().unwrap();
            let place = format!("targets.dep.{name}");
            let words = [&place, "for http and https only", protocol.title];
            refuses(format!("{url}, {option}"), &words);
        }
        if protocol.tls == Tls::Never {
            let words = ["targets.dep.tls", "has no TLS", protocol.title];
            refuses(format!("{url}, tls: true"), &words);
        }
    }
    for scheme in ["http", "https", "ws", "wss"] {
        let target = format!("url: '{scheme}://127.0.0.1:9', tls: true");
        refuses(target, &["targets.dep.tls", "write https:// in the url"]);
    }
}

/// For the whole step they are for those targets that have a use for them.
#[test]
fn options_of_http_for_the_whole_step_do_not_concern_others() {
    let case = case_of("redis");
    let fake = Fake::start(says(case.answer()));
    let targets = format!("dep: redis://{}", fake.host());
    let step = Preflight::new().set("targets", targets);
    let step = step.set("expect", "204").set("method", "HEAD");
    step.set("redirects", 0).run().up();
}
