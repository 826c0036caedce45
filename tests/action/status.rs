use crate::kit::environment::SHA;
use crate::kit::forge::{Behaviour, Forge, Kind};
use crate::kit::server::{Refusing, Server};
use crate::kit::step::{Preflight, TOKEN};

const KINDS: [Kind; 3] = [Kind::Github, Kind::GithubServer, Kind::Gitea];

#[test]
fn every_forge_gets_the_same_post() {
    let (healthy, failing, gone) = (Server::status(200), Server::status(503), Refusing::new());
    let table = [
        (healthy.url(), "success", ""),
        (failing.url(), "failure", "503"),
        (gone.url(), "failure", "refused"),
    ];
    for kind in KINDS {
        for (url, state, why) in &table {
            let forge = Forge::new(kind);
            let run = Preflight::targets(&[("llm", url)]).on(&forge).run();
            assert!(run.annotated("warning", "").is_empty(), "{run}");

            let posts = forge.posts();
            assert_eq!(posts.len(), 1, "{run}");
            let (head, body) = (&posts[0], posts[0].json());
            assert_eq!(
                head.word(1),
                format!("{}/repos/acme/shop/statuses/{SHA}", kind.base()),
                "{run}"
            );
            let login = head.header("authorization").unwrap_or_default();
            assert!(
                [format!("Bearer {TOKEN}"), format!("token {TOKEN}")].contains(&login.to_owned()),
                "{login}"
            );
            assert!(
                head.header("user-agent")
                    .is_some_and(|agent| !agent.is_empty()),
                "GitHub wants one"
            );
            assert!(
                head.header("content-type")
                    .is_some_and(|kind| kind.starts_with("application/json"))
            );

            assert_eq!(body["state"], *state, "{body}");
            assert_eq!(body["context"], "dep-preflight / nightly / e2e", "{body}");
            let description = body["description"].as_str().unwrap();
            assert!(description.contains(why), "{description}");
            assert!(description.contains("llm"), "{description}");
            let link = body["target_url"].as_str().unwrap();
            let runs = forge.server.at("/acme/shop/actions/runs/");
            let run_id = link.strip_prefix(&runs).unwrap_or_else(|| panic!("{link}"));
            assert!(
                run_id.starts_with("4711") || kind == Kind::Gitea && run_id == "12",
                "{link}"
            );
            assert_eq!(run.report()["run_url"], link, "{run}");
            assert_eq!(run.report()["sha"], SHA, "{run}");
        }
    }
}

#[test]
fn results_have_states() {
    let gone = Refusing::new();
    let server = Server::status(200);
    let table = [
        (
            Preflight::probing("http://dep.invalid/")
                .env("http_proxy", gone.url())
                .env("no_proxy", "127.0.0.1"),
            "error",
        ),
        (
            Preflight::probing(server.url()).env("GITHUB_OUTPUT", "/dev/full"),
            "error",
        ),
        (
            Preflight::probing(gone.url())
                .set("fail-on-down", "false")
                .lenient(),
            "failure",
        ),
        (
            Preflight::new().set(
                "targets",
                format!("a: {{url: '{}', optional: true}}", gone.url()),
            ),
            "success",
        ),
    ];
    for (step, state) in table {
        let forge = Forge::new(Kind::Github);
        let run = step.on(&forge).run();
        assert_eq!(forge.posted("state"), [state], "{run}");
    }
}

/// Later runs read it: what was seen up is named, and nothing else.
#[test]
fn a_success_names_what_is_up() {
    let (server, gone) = (Server::status(401), Refusing::new());
    let targets = format!(
        "billing: {}\nmail: {{url: '{}', optional: true}}\nstaging-llm: {}\nsearch: {{url: '{}', optional: true}}\n",
        server.url(),
        gone.url(),
        server.at("/v1/models"),
        server.at("/search"),
    );
    let forge = Forge::new(Kind::Github);
    Preflight::new()
        .set("targets", targets)
        .on(&forge)
        .run()
        .up();
    assert_eq!(
        forge.posted("description"),
        ["up: billing, staging-llm, search"]
    );

    let name = |number| format!("t{number:02}-{}", "x".repeat(20));
    let many: Vec<_> = (0..30).map(|number| (name(number), server.url())).collect();
    let forge = Forge::new(Kind::Github);
    Preflight::targets(&many).on(&forge).run().up();
    let description = &forge.posted("description")[0];
    let named = description.matches("-xxx").count();
    assert!(
        named > 3 && description.chars().count() <= 140,
        "{description}"
    );
    let end = format!(" and {} more", 30 - named);
    assert!(description.ends_with(&end), "{description}");

    let forge = Forge::new(Kind::Github);
    let none = format!("mail: {{url: '{}', optional: true}}", gone.url());
    Preflight::new().set("targets", none).on(&forge).run().up();
    assert!(!forge.posted("description")[0].contains("mail"));
}

/// The link hangs on the version, which not every forge tells to everybody, and on the server
/// rather than on its runner.
#[test]
fn the_link_is_the_server_s() {
    let table = [
        (Behaviour::Version("1.25.4"), "GITEA_ACTIONS", "12"),
        (Behaviour::Version("1.26.2"), "GITEA_ACTIONS", "4711"),
        (Behaviour::PrivateVersion("1.25.4"), "GITEA_ACTIONS", "12"),
        (Behaviour::PrivateVersion("1.26.2"), "GITEA_ACTIONS", "4711"),
        (
            Behaviour::Version("14.0.1+gitea-1.22.0"),
            "FORGEJO_ACTIONS",
            "12",
        ),
        (Behaviour::Version("1.26.2"), "FORGEJO_ACTIONS", "4711"),
        (
            Behaviour::PrivateVersion("1.26.2"),
            "FORGEJO_ACTIONS",
            "4711",
        ),
    ];
    for (behaviour, runner, number) in table {
        let shown = format!("{behaviour:?} {runner}");
        let forge = Forge::behaving(Kind::Gitea, behaviour);
        let server = Server::status(200);
        let step = Preflight::probing(server.url()).on(&forge);
        let run = step.env(runner, "true").run();
        run.up();
        let link = forge
            .server
            .at(&format!("/acme/shop/actions/runs/{number}"));
        assert_eq!(
            forge.posted("target_url"),
            [link.as_str()],
            "{shown}\n{run}"
        );
        assert_eq!(run.report()["run_url"], link, "{shown}\n{run}");
        // Told to those who ask without it, the token stays here.
        let asked = forge.server.received();
        let first = asked.iter().find(|head| head.word(1).ends_with("/version"));
        assert_eq!(first.unwrap().header("authorization"), None, "{shown}");
    }
}

#[test]
fn a_description_is_short() {
    let gone = Refusing::new();
    let name = |number| format!("t{number}-{}", "x".repeat(60));
    let targets: Vec<_> = (0..30).map(|number| (name(number), gone.url())).collect();
    let forge = Forge::new(Kind::Github);
    let run = Preflight::targets(&targets).on(&forge).run();
    let description = &forge.posted("description")[0];
    assert!(description.chars().count() <= 140, "{description}\n{run}");
    assert!(
        description.contains("t0-") && description.contains("refused"),
        "{description}"
    );
}

#[test]
fn context_and_link_can_be_chosen() {
    let server = Server::status(200);
    let forge = Forge::new(Kind::Gitea);
    let step = Preflight::probing(server.url())
        .on(&forge)
        .set("status-context", "e2e / über");
    step.set("target-url", "https://logs.example/7?tab=x")
        .run()
        .up();
    assert_eq!(forge.posted("context"), ["e2e / über"]);
    assert_eq!(forge.posted("target_url"), ["https://logs.example/7?tab=x"]);

    let forge = Forge::new(Kind::Github);
    let step = Preflight::probing(server.url()).on(&forge);
    step.set("status-context", "x".repeat(300)).run().up();
    assert_eq!(forge.posted("context")[0].chars().count(), 255);
}

type Change = fn(Preflight) -> Preflight;

#[test]
fn without_a_need_nothing_is_posted() {
    let server = Server::status(200);
    let table: [(&str, Change); 5] = [
        ("no token", |step| step.set("token", "")),
        ("no repository", |step| step.without("GITHUB_REPOSITORY")),
        ("no API", |step| step.without("GITHUB_API_URL")),
        ("not wanted", |step| step.set("commit-status", "false")),
        ("no commit", |step| step.without("GITHUB_SHA")),
    ];
    for (name, change) in table {
        let forge = Forge::new(Kind::Github).unhit();
        let run = change(Preflight::probing(server.url()).on(&forge)).run();
        run.up();
        assert!(run.annotations.is_empty(), "{name}\n{run}");
    }
    let forge = Forge::new(Kind::Github).unhit();
    assert_eq!(
        Preflight::probing(server.url())
            .set("expect", "x")
            .on(&forge)
            .run()
            .code,
        Some(78)
    );
}

/// People who wait for a status learn why there is none.
#[test]
fn nowhere_to_post_to_is_one_line() {
    let server = Server::status(200);
    let table = [
        (
            "GITHUB_REPOSITORY",
            Some("acme"),
            "GITHUB_REPOSITORY is acme",
        ),
        ("GITHUB_REPOSITORY", None, "GITHUB_REPOSITORY is not set"),
        (
            "GITHUB_API_URL",
            Some("forge.example/api"),
            "GITHUB_API_URL is forge",
        ),
        ("GITHUB_API_URL", None, "GITHUB_API_URL is not set"),
        ("GITHUB_SHA", Some("HEAD"), "GITHUB_SHA"),
        ("GITHUB_SHA", None, "GITHUB_SHA"),
        (
            "GITHUB_EVENT_NAME",
            Some("check_run"),
            "the event check_run is not about a commit",
        ),
    ];
    for (variable, value, why) in table {
        let forge = Forge::new(Kind::Github).unhit();
        let step = Preflight::probing(server.url())
            .on(&forge)
            .set("control", "off");
        let step = match value {
            Some(value) => step.env(variable, value),
            None => step.without(variable),
        };
        let run = step.run();
        run.up();
        let lines = run.lines("dep-preflight: no commit status: ");
        assert_eq!(lines.len(), 1, "{variable} {value:?}\n{run}");
        assert!(lines[0].contains(why), "{why}\n{run}");
        assert!(run.annotations.is_empty(), "{run}");
    }
    // Who wants none, or has no token, is not told.
    for (input, value) in [("commit-status", "false"), ("token", "")] {
        let forge = Forge::new(Kind::Github).unhit();
        let step = Preflight::probing(server.url())
            .on(&forge)
            .set(input, value);
        let run = step.without("GITHUB_REPOSITORY").run();
        assert!(!run.up().stdout.contains("commit status"), "{run}");
    }
}

/// The token goes to the forge's API, and to nobody it points to.
#[test]
fn the_token_does_not_follow_redirects() {
    for kind in KINDS {
        let elsewhere = Server::status(201).maybe();
        let forge = Forge::behaving(
            kind,
            Behaviour::Redirects(elsewhere.at("/repos/acme/shop/statuses/x")),
        );
        let server = Server::status(200);
        Preflight::probing(server.url()).on(&forge).run().up();
        for head in elsewhere.received() {
            assert!(!head.head.contains(TOKEN), "{}", head.head);
        }
        assert!(
            server
                .received()
                .iter()
                .all(|head| !head.head.contains(TOKEN))
        );
    }
}
