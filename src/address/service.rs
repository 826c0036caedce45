//! Addresses of services that are asked in a protocol of their own.

use std::fmt;
use std::net::Ipv6Addr;

use reqwest::Url;
use rustls::pki_types::ServerName;

use super::{AddressError, LONGEST, has_a_second, secret};
use crate::nearest::nearest;
use crate::protocol::{self, Asks, Protocol, Scheme};

/// Where a service is, and what it speaks.
#[derive(Debug, Clone)]
pub struct Service {
    /// What it is asked in.
    pub protocol: &'static Protocol,
    /// The scheme that the address has.
    pub scheme: &'static Scheme,
    /// A name in lower case, or an address without brackets.
    pub host: String,
    /// The port, given or the scheme's; 0 where SRV records say it.
    pub port: u16,
    /// What stands behind the first slash.
    pub path: String,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme.name)?;
        if self.host.parse::<Ipv6Addr>().is_ok() {
            write!(f, "[{}]", self.host)?;
        } else {
            f.write_str(&self.host)?;
        }
        if self.port != 0 && self.scheme.port != Some(self.port) {
            write!(f, ":{}", self.port)?;
        }
        if !self.path.is_empty() {
            write!(f, "/{}", self.path)?;
        }
        Ok(())
    }
}

/// Reads an address whose scheme is not one of HTTP's. Nothing secret is in it any more.
pub(super) fn parse(value: &str) -> Result<Service, AddressError> {
    if has_a_second(value) {
        return Err(AddressError::Second);
    }
    if value
        .chars()
        .any(|ch| ch.is_control() || ch.is_whitespace())
    {
        return Err(AddressError::Blanks);
    }
    if value.len() > LONGEST {
        return Err(AddressError::TooLong);
    }
    let (scheme, rest) = value.split_once("://").ok_or(AddressError::NotOne)?;
    let known = find(&scheme.to_ascii_lowercase());
    if has_a_word_for_a_port(rest) {
        let write = secret::instead(known.ok().map(|(_, scheme)| scheme));
        return Err(AddressError::PortNotNumber(write));
    }
    let (protocol, scheme) = known?;
    if rest.contains(['?', '#']) {
        return Err(AddressError::Options);
    }
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    if authority.contains(',') {
        return Err(AddressError::SeveralHosts);
    }
    // The standard's parser leaves hosts of schemes that it does not know as they are; those of
    // http it makes one of.
    let url = super::parse(&format!("http://{authority}/"))?;
    let port = url.port().or_else(|| explicit_80(authority));
    let by_srv = scheme.srv().is_some();
    let port = match port {
        Some(_) if by_srv => return Err(AddressError::PortBesideSrv(scheme.name)),
        None if by_srv && url.domain().is_none() => {
            return Err(AddressError::SrvWithoutName(scheme.name));
        }
        None if by_srv => 0,
        Some(0) => return Err(AddressError::PortZero),
        Some(port) => port,
        None => scheme.port.ok_or(AddressError::PortMissing(scheme.name))?,
    };
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_matches(['[', ']']).to_owned();
    if scheme.tls && ServerName::try_from(host.as_str()).is_err() {
        return Err(AddressError::NoCertificate);
    }
    let path = match protocol.asks {
        Asks::Question(_) if !path.is_empty() => name(path)?,
        _ => path.to_owned(),
    };
    Ok(Service {
        protocol,
        scheme,
        host,
        port,
        path,
    })
}

/// The name that a path is.
fn name(path: &str) -> Result<String, AddressError> {
    let url = Url::parse(&format!("http://{path}/")).map_err(|_| AddressError::NotAName)?;
    match url.domain() {
        Some(name) if !path.contains(['/', ':']) && super::check_name(name).is_ok() => {
            Ok(name.to_owned())
        }
        _ => Err(AddressError::NotAName),
    }
}

/// Whether what stands in a port's place is no number: a password, where what followed it was
/// lost. A variable that was not replaced is none.
fn has_a_word_for_a_port(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.split(',').any(|host| {
        let behind_brackets = host.rsplit_once(']').map_or(host, |(_, behind)| behind);
        let (_, port) = behind_brackets.rsplit_once(':').unwrap_or_default();
        let is_variable = port.contains(['$', '{', '<']);
        !is_variable && !port.chars().all(|ch| ch.is_ascii_digit())
    })
}

/// The port 80, which is none in an address of http.
fn explicit_80(authority: &str) -> Option<u16> {
    Url::parse(&format!("https://{authority}/")).ok()?.port()
}

/// The protocol of a scheme. What SQLAlchemy and its like put behind a `+` is a driver.
fn find(scheme: &str) -> Result<(&'static Protocol, &'static Scheme), AddressError> {
    let without_driver = scheme.split_once('+').map(|(scheme, _)| scheme);
    Protocol::of_scheme(scheme)
        .or_else(|| Protocol::of_scheme(without_driver?))
        .ok_or_else(|| AddressError::UnknownScheme(nearest(scheme, all_schemes())))
}

/// Every scheme that a target may have.
pub(super) fn all_schemes() -> impl Iterator<Item = &'static str> {
    let http = ["http", "https", "ws", "wss"].into_iter();
    http.chain(protocol::schemes().map(|scheme| scheme.name))
}
