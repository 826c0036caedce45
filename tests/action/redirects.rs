use crate::kit::certificates::Certified;
use crate::kit::peer::Action::Hear;
use crate::kit::server::{Refusing, Server, redirect, response};
use crate::kit::step::Preflight;
use crate::kit::tls::Tls;

#[test]
fn redirects_are_followed() {
    for status in [301, 302, 303, 307, 308] {
        for (last, verdict, cause) in [(200, "up", ""), (401, "up", ""), (503, "down", "status")] {
            let end = Server::status(last);
            let location = format!("Location: {}\r\n", end.at("/there?id=1"));
            let start = Server::reply(response(status, &location));
            let run = Preflight::probing(start.at("/here")).run();
            run.found(verdict, cause);
            assert_eq!(run.output("http-status"), last.to_string(), "{run}");
            assert_eq!(run.target(0)["final_url"], end.at("/there?id=***"), "{run}");
            assert_eq!(run.target(0)["url"], start.at("/here"), "{run}");
        }
    }
}

#[test]
fn relative_redirects_are_followed() {
    for location in ["/b/there", "there", "./there", "?there"] {
        let server = Server::replies([redirect(location), response(200, "")]);
        Preflight::probing(server.at("/b/here")).run().up();
        let path = if location.starts_with('?') {
            "/b/here?there"
        } else {
            "/b/there"
        };
        assert_eq!(server.received()[1].word(1), path);
    }
}

/// The method stays as well: a HEAD may not become a GET.
#[test]
fn headers_stay_with_their_origin() {
    let other = Server::status(200);
    let own = Server::replies([redirect("/again"), redirect(other.url())]);
    let targets = format!(
        "llm:\n  url: {}\n  method: HEAD\n  headers:\n    X-Tenant: blue\n",
        own.url()
    );
    Preflight::new().set("targets", targets).run().up();

    let tenants: Vec<_> = own
        .received()
        .iter()
        .map(|head| head.header("x-tenant") == Some("blue"))
        .collect();
    assert_eq!(tenants, [true, true], "sent to the own origin, each time");
    assert_eq!(
        other.received()[0].header("x-tenant"),
        None,
        "{}",
        other.received()[0].head
    );
    for head in own.received().iter().chain(&other.received()) {
        assert_eq!(head.word(0), "HEAD");
        assert_eq!(head.header("referer"), None, "{}", head.head);
    }
}

/// A way back to the own origin is not the own origin's doing.
#[test]
fn headers_do_not_go_to_another_port_of_the_host() {
    let other = Server::status(200);
    let own = Server::reply(redirect(other.at("/x-tenant")));
    let targets = format!("llm: {{url: '{}', headers: {{X-Tenant: blue}}}}", own.url());
    Preflight::new().set("targets", targets).run().up();
    assert_eq!(own.received()[0].header("X-Tenant"), Some("blue"));
    assert_eq!(other.received()[0].header("X-Tenant"), None);
}

#[test]
fn a_hop_that_fails_is_named() {
    let gone = Refusing::new();
    let broken = Server::script(&[Hear]);
    let untrusted = Tls::new(Certified::SelfSigned).healthy();
    let table = [
        (gone.url(), gone.host(), "refused"),
        (broken.url(), broken.host(), "closed"),
        (untrusted.url(), untrusted.host(), "tls-untrusted"),
    ];
    for (location, host, cause) in table {
        let start = Server::reply(redirect(location));
        let run = Preflight::probing(start.url()).run();
        run.down(cause);
        assert!(
            run.message().contains(&host),
            "the hop is not named: {host}\n{run}"
        );
    }
}

#[test]
fn the_last_response_counts_where_redirects_end() {
    let table = [
        // The given number, then the answer to what comes last.
        (Some("0"), 1, "/never"),
        (Some("1"), 2, "/more"),
        (Some("3"), 4, "/more"),
        (None, 11, "/more"),
    ];
    for (redirects, requests, path) in table {
        let server = Server::start(move |peer| {
            if let Some(head) = peer.request() {
                peer.send(redirect(format!("{path}/{}", head.number)));
            }
        });
        let step = |expect: &str| {
            let step = Preflight::probing(server.url()).set("expect", expect);
            redirects
                .into_iter()
                .fold(step, |step, redirects| step.set("redirects", redirects))
                .run()
        };
        let run = step("<500");
        assert_eq!(server.requests(), requests, "{run}");
        run.up();
        assert_eq!(run.output("http-status"), "302", "{run}");
        step("2xx").down("status");
    }
}

/// Wherever a loop is seen, it is not asked more often than `redirects` say.
#[test]
fn a_loop_is_judged_by_its_last_response() {
    let server = Server::reply(redirect("/here"));
    let run = Preflight::probing(server.at("/here")).run();
    run.up();
    assert_eq!(run.output("http-status"), "302", "{run}");
    assert!(server.requests() <= 11, "{run}");
    Preflight::probing(server.at("/here"))
        .set("expect", "200")
        .run()
        .down("status");
}

#[test]
fn what_is_not_http_is_not_followed() {
    for location in ["mailto:a@b.example", "http://", "http://[::1", ""] {
        let server = Server::reply(redirect(location));
        let run = Preflight::probing(server.url()).run();
        run.up();
        assert_eq!(
            (run.output("http-status"), server.requests()),
            ("302", 1),
            "{location:?}\n{run}"
        );
    }
}

/// No time passes, and no name server is asked.
#[test]
fn a_host_that_no_certificate_can_name_is_not_waited_for() {
    let server = Server::reply(redirect("https://branch-.test/"));
    let run = Preflight::probing(server.url()).run();
    run.down("tls").shows(&["branch-.test", "certificate"]);
    assert!(!run.stdout.contains("within"), "{run}");
}

/// Rule 3 holds for what a server asks for as well.
#[test]
fn user_info_and_query_values_of_redirects_stay_hidden() {
    let refusing = Refusing::new();
    let answering = Server::status(503);
    for host in [refusing.host(), answering.host()] {
        let location = format!("http://carl:hunter2@{host}/login?ticket=s3cret&justthis#fragm3nt");
        let start = Server::reply(redirect(location));
        let run = Preflight::probing(start.at("/?key=k3y&b4re")).run();
        run.hides(&["carl", "hunter2", "s3cret", "justthis", "k3y", "b4re"])
            .shows(&[&format!("http://{host}/***")]);
    }
    assert_eq!(
        answering.received()[0].header("authorization"),
        None,
        "{}",
        answering.received()[0].head
    );
    assert_eq!(
        answering.received()[0].word(1),
        "/login?ticket=s3cret&justthis",
        "the address itself is kept"
    );
}

/// A server may put what it was sent into the path that it leads to, in any spelling.
#[test]
fn what_was_sent_is_not_shown_as_a_path() {
    let refusing = Refusing::new();
    let answering = Server::status(503);
    for host in [refusing.host(), answering.host()] {
        let location = format!("http://{host}/cb/S3cret%2bval?S3cret%2Bval=1");
        let start = Server::replies([redirect(&location)]);
        let query = Preflight::probing(start.at("/?sig=S3cret%2Bval")).run();
        let yaml = format!(
            "own: {{url: '{}', headers: {{X-Tenant: S3cret+val}}}}",
            start.url()
        );
        let headers = Preflight::new().set("targets", yaml).run();
        // A redirect's query is as secret as one's own.
        let passing = Server::reply(redirect(start.at("/?sig=S3cret%2Bval")));
        let passed_on = Preflight::probing(passing.url()).run();
        for run in [query, headers, passed_on] {
            run.hides(&["S3cret"])
                .shows(&[&format!("http://{host}/***")]);
            assert_eq!(
                run.target(0)["final_url"],
                format!("http://{host}/***?***"),
                "{run}"
            );
        }
    }
}

/// Clouds have their metadata there, and answers of it are nobody's business.
#[test]
fn link_local_addresses_are_not_followed() {
    let server = Server::reply(redirect("//169.254.0.1/latest/meta-data/"));
    let run = Preflight::probing(server.url()).run();
    run.up();
    assert_eq!(run.output("http-status"), "302", "{run}");
    assert!(run.target(0)["final_url"].is_null(), "{run}");
    let run = Preflight::probing(server.url()).set("expect", "2xx").run();
    run.down("status").shows(&["link-local"]);
}

/// Whoever expects a redirect means the first answer.
#[test]
fn an_expected_redirect_that_was_followed_is_pointed_out() {
    for (expect, last, hint) in [("302", 200, true), ("302", 503, false), ("201", 200, false)] {
        let end = Server::status(last);
        let start = Server::reply(redirect(end.url()));
        let step = Preflight::probing(start.url()).set("expect", expect);
        let run = step.run();
        run.down("status");
        assert_eq!(run.message().contains("redirects: 0"), hint, "{run}");
    }
}
