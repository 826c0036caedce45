//! Names to addresses, by the system's own configuration and nobody else's.
//!
//! reqwest's resolver of the same library falls back to a public one where /etc/resolv.conf
//! cannot be read. Nobody's host names go to a third party: where the file is missing, the
//! name server on the local machine is asked, as resolv.conf(5) says.

mod hosts;
mod resolv_conf;
mod server;
mod socket;
mod turn;

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hickory_resolver::net::NetError;
use hickory_resolver::proto::rr::Name as HostName;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use super::timer::within;
use crate::durations::OTHER_FAMILY;
use hosts::HostsFile;
use resolv_conf::ResolvConf;
use server::Server;
use turn::in_turn;

/// Questions under way at once: a name server drops what comes in too large a burst.
const AT_ONCE: usize = 64;

/// The addresses of a name.
pub(crate) struct Found<'a> {
    /// Those that have come, the preferred family first; never empty.
    pub(crate) first: Vec<IpAddr>,
    /// Those of the other family, if it has not answered yet.
    pub(crate) rest: Option<Rest<'a>>,
}

/// Addresses that are yet to come; none if there are none.
pub(crate) type Rest<'a> = Pin<Box<dyn Future<Output = Vec<IpAddr>> + Send + 'a>>;

/// Where a service is, by an SRV record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// A name, without its last dot.
    pub(crate) host: String,
    /// The port there.
    pub(crate) port: u16,
}

impl From<IpAddr> for Found<'_> {
    fn from(address: IpAddr) -> Self {
        Self {
            first: vec![address],
            rest: None,
        }
    }
}

/// Why a name did not resolve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    /// The name server says that there is no such name.
    #[error("the name does not exist (NXDOMAIN)")]
    NoSuchName,
    /// The name exists, without an address.
    #[error("the name has no address")]
    NoAddress,
    /// The name server failed, SERVFAIL or the like.
    #[error("the name server answered {0}")]
    Answered(String),
    /// The name server answered with something that cannot be read.
    #[error("the name server's answer cannot be read: {0}")]
    Unreadable(String),
    /// The name server did not answer any question within this time.
    #[error("no answer from the name server")]
    Silent(Duration),
    /// The name server cannot be reached, or something local failed.
    #[error("the name server cannot be asked: {0}")]
    Failed(String),
    /// The runner has no more file descriptors or ports.
    #[error("the name server cannot be asked: {0}")]
    Local(String),
    /// The name exists, without a record that says where its service is.
    #[error("the name has no SRV record")]
    NoService,
    /// The text is not a name that can be asked for.
    #[error("it is not a host name: {0}")]
    NotAName(&'static str),
    /// Any of these, from a name server that the system's configuration does not name.
    #[error("{0}; {1}")]
    Guessed(Box<NameError>, String),
}

impl NameError {
    /// Whether the runner could not even ask.
    #[must_use]
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Local(_) => true,
            Self::Guessed(error, _) => error.is_local(),
            _ => false,
        }
    }

    /// If it is a timer that says so, how long it waited.
    #[must_use]
    pub(crate) fn waited(&self) -> Option<Duration> {
        match self {
            Self::Silent(time) => Some(*time),
            Self::Guessed(error, _) => error.waited(),
            _ => None,
        }
    }

    /// How much it says: of two servers that failed, the one whose error says more is right.
    const fn weight(&self) -> u8 {
        match self {
            Self::NoSuchName | Self::NoAddress | Self::NoService | Self::NotAName(_) => 5,
            Self::Answered(_) => 4,
            Self::Unreadable(_) => 3,
            Self::Silent(_) => 2,
            Self::Failed(_) | Self::Guessed(..) => 1,
            Self::Local(_) => 0,
        }
    }

    /// Whether it is an answer about the name, after which no other server is asked.
    const fn is_final(&self) -> bool {
        self.weight() == 5
    }

    /// The one of the two that says more.
    fn or(self, later: Self) -> Self {
        if later.weight() > self.weight() {
            later
        } else {
            self
        }
    }
}

/// The resolver of probes and forge. It reads the system's configuration when the first name
/// is asked for, not before.
#[derive(Clone)]
pub(crate) struct SystemResolver {
    inner: Arc<Inner>,
}

struct Inner {
    setup: OnceLock<Setup>,
    places: Semaphore,
}

/// What the system's files say.
struct Setup {
    hosts: HostsFile,
    servers: Vec<Server>,
    /// How long one server has for a try.
    patience: Duration,
    guessed: Option<String>,
}

impl std::fmt::Debug for SystemResolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SystemResolver")
    }
}

impl Default for SystemResolver {
    fn default() -> Self {
        Self {
            inner: Arc::new(Inner {
                setup: OnceLock::new(),
                places: Semaphore::new(AT_ONCE),
            }),
        }
    }
}

impl SystemResolver {
    /// The addresses of a name, IPv6 first where there are both.
    async fn lookup(&self, host: &str) -> Result<Vec<IpAddr>, NameError> {
        let Found { mut first, rest } = self.find(host).await?;
        if let Some(rest) = rest
            && let Some(late) = within(OTHER_FAMILY, rest).await
        {
            first.extend(late);
            // Stable: the server's order within a family.
            first.sort_by_key(IpAddr::is_ipv4);
        }
        Ok(first)
    }

    /// The addresses of a name as they come, IPv6 first where there are both, as RFC 8305 wants
    /// them.
    pub(crate) async fn find(&self, host: &str) -> Result<Found<'_>, NameError> {
        let name = parse(host)?;
        // The semaphore is never closed.
        let _place = self.inner.places.acquire().await;
        let setup = self.setup()?;
        let listed = setup.hosts.addresses(&name);
        if !listed.is_empty() {
            return Ok(Found {
                first: listed,
                rest: None,
            });
        }
        setup
            .ask(&name, |server, name| Box::pin(server.lookup(name)))
            .await
    }

    /// Where a service is, by the SRV records of its name; at least one place, in the order of
    /// their priority (RFC 2782).
    pub(crate) async fn services(&self, name: &str) -> Result<Vec<Place>, NameError> {
        let name = parse(name)?;
        let _place = self.inner.places.acquire().await;
        self.setup()?
            .ask(&name, |server, name| Box::pin(server.services(name)))
            .await
    }

    /// What the system's files say; they are read when they are needed first.
    fn setup(&self) -> Result<&Setup, NameError> {
        if let Some(setup) = self.inner.setup.get() {
            return Ok(setup);
        }
        let made = Setup::read().map_err(|error| NameError::Failed(error.to_string()))?;
        Ok(self.inner.setup.get_or_init(|| made))
    }
}

impl Setup {
    fn read() -> Result<Self, NetError> {
        let conf = ResolvConf::read();
        let servers = conf.servers.iter().map(|at| Server::new(*at, &conf));
        Ok(Self {
            hosts: HostsFile::read(),
            servers: servers.collect::<Result<_, _>>()?,
            patience: conf.timeout,
            guessed: conf.guessed,
        })
    }

    async fn ask<'a: 'n, 'n, T: Send + 'n>(
        &'a self,
        name: &'n HostName,
        question: Question<'a, 'n, T>,
    ) -> Result<T, NameError> {
        let found = ask(&self.servers, name, self.patience, question).await;
        match &self.guessed {
            Some(why) => found.map_err(|error| NameError::Guessed(Box::new(error), why.clone())),
            None => found,
        }
    }
}

/// A host of an address as a name. The library's own way from text goes by the rules for
/// registered names, which leave out the underscores of containers. What is not ASCII comes
/// here as punycode.
fn parse(host: &str) -> Result<HostName, NameError> {
    HostName::from_ascii(host).map_err(|_| {
        let name = host.strip_suffix('.').unwrap_or(host);
        NameError::NotAName(if name.split('.').any(str::is_empty) {
            "a part of it is empty"
        } else if name.split('.').any(|part| part.len() > 63) {
            "a part of it is longer than 63 characters"
        } else if name.len() > 253 {
            "it is longer than 253 characters"
        } else {
            "it has characters that host names do not have"
        })
    })
}

/// A question under way.
type Asking<'n, T> = Pin<Box<dyn Future<Output = Result<T, NameError>> + Send + 'n>>;

/// What one server is asked.
type Question<'a, 'n, T> = fn(&'a Server, &'n HostName) -> Asking<'n, T>;

/// Asks the servers in their order. As the C library does, it goes on to the next one at once
/// where one fails, and to no other after an answer, so that a server which does not know the
/// names of a private network is not asked about them while the first one answers. A silent
/// server keeps its turn, but the next one is asked beside it, and an address from there counts.
fn ask<'a: 'n, 'n, T: Send + 'n>(
    servers: &'a [Server],
    name: &'n HostName,
    patience: Duration,
    question: Question<'a, 'n, T>,
) -> Asking<'n, T> {
    Box::pin(async move {
        let Some((first, others)) = servers.split_first() else {
            return Err(NameError::Silent(patience));
        };
        if others.is_empty() {
            return question(first, name).await;
        }
        let others = ask(others, name, patience, question);
        in_turn(question(first, name), others, patience).await
    })
}

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let found = resolver.lookup(name.as_str()).await?;
            let found: Addrs = Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_containers_are_names() {
        let long = format!("{}.test", "a".repeat(64));
        for (host, expected) in [
            ("my_api", Ok("my_api")),
            ("project_service_1", Ok("project_service_1")),
            ("svc_.test", Ok("svc_.test")),
            ("_srv.test", Ok("_srv.test")),
            (
                "a_b.my-ns.svc.cluster.local",
                Ok("a_b.my-ns.svc.cluster.local"),
            ),
            ("dep.test.", Ok("dep.test.")),
            ("xn--bcher-kva.test", Ok("xn--bcher-kva.test")),
            ("a..b", Err("empty")),
            ("$host", Err("characters")),
            (&long, Err("63")),
        ] {
            match (parse(host), expected) {
                (Ok(name), Ok(expected)) => {
                    assert_eq!(name.to_ascii(), expected);
                    assert_eq!(name.is_fqdn(), host.ends_with('.'), "{host}");
                }
                (Err(error), Err(word)) => assert!(error.to_string().contains(word), "{error}"),
                (got, _) => panic!("{host}: {got:?}"),
            }
        }
    }
}
