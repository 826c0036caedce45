//! Whatever listens on a port: connected, and not sent away at once.

use super::{
    Answer, Asks, Greeting, Next, Page, Protocol, Received, Scheme, Site, Tls, Unmet,
    scheme_of_port,
};
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

struct Tcp {
    port: u16,
}

fn greeting(site: &Site<'_>) -> Box<dyn Greeting> {
    Box::new(Tcp { port: site.port })
}

/// The scheme of what listens on a port as a rule.
fn usual(port: u16) -> Option<&'static str> {
    match port {
        80 => Some("http"),
        443 => Some("https"),
        _ => scheme_of_port(port).map(|scheme| scheme.name),
    }
}

impl Greeting for Tcp {
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet> {
        if received.is_quiet() || !received.rest().is_empty() {
            let answer = Answer::up("connected");
            return Ok(Next::Done(match usual(self.port) {
                Some(name) => answer.with_note(format!("{name}:// would know more")),
                None => answer,
            }));
        }
        Err(Unmet::MoreWithin(TCP_QUIET))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(port: u16) -> Box<dyn Greeting> {
        greeting(&Site {
            port,
            ..Site::default()
        })
    }

    #[test]
    fn a_connection_that_stays_or_says_something_is_up() {
        let mut received = Received::default();
        assert_eq!(
            tcp(9).next(&mut received),
            Err(Unmet::MoreWithin(TCP_QUIET))
        );
        received.fall_quiet();
        let up = Ok(Next::Done(Answer::up("connected")));
        assert_eq!(tcp(9).next(&mut received), up);
        let mut received = Received::default();
        received.add(b"220 hello");
        assert_eq!(tcp(9).next(&mut received), up);
    }

    #[test]
    fn one_that_is_closed_at_once_is_not() {
        let mut received = Received::default();
        received.end();
        assert!(tcp(9).next(&mut received).is_err());
    }

    #[test]
    fn on_a_well_known_port_it_names_who_would_know_more() {
        for (port, note) in [
            (5432, Some("postgres:// would know more")),
            (6379, Some("redis:// would know more")),
            (443, Some("https:// would know more")),
            (80, Some("http:// would know more")),
            (50051, None),
        ] {
            let mut received = Received::default();
            received.fall_quiet();
            let Ok(Next::Done(answer)) = tcp(port).next(&mut received) else {
                panic!("{port}");
            };
            assert_eq!(answer.note.as_deref(), note, "{port}");
        }
    }
}
