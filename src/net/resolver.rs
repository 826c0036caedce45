//! Names to addresses, by the system's own configuration and nobody else's.
//!
//! reqwest's resolver of the same library falls back to a public one where /etc/resolv.conf
//! cannot be read. Nobody's host names go to a third party: where the file is missing, the
//! name server on the local machine is asked, as resolv.conf(5) says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::{Query, ResponseCode};
use hickory_resolver::proto::rr::{Name as HostName, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use hickory_resolver::{Hosts, Resolver, TokioResolver};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use super::trace;

/// How long the second address family may take once the first has answered (RFC 8305, 3,
/// has 50 ms for this; a resolver across a VPN takes longer).
const GRACE: Duration = Duration::from_millis(250);
/// Questions under way at once: a name server drops what comes in too large a burst.
const AT_ONCE: usize = 64;
/// How long an answer serves other targets on the same host. Short, so that a retry asks anew.
const REMEMBER: Duration = Duration::from_secs(1);

/// Why a name did not resolve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The name server says that there is no such name.
    #[error("the name does not exist (NXDOMAIN)")]
    NoSuchName,
    /// The name exists, without an address.
    #[error("the name has no address")]
    NoAddress,
    /// The name server failed, SERVFAIL or the like.
    #[error("the name server answered {0}")]
    Answered(String),
    /// The name server did not answer.
    #[error("no answer from the name server")]
    Silent,
    /// The name server cannot be reached, or something local failed.
    #[error("the name server cannot be asked: {0}")]
    Failed(String),
    /// The runner has no more file descriptors or ports.
    #[error("the name server cannot be asked: {0}")]
    Local(String),
    /// The text is no name that can be asked for.
    #[error("not a host name: {0}")]
    NotAName(String),
}

/// The resolver of probes and forge. It reads the system's configuration when the first name
/// is asked for, not before.
#[derive(Clone)]
pub struct SystemResolver {
    inner: Arc<Inner>,
}

struct Inner {
    setup: OnceLock<Setup>,
    places: Semaphore,
}

/// What the system's files say.
struct Setup {
    hosts: Hosts,
    config: ResolverConfig,
    options: ResolverOpts,
    resolver: TokioResolver,
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
    /// The addresses of a name, IPv6 first where there are both, as RFC 8305 wants them.
    pub async fn lookup(&self, host: &str) -> Result<Vec<IpAddr>, NameError> {
        // The semaphore is never closed.
        let _place = self.inner.places.acquire().await;
        let setup = match self.inner.setup.get() {
            Some(setup) => setup,
            None => {
                let made = Setup::read().map_err(|error| NameError::Failed(error.to_string()))?;
                self.inner.setup.get_or_init(|| made)
            }
        };
        let listed = setup.listed(host);
        if !listed.is_empty() {
            return Ok(listed);
        }
        let mut found = lookup(&setup.resolver, host).await;
        // The servers are asked together, and the first answer counts, a failure included. The
        // C library goes on to the next server after one; so do we, then one by one.
        for alone in setup.each_server() {
            if !matches!(found, Err(NameError::Answered(_))) {
                break;
            }
            found = match alone {
                Ok(resolver) => lookup(&resolver, host).await,
                Err(error) => Err(NameError::Failed(error.to_string())),
            };
        }
        match found {
            Err(NameError::Failed(why)) => {
                Err(setup.why_not_asked().unwrap_or(NameError::Failed(why)))
            }
            other => other,
        }
    }
}

impl Setup {
    fn read() -> Result<Self, NetError> {
        let (config, mut options) = read_system_conf().unwrap_or_else(|_| {
            // No file, or none that names a server: resolv.conf(5) has the local one.
            let local = NameServerConfig::udp_and_tcp(IpAddr::V4(Ipv4Addr::LOCALHOST));
            let config = ResolverConfig::from_parts(None, Vec::new(), vec![local]);
            (config, ResolverOpts::default())
        });
        options.positive_max_ttl = Some(REMEMBER);
        options.negative_max_ttl = Some(Duration::ZERO);
        Ok(Self {
            // A system without the file has no names of its own.
            hosts: Hosts::from_system().unwrap_or_default(),
            resolver: build(config.clone(), options.clone())?,
            config,
            options,
        })
    }

    /// What the hosts file says. A name that it has is not asked for elsewhere, not even for
    /// addresses of the other family: so does the C library.
    fn listed(&self, host: &str) -> Vec<IpAddr> {
        let Ok(name) = HostName::from_str_relaxed(host) else {
            return Vec::new();
        };
        [RecordType::AAAA, RecordType::A]
            .into_iter()
            .filter_map(|kind| {
                self.hosts
                    .lookup_static_host(&Query::query(name.clone(), kind))
            })
            .flat_map(|found| addresses(&found))
            .collect()
    }

    /// A resolver for each server alone, where there are several.
    fn each_server(&self) -> impl Iterator<Item = Result<TokioResolver, NetError>> {
        let servers = self.config.name_servers();
        let several = if servers.len() > 1 { servers } else { &[] };
        several.iter().map(|server| {
            let search = self.config.search().to_vec();
            let domain = self.config.domain().cloned();
            let config = ResolverConfig::from_parts(domain, search, vec![server.clone()]);
            build(config, self.options.clone())
        })
    }

    /// Whether it is the runner that cannot even ask. The library does not say why it has no
    /// connection, so this tries to send to each server: an empty packet, which servers drop.
    fn why_not_asked(&self) -> Option<NameError> {
        self.config.name_servers().iter().find_map(|server| {
            let any: IpAddr = match server.ip {
                IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
                IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
            };
            let sent =
                UdpSocket::bind((any, 0)).and_then(|socket| socket.send_to(&[], (server.ip, 53)));
            let error = sent.err().filter(super::is_local)?;
            Some(NameError::Local(error.to_string()))
        })
    }
}

fn build(config: ResolverConfig, options: ResolverOpts) -> Result<TokioResolver, NetError> {
    Resolver::builder_with_config(config, TokioRuntimeProvider::default())
        .with_options(options)
        .build()
}

fn addresses(found: &Lookup) -> Vec<IpAddr> {
    found
        .answers()
        .iter()
        .filter_map(|record| record.data.ip_addr())
        .collect()
}

async fn lookup(resolver: &TokioResolver, host: &str) -> Result<Vec<IpAddr>, NameError> {
    let ask = |kind| async move {
        let answer = resolver.lookup(host, kind).await?;
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
        (_, Some(Err(error))) | (Some(Err(error)), None) => return Err(explain(&error)),
        (None, None) => return Err(NameError::Silent),
    };
    if found.is_empty() {
        Err(NameError::NoAddress)
    } else {
        Ok(found)
    }
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

fn explain(error: &NetError) -> NameError {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => NameError::NoSuchName,
            ResponseCode::NoError => NameError::NoAddress,
            other => NameError::Answered(code(other)),
        },
        NetError::Dns(DnsError::ResponseCode(other)) => NameError::Answered(code(*other)),
        NetError::Timeout => NameError::Silent,
        NetError::Io(error) if super::is_local(error) => NameError::Local(error.to_string()),
        NetError::Proto(error) => NameError::NotAName(error.to_string()),
        other => NameError::Failed(other.to_string()),
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

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            trace::note(|trace| trace.name_asked = Some(Instant::now()));
            let found = resolver.lookup(name.as_str()).await?;
            trace::note(|trace| {
                trace.name_answered = Some(Instant::now());
                trace.addresses.clone_from(&found);
            });
            let found: Addrs = Box::new(found.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(found)
        })
    }
}
