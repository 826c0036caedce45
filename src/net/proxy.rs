//! Which proxy stands on the way to an address, by the same rules that reqwest follows.

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

/// The proxy rules of the environment: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`,
/// in both cases.
#[derive(Debug)]
pub struct Proxies(Option<Matcher>);

/// A proxy on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its address, without user info.
    pub uri: Uri,
    /// Its user info, as the header that goes to it alone.
    pub login: Option<HeaderValue>,
    /// `host:port`, for messages.
    pub shown: String,
    /// Its host, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether the request itself goes to the proxy, not a tunnel through it: plain HTTP.
    pub speaks_for_target: bool,
    /// Whether it is spoken to in TLS itself.
    pub encrypted: bool,
    /// Whether tunnels through it are made by CONNECT; the others are SOCKS proxies.
    pub takes_connect: bool,
}

impl Proxies {
    /// Reads the rules.
    #[must_use]
    pub fn from_system() -> Self {
        let exempt = ["NO_PROXY", "no_proxy"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok())
            .unwrap_or_default();
        // The library's `*` leaves out addresses that are no names; everybody else's is all.
        if exempt.split(',').any(|entry| entry.trim() == "*") {
            return Self::none();
        }
        Self(Some(Matcher::from_system()))
    }

    /// No proxy for anything.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// Whether there is no proxy for anything.
    #[must_use]
    pub const fn are_none(&self) -> bool {
        self.0.is_none()
    }

    /// The proxy on the way to an address, if there is one.
    #[must_use]
    pub fn on_the_way(&self, url: &Url) -> Option<Proxy> {
        let uri: Uri = url.as_str().parse().ok()?;
        let intercept = self.0.as_ref()?.intercept(&uri)?;
        let proxy = intercept.uri();
        let scheme = proxy.scheme_str().unwrap_or("http");
        let port = proxy.port_u16().unwrap_or(match scheme {
            "https" => 443,
            "http" => 80,
            _ => 1080,
        });
        let host = proxy.host()?;
        Some(Proxy {
            shown: crate::text::clean(&format!("{host}:{port}"), crate::text::PIECE),
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            speaks_for_target: url.scheme() == "http" && scheme.starts_with("http"),
            encrypted: scheme == "https",
            takes_connect: scheme.starts_with("http"),
            login: intercept.basic_auth().cloned(),
            uri: proxy.clone(),
        })
    }
}
