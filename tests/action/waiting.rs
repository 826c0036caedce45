use std::time::Duration;

use crate::kit::peer::Action::Reset;
use crate::kit::server::{Refusing, Server, response};
use crate::kit::step::Preflight;

/// A server that answers the n-th request with the n-th status.
fn statuses(statuses: &[u16]) -> Server {
    Server::replies(
        statuses
            .iter()
            .map(|status| response(*status, ""))
            .collect::<Vec<_>>(),
    )
}

#[test]
fn every_attempt_is_one_request() {
    let table: [(Option<&str>, &[u16], usize, &str); 7] = [
        (Some("1"), &[503], 1, "down"),
        (Some("2"), &[503], 2, "down"),
        (Some("5"), &[503], 5, "down"),
        (None, &[503], 3, "down"),
        (Some("5"), &[200], 1, "up"),
        (Some("5"), &[503, 502, 401], 3, "up"),
        (Some("unlimited"), &[503, 503, 503, 503, 200], 5, "up"),
    ];
    for (attempts, answers, requests, result) in table {
        let server = statuses(answers);
        let step = Preflight::probing(server.url()).unset("attempts");
        let run = attempts
            .into_iter()
            .fold(step, |step, attempts| step.set("attempts", attempts))
            .run();
        assert_eq!(run.output("result"), result, "{run}");
        assert_eq!(
            (server.requests(), run.attempts().len()),
            (requests, requests),
            "{attempts:?}\n{run}"
        );
    }
}

#[test]
fn a_recovery_is_told() {
    let server = statuses(&[503, 500, 200]);
    let run = Preflight::probing(server.url()).set("attempts", 3).run();
    run.up();
    assert_eq!(run.target(0)["recovered"], true, "{run}");
    assert_eq!(run.target(0)["http_status"], 200, "{run}");
    let up = run.lines("UP 127.0.0.1");
    assert!(up[0].contains("recovered after 2 failed attempts"), "{run}");
    // A line for each failed attempt, and none that blames.
    for status in ["503", "500"] {
        assert!(run.stdout.contains(status), "{run}");
    }
    assert!(
        run.annotations.is_empty() && !run.stdout.contains("DEP-DOWN"),
        "{run}"
    );
}

/// Every way to fail is worth another attempt, and what the last one found
/// is what counts.
#[test]
fn the_last_attempt_counts() {
    let server = Server::start(|peer| match peer.request().map_or(0, |head| head.number) {
        1 => peer.reset(),
        2 => drop(peer.send("junk\r\n\r\n")),
        3 => drop(peer.send(response(502, ""))),
        _ => {}
    });
    for (attempts, cause, status) in [(1, "reset", ""), (2, "status", "502"), (4, "closed", "")] {
        let run = Preflight::probing(server.url())
            .set("attempts", attempts)
            .run();
        run.down(cause);
        assert_eq!(run.output("http-status"), status, "{run}");
    }
}

/// A service that is not quite started may say anything, once: the attempt
/// after that is the same request, and its answer is an answer.
#[test]
fn nonsense_is_forgotten() {
    for status in [200, 401, 404] {
        let server = Server::replies(["junk\r\n\r\n".to_owned(), response(status, "")]);
        let run = Preflight::probing(server.url()).set("attempts", 2).run();
        run.up();
        assert_eq!(run.target(0)["recovered"], true, "{run}");
    }
}

/// The deadline covers the whole step, whatever else was asked for.
#[test]
fn the_deadline_ends_every_kind_of_waiting() {
    let silent = Server::silent();
    let failing = Server::status(503);
    let table = [
        (silent.url(), "1", "30s", "10ms", "response-timeout"),
        (silent.url(), "unlimited", "30s", "10ms", "response-timeout"),
        (
            silent.url(),
            "unlimited",
            "100ms",
            "10ms",
            "response-timeout",
        ),
        (failing.url(), "unlimited", "30s", "10ms", "status"),
        (failing.url(), "unlimited", "30s", "60s", "status"),
    ];
    for (url, attempts, timeout, interval, cause) in table {
        let step = Preflight::probing(url)
            .set("attempts", attempts)
            .set("timeout", timeout);
        let run = step.set("interval", interval).set("deadline", "2s").run();
        run.down(cause);
        assert!(run.took < Duration::from_millis(3500), "{run}");
    }
}

/// What was cut short says less than what was answered.
#[test]
fn an_attempt_that_the_deadline_cuts_does_not_count() {
    let server = Server::start(|peer| {
        if peer.request().is_some_and(|head| head.number == 1) {
            peer.send(response(502, ""));
        } else {
            peer.hang();
        }
    });
    let step = Preflight::probing(server.url())
        .set("attempts", 3)
        .set("timeout", "30s");
    let run = step.set("deadline", "2s").run();
    run.down("status");
    assert_eq!(run.output("http-status"), "502", "{run}");
}

#[test]
fn unlimited_attempts_do_not_flood_the_log() {
    let server = Server::status(503);
    let step = Preflight::probing(server.url())
        .set("attempts", "unlimited")
        .set("interval", "1ms");
    let run = step.set("deadline", "2s").run();
    run.down("status");
    let told = run.stdout.lines().filter(|line| line.contains("attempt "));
    assert!(server.requests() > 5, "{run}");
    assert!(told.count() <= 1, "one line in ten seconds\n{run}");
}

/// Whatever becomes of the others, each target gets its attempts.
#[test]
fn every_target_is_probed() {
    let (gone, silent) = (Refusing::new(), Server::silent());
    let (failing, healthy, reset) = (
        Server::status(503),
        Server::status(200),
        Server::script(&[Reset]),
    );
    let targets = [
        ("gone", gone.url()),
        ("silent", silent.url()),
        ("failing", failing.url()),
        ("healthy", healthy.url()),
        ("reset", reset.url()),
    ];
    let run = Preflight::targets(&targets)
        .set("attempts", 2)
        .set("timeout", "1s")
        .run();
    // The first in the given order.
    run.down("refused");
    assert_eq!(run.output("http-status"), "", "{run}");
    for server in [&silent, &failing, &reset] {
        assert_eq!(server.connections(), 2, "{run}");
    }
    assert_eq!(healthy.requests(), 1, "{run}");
    assert_eq!(run.output("up"), r#"["healthy"]"#, "{run}");
}

#[test]
fn optional_targets_do_not_count() {
    let gone = Refusing::new();
    for (other, result) in [(200, "up"), (503, "down")] {
        let server = Server::status(other);
        let targets = format!(
            "extra: {{url: '{}', optional: true}}\nmain: {}",
            gone.url(),
            server.url()
        );
        let run = Preflight::new().set("targets", targets).run();
        run.found(result, if result == "up" { "" } else { "status" });
        assert_eq!(run.target(0)["required"], false, "{run}");
        assert_eq!(run.target(0)["cause"], "refused", "{run}");
        assert!(run.output("down").contains("\"extra\""), "{run}");
        assert!(run.annotated("error", "DEP-DOWN:extra").is_empty(), "{run}");
        assert!(
            !run.annotated("warning", "DEP-DOWN:extra").is_empty(),
            "{run}"
        );
    }
}

/// An attempt may take longer than the step may.
#[test]
fn a_timeout_may_exceed_the_deadline() {
    let server = Server::status(200);
    Preflight::probing(server.url())
        .set("timeout", "5m")
        .set("deadline", "10s")
        .run()
        .up();
}

/// It is not the service's timeout that was missed, and the message says so.
#[test]
fn an_attempt_that_the_deadline_cuts_says_so() {
    let silent = Server::silent();
    let step = Preflight::probing(silent.url()).set("timeout", "30s");
    let run = step.set("deadline", "1s").run();
    run.down("response-timeout")
        .shows(&["that the step's deadline left it (its timeout is 30.0 s)"]);
    let step = Preflight::probing(silent.url()).set("timeout", "300ms");
    step.run().down("response-timeout").hides(&["left it"]);
}
