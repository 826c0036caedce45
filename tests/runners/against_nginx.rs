use crate::kit::forge::{Forge, Kind};
use crate::kit::running::eventually;
use crate::kit::step::Preflight;
use crate::nginx::Nginx;

#[test]
fn whatever_nginx_answers_below_500_is_up() {
    let nginx = Nginx::start();
    for (path, status) in [
        ("/", "200"),
        ("/login", "401"),
        ("/missing", "404"),
        ("/limited", "200"),
        ("/limited", "429"),
    ] {
        let run = Preflight::probing(nginx.plain(path)).run();
        assert_eq!(run.up().output("http-status"), status, "{path}\n{run}");
        nginx.was_asked(&format!("GET {path} HTTP/1.1 {status}"));
    }
}

#[test]
fn a_gateway_without_its_service_is_down() {
    let nginx = Nginx::start();
    for (path, status) in [("/gateway", "502"), ("/slow-gateway", "504")] {
        let run = Preflight::probing(nginx.plain(path)).run();
        run.down("status").shows(&[status]);
        assert_eq!(run.output("http-status"), status, "{run}");
        nginx.was_asked(&format!("GET {path} HTTP/1.1 {status}"));
    }
}

#[test]
fn a_connection_that_nginx_closes_without_an_answer_is_down() {
    let nginx = Nginx::start();
    Preflight::probing(nginx.plain("/closed"))
        .run()
        .down("closed");
    nginx.was_asked("GET /closed HTTP/1.1 444");
}

#[test]
fn a_service_that_is_stopped_is_refused_and_recovers_when_it_is_started() {
    let nginx = Nginx::start();
    Preflight::probing(nginx.plain("/login")).run().up();
    let stopped = nginx.stop();
    Preflight::probing(stopped.plain("/login"))
        .run()
        .down("refused");

    let forge = Forge::new(Kind::Github);
    let waiting = Preflight::probing(stopped.plain("/login"))
        .on(&forge)
        .set("attempts", "unlimited")
        .start();
    eventually("the pending status", || {
        forge.posted("state").contains(&"pending".to_owned())
    });
    let nginx = stopped.start();
    let run = waiting.wait();
    assert_eq!(run.up().target(0)["recovered"], true, "{run}");
    assert_eq!(forge.posted("state").last().unwrap(), "success", "{run}");
    nginx.was_asked("GET /login HTTP/1.1 401");
}

#[test]
fn certificates_are_judged() {
    let nginx = Nginx::start();
    let probing = |url: String, trusting: bool| {
        let step = Preflight::probing(url);
        if trusting {
            step.set("ca-certificates", nginx.authority().display())
                .run()
        } else {
            step.run()
        }
    };
    probing(nginx.tls(), true).up();
    probing(nginx.tls(), false).down("tls-untrusted");
    probing(nginx.expired(), true)
        .down("tls-expired")
        .shows(&["clock"]);
}

#[test]
fn http2_is_spoken_where_nginx_offers_it() {
    let nginx = Nginx::start();
    Preflight::probing(nginx.http2())
        .set("ca-certificates", nginx.authority().display())
        .run()
        .up();
    nginx.was_asked("GET / HTTP/2.0 200");
}

#[test]
fn the_wrong_scheme_is_found_out() {
    let nginx = Nginx::start();
    Preflight::probing(nginx.tls_on_plain()).run().down("tls");
    // nginx answers in plain HTTP where it wants TLS: it is there.
    let run = Preflight::probing(nginx.plain_on_tls()).run();
    assert_eq!(run.up().output("http-status"), "400", "{run}");
}

#[test]
fn a_redirect_to_tls_is_followed() {
    let nginx = Nginx::start();
    let run = Preflight::probing(nginx.plain("/moved"))
        .set("ca-certificates", nginx.authority().display())
        .run();
    assert_eq!(run.up().target(0)["final_url"], nginx.tls(), "{run}");
    let run = Preflight::probing(nginx.plain("/moved")).run();
    run.down("tls-untrusted").shows(&["redirect"]);
}
