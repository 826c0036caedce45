use std::time::{Duration, SystemTime};

use crate::kit::forge::{Forge, Kind};
use crate::kit::server::{Refusing, Server};
use crate::kit::step::Preflight;

/// A time so many seconds from now, in UTC.
fn from_now(secs: i64) -> String {
    let span = Duration::from_secs(secs.unsigned_abs());
    let now = SystemTime::now();
    let time = if secs < 0 { now - span } else { now + span };
    humantime::format_rfc3339_seconds(time).to_string()
}

/// One target that is known to be down until then, by its address.
fn step(url: &str, until: &str) -> Preflight {
    Preflight::new().set(
        "targets",
        format!(
            "billing:\n  url: {url}\n  known:\n    until: {until}\n    reason: migration, INC-4711\n    url: https://status.example/4711\n"
        ),
    )
}

const DAY: i64 = 24 * 60 * 60;

#[test]
fn a_known_incident_does_not_fail_the_step() {
    let gone = Refusing::new();
    let forge = Forge::new(Kind::Github);
    for until in [3600, 30 * DAY - 60] {
        let run = step(&gone.url(), &from_now(until)).on(&forge).run();
        run.up();
        assert_eq!(run.code, Some(0), "{run}");
        assert_eq!(run.output("down"), "[\"billing\"]", "{run}");
        let target = run.target(0);
        assert_eq!(target["verdict"], "down", "{run}");
        assert_eq!(target["required"], false, "{run}");
        assert_eq!(target["known"]["over"], false, "{run}");
        let warnings = run.annotated("warning", "DEP-KNOWN:billing");
        assert_eq!(run.annotations.len(), 1, "{run}");
        for words in [
            "known until 20",
            "migration, INC-4711",
            "https://status.example/4711",
        ] {
            assert!(warnings.contains(words), "{run}");
        }
        for text in [&run.stdout, &run.summary] {
            assert!(text.contains("migration, INC-4711"), "{run}");
        }
    }
    assert_eq!(forge.posted("state"), ["success", "success"]);
    let said = forge.posted("description");
    assert!(
        said.iter().all(|said| !said.contains("billing")),
        "{said:?}"
    );
}

#[test]
fn when_its_time_is_over_it_counts() {
    let gone = Refusing::new();
    for (since, words) in [
        (2, "s ago"),
        (3 * 3600 + 5, ", 3 h ago"),
        (400 * DAY, ", 400 days ago"),
    ] {
        let run = step(&gone.url(), &from_now(-since)).run();
        run.found("down", "refused");
        assert_eq!(run.target(0)["known"]["over"], true, "{run}");
        assert_eq!(run.target(0)["required"], true, "{run}");
        let errors = run.annotated("error", "DEP-DOWN:billing");
        for text in [&errors, &run.stdout, &run.summary] {
            assert!(
                text.contains("known until ") && text.contains(words),
                "{run}"
            );
        }
    }
}

#[test]
fn one_that_is_up_is_told_to_be_over() {
    let server = Server::status(200);
    let run = step(&server.url(), &from_now(3600)).run();
    run.up();
    let notices = run.annotated("notice", "DEP-KNOWN:billing");
    assert_eq!(run.annotations.len(), 1, "{run}");
    assert!(notices.contains("seems to be over"), "{run}");
    assert!(
        run.lines("UP billing")[0].contains("seems to be over"),
        "{run}"
    );
    // Later there is nothing to say.
    let run = step(&server.url(), &from_now(-60)).run();
    run.up();
    assert!(run.annotations.is_empty(), "{run}");
    assert!(!run.stdout.contains("known"), "{run}");
}

#[test]
fn another_target_that_is_down_counts_all_the_same() {
    let gone = Refusing::new();
    let url = gone.url();
    let until = from_now(3600);
    let run = Preflight::new()
        .set(
            "targets",
            format!("a: {{url: '{url}', known: {{until: '{until}', reason: r}}}}\nb: {url}\n"),
        )
        .run();
    run.found("down", "refused");
    assert_eq!(run.output("message"), "down: b (refused)", "{run}");
    assert!(!run.annotated("error", "DEP-DOWN:b").is_empty(), "{run}");
    assert!(run.annotated("error", "DEP-DOWN:a").is_empty(), "{run}");
}

#[test]
fn one_that_is_too_far_away_or_has_no_zone_is_refused() {
    let server = Server::status(200).unhit();
    let far = from_now(30 * DAY + 3600);
    for (until, words) in [
        (far.as_str(), "is more than 30 days ahead"),
        (far.trim_end_matches('Z'), "has no time zone"),
        ("soon", "is not a point in time"),
    ] {
        let run = step(&server.url(), until).run();
        assert_eq!(run.code, Some(78), "{run}");
        assert!(run.stdout.contains("targets.billing.known.until"), "{run}");
        assert!(run.stdout.contains(words), "{run}");
    }
}
