//! One name server, and what it says about a name.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use hickory_resolver::Resolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name as HostName, RecordType};

use super::resolv_conf::ResolvConf;
use super::socket::Sockets;
use super::{Found, NameError, Rest};
use crate::durations::{DNS_CACHE_TTL, IPV6_HEAD_START};
use crate::net::{is_local, timer};

/// A name server.
pub(super) struct Server {
    at: SocketAddr,
    /// How long it has for one question.
    patience: Duration,
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
            sockets,
            resolver,
        })
    }

    /// Asks for the addresses of a name: returns with the first family that has some.
    pub(super) async fn lookup(&self, name: &HostName) -> Result<Found<'_>, NameError> {
        let ask = |kind| -> Asking<'_> {
            let name = name.clone();
            Box::pin(async move {
                let answer = self.resolver.lookup(name, kind).await?;
                Ok(addresses(&answer))
            })
        };
        match first_of(ask(RecordType::AAAA), ask(RecordType::A)).await {
            Ok(found) => Ok(found),
            Err(Some(error)) => Err(self.explain(&error)),
            Err(None) => Err(NameError::NoAddress),
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

/// A question about one family.
type Asking<'a> = Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, NetError>> + Send + 'a>>;

/// The first family that has an address, with the other one as far as it has answered: IPv6 is
/// waited for a little, so that it is preferred where there are both. Where neither has one, the
/// error, if there is one: that about IPv4 says more, as many name servers are odd about AAAA.
async fn first_of<'a>(
    mut six: Asking<'a>,
    mut four: Asking<'a>,
) -> Result<Found<'a>, Option<NetError>> {
    let rest = |asking: Asking<'a>| -> Option<Rest<'a>> {
        Some(Box::pin(async move { asking.await.unwrap_or_default() }))
    };
    let both = |mut six: Vec<IpAddr>, four| {
        six.extend(four);
        Found {
            first: six,
            rest: None,
        }
    };
    tokio::select! {
        biased;
        got = &mut six => match got {
            Ok(first) if !first.is_empty() => Ok(Found { first, rest: rest(four) }),
            got_six => match (got_six, four.await) {
                (_, Ok(first)) if !first.is_empty() => Ok(both(Vec::new(), first)),
                (_, Err(error)) => Err(Some(error)),
                (_, Ok(_)) => Err(None),
            },
        },
        got = &mut four => match got {
            Ok(first) if !first.is_empty() => match timer::within(IPV6_HEAD_START, &mut six).await {
                Some(got_six) => Ok(both(got_six.unwrap_or_default(), first)),
                None => Ok(Found { first, rest: rest(six) }),
            },
            got_four => match six.await {
                Ok(first) if !first.is_empty() => Ok(both(first, Vec::new())),
                got_six => Err(got_four.err().or(got_six.err())),
            },
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

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;
    use crate::net::timer::tests::{overtaken, run};

    const SIX: [u16; 8] = [0xfd77, 0, 0, 1, 0, 0, 0, 1];
    const FOUR: [u8; 4] = [10, 77, 1, 1];

    fn six() -> Vec<IpAddr> {
        vec![SIX.into()]
    }

    fn four() -> Vec<IpAddr> {
        vec![FOUR.into()]
    }

    fn now<'a>(addresses: Vec<IpAddr>) -> Asking<'a> {
        Box::pin(ready(Ok(addresses)))
    }

    fn failed<'a>(error: NetError) -> Asking<'a> {
        Box::pin(ready(Err(error)))
    }

    /// What came at once, and what comes later, if something does.
    async fn found(six: Asking<'_>, four: Asking<'_>) -> (Vec<IpAddr>, Option<Vec<IpAddr>>) {
        let found = first_of(six, four).await.unwrap();
        let late = match found.rest {
            Some(rest) => Some(rest.await),
            None => None,
        };
        (found.first, late)
    }

    #[test]
    fn the_other_family_joins_when_it_comes() {
        run(async {
            let late = |addresses: Vec<IpAddr>| -> Asking<'_> {
                Box::pin(async move {
                    tokio::time::sleep(2 * IPV6_HEAD_START).await;
                    Ok(addresses)
                })
            };
            let both = [six(), four()].concat();
            assert_eq!(found(now(six()), late(four())).await, (six(), Some(four())));
            assert_eq!(found(late(six()), now(four())).await, (four(), Some(six())));
            let soon = overtaken(1, ());
            let soon: Asking<'_> = Box::pin(async move {
                soon.await;
                Ok(six())
            });
            assert_eq!(found(soon, now(four())).await, (both, None));
        });
    }

    #[test]
    fn a_family_without_an_address_is_not_waited_for_again() {
        run(async {
            assert_eq!(found(now(Vec::new()), now(four())).await, (four(), None));
            let odd = || failed(NetError::Timeout);
            assert_eq!(found(odd(), now(four())).await, (four(), None));
            assert_eq!(found(now(six()), odd()).await, (six(), Some(Vec::new())));
        });
    }

    #[test]
    fn the_error_about_ipv4_counts() {
        run(async {
            let wrong = || failed(NetError::Message("wrong"));
            let error = first_of(wrong(), failed(NetError::Timeout)).await;
            assert!(matches!(error, Err(Some(NetError::Timeout))));
            let error = first_of(failed(NetError::Timeout), now(Vec::new())).await;
            assert!(matches!(error, Err(None)));
            let never: Asking<'_> = Box::pin(pending());
            let waited = timer::within(IPV6_HEAD_START, first_of(never, wrong())).await;
            assert!(waited.is_none());
        });
    }

    #[test]
    fn ipv6_is_read_before_a_late_head_start_is_over() {
        run(async {
            let late: Asking<'_> = Box::pin(async { Ok(overtaken(600, six()).await) });
            let both = [six(), four()].concat();
            assert_eq!(found(late, now(four())).await, (both, None));
        });
    }
}
