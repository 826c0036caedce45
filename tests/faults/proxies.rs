//! Proxies on the way: their faults are the runner's side, those behind them are not.

use std::net::TcpStream;

use crate::kit::peer::Peer;
use crate::kit::run::Run;
use crate::kit::server::response;
use crate::lab::{DEP, HOLE, Lab, PROXY};
use crate::row::Row;

const HTTPS: &str = "https://10.77.1.1/";
const HTTP: &str = "http://10.77.1.1/";
const AT: &str = "10.77.3.1:3128";

/// An https target through a proxy that does this.
fn through(lab: &Lab, play: impl Fn(&mut Peer) + Send + Sync + 'static) -> Run {
    lab.server("proxy", AT, play);
    lab.step(HTTPS)
        .env("HTTPS_PROXY", format!("http://{AT}"))
        .run()
}

/// A tunnel, as an honest proxy makes it.
fn tunnel(peer: &mut Peer) {
    let Some(request) = peer.request() else {
        return;
    };
    let Ok(far) = TcpStream::connect(request.word(1)) else {
        peer.send(response(502, ""));
        return;
    };
    peer.send("HTTP/1.1 200 Connected\r\n\r\n");
    peer.relay(far);
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = proxy_itself();
    rows.extend(behind());
    rows
}

fn proxy_itself() -> Vec<Row> {
    vec![
        Row::unknown("proxy black-holed, https target", "proxy", |lab| {
            lab.step(HTTPS)
                .env("HTTPS_PROXY", format!("http://{HOLE}:3128"))
                .run()
        })
        .within(1400..=3000),
        Row::unknown("proxy black-holed, http target", "proxy", |lab| {
            lab.step(HTTP)
                .env("http_proxy", format!("http://{HOLE}:3128"))
                .run()
        })
        .within(1400..=3000),
        Row::unknown("proxy without a route", "proxy", |lab| {
            lab.runner(&format!("ip route add unreachable {PROXY}"));
            lab.step(HTTPS)
                .env("HTTPS_PROXY", format!("http://{AT}"))
                .run()
        })
        .within(0..=1500),
        Row::unknown("proxy refuses the connection", "proxy", |lab| {
            lab.step(HTTPS)
                .env("ALL_PROXY", format!("http://{AT}"))
                .run()
        })
        .within(0..=1500),
        Row::unknown("proxy's name does not resolve", "proxy", |lab| {
            lab.step(HTTPS)
                .env("HTTPS_PROXY", "http://proxy.test:3128")
                .run()
        }),
        Row::unknown("proxy wants a login", "proxy", |lab| {
            through(lab, |peer| peer.status(407)).says("407")
        }),
        Row::unknown("proxy forbids the way", "proxy", |lab| {
            through(lab, |peer| peer.status(403)).says("403")
        }),
        Row::unknown("proxy resets", "proxy", |lab| through(lab, Peer::reset)),
        Row::unknown("proxy refuses, control through it too", "proxy", |lab| {
            lab.control(|peer| peer.status(200));
            let step = lab.step(HTTPS).set("control", "http://10.77.2.1/");
            step.env("ALL_PROXY", format!("http://{AT}")).run()
        })
        .seen("control 0/0"),
        Row::up("NO_PROXY: the dependency is asked itself", |lab| {
            lab.server("proxy", AT, |peer| peer.status(502));
            lab.dep(200);
            let step = lab.step(HTTP).env("HTTP_PROXY", format!("http://{AT}"));
            step.env("NO_PROXY", "10.77.1.0/24,.test").run()
        })
        .seen("proxy 0/0 dep 1/1"),
        Row::up("no_proxy, lower case, by name", |lab| {
            lab.server("proxy", AT, |peer| peer.status(502));
            lab.dep(200);
            lab.hosts(&[&format!("{DEP} dep.shop.test")]);
            let step = lab
                .step("http://dep.shop.test/")
                .env("http_proxy", format!("http://{AT}"));
            step.env("no_proxy", "shop.test").run()
        })
        .seen("proxy 0/0 dep 1/1"),
    ]
}

fn behind() -> Vec<Row> {
    vec![
        Row::down("CONNECT answered with 502", "proxy-upstream", |lab| {
            through(lab, |peer| peer.status(502)).says("502")
        }),
        Row::down(
            "a proxy that cannot reach the dependency",
            "proxy-upstream",
            |lab| through(lab, tunnel),
        ),
        Row::down("CONNECT never answered", "connect-timeout", |lab| {
            through(lab, Peer::mute)
        })
        .within(1400..=3000),
        Row::down(
            "a tunnel to a silent dependency",
            "response-timeout",
            |lab| {
                lab.server("dep", &format!("{DEP}:443"), Peer::hang);
                through(lab, tunnel)
            },
        )
        .within(1400..=3000)
        .seen("dep 1/0 proxy 1/1"),
        Row::down("a tunnel to a dependency without TLS", "tls", |lab| {
            lab.server("dep", &format!("{DEP}:443"), |peer| {
                // Something of the hello has to be there: a proxy may take what
                // comes before it for its own.
                peer.read(64);
                peer.send(response(400, ""));
            });
            through(lab, tunnel)
        })
        .seen("dep 1/0 proxy 1/1"),
        Row::down("a tunnel that is cut", "reset", |lab| {
            lab.server("dep", &format!("{DEP}:443"), |_| {});
            through(lab, |peer| {
                peer.answer("HTTP/1.1 200 Connected\r\n\r\n");
                peer.reset();
            })
        }),
        Row::up("http through the proxy", |lab| {
            lab.server("proxy", AT, |peer| {
                let request = peer.request().unwrap();
                let line = "GET http://dep.test/ HTTP/1.1\r\n";
                assert!(request.head.starts_with(line), "{}", request.head);
                peer.send(response(200, ""));
            });
            // Nobody resolves the name but the proxy.
            lab.step("http://dep.test/")
                .env("http_proxy", format!("http://{AT}"))
                .run()
        })
        .seen("proxy 1/1"),
        Row::down("503 through the proxy", "status", |lab| {
            lab.server("proxy", AT, |peer| peer.status(503));
            let step = lab
                .step("http://dep.test/")
                .env("http_proxy", format!("http://{AT}"));
            step.run().says("proxy")
        })
        .seen("proxy 1/1"),
    ]
}
