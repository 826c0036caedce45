//! One name server, and what it says about a name.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use hickory_resolver::Resolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name as HostName, RData, RecordType};

use super::resolv_conf::ResolvConf;
use super::socket::Sockets;
use super::{Found, NameError, Place};
use crate::durations::{DNS_CACHE_TTL, IPV6_HEAD_START, OTHER_FAMILY};
use crate::net::{is_local, timer};

/// A name server.
pub(super) struct Server {
    at: SocketAddr,
    /// How long it has for one question.
    patience: Duration,
    /// The domains that a short name is tried in, and how many dots one has that is not short.
    search: Vec<HostName>,
    ndots: usize,
    sockets: Sockets,
    resolver: Resolver<Sockets>,
}

impl Server {
    /// Makes ready to ask; nothing is sent.
    pub(super) fn new(at: SocketAddr, conf: &ResolvConf) -> Result<Self, NetError> {
        let server = if conf.tcp_only {
            NameServerConfig::tcp(at.ip())
        } else {
            NameServerConfig::udp_and_tcp(at.ip())
        };
        let config = ResolverConfig::from_parts(None, conf.search.clone(), vec![server]);
        let mut options = ResolverOpts::default();
        options.ndots = conf.ndots;
        options.timeout = conf.timeout;
        // The library counts those after the first.
        options.attempts = conf.attempts.saturating_sub(1);
        options.edns0 = conf.edns0;
        options.use_hosts_file = ResolveHosts::Never;
        options.positive_max_ttl = Some(DNS_CACHE_TTL);
        options.negative_max_ttl = Some(Duration::ZERO);
        let sockets = Sockets::to(at);
        let resolver = Resolver::builder_with_config(config, sockets.clone())
            .with_options(options)
            .build()?;
        Ok(Self {
            at,
            patience: conf.timeout,
            search: conf.search.clone(),
            ndots: conf.ndots,
            sockets,
            resolver,
        })
    }

    /// Asks for the addresses of a name: returns with the first family that has some.
    pub(super) async fn lookup(&self, name: &HostName) -> Result<Found<'_>, NameError> {
        let ask = |kind| -> Asking<'_> {
            let name = name.clone();
            Box::pin(async move {
                let answer = self.resolver.lookup(name.clone(), kind).await?;
                // The library's own way to the question panics where a server repeats none.
                let asked = answer.message().queries.first();
                Ok(Answer {
                    turn: asked.and_then(|asked| self.turn(&name, asked.name())),
                    addresses: addresses(&answer),
                })
            })
        };
        match first_of(ask(RecordType::AAAA), ask(RecordType::A)).await {
            Ok(found) => Ok(found),
            Err(Some(error)) => Err(self.explain(&error)),
            Err(None) => Err(NameError::NoAddress),
        }
    }

    /// Asks for the SRV records of a name.
    pub(super) async fn services(&self, name: &HostName) -> Result<Vec<Place>, NameError> {
        let answer = self.resolver.lookup(name.clone(), RecordType::SRV).await;
        let answer = answer.map_err(|error| match self.explain(&error) {
            NameError::NoAddress => NameError::NoService,
            other => other,
        })?;
        places(answer.answers().iter().map(|record| &record.data))
    }

    /// Whose turn it was, of the names that `name` may be short for, when `asked` was asked for;
    /// `None` if it is none of them, but what one of them is an alias for.
    fn turn(&self, name: &HostName, asked: &HostName) -> Option<usize> {
        let in_domain = |domain| name.clone().append_domain(domain).ok();
        let found = |domain| in_domain(domain).is_some_and(|whole| whole == *asked);
        let mut as_it_is = name.clone();
        as_it_is.set_fqdn(true);
        match self.search.iter().position(found) {
            _ if name.is_fqdn() => Some(0),
            Some(at) => Some(1 + at),
            None if as_it_is != *asked => None,
            // As it is it comes first if it has dots enough, else last.
            None if usize::from(name.num_labels()) > self.ndots => Some(0),
            None => Some(usize::MAX),
        }
    }

    fn explain(&self, error: &NetError) -> NameError {
        match error {
            NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
                ResponseCode::NXDomain => NameError::NoSuchName,
                ResponseCode::NoError => NameError::NoAddress,
                other => NameError::Answered(code(other)),
            },
            NetError::Dns(DnsError::ResponseCode(other)) => NameError::Answered(code(*other)),
            NetError::Timeout => NameError::Silent(self.patience),
            NetError::Proto(error) => {
                NameError::Unreadable(format!("{} sent no DNS message: {error}", self.at.ip()))
            }
            NetError::Truncated => NameError::Unreadable(format!(
                "{} has more to say than fits into UDP, and does not answer by TCP",
                self.at.ip()
            )),
            NetError::Io(error) => self.not_asked(error, is_local(error)),
            // The library does not say why it has no connection; the sockets do.
            other => match self.sockets.trouble() {
                Some(error) if error.kind() == io::ErrorKind::TimedOut => {
                    NameError::Silent(self.patience)
                }
                Some(error) => self.not_asked(&error, is_local(&error)),
                None => self.not_asked(other, false),
            },
        }
    }

    fn not_asked(&self, why: &dyn std::fmt::Display, local: bool) -> NameError {
        let why = format!("{}: {why}", self.at.ip());
        if local {
            NameError::Local(why)
        } else {
            NameError::Failed(why)
        }
    }
}

/// The addresses in an answer.
pub(super) fn addresses(found: &Lookup) -> Vec<IpAddr> {
    found
        .answers()
        .iter()
        .filter_map(|record| record.data.ip_addr())
        .collect()
}

/// The places in an answer, the preferred ones first.
fn places<'a>(records: impl Iterator<Item = &'a RData>) -> Result<Vec<Place>, NameError> {
    let mut found: Vec<_> = records
        .filter_map(|data| match data {
            // The root for a target says that there is no such service here (RFC 2782).
            RData::SRV(srv) if !srv.target.is_root() => Some(srv),
            _ => None,
        })
        .collect();
    // Stable: the server's order within a priority.
    found.sort_by_key(|srv| srv.priority);
    let places = found.into_iter().map(|srv| Place {
        host: srv.target.to_ascii().trim_end_matches('.').to_owned(),
        port: srv.port,
    });
    let places: Vec<_> = places.collect();
    if places.is_empty() {
        return Err(NameError::NoService);
    }
    Ok(places)
}

/// What is said about one family.
struct Answer {
    /// Of the names that a short one may stand for, which of them has these, in their order;
    /// `None` if that cannot be told.
    turn: Option<usize>,
    addresses: Vec<IpAddr>,
}

impl Answer {
    /// Which of the two is about an earlier name.
    fn order(&self, other: &Self) -> Ordering {
        match (self.turn, other.turn) {
            (Some(one), Some(other)) => one.cmp(&other),
            _ => Ordering::Equal,
        }
    }

    /// IPv6 before IPv4, where both are of the same name; else those of the earlier one.
    fn then(mut self, four: Self) -> Vec<IpAddr> {
        match self.order(&four) {
            Ordering::Less => self.addresses,
            Ordering::Greater => four.addresses,
            Ordering::Equal => {
                self.addresses.extend(four.addresses);
                self.addresses
            }
        }
    }
}

/// A question about one family: an answer, perhaps without an address.
type Asking<'a> = Pin<Box<dyn Future<Output = Result<Answer, NetError>> + Send + 'a>>;

/// The answer that has an address, or why there is none.
fn some(got: Result<Answer, NetError>) -> Result<Answer, Option<NetError>> {
    match got {
        Ok(answer) if answer.addresses.is_empty() => Err(None),
        got => got.map_err(Some),
    }
}

/// The first family that has an address, with the other one as far as it has answered: IPv6 is
/// waited for a little, so that it is preferred where there are both. Where neither has one, the
/// error, if there is one: that about IPv4 says more, as many name servers are odd about AAAA.
///
/// A short name may be found in one domain of the search list by IPv4, and in a later one by
/// IPv6. Those are two hosts, and the earlier one is meant.
async fn first_of<'a>(
    mut six: Asking<'a>,
    mut four: Asking<'a>,
) -> Result<Found<'a>, Option<NetError>> {
    let all = |first| Found { first, rest: None };
    let as_yet = |first: Answer, other: Asking<'a>| Found {
        first: first.addresses.clone(),
        rest: Some(Box::pin(async move {
            let late = other.await.ok();
            let late = late.filter(|late| first.order(late) == Ordering::Equal);
            late.map(|late| late.addresses).unwrap_or_default()
        })),
    };
    tokio::select! {
        biased;
        got = &mut six => match some(got) {
            Ok(six) if matches!(six.turn, None | Some(0)) => Ok(as_yet(six, four)),
            Ok(six) => match timer::within(OTHER_FAMILY, &mut four).await.map(some) {
                Some(Ok(four)) => Ok(all(six.then(four))),
                Some(Err(_)) => Ok(all(six.addresses)),
                None => Ok(as_yet(six, four)),
            },
            Err(_) => some(four.await).map(|four| all(four.addresses)),
        },
        got = &mut four => match some(got) {
            Ok(four) => match timer::within(IPV6_HEAD_START, &mut six).await.map(some) {
                Some(Ok(six)) => Ok(all(six.then(four))),
                Some(Err(_)) => Ok(all(four.addresses)),
                None => Ok(as_yet(four, six)),
            },
            Err(why) => some(six.await).map(|six| all(six.addresses)).map_err(|other| why.or(other)),
        },
    }
}

/// The code as people know it from dig, with the library's words for the rarer ones.
fn code(code: ResponseCode) -> String {
    match code {
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        other => other.to_string(),
    }
}
