use crate::inputs::refused;
use crate::kit::peer::Action::{Hang, Hear, Reset, Say};
use crate::kit::peer::Script;
use crate::kit::server::{Server, redirect, response};
use crate::kit::step::Preflight;

/// Rule 3: none is taken as an input. What it was is not said either. More names and schemes are in
/// `src/inputs/values/header.rs`.
#[test]
fn headers_with_credentials_are_refused() {
    let names = [
        "Authorization",
        "authorization",
        "apikey",
        "X-Auth-Token",
        "client-secret",
        "X-Password",
        "X-Credentials",
    ];
    for name in names {
        let server = Server::status(200).unhit();
        let targets = format!(
            "llm: {{url: '{}', headers: {{{name}: hunter2}}}}",
            server.url()
        );
        refused(Preflight::new().set("targets", targets), &["llm", name]).hides(&["hunter2"]);
    }
}

/// A header whose value is one, whatever its name.
#[test]
fn values_that_begin_with_a_scheme_are_refused() {
    let targets = "llm: {url: 'http://127.0.0.1:1/', headers: {X-Auth: 'basic hunter2'}}";
    refused(Preflight::new().set("targets", targets), &["llm", "X-Auth"]).hides(&["hunter2"]);
}

/// Quotes in the wrong place make a key of a whole line.
#[test]
fn a_key_that_holds_a_secret_is_masked() {
    for option in [
        "headers: {'Authorization: Bearer hunter2': x}",
        "'password=hunter2': x",
        "'Authorization: Bearer hunter2': [x]",
    ] {
        let targets = format!("llm: {{url: 'http://127.0.0.1:1/', {option}}}");
        refused(Preflight::new().set("targets", targets), &["llm", "***"]).hides(&["hunter2"]);
    }
    let targets = "'password=hunter2': 'http://127.0.0.1:1/'";
    refused(Preflight::new().set("targets", targets), &["password=***"]).hides(&["hunter2"]);
    let config = "targets: {a: 'http://127.0.0.1:1/'}\n'password=hunter2': x";
    let step = Preflight::new().file("preflight.yml", config);
    refused(step.set("config", "preflight.yml"), &["password=***"]).hides(&["hunter2"]);
    for argument in ["--tokne=hunter2", "--version=hunter2"] {
        let run = Preflight::new().args([argument]).run();
        assert_eq!(run.code, Some(78), "{run}");
        run.hides(&["hunter2"]);
    }
}

/// Rule 3 again, with what stands in an address.
#[test]
fn credentials_in_addresses_are_refused_and_masked() {
    for user_info in ["carl:hunter2@", "hunter2@", ":hunter2@"] {
        let server = Server::status(200).unhit();
        let url = format!("http://{user_info}{}/?key=s3cret&k3y", server.host());
        let secrets = ["carl:", "hunter2", "s3cret", "k3y"];
        refused(Preflight::probing(&url), &["url", "key=***"]).hides(&secrets);
        refused(Preflight::targets(&[("llm", format!("'{url}'"))]), &["llm"]).hides(&secrets);
        refused(
            Preflight::probing(server.url()).set("control", &url),
            &["control"],
        )
        .hides(&secrets);
    }
    // Nor may another fault of the address show them.
    for url in [
        "http://carl:hunter2@127.0.0.1:99999/?key=s3cret",
        "gopher://carl:hunter2@127.0.0.1/?key=s3cret",
    ] {
        refused(Preflight::probing(url), &["url"]).hides(&["hunter2", "s3cret"]);
    }
}

/// Whatever fails, and whichever library says so.
#[test]
fn query_values_stay_hidden() {
    let scripts: [Script; 7] = [
        &[Hear, Say(b"HTTP/1.1 503 X\r\n\r\n")],
        &[Hear, Say(b"HTTP/1.1 200 X\r\n\r\n")],
        &[Hear, Say(b"junk\r\n\r\n")],
        &[Hear, Say(b"HTTP/1.1 200 X\r\nContent-Length: x\r\n\r\n")],
        &[Hear, Reset],
        &[],
        &[Hear, Hang],
    ];
    for script in scripts {
        for scheme in ["http", "https"] {
            let server = Server::script(script).scheme(scheme);
            let url = server.at("/?key=s3cret&k3y");
            let start = Server::reply(redirect(&url));
            let targets = [("own", url), ("led", start.url())];
            let step = Preflight::targets(&targets).set("timeout", "600ms");
            let run = step.set("report-file", "report.json").run();
            run.hides(&["s3cret", "k3y"]).shows(&["key=***"]);
            assert!(!run.read("report.json").contains("s3cret"), "{run}");
        }
    }
}

/// Error pages repeat what they were asked, in more spellings than can be masked.
#[test]
fn a_body_that_may_repeat_what_was_sent_is_not_shown() {
    let echo = |head: &str| {
        let path = head.replace("%2F", "\\/").replace("%2B", "\\u002b");
        format!(
            "HTTP/1.1 503 X\r\nContent-Type: application/json\r\n\r\n{{\"message\": \"out of order\", \"path\": {path:?}}}"
        )
    };
    let server = Server::start(move |peer| {
        if let Some(head) = peer.request() {
            peer.send(echo(&head.head));
        }
    });
    let long = "S3cret".repeat(200);
    let plain = Preflight::probing(server.at("/x")).run();
    plain.down("status").shows(&["out of order"]);
    for query in [
        "sig=S3cret%2FhIjK%2Bval",
        "jwt=S3cret",
        "S3cret",
        &format!("jwt={long}"),
    ] {
        let run = Preflight::probing(server.at(&format!("/x?{query}"))).run();
        run.down("status")
            .hides(&["S3cret", "hIjK", "out of order"]);
    }
    let yaml = format!(
        "own: {{url: '{}', headers: {{X-Tenant: S3cret}}}}",
        server.url()
    );
    let run = Preflight::new().set("targets", yaml).run();
    run.down("status").hides(&["S3cret", "out of order"]);
    // A redirect that carries one has been seen by the same server.
    let leading = Server::replies([
        redirect("/again?ticket=S3cret"),
        redirect("/end"),
        response(503, "Content-Type: text/plain\r\n") + "no ticket S3cret",
    ]);
    let run = Preflight::probing(leading.url()).run();
    run.down("status").hides(&["S3cret"]);
}

/// What an internal service says is not for a public log.
#[test]
fn the_text_of_another_origin_is_not_shown() {
    let words = response(503, "Content-Type: text/plain\r\n") + "role=db-admin";
    let inner = Server::reply(words.clone());
    let outer = Server::reply(redirect(inner.url()));
    let run = Preflight::probing(outer.url()).run();
    run.down("status")
        .hides(&["db-admin"])
        .shows(&[&inner.host()]);
    // On the own origin it is.
    let own = Server::replies([redirect("/there"), words]);
    Preflight::probing(own.url()).run().shows(&["db-admin"]);
}
