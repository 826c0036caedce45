use crate::kit::server::{Refusing, Server, response};
use crate::kit::step::Preflight;

/// A target of each kind, as people will see them.
pub(crate) fn mixed() -> (Preflight, [Server; 2], Refusing) {
    let (healthy, failing, gone) = (Server::status(401), Server::status(503), Refusing::new());
    let targets = format!(
        "llm: {}\nbilling: {}\nidp: {}\nextra: {{url: '{}', optional: true}}\n",
        healthy.url(),
        failing.url(),
        gone.url(),
        gone.url(),
    );
    (
        Preflight::new().set("targets", targets),
        [healthy, failing],
        gone,
    )
}

#[test]
fn every_target_has_a_last_line() {
    let (step, _servers, gone) = mixed();
    let run = step.run();
    run.down("status");
    let table: [(&str, &[&str]); 4] = [
        ("UP llm", &["401", "ms"]),
        ("DEP-DOWN:billing", &["503"]),
        ("DEP-DOWN:idp", &["refused", &gone.host()]),
        ("DEP-DOWN:extra", &["refused"]),
    ];
    for (start, words) in table {
        let lines = run.lines(start);
        assert_eq!(lines.len(), 1, "{start}\n{run}");
        assert!(
            words.iter().all(|word| lines[0].contains(word)),
            "{words:?} in {lines:?}\n{run}"
        );
    }
}

/// The form is a contract with runners: to the letter.
#[test]
fn annotations_have_one_form() {
    let (step, _servers, _gone) = mixed();
    let run = step.run();
    let raw: Vec<_> = run
        .annotations
        .iter()
        .map(|annotation| annotation.raw.as_str())
        .collect();
    for (place, start) in [
        (1, "::error title=DEP-DOWN%3Abilling::"),
        (2, "::error title=DEP-DOWN%3Aidp::"),
        (3, "::warning title=DEP-DOWN%3Aextra::"),
    ] {
        let message = run.target(place)["message"].as_str().unwrap().to_owned();
        let matching: Vec<_> = raw.iter().filter(|line| line.starts_with(start)).collect();
        assert_eq!(matching.len(), 1, "{start}\n{run}");
        assert!(matching[0].contains(&message), "{message}\n{run}");
    }
    assert_eq!(raw.len(), 3, "{run}");
}

/// Runners take ten of a kind, and say nothing about the rest.
#[test]
fn the_tenth_annotation_counts_the_rest() {
    let gone = Refusing::new();
    for (option, level) in [("", "error"), (", optional: true", "warning")] {
        let target = |number| format!("t{number}: {{url: '{}'{option}}}\n", gone.url());
        for count in [8, 13, 40] {
            let targets: String = (0..count).map(target).collect();
            let run = Preflight::new().set("targets", targets).run();
            let mut texts: Vec<_> = run.annotations.iter().collect();
            texts.retain(|one| one.level == level);
            let last = texts.last().map_or("", |one| one.text.as_str());
            // One place may be kept for something else that is worth it.
            assert!(texts.len() >= 8 && texts.len() <= 10, "{run}");
            let rest = count - texts.len();
            let counted = last.contains(&format!("{rest} more"));
            assert_eq!(counted, rest > 0, "{last}\n{run}");
        }
    }
}

/// In an annotation, `::` cannot stand: an address is written in full there.
#[test]
fn ipv6_addresses_are_written_in_full() {
    let run = Preflight::probing("http://[::1]:1/health").run();
    let text: String = run
        .annotations
        .iter()
        .map(|annotation| annotation.text.as_str())
        .collect();
    assert!(text.contains("0:0:0:0:0:0:0:1"), "{text}\n{run}");
}

/// Ten seconds: what happened, what it means, then the rows, the worst first. Where the time went
/// comes after them, if there is anything to draw: a fast machine takes no millisecond.
#[test]
fn the_summary_says_what_it_means_first() {
    let (step, _servers, _gone) = mixed();
    let run = step.run();
    let summary = &run.summary;
    let (meaning, table) = summary.split_once("\n| target |").unwrap();
    for text in ["environment, not your change", "billing", "idp"] {
        assert!(meaning.contains(text), "{text:?} is not in {meaning}");
    }
    let rows: Vec<_> = table
        .lines()
        .filter(|line| line.starts_with("| "))
        .collect();
    let expected: [(&str, &[&str]); 4] = [
        ("billing", &["down", "status", "503"]),
        ("idp", &["down", "refused"]),
        ("extra", &["down", "optional", "refused"]),
        ("llm", &["up", "401"]),
    ];
    assert_eq!(rows.len(), expected.len(), "{summary}");
    for (row, (name, words)) in rows.iter().zip(expected) {
        let (first, rest) = row[2..].split_once('|').unwrap();
        assert!(
            first.contains(name),
            "{name} is not in its place\n{summary}"
        );
        for word in words {
            assert!(rest.contains(word), "{word:?} is not in {row}");
        }
    }
    assert!(
        summary.ends_with('\n'),
        "the next step's summary begins on a line of its own"
    );
}

#[test]
fn a_failure_can_be_left_to_others() {
    let (step, _servers, _gone) = mixed();
    let run = step.set("fail-on-down", "false").lenient().run();
    run.down("status");
    assert_eq!(
        (run.code, run.output("exit-code")),
        (Some(0), "70"),
        "{run}"
    );
    let run = Preflight::probing("http://127.0.0.1:1/x")
        .set("fail-on-down", "FALSE")
        .set("timeout", "5")
        .run();
    assert_eq!(
        run.code,
        Some(78),
        "bad configuration fails all the same\n{run}"
    );
}

/// The summary does not claim more than was found.
#[test]
fn an_optional_target_that_is_down_is_not_passed_over() {
    let (server, gone) = (Server::status(200), Refusing::new());
    for (down, sentence) in [
        (0, "Every dependency answered."),
        (
            1,
            "Every required dependency answered. One optional dependency could not",
        ),
        (
            2,
            "Every required dependency answered. 2 optional dependencies could not",
        ),
    ] {
        let optional =
            |number| format!("extra{number}: {{url: '{}', optional: true}}\n", gone.url());
        let targets: String = (0..down).map(optional).collect();
        let targets = format!("llm: {}\n{targets}", server.url());
        let run = Preflight::new().set("targets", targets).run();
        run.up();
        assert!(run.summary.contains(sentence), "{}\n{run}", run.summary);
    }
}

/// What a server says is shown as what it is: the forge makes no link of it.
#[test]
fn the_summary_makes_nothing_of_what_a_server_says() {
    let body = "see www.evil.example/phish or mail a@evil.example, `x` | y";
    let fields = format!(
        "Content-Type: text/plain\r\nContent-Length: {}\r\n",
        body.len()
    );
    let server = Server::reply(response(503, &fields) + body);
    let run = Preflight::probing(server.url()).run();
    run.down("status");
    let row = run
        .summary
        .lines()
        .find(|line| line.contains("evil"))
        .unwrap();
    let cell = row.rsplit(" | ").next().unwrap();
    assert!(cell.starts_with("``") && cell.ends_with("`` |"), "{row}");
    assert!(
        cell.contains("www.evil.example/phish or mail a@evil.example"),
        "{row}"
    );
    assert!(cell.contains("`x` \\| y"), "{row}");
}

/// The log shows each failure while it happens, with its cause.
#[test]
fn failed_attempts_are_logged() {
    let server = Server::replies([
        response(503, ""),
        "junk\r\n\r\n".to_owned(),
        response(502, ""),
    ]);
    let run = Preflight::probing(server.url()).set("attempts", 3).run();
    let last = run.stdout.find("DEP-DOWN:127.0.0.1").unwrap();
    let earlier = &run.stdout[..last];
    let places: Vec<_> = ["503", "HTTP", "502"]
        .iter()
        .filter_map(|word| earlier.find(word))
        .collect();
    assert_eq!(places.len(), 3, "{run}");
}
