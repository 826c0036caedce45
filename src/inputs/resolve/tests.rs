use super::*;
use crate::target::Attempts;

fn problems(raw: RawInputs, urls: &[&str]) -> Vec<String> {
    let urls: Vec<_> = urls.iter().map(ToString::to_string).collect();
    resolve(raw, &urls, Surroundings::default())
        .unwrap_err()
        .kept
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn all_problems_at_once() {
    let targets = "a: {url: h, timeout: 5, foo: 1}\na: http://u:p@h\n-b: []";
    let raw = RawInputs::default()
        .with("targets", targets)
        .with("url", "gopher://x")
        .with("attempts", "0")
        .with("sha", "abc");
    let found = problems(raw, &[]);
    assert_eq!(found.len(), 11, "{found:#?}");
    assert!(!found.concat().contains("u:p"), "{found:#?}");
}

#[test]
fn addresses_on_one_host_are_numbered() {
    let urls = ["http://h/a", "http://h/b", "http://h-2/", "http://h/c"].map(String::from);
    let inputs = resolve(RawInputs::default(), &urls, Surroundings::default()).unwrap();
    let names: Vec<_> = inputs
        .targets
        .iter()
        .map(|target| target.name.as_str())
        .collect();
    assert_eq!(names, ["h", "h-2", "h-2-2", "h-3"]);
}

#[test]
fn nothing_to_ask_and_too_much() {
    let none = RawInputs::default;
    assert!(problems(none(), &[])[0].contains("nothing to probe"));
    let both = none()
        .with("url", "http://h")
        .with("targets", "a: http://h");
    assert!(problems(both, &[])[0].contains("url and targets"));
    let named = none().with("name", "n");
    assert!(problems(named, &["http://a", "http://b"])[0].contains("single target"));
}

#[test]
fn own_options_beat_step_wide_ones() {
    let targets = "a: {url: http://h, timeout: 2s, optional: TRUE}\nb: http://h";
    let inputs = resolve(
        RawInputs::default()
            .with("targets", targets)
            .with("timeout", "5s")
            .with("attempts", "unlimited"),
        &[],
        Surroundings {
            api: Url::parse("https://forge.example/api/v1").ok(),
            ..Surroundings::default()
        },
    )
    .unwrap();
    let [a, b] = inputs.targets.as_slice() else {
        panic!("two targets")
    };
    assert_eq!(
        (a.policy.timeout.as_secs(), b.policy.timeout.as_secs()),
        (2, 5)
    );
    assert_eq!((a.required, b.required), (false, true));
    assert_eq!(a.policy.attempts, Attempts::Unlimited);
    assert!(inputs.control.is_some());
}

/// What each problem says of where its value came from.
#[test]
fn a_problem_says_where_the_value_came_from() {
    let vars = [
        ("PREFLIGHT_TIMEOUT", "5"),
        (
            "PREFLIGHT_TARGETS",
            "a:\n  url: http://h\n  expect: fine\nb: h b\nc d: http://h",
        ),
    ];
    let vars = vars.map(|(name, value)| (name.into(), value.into()));
    let mut raw = RawInputs::from_env(&vars);
    let method = crate::inputs::options::InputOption::named("method").unwrap();
    raw.give(method, "POST", Origin::CommandLine("method"));
    let told = problems(raw, &[]);
    let places: Vec<_> = told
        .iter()
        .filter_map(|problem| problem.split_once("): ").map(|(place, _)| place))
        .collect();
    assert_eq!(
        places,
        [
            "timeout (PREFLIGHT_TIMEOUT",
            "method (--method",
            "targets.a.expect (PREFLIGHT_TARGETS:3",
            "targets.b (PREFLIGHT_TARGETS:4",
            "targets (PREFLIGHT_TARGETS:5"
        ],
        "{told:#?}"
    );
    assert!(problems(RawInputs::default(), &["h b"])[0].starts_with("url (command line): "));
}
