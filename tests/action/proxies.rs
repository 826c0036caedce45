use std::net::TcpStream;

use crate::kit::certificates::Certified;
use crate::kit::forge::{Forge, Kind};
use crate::kit::peer::Action::{Hear, Reset, Say, Take};
use crate::kit::peer::Script;
use crate::kit::server::{Refusing, Server, response};
use crate::kit::step::Preflight;
use crate::kit::tls::Tls;

/// A name that only a proxy could look up. The tests' proxies do not.
const PLAIN: &str = "http://dep.invalid/health";
const SECURE: &str = "https://dep.invalid/health";

/// A proxy that leads the way of every CONNECT to this server.
fn tunnel_to(server: &Server) -> Server {
    let there = server.host();
    Server::start(move |peer| {
        peer.request();
        let onward = TcpStream::connect(&there).unwrap();
        peer.send("HTTP/1.1 200 Connection established\r\n\r\n");
        peer.relay(onward);
    })
}

#[test]
fn proxies_are_found_in_the_environment() {
    for variable in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        let proxy = Server::status(200);
        let run = Preflight::probing(PLAIN).env(variable, proxy.url()).run();
        run.up();
        assert_eq!(run.attempts()[0]["address"], proxy.host(), "{run}");
        assert_eq!(proxy.received()[0].word(0), "GET", "{variable}");
        assert_eq!(proxy.received()[0].word(1), PLAIN, "{variable}");
    }
    for variable in ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        let proxy = Server::reply(response(502, ""));
        Preflight::probing(SECURE)
            .env(variable, proxy.url())
            .run()
            .down("proxy-upstream");
        assert_eq!(proxy.received()[0].word(0), "CONNECT", "{variable}");
        assert_eq!(proxy.received()[0].word(1), "dep.invalid:443", "{variable}");
    }
}

#[test]
fn no_proxy_is_obeyed() {
    for variable in ["no_proxy", "NO_PROXY"] {
        for (host, exempt) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1", "example.com, 127.0.0.0/8"),
            ("127.0.0.1", "*"),
            ("localhost", "localhost"),
            ("localhost", "*"),
            ("a.localhost", "other.test a.localhost"),
            ("a.localhost", "*.localhost"),
            ("a.localhost", " .localhost "),
        ] {
            let proxy = Server::status(503).unhit();
            let server = Server::status(200);
            let step = Preflight::probing(format!("http://{host}:{}/", server.port()));
            let step = step.env("http_proxy", proxy.url()).env(variable, exempt);
            step.run().up();
        }
        let proxy = Server::status(200);
        let server = Server::status(503).unhit();
        let step = Preflight::probing(server.url()).env("http_proxy", proxy.url());
        step.env(variable, "example.com").run().up();
    }
}

/// Some write the port as well: then it is about that port alone.
#[test]
fn no_proxy_may_name_a_port() {
    let server = Server::status(200);
    let proxy = Server::status(200).unhit();
    let step = Preflight::probing(server.url()).env("http_proxy", proxy.url());
    step.env("no_proxy", server.host()).run().up();

    let server = Server::status(503).unhit();
    let proxy = Server::status(200);
    let step = Preflight::probing(server.url()).env("http_proxy", proxy.url());
    step.env("no_proxy", "127.0.0.1:1").run().up();
}

/// What a proxy does to a request, and to a CONNECT.
#[test]
fn the_faults_of_a_proxy_are_not_the_dependency_s() {
    let table = [
        (SECURE, 407, "unknown", "proxy"),
        (SECURE, 403, "unknown", "proxy"),
        (SECURE, 404, "unknown", "proxy"),
        (SECURE, 500, "down", "proxy-upstream"),
        (SECURE, 502, "down", "proxy-upstream"),
        (SECURE, 503, "down", "proxy-upstream"),
        (SECURE, 504, "down", "proxy-upstream"),
        (PLAIN, 407, "unknown", "proxy"),
        (PLAIN, 403, "up", ""),
        (PLAIN, 404, "up", ""),
        (PLAIN, 503, "down", "status"),
    ];
    for (url, status, result, cause) in table {
        let proxy = Server::status(status);
        let step = Preflight::probing(url)
            .env("HTTP_PROXY", proxy.url())
            .env("HTTPS_PROXY", proxy.url());
        let run = step.run();
        assert_eq!(
            (status, run.output("result"), run.output("cause")),
            (status, result, cause),
            "{url}\n{run}"
        );
        let message = run.message();
        let blamed = message.contains("proxy");
        assert_eq!(blamed, result != "up", "{message}\n{run}");
    }
}

#[test]
fn a_proxy_that_refuses_is_the_runner_s_fault() {
    let gone = Refusing::new();
    for url in [PLAIN, SECURE] {
        let step = Preflight::probing(url)
            .env("HTTP_PROXY", gone.url())
            .env("HTTPS_PROXY", gone.url());
        let run = step.run();
        run.found("unknown", "proxy").shows(&[&gone.host()]);
        assert_eq!(run.lines("RUNNER-NET:dep.invalid").len(), 1, "{run}");
        assert_eq!(run.output("exit-code"), "75", "{run}");
        assert!(!run.annotated("error", "RUNNER-NET").is_empty(), "{run}");
    }
}

/// An honest proxy answers for a dependency that does not: with 502 or the like.
#[test]
fn a_proxy_for_plain_http_that_breaks_off_is_the_runner_s_fault() {
    let table: [Script; 4] = [
        &[Hear],
        &[Hear, Reset],
        &[Hear, Say(b"220 mail.example ESMTP ready\r\n\r\n")],
        &[Hear, Say(b"HTTP/1.1 200 OK\r\nContent-")],
    ];
    for script in table {
        for url in [PLAIN, SECURE] {
            let proxy = Server::script(script);
            let step = Preflight::probing(url).env("all_proxy", proxy.url());
            let run = step.run();
            run.found("unknown", "proxy").shows(&[&proxy.host()]);
        }
    }
}

#[test]
fn the_certificate_of_a_proxy_is_told_as_the_proxy_s() {
    for certified in [
        Certified::Expired,
        Certified::OtherName,
        Certified::UnknownIssuer,
    ] {
        let proxy = Tls::new(certified).healthy();
        for url in [PLAIN, SECURE] {
            let step = Preflight::probing(url).env("all_proxy", proxy.url());
            let run = step.trusting().run();
            run.found("unknown", "proxy");
            let message = run.message();
            assert!(
                message.contains("the certificate of 127.0.0.1 "),
                "{message}\n{run}"
            );
        }
    }
}

#[test]
fn what_lies_behind_a_proxy_is_judged_as_without() {
    let table = [
        (Certified::Well, ""),
        (Certified::Expired, "tls-expired"),
        (Certified::OtherName, "tls-hostname"),
    ];
    for (certified, cause) in table {
        let server = Tls::new(certified).healthy();
        let proxy = tunnel_to(&server);
        let step = Preflight::probing(server.url()).env("HTTPS_PROXY", proxy.url());
        step.trusting()
            .run()
            .found(if cause.is_empty() { "up" } else { "down" }, cause);
    }
}

/// The way ends at the proxy: with another protocol than it was said to have.
#[test]
fn a_proxy_that_cannot_be_used_is_named() {
    let plain = Server::script(&[Take(1), Say(b"HTTP/1.1 400 Bad Request\r\n\r\n")]);
    let table = [
        ("https", plain.host()),
        ("socks5", plain.host()),
        ("socks5", Refusing::new().host()),
    ];
    for (scheme, host) in table {
        for url in [PLAIN, SECURE] {
            let proxy = format!("{scheme}://{host}");
            let step = Preflight::probing(url).env("all_proxy", proxy);
            let run = step.run();
            run.found("unknown", "proxy").shows(&[&host]);
        }
    }
}

/// An address that cannot be read is no reason to go without, nor to go elsewhere.
#[test]
fn an_address_of_a_proxy_that_cannot_be_read_is_refused() {
    let server = Server::status(200).unhit();
    for (address, why) in [
        ("http://carl:hunter2@127.0.0.1:99999", "port"),
        ("http://carl:hun/ter2@127.0.0.1", "%2F"),
        ("ftp://carl:hunter2@127.0.0.1", "scheme"),
    ] {
        let run = Preflight::probing(server.url())
            .env("HTTP_PROXY", address)
            .run();
        run.found("unknown", "proxy").shows(&["HTTP_PROXY", why]);
        run.hides(&["hun", "carl"]);
    }
}

/// The forge is not told about it by another way, either.
#[test]
fn the_forge_is_not_reached_without_its_proxy() {
    let forge = Forge::new(Kind::Github).unhit();
    let run = Preflight::probing(PLAIN)
        .on(&forge)
        .set("control", "off")
        .env("http_proxy", "http://carl:hunter2@127.0.0.1:99999")
        .run();
    run.found("unknown", "proxy").hides(&["hun", "carl"]);
    let warned = run.annotated("warning", "COMMIT-STATUS");
    assert!(warned.contains("http_proxy names"), "{warned}\n{run}");
}

#[test]
fn blanks_around_the_address_and_in_the_login_are_taken() {
    let proxy = Server::status(200);
    let address = format!("  http://carl:hunter 2@{} \n", proxy.host());
    Preflight::probing(PLAIN)
        .env("http_proxy", address)
        .run()
        .up();
    let login = proxy.received()[0]
        .header("proxy-authorization")
        .unwrap()
        .to_owned();
    assert_eq!(login, "Basic Y2FybDpodW50ZXIgMg==");
}

/// A SOCKS proxy that leads every way to this server, or says so to refuse.
fn socks_to(server: &Server, login: Option<&'static str>, says: u8) -> Server {
    let there = server.host();
    Server::start(move |peer| {
        let method = if login.is_some() { 2 } else { 0 };
        let greeting = peer.read(2).unwrap();
        assert!(peer.read(greeting[1].into()).unwrap().contains(&method));
        peer.send([5, method]);
        if let Some(login) = login {
            peer.read(1);
            let length = peer.read(1).unwrap()[0];
            let user = peer.read(length.into()).unwrap();
            let length = peer.read(1).unwrap()[0];
            let password = peer.read(length.into()).unwrap();
            assert_eq!([user, password].join(&b':'), login.as_bytes());
            peer.send([1, 0]);
        }
        // Connect, to an address or to a name; the port.
        let length = match peer.read(4).unwrap()[..] {
            [5, 1, 0, 1] => 4,
            [5, 1, 0, 3] => peer.read(1).unwrap()[0],
            _ => panic!("an odd request"),
        };
        peer.read((length + 2).into());
        peer.send([5, says, 0, 1, 0, 0, 0, 0, 0, 0]);
        if says != 0 {
            return;
        }
        peer.relay(TcpStream::connect(&there).unwrap());
    })
}

#[test]
fn a_socks_proxy_leads_the_way() {
    for scheme in ["socks5", "socks5h"] {
        let secure = Tls::new(Certified::Well).healthy();
        let plain = Server::status(200);
        for (url, server) in [(PLAIN.to_owned(), &plain), (secure.url(), &secure)] {
            for (user_info, login) in [
                ("", None),
                ("carl:hunter2@", Some("carl:hunter2")),
                // SOCKS has no login with an empty part: it is done without.
                ("carl@", None),
                ("carl:@", None),
                (":hunter2@", None),
            ] {
                let proxy = socks_to(server, login, 0);
                let address = format!("{scheme}://{user_info}{}", proxy.host());
                let step = Preflight::probing(&url).env("ALL_PROXY", address);
                step.trusting().run().up().hides(&["hunter2", "carl"]);
            }
        }
    }
}

/// Whether it could not, or would not.
#[test]
fn a_socks_proxy_that_makes_no_connection_is_named() {
    let table = [
        (1, "unknown", "proxy", "general failure"),
        (2, "unknown", "proxy", "not allowed"),
        (3, "down", "proxy-upstream", "network unreachable"),
        (4, "down", "proxy-upstream", "host unreachable"),
        (5, "down", "proxy-upstream", "connection refused"),
        (6, "down", "proxy-upstream", "TTL expired"),
        (7, "unknown", "proxy", "command not supported"),
        (8, "unknown", "proxy", "address type not supported"),
    ];
    for (says, result, cause, why) in table {
        let server = Server::status(200).unhit();
        let proxy = socks_to(&server, None, says);
        let url = if says % 2 == 0 { PLAIN } else { SECURE };
        let step = Preflight::probing(url).env("ALL_PROXY", format!("socks5://{}", proxy.host()));
        let run = step.run();
        run.found(result, cause);
        run.shows(&[&proxy.host(), "dep.invalid", why]);
    }
}

/// Before it knows where to, silence is its own; later it may wait for the target.
#[test]
fn a_silent_socks_proxy_is_blamed_until_it_knows_the_target() {
    let mute = Server::silent();
    let greeted = Server::start(|peer| {
        peer.read(3);
        peer.send([5, 0]);
        peer.hang();
    });
    let url = |server: &Server| format!("socks5://{}", server.host());
    let step = |server: &Server| Preflight::probing(SECURE).env("ALL_PROXY", url(server));
    step(&mute)
        .set("timeout", "500ms")
        .run()
        .found("unknown", "proxy");
    step(&greeted)
        .set("timeout", "500ms")
        .run()
        .found("down", "connect-timeout");
}

/// Containers have such names; certificates may, too.
#[test]
fn a_host_name_with_an_underscore_is_led_on() {
    let plain = Server::status(200);
    let step = Preflight::probing("http://my_api:8080/").env("http_proxy", plain.url());
    step.run().up();
    assert_eq!(plain.received()[0].word(1), "http://my_api:8080/");

    let server = Tls::new(Certified::OtherName).healthy();
    let proxy = tunnel_to(&server);
    let step = Preflight::probing("https://my_api/").env("https_proxy", proxy.url());
    step.trusting().run().down("tls-hostname");
    assert_eq!(proxy.received()[0].word(1), "my_api:443");
}

/// User info of a proxy goes to that proxy, and shows nowhere.
#[test]
fn a_login_at_the_proxy_stays_there() {
    let server = Tls::new(Certified::Well).healthy();
    let tunnel = tunnel_to(&server);
    let plain = Server::status(200);
    let login = |proxy: &Server| format!("http://carl:hunter2@{}", proxy.host());
    let targets = [("secure", server.url()), ("plain", PLAIN.to_owned())];
    let step = Preflight::targets(&targets).trusting();
    let run = step
        .env("https_proxy", login(&tunnel))
        .env("http_proxy", login(&plain))
        .run();
    run.up().hides(&["hunter2", "carl", "Y2FybDpodW50ZXIy"]);

    for proxy in [&tunnel, &plain] {
        let head = &proxy.received()[0];
        assert_eq!(
            head.header("proxy-authorization"),
            Some("Basic Y2FybDpodW50ZXIy"),
            "{}",
            head.head
        );
    }
    assert_eq!(server.received()[0].header("proxy-authorization"), None);

    let gone = Refusing::new();
    let address = format!("http://carl:hunter2@{}", gone.host());
    let run = Preflight::probing(PLAIN).env("http_proxy", address).run();
    run.found("unknown", "proxy").hides(&["hunter2", "carl"]);
}

/// The dependency answers through the proxy, and breaks off there.
#[test]
fn a_tunnel_that_breaks_is_down() {
    let server = Server::script(&[Reset]).scheme("https");
    let proxy = tunnel_to(&server);
    let run = Preflight::probing(server.url())
        .env("https_proxy", proxy.url())
        .run();
    assert_eq!(run.output("result"), "down", "{run}");
}
