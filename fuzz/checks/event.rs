//! What a runner's environment and an event file say, as untrusted as anything else.

use std::ffi::OsString;

use dep_preflight::facade::forge as event;
use dep_preflight::facade::forge::{self as link, self as hints};
use dep_preflight::facade::{Event, Job};
use reqwest::Url;

use super::{Feed, SECRET, lines, values};

const EVENTS: [&str; 6] = [
    "push",
    "pull_request",
    "pull_request_target",
    "workflow_run",
    "issue_comment",
    "schedule",
];

pub(crate) fn check(data: &[u8]) {
    let feed = &mut Feed::new(data);
    let event = match Event::parse(feed.bytes()) {
        Ok(event) => event,
        Err(why) => {
            lines::clean(&why.to_string());
            Event::default()
        }
    };
    let (job, server) = surroundings(feed);
    let version = feed.maybe().and_then(|text| link::Version::parse(&text));
    for sha in [
        event.head_sha.clone(),
        event::commit(None, Some(&event), job.event.as_deref(), job.sha.as_ref())
            .map_err(|why| lines::clean(&why.to_string()))
            .ok(),
    ]
    .into_iter()
    .flatten()
    {
        values::is_sha(sha.as_str());
    }
    if job.event.as_deref() == Some("issue_comment") && event.head_sha.is_none() {
        let commit = event::commit(None, Some(&event), Some("issue_comment"), job.sha.as_ref());
        assert!(commit.is_err(), "a commit for a comment");
    }
    let context = &job.status_context;
    lines::clean(context);
    assert!(context.chars().count() <= 255, "{context:?}");
    for unusable in [job.api.as_ref().err(), job.repository.as_ref().err()] {
        let told = unusable.map(ToString::to_string).unwrap_or_default();
        lines::clean(&told);
        lines::hides(&told);
    }
    if let Ok(repository) = &job.repository {
        stays(&repository.to_string());
    }
    if let Some(url) = link::RunLink::of(&job).and_then(|run| run.url(version)) {
        leads_to_the_run(&url, &job, &server);
    }
    for status in [200, 301, 401, 403, 404, 409, 422, 429, 500, 503] {
        lines::clean(&hints::refusal(status, job.kind, version));
    }
}

/// A job, and the text of its server's address.
fn surroundings(feed: &mut Feed<'_>) -> (Job, String) {
    let mut vars: Vec<(OsString, OsString)> = Vec::new();
    let mut set = |name: &str, value: String| vars.push((name.into(), value.into()));
    match feed.choose(4) {
        0 => set("GITHUB_ACTIONS", "true".to_owned()),
        1 => set("GITEA_ACTIONS", "true".to_owned()),
        2 => set("FORGEJO_ACTIONS", "true".to_owned()),
        _ => {}
    }
    let server = match feed.choose(4) {
        0 => "https://forge.example".to_owned(),
        1 => format!("https://user:{SECRET}@forge.example/{}", feed.text()),
        2 => format!("http://forge.example/{}", feed.text()),
        _ => feed.text(),
    };
    set("GITHUB_SERVER_URL", server.clone());
    let repository = if feed.flag() {
        feed.text()
    } else {
        "acme/shop".to_owned()
    };
    set("GITHUB_REPOSITORY", repository);
    let name = feed.pick(&EVENTS).to_owned();
    set("GITHUB_EVENT_NAME", name);
    for name in [
        "GITHUB_RUN_ID",
        "GITHUB_RUN_NUMBER",
        "GITHUB_RUN_ATTEMPT",
        "GITHUB_SHA",
        "GITHUB_JOB",
        "GITHUB_API_URL",
    ] {
        match feed.choose(3) {
            0 => set(name, "4711".to_owned()),
            1 => set(name, feed.text()),
            _ => {}
        }
    }
    (Job::from_env(&vars), server)
}

/// Owner and name stay two segments of any path they are put into.
fn stays(repository: &str) {
    let text = format!("https://api.example/base/repos/{repository}/statuses/0");
    let url = Url::parse(&text).unwrap_or_else(|error| panic!("{error}: {text:?}"));
    assert_eq!(url.as_str(), text);
    assert_eq!(
        url.path_segments().map(Iterator::count),
        Some(6),
        "{text:?}"
    );
}

fn leads_to_the_run(text: &str, job: &Job, server: &str) {
    lines::clean(text);
    lines::hides(text);
    let url = Url::parse(text).unwrap_or_else(|error| panic!("{error}: {text:?}"));
    let server = Url::parse(server.trim()).unwrap_or_else(|error| panic!("{error}: {server:?}"));
    assert_eq!(url.origin(), server.origin(), "{text:?} is elsewhere");
    assert!(
        url.username().is_empty() && url.password().is_none(),
        "a credential in {text:?}"
    );
    assert_eq!(
        (url.query(), url.fragment()),
        (None, None),
        "the path ends early in {text:?}"
    );
    let repository = job.repository.as_ref().map(ToString::to_string);
    let repository = repository.unwrap_or_default();
    let end = url
        .path()
        .rsplit_once(&format!("/{repository}/actions/runs/"))
        .map(|(_, end)| end.to_owned());
    let end = end.unwrap_or_else(|| panic!("no run in {text:?}"));
    let run = end
        .split_once("/attempts/")
        .map_or(end.as_str(), |(run, _)| run);
    assert!(run.parse::<u64>().is_ok(), "no run in {text:?}");
}
