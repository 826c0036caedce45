//! What a dependency is asked in its own protocol, without a credential, and what its answer
//! means. Pure: bytes in, the next step out; `probe::conversation` does the rest.
//!
//! One principle decides all odd answers: a service is *serving* if, with the right credential,
//! it would serve now; it is *not serving* if no credential would help now: it starts, stops,
//! loads, is full, has no leader, or shuts out this host.
//!
//! A protocol is one file, its `mod` line and its line in [`PROTOCOLS`]. The addresses, the
//! errors about them, the documents' table, the schema and the fuzz target follow from the table.

mod amqp;
mod answer;
pub(crate) mod call;
mod cassandra;
mod dns;
pub(crate) mod foreign;
mod ftp;
mod grpc;
mod imap;
mod kafka;
mod ldap;
mod memcached;
mod mongodb;
mod mqtt;
mod mysql;
mod nats;
mod pop3;
mod postgres;
pub(crate) mod question;
mod received;
mod redis;
mod reply;
mod smtp;
mod sqlserver;
mod ssh;
mod tcp;
#[cfg(test)]
mod tests;
mod tls;
#[cfg(test)]
mod transcript;
mod zookeeper;

use std::time::Duration;

pub(crate) use answer::{Answer, LOGIN_NOT_CHECKED, NO_TLS};
use call::Call;
pub(crate) use question::Question;
pub(crate) use received::Received;

/// Every protocol beside HTTP, in the order of the documents' table.
pub static PROTOCOLS: &[&Protocol] = &[
    &tcp::PROTOCOL,
    &tls::PROTOCOL,
    &postgres::PROTOCOL,
    &mysql::PROTOCOL,
    &redis::PROTOCOL,
    &mongodb::PROTOCOL,
    &amqp::PROTOCOL,
    &kafka::PROTOCOL,
    &grpc::PROTOCOL,
    &memcached::PROTOCOL,
    &nats::PROTOCOL,
    &mqtt::PROTOCOL,
    &ssh::PROTOCOL,
    &smtp::PROTOCOL,
    &imap::PROTOCOL,
    &pop3::PROTOCOL,
    &ftp::PROTOCOL,
    &ldap::PROTOCOL,
    &zookeeper::PROTOCOL,
    &cassandra::PROTOCOL,
    &dns::PROTOCOL,
    &sqlserver::PROTOCOL,
];

/// The most that is read before an answer has to be whole, in bytes.
pub(crate) const LIMIT: usize = 64 * 1024;

/// A protocol in which a dependency can be asked.
#[derive(Debug)]
pub struct Protocol {
    /// Its name in the report: its first scheme.
    pub name: &'static str,
    /// What people call it, within a sentence.
    pub title: &'static str,
    /// The schemes of its addresses, synonyms included.
    pub schemes: &'static [Scheme],
    /// How TLS is asked for where the scheme does not say it.
    pub tls: Tls,
    /// What the path of an address names; `None` where it is allowed and not used.
    pub path: Option<&'static str>,
    /// What it is asked in: over what, and by whom.
    pub(crate) asks: Asks,
    /// Its row in the documents.
    pub page: Page,
}

/// The scheme of an address.
#[derive(Debug, PartialEq, Eq)]
pub struct Scheme {
    /// Its name, in lower case.
    pub name: &'static str,
    /// The port of an address that has none; `None` where it must have one, and for `+srv`, where
    /// it cannot have one.
    pub port: Option<u16>,
    /// Whether TLS is spoken from the start.
    pub tls: bool,
}

/// How `tls: true` asks for TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte on.
    FromTheStart,
    /// Within the protocol: it starts in clear, and the server is asked to go on in TLS.
    Upgrade,
    /// Not at all: the option is refused.
    Never,
}

/// Over what a protocol is spoken.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asks {
    /// A connection.
    Stream(fn(&Site<'_>) -> Box<dyn Greeting>),
    /// One request over HTTP/2.
    Call(&'static Call),
    /// One question in a datagram.
    Question(&'static Question),
}

/// A protocol's row in the documents, in Markdown.
#[derive(Debug)]
pub struct Page {
    /// What is sent.
    pub asks: &'static str,
    /// Which answers are up.
    pub up: &'static str,
    /// Which answers are down, cause `not-serving`.
    pub down: &'static str,
    /// What an `up` does not say.
    pub blind: &'static str,
    /// What the server's log shows of a probe.
    pub log: &'static str,
}

/// What a greeting may depend on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Site<'a> {
    /// Whether the server is to be asked to go on in TLS ([`Tls::Upgrade`]).
    pub(crate) upgrade: bool,
    /// The address's path, without its first slash.
    pub(crate) path: &'a str,
    /// Its port.
    pub(crate) port: u16,
}

/// One side of a conversation that ends before any login: ours. It holds no socket and reads no
/// clock, so that every transcript is a unit test.
pub(crate) trait Greeting: Send {
    /// The next step, after all that was received and not taken yet. It is called once before
    /// anything was received, after each step that is done, and whenever more has come.
    fn next(&mut self, received: &mut Received) -> Result<Next, Unmet>;
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Send this.
    Send(Vec<u8>),
    /// Say that nothing more will be sent, and go on reading.
    HalfClose,
    /// Go on in TLS. [`Received`] begins anew.
    StartTls,
    /// Close, connect again, and go on there. [`Received`] begins anew.
    Reconnect,
    /// That was it.
    Done(Answer),
}

/// Why there is no next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unmet {
    /// More has to come first.
    More,
    /// The same; if nothing comes for so long, [`Received::is_quiet`] says so.
    MoreWithin(Duration),
    /// What came is not this protocol.
    Foreign,
}

impl Protocol {
    /// The protocol of a scheme, and the scheme.
    #[must_use]
    pub fn of_scheme(name: &str) -> Option<(&'static Self, &'static Scheme)> {
        PROTOCOLS.iter().find_map(|protocol| {
            let mut schemes = protocol.schemes.iter();
            let scheme = schemes.find(|scheme| scheme.name == name)?;
            Some((*protocol, scheme))
        })
    }
}

impl Scheme {
    /// The service whose SRV records (RFC 2782) say where it is, where the address does not:
    /// `_mongodb._tcp` for `mongodb+srv`.
    #[must_use]
    pub(crate) fn srv(&self) -> Option<String> {
        let service = self.name.strip_suffix("+srv")?;
        Some(format!("_{service}._tcp"))
    }
}

/// All schemes but those of HTTP, in the order of the table.
pub(crate) fn schemes() -> impl Iterator<Item = &'static Scheme> {
    PROTOCOLS.iter().flat_map(|protocol| protocol.schemes)
}

/// The scheme whose services listen on this port, if there is one that says more than `tcp`.
#[must_use]
pub(crate) fn scheme_of_port(port: u16) -> Option<&'static Scheme> {
    schemes().find(|scheme| scheme.port == Some(port))
}
