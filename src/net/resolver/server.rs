//! One name server, and what it says about a name.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_resolver::Resolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name as HostName, RecordType};

use super::NameError;
use super::resolv_conf::ResolvConf;
use super::socket::Sockets;
use crate::durations::{DNS_CACHE_TTL, OTHER_FAMILY};
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

    /// Asks for the addresses of a name, IPv6 first where there are both.
    pub(super) async fn lookup(&self, name: &HostName) -> Result<Vec<IpAddr>, NameError> {
        let ask = |kind| async move {
            let answer = self.resolver.lookup(name.clone(), kind).await?;
            Ok(addresses(&answer))
        };
        let (six, four) = both(ask(RecordType::AAAA), ask(RecordType::A)).await;
        let found = match (six, four) {
            (Some(Ok(mut six)), Some(Ok(four))) => {
                six.extend(four);
                six
            }
            (Some(Ok(found)), _) | (_, Some(Ok(found))) => found,
            // The answer about IPv4 says more: many name servers are odd about AAAA.
            (_, Some(Err(error))) | (Some(Err(error)), None) => return Err(self.explain(&error)),
            (None, None) => return Err(NameError::Silent(self.patience)),
        };
        if found.is_empty() {
            Err(NameError::NoAddress)
        } else {
            Ok(found)
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

/// Waits for both, but for the second only [`OTHER_FAMILY`] once the first has succeeded: there are
/// name servers that never answer questions for AAAA.
async fn both<T, E>(
    six: impl Future<Output = Result<T, E>>,
    four: impl Future<Output = Result<T, E>>,
) -> (Option<Result<T, E>>, Option<Result<T, E>>) {
    tokio::pin!(six, four);
    let (mut got_six, mut got_four) = (None, None);
    let mut until = None;
    while got_six.is_none() || got_four.is_none() {
        let good = |got: &Option<Result<T, E>>| matches!(got, Some(Ok(_)));
        if until.is_none() && (good(&got_six) || good(&got_four)) {
            until = Some(Instant::now() + OTHER_FAMILY);
        }
        let over = async {
            match until {
                Some(until) => timer::timer(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            got = &mut six, if got_six.is_none() => got_six = Some(got),
            got = &mut four, if got_four.is_none() => got_four = Some(got),
            _ = over => break,
        }
    }
    (got_six, got_four)
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
    use std::future::ready;

    use super::*;
    use crate::net::timer::tests::{overtaken, run};

    #[test]
    fn the_other_family_is_read_before_a_late_grace_is_over() {
        run(async {
            let six = overtaken(600, Ok::<_, ()>(6));
            assert_eq!(both(six, ready(Ok(4))).await, (Some(Ok(6)), Some(Ok(4))));
            let four = overtaken(600, Ok::<_, ()>(4));
            assert_eq!(both(ready(Ok(6)), four).await, (Some(Ok(6)), Some(Ok(4))));
        });
    }
}
