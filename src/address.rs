//! Addresses: those that are asked, and those that people follow.

mod secret;
mod service;

use std::str::FromStr;

use reqwest::Url;
use rustls::pki_types::ServerName;

use crate::nearest::nearest;
use crate::protocol;
use crate::text;
pub use service::Service;

/// The error of the standard's parser.
type ParseError = <Url as FromStr>::Err;

/// What is asked in HTTP.
const SCHEMES: [&str; 2] = ["http", "https"];
/// The longest address that the HTTP library takes, in bytes.
const LONGEST: usize = 65_534;
const EXAMPLE: &str = "write for example https://staging.example/health";
const WRONG_HOST: &str = "has a host that cannot be one";

/// Why a text is not an address that can be asked, and what would be right. No secret of it is
/// shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// A list where one is wanted.
    #[error(
        "holds a second address; several go into targets, a name for each (within a path, :// is written %3A//)"
    )]
    Second,
    /// It would be read in another way than it looks.
    #[error("is not an address: it has blanks or control characters; {EXAMPLE}")]
    Blanks,
    /// It is over [`LONGEST`].
    #[error("is too long for an address")]
    TooLong,
    /// Quotes of YAML or of a shell that were taken for a part of it.
    #[error("is in quotes or brackets; leave them out")]
    Quoted,
    /// Another scheme, and the one that was probably meant.
    #[error("has a scheme other than {}{}", SCHEMES.join(" and "), did_you_mean(.0.as_ref()))]
    Scheme(Option<&'static str>),
    /// One that no target can have, and the one that was probably meant.
    #[error("has an unknown scheme; there are {}{}", service::all_schemes().collect::<Vec<_>>().join(", "), did_you_mean(.0.as_ref()))]
    UnknownScheme(Option<&'static str>),
    /// An address with a login; what to write instead. It is shown without the value.
    #[error(
        "carries user info or a password. Reachability needs none, and none is taken: write {0}. Nothing of the value is shown here, because it may be secret"
    )]
    Secret(String),
    /// `redis://h:word`; what to write instead. It is shown without the value.
    #[error(
        "has a port that is not a number: write {0}. Nothing of the value is shown here, because it may be a password"
    )]
    PortNotNumber(String),
    /// `postgres://h/db?sslmode=require`.
    #[error(
        "has options behind a ? or a #, which are not read; leave them out (TLS is asked for by `tls: true` beside the url)"
    )]
    Options,
    /// `kafka://a:9092,b:9092`.
    #[error(
        "has several hosts; give each host as a target of its own, so that each is reported (`optional: true` makes one not count)"
    )]
    SeveralHosts,
    /// No port, and the scheme has no usual one.
    #[error("has no port, and {0} has no usual one; write {0}://HOST:PORT")]
    PortMissing(&'static str),
    /// `mongodb+srv://h:27017`.
    #[error("has a port, which {0} finds in SRV records; leave it out")]
    PortBesideSrv(&'static str),
    /// `mongodb+srv://192.0.2.1`.
    #[error(
        "has an address in the place of a name; {0} looks for SRV records, and only names have them"
    )]
    SrvWithoutName(&'static str),
    /// `dns://h/a..b`.
    #[error("asks for what cannot be a name; write dns://SERVER/NAME")]
    NotAName,
    /// `https:h`, `https//h`.
    #[error("is not an address: no :// after the scheme; {EXAMPLE}")]
    NoSlashes,
    /// No scheme, and the address that was probably meant.
    #[error("has no scheme; did you mean {0} ?")]
    NoScheme(String),
    /// No scheme, and nothing that would be an address with one.
    #[error("is not an address: it has no scheme; {EXAMPLE}")]
    NotOne,
    /// `https:///health`.
    #[error("has no host: a variable in it is probably empty; {EXAMPLE}")]
    NoHost,
    /// `http://h:/health`.
    #[error(
        "has no port behind the colon: a variable in it is probably empty; give one, or take out the colon"
    )]
    NoPort,
    /// Port 0.
    #[error("has port 0, which nobody can listen on")]
    PortZero,
    /// The standard's parser does not take it.
    #[error("is not an address ({0}); {EXAMPLE}")]
    Unparsable(ParseError),
    /// Nor this one, and its host looks like a variable's name.
    #[error("is not an address ({0}); a variable in its host that was not replaced?")]
    Variable(ParseError),
    /// User info; the address without.
    #[error("has user info; write {0} instead; no login is needed")]
    UserInfo(String),
    /// A character that no name has, and what it probably comes from.
    #[error("{WRONG_HOST}: there is no \"{0}\" in a name{1}")]
    Character(char, &'static str),
    /// `a..b`.
    #[error("{WRONG_HOST}: nothing stands before a dot; a variable in it is probably empty")]
    EmptyLabel,
    /// `-x`.
    #[error("{WRONG_HOST}: no part of a name begins with a dash")]
    Dash,
    /// Longer than a name server takes.
    #[error("{WRONG_HOST}: a name has at most 253 letters, and 63 between two dots")]
    LongName,
    /// `https://x-/`.
    #[error(
        "cannot be asked over TLS: no certificate can be for a host with a part that ends in a dash"
    )]
    NoCertificate,
    /// The HTTP library takes less than the URL standard.
    #[error("is not an address that HTTP can ask for")]
    NotForHttp,
}

fn did_you_mean(scheme: Option<&&'static str>) -> String {
    scheme.map_or_else(String::new, |scheme| {
        format!("; did you mean {scheme}://…?")
    })
}

/// An address to ask: http or https, with a host that can be one, without user info.
pub fn url(value: &str) -> Result<Url, AddressError> {
    let value = value.trim();
    if has_a_second(value) {
        return Err(AddressError::Second);
    }
    if value.chars().any(|ch| ch.is_control() || ch == ' ') {
        return Err(AddressError::Blanks);
    }
    let url = parse(value)?;
    if url.port() == Some(0) {
        return Err(AddressError::PortZero);
    }
    // Two slashes come together where `/./` stood between them.
    if has_a_second(url.as_str()) {
        return Err(AddressError::Second);
    }
    // What the HTTP library will make of it; it takes less than the URL standard.
    if url.as_str().parse::<http::Uri>().is_err() {
        return Err(AddressError::NotForHttp);
    }
    Ok(url)
}

/// What a target is asked at.
#[derive(Debug, Clone)]
pub enum Address {
    /// In HTTP.
    Http {
        /// The address, with the scheme `http` or `https`.
        url: Url,
        /// Whether it was written as `ws` or `wss`: a WebSocket server answers HTTP, too.
        websocket: bool,
    },
    /// In a protocol of its own.
    Service(Service),
}

impl Address {
    /// A name, or an address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        match self {
            Self::Http { url, .. } => url.host_str().unwrap_or_default().trim_matches(['[', ']']),
            Self::Service(service) => &service.host,
        }
    }
}

impl AddressError {
    /// Whether nothing of the value may be shown.
    #[must_use]
    pub const fn hides_value(&self) -> bool {
        matches!(self, Self::Secret(_) | Self::PortNotNumber(_))
    }
}

/// The address of a target: its scheme says what it is asked in.
pub fn target(value: &str) -> Result<Address, AddressError> {
    let value = value.trim();
    let scheme = value.split_once("://").map(|(scheme, _)| scheme);
    let scheme = scheme.unwrap_or_default().to_ascii_lowercase();
    let http = |url, websocket| Ok(Address::Http { url, websocket });
    match scheme.as_str() {
        "ws" | "wss" => {
            let rest = value.get(2..).unwrap_or_default();
            return http(url(&format!("http{rest}"))?, true);
        }
        _ if starts_with_a_scheme(value) => return http(url(value)?, false),
        _ => {}
    }
    if let Some(write) = secret::replacement(value) {
        return Err(AddressError::Secret(write));
    }
    let plain = |ch: char| ch.is_ascii_alphanumeric() || "+.-".contains(ch);
    if !scheme.is_empty() && scheme.chars().all(plain) {
        return service::parse(value).map(Address::Service);
    }
    // It is none, and this says why.
    match url(value) {
        Ok(url) => http(url, false),
        Err(AddressError::NoScheme(meant)) => Err(AddressError::NoScheme(by_port(value, meant))),
        Err(why) => Err(why),
    }
}

/// The address that was probably meant where a scheme is missing: by its port, or any of two.
fn by_port(value: &str, http: String) -> String {
    let Some(port) = Url::parse(&http).ok().and_then(|url| url.port()) else {
        return http;
    };
    let with = |scheme: &str| service::parse(&format!("{scheme}://{value}")).ok();
    if let Some(known) = protocol::scheme_of_port(port).and_then(|scheme| with(scheme.name)) {
        return format!("{}://{value}", known.scheme.name);
    }
    match with("tcp") {
        Some(tcp) => format!("{http} or {tcp}"),
        None => http,
    }
}

/// A link for people: http or https.
pub fn link(value: &str) -> Result<Url, AddressError> {
    parse(value.trim())
}

/// What holds for every address.
fn parse(value: &str) -> Result<Url, AddressError> {
    if value.len() > LONGEST {
        return Err(AddressError::TooLong);
    }
    if value.starts_with(['"', '\'', '<', '\u{2018}', '\u{201c}', '\u{2039}']) {
        return Err(AddressError::Quoted);
    }
    let rest = after_the_scheme(value)?;
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if host.is_empty() || host.starts_with(':') {
        return Err(AddressError::NoHost);
    }
    if host.ends_with(':') {
        return Err(AddressError::NoPort);
    }
    let url = Url::parse(value).map_err(|error| {
        if host.contains(['$', '{', '<']) {
            AddressError::Variable(error)
        } else {
            AddressError::Unparsable(error)
        }
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::UserInfo(text::show_url(&url, text::PIECE)));
    }
    // A number or brackets are an address, and the parser has seen to those.
    if let Some(name) = url.domain() {
        check_name(name)?;
        if url.scheme() == "https" && ServerName::try_from(name).is_err() {
            return Err(AddressError::NoCertificate);
        }
    }
    Ok(url)
}

/// What stands behind `http://` or `https://`.
fn after_the_scheme(value: &str) -> Result<&str, AddressError> {
    let plain = |ch: char| ch.is_ascii_alphanumeric() || "+.-".contains(ch);
    match value.split_once("://") {
        Some((scheme, rest)) if !scheme.is_empty() && scheme.chars().all(plain) => {
            let scheme = scheme.to_ascii_lowercase();
            if SCHEMES.contains(&scheme.as_str()) {
                return Ok(rest);
            }
            Err(AddressError::Scheme(nearest(&scheme, SCHEMES)))
        }
        _ if starts_with_a_scheme(value) => Err(AddressError::NoSlashes),
        _ => Err(with_a_scheme(value).map_or(AddressError::NotOne, AddressError::NoScheme)),
    }
}

fn starts_with_a_scheme(value: &str) -> bool {
    let start: String = value.chars().take(7).collect::<String>().to_lowercase();
    SCHEMES
        .iter()
        .any(|scheme| start.starts_with(&format!("{scheme}:")))
        || start.starts_with("http//")
        || start.starts_with("https//")
}

/// The address that was probably meant where a scheme is missing. With a port of its own it is
/// rarely https.
fn with_a_scheme(value: &str) -> Option<String> {
    // What stands before an `@` is nothing to show, and a path alone has no host.
    if value.contains('@') || !value.starts_with(|ch: char| ch.is_alphanumeric() || ch == '[') {
        return None;
    }
    let https = url(&format!("https://{value}")).ok()?;
    let host = https.host_str().unwrap_or_default();
    let near = host == "localhost" || host.ends_with(".localhost") || https.domain().is_none();
    let meant = if near || https.port().is_some() {
        url(&format!("http://{value}")).ok()?
    } else {
        https
    };
    let shown = text::show_url(&meant, text::PIECE);
    Some(if value.contains(['/', '?']) {
        shown
    } else {
        shown.trim_end_matches('/').to_owned()
    })
}

/// Whether a second address stands in front of the query: a list where one is wanted. In the
/// query an address is a value like any other.
fn has_a_second(value: &str) -> bool {
    let front = value.split(['?', '#']).next().unwrap_or_default();
    match front.split_once("://") {
        Some((scheme, rest)) => rest.contains("://") || scheme.contains([',', ';', ' ', '\n']),
        None => false,
    }
}

/// Refuses what can be a name neither for a name server nor in a hosts file. Underscores can:
/// containers have them.
fn check_name(name: &str) -> Result<(), AddressError> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let fine = |ch: &char| ch.is_ascii_alphanumeric() || "-_.".contains(*ch);
    if let Some(ch) = name.chars().find(|ch| !fine(ch)) {
        let hint = match ch {
            '$' | '{' | '}' | '%' => "; a variable that was not replaced?",
            ',' | ';' => "; several addresses go into targets, a name for each",
            _ => "",
        };
        return Err(AddressError::Character(ch, hint));
    }
    let mut labels = name.split('.');
    if labels.clone().any(str::is_empty) {
        return Err(AddressError::EmptyLabel);
    }
    if labels.clone().any(|label| label.starts_with('-')) {
        return Err(AddressError::Dash);
    }
    if name.len() > 253 || labels.any(|label| label.len() > 63) {
        return Err(AddressError::LongName);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
