//! Whatever listens on a port: connected, and not sent away at once.

use super::{Answer, Asks, Greeting, Next, Page, Protocol, Received, Scheme, Site, Tls, Unmet};
use crate::durations::TCP_QUIET;

pub(super) static PROTOCOL: Protocol = Protocol {
    name: "tcp",
    title: "TCP",
    schemes: &[Scheme {
        name: "tcp",
        port: None,
        tls: false,
    }],
    tls: Tls::Never,
    path: None,
    asks: Asks::Stream(greeting),
    page: Page {
        asks: "nothing: it connects, and listens for 100 ms",
        up: "the connection stands for that long, or bytes come",
        down: "none (a connection that is closed or reset at once is down as `closed` or `reset`: so proxies and meshes treat connections to a backend that is gone)",
        blind: "everything behind the port: prefer the service's own protocol",
        log: "as for any connection that says nothing; some servers log more for it than for a question",
    },
};

struct Tcp;

fn greeting(_: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(Tcp)
}

impl Greeting for Tcp {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        if received.is_quiet() || !received.rest().is_empty() {
            return Ok(Next::Done(Answer::up("connected")));
        }
        Err(Unmet::MoreWithin(TCP_QUIET))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_stays_or_says_something_is_up() {
        let mut received = Received::default();
        assert_eq!(Tcp.next(&mut received), Err(Unmet::MoreWithin(TCP_QUIET)));
        received.fall_quiet();
        let up = Ok(Next::Done(Answer::up("connected")));
        assert_eq!(Tcp.next(&mut received), up);
        let mut received = Received::default();
        received.add(b"220 hello");
        assert_eq!(Tcp.next(&mut received), up);
    }

    #[test]
    fn one_that_is_closed_at_once_is_not() {
        let mut received = Received::default();
        received.end();
        assert!(Tcp.next(&mut received).is_err());
    }
}
