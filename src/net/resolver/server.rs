//! One name server, and what it says about a name.

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
use crate::net::is_local;

/// How long the second address family may take once the first has answered (RFC 8305, 3,
/// has 50 ms for this; a resolver across a VPN takes longer).
const GRACE: Duration = Duration::from_millis(250);
/// How long an answer serves other targets on the same host. Short, so that a retry asks anew.
const REMEMBER: Duration = Duration::from_secs(1);

/// A name server.
pub(super) struct Server {
    at: SocketAddr,
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
        options.positive_max_ttl = Some(REMEMBER);
        options.negative_max_ttl = Some(Duration::ZERO);
        let sockets = Sockets::to(at);
        let resolver = Resolver::builder_with_config(config, sockets.clone())
            .with_options(options)
            .build()?;
        Ok(Self {
            at,
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
            (None, None) => return Err(NameError::Silent),
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
            NetError::Timeout => NameError::Silent,
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

/// Waits for both, but for the second only [`GRACE`] once the first has succeeded: there are
/// name servers that never answer questions for AAAA.
async fn both<T, E>(
    six: impl Future<Output = Result<T, E>>,
    four: impl Future<Output = Result<T, E>>,
) -> (Option<Result<T, E>>, Option<Result<T, E>>) {
    tokio::pin!(six, four);
    let (mut got_six, mut got_four) = (None, None);
    let far = Instant::now() + Duration::from_secs(3600);
    let mut until = far;
    while got_six.is_none() || got_four.is_none() {
        let good = |got: &Option<Result<T, E>>| matches!(got, Some(Ok(_)));
        if until == far && (good(&got_six) || good(&got_four)) {
            until = Instant::now() + GRACE;
        }
        tokio::select! {
            got = &mut six, if got_six.is_none() => got_six = Some(got),
            got = &mut four, if got_four.is_none() => got_four = Some(got),
            () = tokio::time::sleep_until(until.into()) => break,
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
