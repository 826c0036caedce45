//! Whatever speaks TLS from the first byte: a handshake, and a certificate that is good.

use super::{Answer, Asks, Greeting, Next, Page, Protocol, Received, Scheme, Site, Tls, Unmet};

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "tls",
    title: "TLS",
    schemes: &[Scheme {
        name: "tls",
        port: None,
        tls: true,
    }],
    tls: Tls::FromTheStart,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "a TLS handshake",
        up: "it is finished, and the certificate is good; a server that asks for a client certificate is up, too",
        down: "none (what fails is one of the `tls` causes)",
        blind: "everything behind TLS: prefer the service's own protocol",
        log: "as for any client that leaves after the handshake",
    },
};

struct Handshake;

fn greeting(_: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(Handshake)
}

impl Greeting for Handshake {
    fn next(&mut self, _: &mut Received) -> Result<Next, Unmet> {
        Ok(Next::Done(Answer::up("TLS handshake finished")))
    }
}
