//! What is claimed of statuses, in a table, and against random timelines whose truth is known.

use std::time::Duration;

use super::*;
use crate::forge::Job;
use crate::forge::sentence::{Says, named, write};
use crate::probe::Cause;

const RUNS: &str = "https://forge.example/acme/shop/actions/runs/";
/// The run that reads.
const OWN: u64 = 4700;

fn listener() -> Listener {
    let set = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_SERVER_URL", "https://forge.example"),
        ("GITHUB_REPOSITORY", "acme/shop"),
        ("GITHUB_RUN_ID", "4700"),
    ];
    Listener {
        context: "e2e needs".to_owned(),
        link: None,
        run: RunLink::of(&Job::from_env(&set.map(|(k, v)| (k.into(), v.into())))),
    }
}

fn time(of_day: &str) -> Timestamp {
    let day = if of_day.contains('T') {
        ""
    } else {
        "2026-11-27T"
    };
    format!("{day}{of_day}Z").parse().unwrap()
}

fn main_branch() -> Place {
    Place::Branch("main".to_owned())
}

/// A status from a line: `12:03 | down: a (refused) | state=failure | run=9`. The state is the one
/// that goes with the sentence, the run is 4711, the context one of ours, unless it says otherwise.
fn status(id: u64, line: &str) -> Status {
    let mut parts = line.split('|').map(str::trim);
    let (at, said) = (parts.next().unwrap(), parts.next().unwrap());
    let state = match said.split(':').next() {
        Some("up") => "success",
        Some("down") => "failure",
        Some("waiting for") => "pending",
        _ => "error",
    };
    let mut status = Status {
        id,
        state: state.to_owned(),
        context: "dep-preflight / nightly / e2e".to_owned(),
        description: said.to_owned(),
        link: Some(format!("{RUNS}4711")),
        created: time(at),
    };
    for part in parts {
        match part.split_once('=').unwrap() {
            ("state", state) => state.clone_into(&mut status.state),
            ("context", context) => context.clone_into(&mut status.context),
            ("run", run) => status.link = Some(format!("{RUNS}{run}")),
            ("link", "") => status.link = None,
            ("link", other) => status.link = Some(other.to_owned()),
            (other, _) => panic!("{other}"),
        }
    }
    status
}

/// The oldest status first, as they were made; read at 12:06:30.
fn statuses(lines: &str) -> Vec<Status> {
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    (1..)
        .zip(lines)
        .map(|(id, line)| status(id, line))
        .collect()
}

fn words(lines: &str, failed: &str) -> Option<String> {
    let failed = (!failed.is_empty()).then(|| time(failed).time());
    let read = |list: &[Status]| {
        let timeline = Timeline::read(list, main_branch(), &listener(), time("12:06:30"));
        timeline.of("a", failed).map(|elsewhere| elsewhere.words())
    };
    let mut list = statuses(lines);
    let words = read(&list);
    // The order of the list does not matter.
    list.reverse();
    assert_eq!(read(&list), words, "{lines}");
    words
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn what_is_claimed() {
    const UP: &str = "11:58 | up: a";
    const DOWN: &str = "12:03 | down: a (refused) - environment, not this change";
    let two = |first: &str, second: &str| format!("{first}\n{second}");
    let three = |first: &str, second: &str, third: &str| format!("{first}\n{second}\n{third}");
    let seen_up = Some("last seen up 8 min ago on main (11:58 UTC)");
    let both =
        Some("down on main too, since 12:03 UTC (run 4711); last seen up 8 min ago (11:58 UTC)");
    let since = Some("down on main too, since 12:03 UTC at least (run 4711)");
    let other_run = "another run reported it up at 12:06 UTC, after the first failure here: look also at this runner, and at what this change does to its address";
    let contradicted = Some(other_run);
    for (what, lines, failed, expected) in [
        ("nothing", String::new(), "12:06:00", None),
        ("up", UP.into(), "12:06:00", seen_up),
        ("down", DOWN.into(), "12:06:00", since),
        ("up, then down", two(UP, DOWN), "12:06:00", both),
        (
            "two downs: since the first",
            three(UP, DOWN, "12:05 | down: a (dns)"),
            "12:06:00",
            both,
        ),
        (
            "another cause is down as well",
            two(UP, "12:03 | down: a (status 503)"),
            "12:06:00",
            both,
        ),
        (
            "down before it was up",
            three("11:50 | down: a (dns)", UP, DOWN),
            "12:06:00",
            both,
        ),
        (
            "down, then up",
            two("11:50 | down: a (dns)", UP),
            "12:06:00",
            seen_up,
        ),
        (
            "several ups: the last",
            two("11:50 | up: a", UP),
            "12:06:00",
            seen_up,
        ),
        (
            "beside others",
            two("11:58 | up: z, a, y", "12:03 | down: b (dns), a (dns)"),
            "12:06:00",
            both,
        ),
        (
            "beside what is left out",
            two(
                "11:58 | up: a and 9 more",
                "12:03 | down: a (dns) and 2 more",
            ),
            "12:06:00",
            both,
        ),
        (
            "without the claim",
            two(UP, "12:03 | down: a (refused)"),
            "12:06:00",
            both,
        ),
        // What is no sighting of it.
        (
            "left out of an up",
            two(UP, "12:05 | up: b and 3 more"),
            "12:06:00",
            seen_up,
        ),
        (
            "left out of a down",
            two(UP, "12:05 | down: b (dns) and 3 more"),
            "12:06:00",
            seen_up,
        ),
        (
            "not named",
            two(UP, "12:05 | down: b (dns)"),
            "12:06:00",
            seen_up,
        ),
        (
            "a longer name",
            two(UP, "12:05 | down: ab (dns), a.b (dns), A (dns)"),
            "12:06:00",
            seen_up,
        ),
        (
            "pending",
            two(UP, "12:05 | waiting for: a (refused)"),
            "12:06:00",
            seen_up,
        ),
        (
            "pending, with another's sentence",
            two(UP, "12:05 | down: a (dns) | state=pending"),
            "12:06:00",
            seen_up,
        ),
        (
            "unknown",
            two(
                UP,
                "12:05 | unknown: a (dns) - runner's network, not this change",
            ),
            "12:06:00",
            seen_up,
        ),
        (
            "an error",
            two(UP, "12:05 | down: a (dns) | state=error"),
            "12:06:00",
            seen_up,
        ),
        (
            "a warning",
            two(UP, "12:05 | down: a (dns) | state=warning"),
            "12:06:00",
            seen_up,
        ),
        (
            "skipped",
            two(UP, "12:05 | down: a (dns) | state=skipped"),
            "12:06:00",
            seen_up,
        ),
        (
            "a state that does not go with it",
            two(UP, "12:05 | down: a (dns) | state=success"),
            "12:06:00",
            seen_up,
        ),
        (
            "nor this one",
            two(DOWN, "12:05 | up: a | state=failure"),
            "12:06:00",
            since,
        ),
        (
            "a state of another case",
            two(UP, "12:05 | down: a (dns) | state=FAILURE"),
            "12:06:00",
            seen_up,
        ),
        (
            "the old sentence",
            two(UP, "12:05 | up: 2 dependencies reachable"),
            "12:06:00",
            seen_up,
        ),
        (
            "somebody's words",
            two(UP, "12:05 | down: a is broken | state=failure"),
            "12:06:00",
            seen_up,
        ),
        // Whose it is.
        (
            "another's context",
            two(UP, "12:05 | down: a (dns) | context=ci / build"),
            "12:06:00",
            seen_up,
        ),
        (
            "our own context",
            two(UP, "12:03 | down: a (dns) | context=e2e needs"),
            "12:06:00",
            both,
        ),
        (
            "nearly ours",
            two(UP, "12:05 | down: a (dns) | context=e2e needs 2"),
            "12:06:00",
            seen_up,
        ),
        (
            "a beacon's",
            two(UP, "12:03 | down: a (dns) | context=dep-preflight / beacon"),
            "12:06:00",
            both,
        ),
        (
            "our own run",
            two(UP, "12:05 | down: a (dns) | run=4700"),
            "12:06:00",
            seen_up,
        ),
        (
            "its earlier attempt",
            two(UP, "12:05 | down: a (dns) | run=4700/attempts/1"),
            "12:06:00",
            seen_up,
        ),
        (
            "another attempt of another run",
            two(UP, "12:03 | down: a (dns) | run=4711/attempts/2"),
            "12:06:00",
            both,
        ),
        (
            "no link",
            two(UP, "12:03 | down: a (dns) | link="),
            "12:06:00",
            Some("down on main too, since 12:03 UTC; last seen up 8 min ago (11:58 UTC)"),
        ),
        (
            "a link to elsewhere",
            two(UP, "12:03 | down: a (dns) | link=https://evil.example/4711"),
            "12:06:00",
            Some("down on main too, since 12:03 UTC; last seen up 8 min ago (11:58 UTC)"),
        ),
        // Times.
        (
            "from the future",
            two(UP, "12:07:31 | down: a (dns)"),
            "12:06:00",
            seen_up,
        ),
        (
            "from a clock that is a little ahead",
            two(UP, "12:07:30 | down: a (dns)"),
            "12:06:00",
            Some(
                "down on main too, since 12:07 UTC (run 4711); last seen up 8 min ago (11:58 UTC)",
            ),
        ),
        (
            "yesterday",
            "2026-11-26T11:00:00 | up: a".into(),
            "12:06:00",
            Some("last seen up 25 h ago on main (2026-11-26 11:00 UTC)"),
        ),
        (
            "down hours ago",
            two("05:00 | up: a", "07:00 | down: a (dns)"),
            "12:06:00",
            Some(
                "down on main too 5 h ago, since 07:00 UTC (run 4711); last seen up 7 h ago (05:00 UTC)",
            ),
        ),
        (
            "down for half an hour",
            two("11:00 | up: a", "11:36:30 | down: a (dns)"),
            "12:06:00",
            Some(
                "down on main too 30 min ago, since 11:36 UTC (run 4711); last seen up 1 h ago (11:00 UTC)",
            ),
        ),
        (
            "down for a little less",
            two("11:00 | up: a", "11:36:31 | down: a (dns)"),
            "12:06:00",
            Some("down on main too, since 11:36 UTC (run 4711); last seen up 1 h ago (11:00 UTC)"),
        ),
        // Contradictions.
        (
            "up since it failed here",
            "12:06:20 | up: a".into(),
            "12:06:10",
            contradicted,
        ),
        (
            "up in that very second",
            "12:06:20 | up: a".into(),
            "12:06:20",
            contradicted,
        ),
        (
            "up one second before",
            "12:06:20 | up: a".into(),
            "12:06:21",
            Some("last seen up 10 s ago on main (12:06 UTC)"),
        ),
        (
            "when it failed is not known",
            "12:06:20 | up: a".into(),
            "",
            Some("last seen up 10 s ago on main (12:06 UTC)"),
        ),
        (
            "down, then up since",
            two(DOWN, "12:06:20 | up: a"),
            "12:06:10",
            contradicted,
        ),
        (
            "up and down in one second",
            two("12:06:20 | down: a (dns)", "12:06:20 | up: a"),
            "12:06:10",
            Some("last seen up 10 s ago on main (12:06 UTC)"),
        ),
        (
            "down and up in one second",
            two("12:06:20 | up: a", "12:06:20 | down: a (dns)"),
            "12:06:10",
            Some("down on main too, since 12:06 UTC (run 4711); last seen up 10 s ago (12:06 UTC)"),
        ),
        (
            "up since, then down",
            two("12:06:20 | up: a", "12:06:25 | down: a (dns)"),
            "12:06:10",
            Some("down on main too, since 12:06 UTC (run 4711); last seen up 10 s ago (12:06 UTC)"),
        ),
        (
            "up since in our own run",
            two(UP, "12:06:20 | up: a | run=4700"),
            "12:06:10",
            seen_up,
        ),
        (
            "up since in another's words",
            two(UP, "12:06:20 | up: a | context=ci"),
            "12:06:10",
            seen_up,
        ),
        (
            "up since from the future",
            two(UP, "12:08 | up: a"),
            "12:06:10",
            seen_up,
        ),
    ] {
        assert_eq!(words(&lines, failed).as_deref(), expected, "{what}");
    }
    let base = Timeline::read(&statuses(DOWN), Place::Base, &listener(), time("12:06:30"));
    assert_eq!(
        base.of("a", None).unwrap().words(),
        "down on the base commit too, since 12:03 UTC at least (run 4711)"
    );
}

/// A page that every status links to tells nobody's runs apart.
#[test]
fn what_links_where_our_own_status_does_is_our_own() {
    let list = statuses("11:58 | up: a | link=https://status.example/\n11:59 | up: b | link=");
    for (link, run, heard) in [
        (None, true, [true, true]),
        (Some("https://status.example/"), true, [false, true]),
        (Some("https://status.example/"), false, [false, true]),
        (None, false, [true, false]),
    ] {
        let listener = Listener {
            link: link.map(str::to_owned),
            run: listener().run.filter(|_| run),
            ..listener()
        };
        let timeline = Timeline::read(&list, main_branch(), &listener, time("12:06"));
        let found = ["a", "b"].map(|name| timeline.of(name, None).is_some());
        assert_eq!(found, heard, "{link:?} {run}");
    }
}

#[test]
fn the_report_says_it_in_fields() {
    let list = statuses("11:58 | up: a\n12:03 | down: a (refused)\n12:04 | down: a (dns) | run=9");
    let timeline = Timeline::read(&list, main_branch(), &listener(), time("12:06:30"));
    let json = serde_json::to_value(timeline.of("a", None)).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "verdict": "down",
            "since": "2026-11-27T12:03:00Z",
            "last_up": "2026-11-27T11:58:00Z",
            "run_url": format!("{RUNS}9"),
            "contradicts": false,
        })
    );
}

#[test]
fn lists_of_every_forge() {
    let github = r#"[{"url":"u","id":7,"node_id":"n","state":"failure","description":"down: a (dns)",
        "target_url":"https://x/","context":"dep-preflight","created_at":"2026-11-27T12:03:00Z",
        "creator":{"login":"bot"}}]"#;
    let gitea = r#"[{"id":7,"status":"failure","target_url":"https://x/","description":"down: a (dns)",
        "url":"u","context":"dep-preflight","creator":null,"created_at":"2026-11-27T13:03:00+01:00",
        "updated_at":"2026-11-27T13:03:00+01:00"}]"#;
    let expected = status(
        7,
        "12:03 | down: a (dns) | context=dep-preflight | link=https://x/",
    );
    for list in [github, gitea] {
        let read = Status::list(list.as_bytes()).unwrap();
        assert_eq!(read, std::slice::from_ref(&expected));
    }
    // One that cannot be read hides no other.
    for odd in [
        "null",
        "[]",
        "{}",
        r#""x""#,
        r#"{"id":-1}"#,
        &github[1..github.len() - 1].replace("\"down: a (dns)\"", "null"),
        &github[1..github.len() - 1].replace("\"failure\"", "3"),
        &github[1..github.len() - 1].replace("12:03", "12-03"),
        &github[1..github.len() - 1].replace("\"id\":7", "\"id\":\"7\""),
    ] {
        let list = format!("[{odd},{}", &github[1..]);
        assert_eq!(Status::list(list.as_bytes()).unwrap().len(), 1, "{odd}");
    }
    for none in [
        "",
        "{}",
        "null",
        "<html>",
        "[",
        r#"{"message":"Not Found"}"#,
    ] {
        assert_eq!(Status::list(none.as_bytes()), None, "{none}");
    }
}

/// Milliseconds.
type Ms = i64;

const START: Ms = 1_800_000_000_000;

fn stamp(ms: Ms) -> Timestamp {
    Timestamp::of(at(ms))
}

fn at(ms: Ms) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(ms.unsigned_abs())
}

/// A target's true states: up at first, then the other one from each of these times on.
struct Truth(Vec<Ms>);

impl Truth {
    fn is_up(&self, at: Ms) -> bool {
        self.0.iter().filter(|change| **change <= at).count() % 2 == 0
    }

    /// Whether it was so at some time from `from` to `to`.
    fn was(&self, up: bool, from: Ms, to: Ms) -> bool {
        let within = self.0.iter().copied().filter(|at| (from..=to).contains(at));
        within.chain([from, to]).any(|at| self.is_up(at) == up)
    }
}

/// The longest that a run takes from its look at a target to its status.
const DELAY: Ms = 60_000;

/// How many there were.
#[derive(Debug, Default)]
struct Claims {
    all: usize,
    contradictions: usize,
}

/// One random world: what was true, what was written, what is claimed.
#[expect(clippy::too_many_lines, reason = "one world")]
fn world(random: &mut fastrand::Rng, claims: &mut Claims) {
    let names = [
        "a",
        "b",
        "long-name-that-fills-the-sentence-of-a-commit-status-in-no-time",
    ];
    let length: Ms = [600_000, 7_200_000][random.usize(..2)];
    let truths: Vec<_> = names
        .iter()
        .map(|_| {
            let mut changes: Vec<_> = (0..random.usize(..6))
                .map(|_| START + random.i64(0..length))
                .collect();
            changes.sort_unstable();
            Truth(changes)
        })
        .collect();
    let now = START + length;
    let mut list = Vec::new();
    let count = if random.u8(..16) == 0 {
        70
    } else {
        random.usize(..10)
    };
    for _ in 0..count {
        let looked = START + random.i64(0..length + DELAY);
        // Statuses come in bursts, so that many share a second.
        let looked = if random.bool() {
            looked
        } else {
            looked / 20_000 * 20_000
        };
        let made = looked + random.i64(0..=DELAY) / [1, 60, 60_000][random.usize(..3)];
        if made > now {
            continue;
        }
        // Each target is looked at somewhen between.
        let seen: Vec<bool> = truths
            .iter()
            .map(|truth| truth.is_up(random.i64(looked..=made)))
            .collect();
        let honest = random.u8(..4) != 0;
        let said: Vec<bool> = if honest {
            seen
        } else {
            names.iter().map(|_| random.bool()).collect()
        };
        let says = if said.iter().all(|up| *up) {
            Says::Up
        } else {
            Says::Down
        };
        let shown: Vec<_> = names
            .iter()
            .zip(&said)
            .filter(|(_, up)| **up == (says == Says::Up))
            .map(|(name, up)| named(name, (!up).then_some(Cause::Dns), None))
            .collect();
        let count = shown.len();
        let mut status = Status {
            id: 0,
            state: if says == Says::Up {
                "success"
            } else {
                "failure"
            }
            .to_owned(),
            context: "dep-preflight".to_owned(),
            description: write(says, shown, count),
            link: Some(format!("{RUNS}{}", random.u64(1..100))),
            created: stamp(made),
        };
        if !honest {
            // What lies is not a run of ours, or is our own, or says that it does not know.
            match random.u8(..6) {
                0 => "ci / build".clone_into(&mut status.context),
                1 => status.link = Some(format!("{RUNS}{OWN}/attempts/1")),
                2 => "pending".clone_into(&mut status.state),
                3 => "error".clone_into(&mut status.state),
                4 => status.created = stamp(now + 61_001 + random.i64(0..DELAY)),
                _ => status.description.push('!'),
            }
        }
        list.push((made, status));
    }
    list.sort_by_key(|(made, _)| *made);
    for (id, (_, status)) in (1..).zip(&mut list) {
        status.id = id;
    }
    let page = list.len().saturating_sub(50);
    let mut page: Vec<_> = list[page..]
        .iter()
        .map(|(_, status)| status.clone())
        .collect();
    if random.bool() {
        random.shuffle(&mut page);
    }
    let failed = now - random.i64(0..DELAY);
    // What is known of it: the forge's clock shows whole seconds, and the way there takes time.
    let bound = failed + random.i64(0..1500);
    let timeline = Timeline::read(&page, main_branch(), &listener(), stamp(now));
    for (name, truth) in names.iter().zip(&truths) {
        let Some(claim) = timeline.of(name, Some(at(bound))) else {
            continue;
        };
        claims.all += 1;
        claims.contradictions += usize::from(claim.contradicts);
        let ms = |time: Timestamp| {
            let since = time.time().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            Ms::try_from(since.as_millis()).unwrap()
        };
        let was = |up: bool, at: Ms| truth.was(up, at - DELAY, at + 999);
        let context = || format!("{name}: {claim:?} of {page:#?}, failed {failed}");
        let seen = ms(claim.seen);
        match claim.verdict {
            Verdict::Down => {
                assert!(was(false, seen), "not down when seen: {}", context());
                let since = ms(claim.since.unwrap());
                assert!(
                    was(false, since) && since <= seen,
                    "not since: {}",
                    context()
                );
                assert!(
                    claim.last_up.is_none_or(|up| ms(up) <= since),
                    "up since: {}",
                    context()
                );
                assert!(!claim.contradicts, "{}", context());
                let at_least = claim.words().contains("at least");
                assert_eq!(at_least, claim.last_up.is_none(), "{}", context());
            }
            Verdict::Up => {
                assert!(
                    claim.since.is_none() && claim.last_up == Some(claim.seen),
                    "{}",
                    context()
                );
            }
            Verdict::Unknown => panic!("{}", context()),
        }
        if let Some(up) = claim.last_up {
            assert!(was(true, ms(up)), "not up: {}", context());
        }
        if claim.contradicts {
            // Some run that found it up said so after it had failed here, and none found it down
            // later than that.
            assert!(seen + 999 >= failed, "up before it failed: {}", context());
            let made = list
                .iter()
                .filter(|(_, status)| status.created == claim.seen);
            assert!(
                made.into_iter().any(|(made, _)| *made >= failed),
                "{}",
                context()
            );
        }
        assert!(
            !claim
                .run_url
                .as_ref()
                .is_some_and(|url| url.ends_with(&OWN.to_string()))
        );
    }
}

/// Whatever happened, and whatever others write: what is claimed is true. `TIMELINES` says how
/// many are tried.
#[test]
fn no_claim_is_false() {
    let count = std::env::var("TIMELINES").map_or(10_000, |count| count.parse().unwrap());
    let mut random = fastrand::Rng::with_seed(4711);
    let mut claims = Claims::default();
    for _ in 0..count {
        world(&mut random, &mut claims);
    }
    assert!(
        claims.all > count && claims.contradictions > count / 100,
        "{claims:?} in {count}"
    );
}
