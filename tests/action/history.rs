use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::causes::FullQueue;
use crate::kit::forge::{Behaviour, Forge, Kind, Memory, Mood, Past};
use crate::kit::run::Run;
use crate::kit::server::{Refusing, Server};
use crate::kit::step::{Preflight, TOKEN};

const SHAPES: [Kind; 3] = [Kind::Github, Kind::Gitea, Kind::Forgejo];
const BASE: &str = "1111111111111111111111111111111111111111";
const DOWN: &str = "down: a (refused) - environment, not this change";

/// A step for a push whose target `a` is at this address.
fn step(url: &str, forge: &Forge) -> Preflight {
    let event = json!({
        "before": BASE,
        "repository": {"default_branch": "main", "full_name": "acme/shop"},
    });
    Preflight::targets(&[("a", url)])
        .on(forge)
        .event("push", event)
}

/// Up eight minutes ago, down three minutes ago.
fn outage() -> Vec<Past> {
    vec![Past::new(180, DOWN, 9), Past::new(480, "up: a, b", 8)]
}

fn remembering(kind: Kind, branch: Vec<Past>) -> Forge {
    Forge::remembering(
        kind,
        Memory {
            branch: Mood::Tells(branch),
            base: Mood::Tells(Vec::new()),
        },
    )
}

#[test]
fn a_red_step_says_that_it_is_red_elsewhere() {
    let gone = Refusing::new();
    for kind in SHAPES {
        let forge = remembering(kind, outage());
        let run = step(&gone.url(), &forge).run();
        run.down("refused");
        for text in [
            &run.stdout,
            &run.summary,
            &run.annotated("error", "DEP-DOWN:a"),
        ] {
            let text = text.to_lowercase().replace('`', "");
            assert!(text.contains("down on main too, since "), "{kind:?}\n{run}");
            assert!(
                text.contains("; last seen up 8 min ago ("),
                "{kind:?}\n{run}"
            );
        }
        let line = run.lines("  a: down on main too")[0];
        assert!(line.contains(" (run 9); last seen up"), "{run}");
        let elsewhere = &run.target(0)["elsewhere"];
        assert_eq!(elsewhere["verdict"], "down", "{run}");
        assert_eq!(elsewhere["contradicts"], false, "{run}");
        let page = forge.server.at("/acme/shop/actions/runs/9");
        assert_eq!(elsewhere["run_url"], page, "{run}");
        assert!(
            run.stdout
                .contains("this is the environment, not the change"),
            "{run}"
        );
        // What others saw is not written into one's own status.
        assert_eq!(forge.posted("description"), [DOWN], "{run}");

        let asked = forge.asked();
        assert_eq!(asked.len(), 1, "{run}");
        let sort = if kind == Kind::Github {
            ""
        } else {
            "&sort=leastindex"
        };
        let path = format!(
            "{}/repos/acme/shop/commits/main/statuses?page=1&per_page=50&limit=50{sort}",
            kind.base()
        );
        assert_eq!(
            (asked[0].word(0), asked[0].word(1)),
            ("GET", path.as_str()),
            "{run}"
        );
        let bearer = format!("Bearer {TOKEN}");
        assert_eq!(
            asked[0].header("authorization"),
            Some(bearer.as_str()),
            "{run}"
        );
    }
}

/// The claim is withdrawn everywhere, and nothing else changes.
#[test]
fn a_run_that_reached_it_meanwhile_is_heard() {
    let gone = Refusing::new();
    for kind in SHAPES {
        let mut past = outage();
        // Two seconds ahead of now, which is after the first failure by any clock.
        past.insert(0, Past::new(-2, "up: a", 10));
        let forge = remembering(kind, past);
        let run = step(&gone.url(), &forge).run();
        run.down("refused");
        assert_eq!(run.code, Some(70), "{run}");
        let line = run.lines("  a: another run reported it up at ");
        assert!(line[0].contains("after the first failure here"), "{run}");
        assert_eq!(run.target(0)["elsewhere"]["contradicts"], true, "{run}");
        for text in [
            &run.stdout,
            &run.summary,
            &forge.posted("description").concat(),
        ] {
            assert!(!text.contains("environment, not"), "{run}");
        }
        assert_eq!(forge.posted("state"), ["failure"], "{run}");
        assert_eq!(forge.posted("description"), ["down: a (refused)"], "{run}");
    }
}

/// An up that came before the first failure is how every outage begins.
#[test]
fn a_run_that_reached_it_before_is_no_contradiction() {
    let gone = Refusing::new();
    for ago in [1, 5, 90] {
        let forge = remembering(Kind::Gitea, vec![Past::new(ago, "up: a", 10)]);
        let run = step(&gone.url(), &forge).run();
        assert!(!run.lines("  a: last seen up ").is_empty(), "{run}");
        assert_eq!(run.target(0)["elsewhere"]["contradicts"], false, "{run}");
        assert!(
            run.stdout
                .contains("this is the environment, not the change"),
            "{run}"
        );
    }
    // Without the forge's clock nobody knows which was first.
    let forge = Forge::remembering(
        Kind::Gitea,
        Memory::of(Mood::Undated(vec![Past::new(-2, "up: a", 10)])),
    );
    let run = step(&gone.url(), &forge).run();
    assert_eq!(run.target(0)["elsewhere"]["contradicts"], false, "{run}");
}

/// Where the default branch says nothing, the commit that the change begins at may.
#[test]
fn the_base_commit_is_asked_next() {
    let gone = Refusing::new();
    let repository = json!({"default_branch": "main"});
    let pull = json!({
        "number": 7,
        "head": {"sha": "2222222222222222222222222222222222222222", "repo": {"full_name": "acme/shop"}},
        "base": {"sha": BASE, "repo": {"full_name": "acme/shop"}},
    });
    let zeros = "0".repeat(40);
    let table = [
        (
            "push",
            json!({"before": BASE, "repository": repository}),
            true,
        ),
        (
            "pull_request",
            json!({"pull_request": pull, "before": "3".repeat(40), "repository": repository}),
            true,
        ),
        (
            "merge_group",
            json!({"merge_group": {"base_sha": BASE}, "repository": repository}),
            true,
        ),
        (
            "push",
            json!({"before": zeros, "repository": repository}),
            false,
        ),
        (
            "workflow_dispatch",
            json!({"repository": repository}),
            false,
        ),
    ];
    for (event, payload, base) in table {
        for (branch, twice) in [
            (vec![], base),
            (vec![Past::new(60, "up: b and 2 more", 8)], base),
            (outage(), false),
        ] {
            let forge = Forge::remembering(
                Kind::Github,
                Memory {
                    branch: Mood::Tells(branch),
                    base: Mood::Tells(outage()),
                },
            );
            let run = step(&gone.url(), &forge).event(event, &payload).run();
            run.down("refused");
            let asked = forge.asked();
            assert_eq!(asked.len(), 1 + usize::from(twice), "{event}\n{run}");
            if let Some(second) = asked.get(1) {
                let path = format!("/repos/acme/shop/commits/{BASE}/statuses?page=1&");
                assert!(second.word(1).starts_with(&path), "{}", second.head);
                assert!(
                    !run.lines("  a: down on the base commit too, since")
                        .is_empty(),
                    "{run}"
                );
            }
        }
    }
}

#[test]
fn it_is_not_asked_without_reason() {
    let (gone, healthy) = (Refusing::new(), Server::status(200));
    let forge = || remembering(Kind::Github, outage()).maybe();
    let quiet = |what: &str, forge: &Forge, run: Run| {
        assert_eq!(forge.asked().len(), 0, "{what}\n{run}");
        assert!(!run.stdout.contains("other runs"), "{what}\n{run}");
        run
    };
    let one = forge();
    quiet("up", &one, step(&healthy.url(), &one).run()).up();
    let one = forge();
    quiet(
        "false",
        &one,
        step(&gone.url(), &one).set("history", "False").run(),
    )
    .down("refused");
    let one = forge();
    quiet(
        "no token",
        &one,
        step(&gone.url(), &one).unset("token").run(),
    )
    .down("refused");
    let one = forge();
    let event = json!({"before": BASE});
    quiet(
        "no default branch",
        &one,
        step(&gone.url(), &one).event("push", event).run(),
    )
    .down("refused");
    let one = forge();
    let known = format!(
        "a: {{url: '{}', optional: true}}\nb: {}",
        gone.url(),
        healthy.url()
    );
    quiet(
        "optional",
        &one,
        step("http://h/", &one).set("targets", known).run(),
    )
    .up();
    // A proxy that is gone is the runner's side.
    let one = forge();
    let lost = step("http://h.example/", &one)
        .env("HTTP_PROXY", gone.url())
        .env("NO_PROXY", "127.0.0.1")
        .run();
    quiet("unknown", &one, lost).found("unknown", "proxy");
    // No commit status is no reason not to.
    let one = forge();
    let run = step(&gone.url(), &one).set("commit-status", "false").run();
    assert!(!run.lines("  a: down on main too").is_empty(), "{run}");
}

/// Silence is down only once the control address has answered, and so it is asked after it.
#[test]
fn it_waits_for_the_control_address_where_the_result_does() {
    let (queue, dead) = (FullQueue::new(), FullQueue::new());
    let control = Server::status(200);
    for (control, asked) in [(control.url(), 1), (dead.url(), 0)] {
        let forge = remembering(Kind::Github, outage());
        let run = step(&queue.url(), &forge)
            .set("timeout", "300ms")
            .set("deadline", "5s")
            .set("control", control)
            .run();
        assert_eq!(forge.asked().len(), asked, "{run}");
        assert_eq!(run.lines("  a: down on main too").len(), asked, "{run}");
    }
}

/// On a schedule the run's own branch is the default one; Gitea's event may be null.
#[test]
fn a_schedule_needs_no_event() {
    let gone = Refusing::new();
    for (event, name, asked) in [
        ("schedule", "feature/x", 1),
        ("workflow_dispatch", "feature/x", 0),
        ("schedule", "..", 0),
    ] {
        let forge = remembering(Kind::Gitea, outage());
        let run = step(&gone.url(), &forge)
            .event(event, "null")
            .env("GITHUB_REF_NAME", name)
            .run();
        let paths: Vec<_> = forge
            .asked()
            .iter()
            .map(|one| one.word(1).to_owned())
            .collect();
        assert_eq!(paths.len(), asked, "{paths:?}\n{run}");
        assert!(
            paths
                .iter()
                .all(|path| path.contains("/commits/feature%2Fx/statuses?")),
            "{paths:?}"
        );
    }
}

/// What does not change: exit code, outputs, and what the forge is told.
fn fixed(run: &Run, forge: &Forge) -> (Option<i32>, BTreeMap<String, String>, Vec<String>, usize) {
    let mut outputs = run.outputs.clone();
    outputs.remove("duration-ms");
    // The ports of the report, and its times, are each run's own.
    let report = outputs.remove("report").unwrap_or_default();
    let report: Value = serde_json::from_str(&report).unwrap();
    for field in ["result", "exit_code", "sha"] {
        outputs.insert(format!("report.{field}"), report[field].to_string());
    }
    for field in ["verdict", "cause", "message", "required"] {
        outputs.insert(
            format!("report.{field}"),
            report["targets"][0][field].to_string(),
        );
    }
    let posted = [forge.posted("state"), forge.posted("description")].concat();
    (run.code, outputs, posted, run.annotations.len())
}

#[test]
fn no_forge_changes_more_than_words() {
    let gone = Refusing::new();
    let elsewhere = Server::status(200).unhit();
    let html = "<!DOCTYPE html><html><body>Sign in</body></html>";
    let lies = vec![
        Past::new(10, "up: a", 9).with("state", 7).with("status", 7),
        Past::new(11, "up: a", 9)
            .with("state", "fine")
            .with("status", "fine"),
        Past::new(12, "up: a", 9).with("description", Value::Null),
        Past::new(13, "up: a\n::error::x", 9),
        Past::new(-3600, "up: a", 9),
        Past::new(-61, "up: a", 9).with("created_at", "9999-12-31T23:59:59Z"),
        Past::new(14, "up: a", 9).with("created_at", "yesterday"),
        Past::new(15, "up: a", 9).with("id", "first"),
        Past::new(-2, "up: a", 9).with("context", "ci / build"),
        Past::new(-2, "up: a", 4711).with("context", "dep-preflight"),
        Past::new(-2, "up: a", 12)
            .with("target_url", "/acme/shop/actions/runs/12")
            .with("context", Value::Null),
    ];
    let mut moods: Vec<(Mood, Option<&str>)> =
        [400, 401, 403, 404, 409, 422, 429, 500, 501, 502, 503, 204]
            .into_iter()
            .map(|status| (Mood::Refuses(status), Some("the forge answered")))
            .collect();
    moods.extend([
        (
            Mood::Redirects(elsewhere.url()),
            Some("the forge answered 302"),
        ),
        (Mood::Says(html), Some("not a list of commit statuses")),
        (Mood::Says(""), Some("not a list of commit statuses")),
        (
            Mood::Says("{\"message\": \"x\"}"),
            Some("not a list of commit statuses"),
        ),
        (Mood::Says("[[[[{}, null, 7, \"x\"]]]]"), None),
        (Mood::Floods, Some("longer than 256 KiB")),
        (Mood::Closes, Some("no answer from the forge")),
        (Mood::Tells(lies), None),
        (Mood::Trickles, Some("none within")),
        (Mood::Hangs, Some("none within")),
    ]);
    let calm = remembering(Kind::Github, Vec::new());
    let without = step(&gone.url(), &calm).set("history", "false").run();
    let expected = fixed(&without, &calm);
    assert_eq!(calm.asked().len(), 0, "{without}");
    for (mood, trouble) in moods {
        for kind in SHAPES {
            let forge = Forge::remembering(kind, Memory::of(mood.clone()));
            let run = step(&gone.url(), &forge).run();
            assert_eq!(fixed(&run, &forge), expected, "{kind:?} {mood:?}\n{run}");
            assert!(
                run.target(0)["elsewhere"].is_null(),
                "{kind:?} {mood:?}\n{run}"
            );
            let asked = forge.asked();
            // After a failure nobody asks again.
            let most = if trouble.is_some() { 1..=1 } else { 2..=2 };
            assert!(most.contains(&asked.len()), "{kind:?} {mood:?}\n{run}");
            assert!(
                asked.iter().all(|one| one.word(1).contains("?page=1&")),
                "{run}"
            );
            let told = run.lines("dep-preflight: what other runs saw is not known: ");
            assert_eq!(
                told.len(),
                usize::from(trouble.is_some()),
                "{kind:?} {mood:?}\n{run}"
            );
            assert!(
                told.iter()
                    .all(|line| line.contains(trouble.unwrap_or_default())),
                "{run}"
            );
            assert!(
                run.took < Duration::from_secs(20),
                "{kind:?} {mood:?}\n{run}"
            );
        }
    }
}

/// Nobody is there, for the commit status either.
#[test]
fn a_forge_that_is_gone_changes_no_more() {
    let (gone, forge) = (Refusing::new(), Refusing::new());
    let event = json!({"repository": {"default_branch": "main"}});
    let [asking, not_asking] = ["true", "false"].map(|history| {
        Preflight::targets(&[("a", gone.url())])
            .on_forge_at(forge.url().trim_end_matches('/'))
            .event("push", &event)
            .set("history", history)
            .run()
    });
    let trouble = "dep-preflight: what other runs saw is not known: no answer from the forge: ";
    assert_eq!(asking.lines(trouble).len(), 1, "{asking}");
    assert!(not_asking.lines(trouble).is_empty(), "{not_asking}");
    for output in ["result", "exit-code", "message", "down", "cause", "code"] {
        assert_eq!(
            asking.output(output),
            not_asking.output(output),
            "{output}\n{asking}"
        );
    }
    assert_eq!(asking.code, not_asking.code, "{asking}");
    // The one that tells of the commit status, and the target's.
    assert_eq!(asking.annotations.len(), 2, "{asking}");
    assert_eq!(not_asking.annotations.len(), 2, "{not_asking}");
}

#[test]
fn the_deadline_holds() {
    let gone = Refusing::new();
    let moods = [
        Mood::Hangs,
        Mood::Trickles,
        Mood::Slow(400, outage()),
        Mood::Slow(50, outage()),
        Mood::Floods,
    ];
    for mood in moods {
        for (deadline, limit) in [("600ms", 600), ("1s", 1000), ("3s", 3000)] {
            let forge = Forge::remembering(Kind::Gitea, Memory::of(mood.clone())).maybe();
            let run = step(&gone.url(), &forge).set("deadline", deadline).run();
            run.down("refused");
            // The process starts within what the tests allow it elsewhere, too.
            let ms: u64 = run.output("duration-ms").parse().unwrap();
            assert!(ms < limit, "{mood:?} {deadline}\n{run}");
            assert_eq!(run.code, Some(70), "{mood:?} {deadline}\n{run}");
        }
    }
}

/// Others that wait for the forge do not wait for this.
#[test]
fn a_slow_forge_is_heard_within_its_time() {
    let gone = Refusing::new();
    let forge = Forge::remembering(Kind::Github, Memory::of(Mood::Slow(300, outage())));
    let run = step(&gone.url(), &forge).run();
    assert!(!run.lines("  a: down on main too").is_empty(), "{run}");
    // One that gives its first answer late has no time for a second.
    let forge = Forge::remembering(Kind::Github, Memory::of(Mood::Slow(700, Vec::new())));
    let run = step(&gone.url(), &forge).run();
    assert_eq!(forge.asked().len(), 2, "{run}");
    let told = run.lines("dep-preflight: what other runs saw is not known: ");
    assert_eq!(told.len(), 1, "{run}");
}

/// A forge that does not know the token, or has had enough of it, is not asked again.
#[test]
fn a_token_that_was_refused_is_not_tried_again() {
    let slow = Server::start(|peer| {
        peer.request();
        std::thread::sleep(Duration::from_secs(11));
    });
    for (status, asked) in [(401, 0), (403, 1)] {
        let forge = Forge::with(
            Kind::Github,
            Behaviour::Refuses(status),
            Memory::of(Mood::Tells(outage())),
        );
        let run = step(&slow.url(), &forge).set("timeout", "20s").run();
        run.down("closed");
        assert_eq!(forge.asked().len(), asked, "{run}");
    }
}
