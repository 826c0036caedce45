use std::fmt::Display;

use crate::causes::FullQueue;
use crate::kit::forge::{Forge, Kind};
use crate::kit::peer::Action::Reset;
use crate::kit::run::Run;
use crate::kit::server::{Refusing, Server};
use crate::kit::step::Preflight;

/// Probes something that never connects, which may be the runner's own fault.
fn lost(queue: &FullQueue, control: impl Display) -> Run {
    step(queue).set("control", control).run()
}

fn step(queue: &FullQueue) -> Preflight {
    Preflight::probing(queue.url())
        .set("timeout", "300ms")
        .set("deadline", "4s")
}

#[test]
fn without_a_control_address_it_is_down() {
    let queue = FullQueue::new();
    for control in ["off", ""] {
        let run = lost(&queue, control);
        run.down("connect-timeout");
        assert!(run.report()["control"].is_null(), "{run}");
    }
}

/// Any sign of life will do, and it is asked for once.
#[test]
fn a_control_address_that_lives_means_down() {
    let queue = FullQueue::new();
    for server in [
        Server::status(200),
        Server::status(503),
        Server::reply("junk"),
        Server::script(&[]),
    ] {
        let run = lost(&queue, server.at("/?key=k3y"));
        run.down("connect-timeout").hides(&["k3y"]);
        let control = &run.report()["control"];
        assert_eq!(control["reachable"], true, "{run}");
        assert_eq!(control["url"], server.at("/?key=***"), "{run}");
        assert_eq!(server.connections(), 1, "{run}");
    }
    let refusing = Refusing::new();
    lost(&queue, refusing.url()).down("connect-timeout");
}

#[test]
fn a_control_address_that_is_dead_as_well_means_unknown() {
    let (queue, other) = (FullQueue::new(), FullQueue::new());
    let run = lost(&queue, other.url());
    run.found("unknown", "connect-timeout");
    assert_eq!(run.output("exit-code"), "75", "{run}");
    assert_eq!(run.report()["control"]["reachable"], false, "{run}");
    assert_eq!(run.lines("RUNNER-NET:127.0.0.1").len(), 1, "{run}");
    assert!(!run.annotated("error", "RUNNER-NET").is_empty(), "{run}");
    assert!(run.lines("DEP-DOWN:").is_empty(), "{run}");
}

/// Another target's sign of life spares the question.
#[test]
fn a_target_that_lives_speaks_for_the_way() {
    let refusing = Refusing::new();
    let healthy = Server::status(200);
    let failing = Server::status(503);
    for alive in [healthy.url(), failing.url(), refusing.url()] {
        let queue = FullQueue::new();
        let control = Server::status(200).unhit();
        let targets = [("lost", queue.url()), ("alive", alive)];
        let step = Preflight::targets(&targets)
            .set("timeout", "1s")
            .set("control", control.url());
        let run = step.run();
        assert_eq!(run.target(0)["verdict"], "down", "{run}");
        assert!(run.report()["control"].is_null(), "{run}");
    }
}

/// An earlier attempt's sign of life counts as well.
#[test]
fn only_targets_that_were_never_reached_ask() {
    for server in [
        Server::status(200),
        Server::status(503),
        Server::script(&[Reset]),
    ] {
        let control = Server::status(200).unhit();
        Preflight::probing(server.url())
            .set("control", control.url())
            .run();
    }
    let refusing = Refusing::new();
    let control = Server::status(200).unhit();
    Preflight::probing(refusing.url())
        .set("control", control.url())
        .run()
        .down("refused");
}

/// By default it is the forge's API, and the token does not go there with it.
#[test]
fn the_forge_is_the_default_control_address() {
    for kind in [Kind::Github, Kind::Gitea] {
        let queue = FullQueue::new();
        let forge = Forge::new(kind);
        let run = step(&queue).on(&forge).set("commit-status", "false").run();
        run.down("connect-timeout");
        let heads = forge.server.received();
        assert_eq!(heads.len(), 1, "{run}");
        assert_eq!(heads[0].header("authorization"), None, "{}", heads[0].head);
        assert!(
            heads[0].word(1).starts_with(kind.base()),
            "{}",
            heads[0].head
        );
    }
}

/// The control address is asked within the deadline, however many targets
/// hang until then.
#[test]
fn the_question_fits_into_the_deadline() {
    let (queue, other) = (FullQueue::new(), FullQueue::new());
    let step = Preflight::probing(queue.url())
        .set("attempts", "unlimited")
        .set("timeout", "30s");
    let run = step.set("deadline", "3s").set("control", other.url()).run();
    run.found("unknown", "connect-timeout");
    assert!(run.took.as_secs_f64() < 4.5, "{run}");
}
