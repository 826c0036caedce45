//! Which proxy stands on the way to an address: the rules of the environment, read once, for
//! probes and forge alike.

mod exempt;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::Url;

use exempt::Exempt;

/// Where a client goes that is not to go anywhere, as the environment names a proxy that
/// cannot be used. Such a name does not resolve (RFC 6761, 6.4), and is not asked for.
const NOWHERE: &str = "http://proxy.invalid/";

/// The proxy rules of the environment: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`,
/// in both cases.
#[derive(Clone)]
pub(crate) struct Proxies(Option<Arc<Rules>>);

struct Rules {
    http: Option<Named>,
    https: Option<Named>,
    exempt: Exempt,
    /// What the system's own settings say, where it has some.
    system: Option<Matcher>,
}

/// What a variable names.
type Named = Result<Known, Unusable>;

/// A proxy, with the address that a client takes.
#[derive(Clone)]
struct Known {
    /// With user info.
    url: Url,
    proxy: Proxy,
}

/// The environment names a proxy that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the proxy that {variable} names cannot be used: {why}")]
pub(crate) struct Unusable {
    variable: &'static str,
    why: &'static str,
}

/// A proxy on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// Its user info, as the header that goes to it alone.
    pub(crate) login: Option<HeaderValue>,
    /// `host:port`, for messages.
    pub(crate) shown: String,
    /// Its host, without brackets.
    pub(crate) host: String,
    /// Its port.
    pub(crate) port: u16,
    /// Whether the request itself goes to the proxy, not a tunnel through it: plain HTTP.
    pub(crate) speaks_for_target: bool,
    /// Whether it is spoken to in TLS itself.
    pub(crate) encrypted: bool,
    /// How it makes tunnels.
    pub(crate) tunnel: Tunnel,
}

/// How a proxy makes tunnels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tunnel {
    /// By CONNECT.
    Connect,
    /// By SOCKS 5, which looks up the target's name.
    Socks5(Option<Login>),
    /// By SOCKS 4a, which does as well, with a user name alone.
    Socks4(Option<Login>),
}

/// User info of a SOCKS proxy.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login")
    }
}

impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proxies")
    }
}

impl Proxies {
    /// Reads the rules.
    #[must_use]
    pub(crate) fn from_system() -> Self {
        Self::from(|name| std::env::var_os(name))
    }

    /// Reads the rules from these variables. The first one of a kind that is set counts; an
    /// empty one is passed over, as curl and Python do.
    fn from(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Self {
        let first = |names: [&'static str; 2]| {
            names.into_iter().find_map(|name| {
                let value = variable(name)?;
                let empty = value.to_str().is_some_and(|value| value.trim().is_empty());
                (!empty).then_some((name, value))
            })
        };
        let named = |names| {
            let (variable, value) = first(names)?;
            let known = match value.to_str() {
                Some(value) => Known::parse(value.trim()),
                None => Err("its address is not UTF-8"),
            };
            Some(known.map_err(|why| Unusable { variable, why }))
        };
        let exempt = first(["NO_PROXY", "no_proxy"]).map(|(_, value)| value);
        let exempt = exempt.unwrap_or_default();
        let all = named(["ALL_PROXY", "all_proxy"]);
        let rules = Rules {
            http: named(["HTTP_PROXY", "http_proxy"]).or_else(|| all.clone()),
            https: named(["HTTPS_PROXY", "https_proxy"]).or(all),
            exempt: Exempt::parse(&exempt.to_string_lossy()),
            // Elsewhere it reads the same variables by other rules.
            system: cfg!(any(windows, target_os = "macos")).then(Matcher::from_system),
        };
        let any = rules.http.is_some() || rules.https.is_some() || rules.system.is_some();
        Self(any.then(|| Arc::new(rules)))
    }

    /// No proxy for anything.
    #[must_use]
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// The same rules for a client, which takes no others. `None` where there is no proxy.
    #[must_use]
    pub(crate) fn for_client(&self) -> Option<reqwest::Proxy> {
        let rules = Arc::clone(self.0.as_ref()?);
        let nowhere = Url::parse(NOWHERE).ok()?;
        Some(reqwest::Proxy::custom(move |url| {
            match rules.on_the_way(url) {
                Ok(known) => known.map(|known| known.url),
                Err(_) => Some(nowhere.clone()),
            }
        }))
    }

    /// The proxy on the way to an address, if there is one.
    pub(crate) fn on_the_way(&self, url: &Url) -> Result<Option<Proxy>, Unusable> {
        let Some(rules) = &self.0 else {
            return Ok(None);
        };
        let known = rules.on_the_way(url)?;
        Ok(known.map(|Known { proxy, .. }| Proxy {
            speaks_for_target: url.scheme() == "http" && proxy.tunnel == Tunnel::Connect,
            ..proxy
        }))
    }
}

impl Rules {
    fn on_the_way(&self, url: &Url) -> Result<Option<Known>, Unusable> {
        let named = match url.scheme() {
            "http" => &self.http,
            "https" => &self.https,
            _ => return Ok(None),
        };
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or_default();
        if self.exempt.covers(host, port) {
            return Ok(None);
        }
        if let Some(named) = named {
            return named.clone().map(Some);
        }
        Ok(self.system.as_ref().and_then(|system| {
            let intercept = system.intercept(&url.as_str().parse().ok()?)?;
            let url = Url::parse(&intercept.uri().to_string()).ok()?;
            Some(Known {
                proxy: Proxy::new(&intercept)?,
                url,
            })
        }))
    }
}

impl Known {
    /// Reads the address of a proxy; one without a scheme is `http`. What is wrong with it is
    /// said without a part of it, as it may be a password.
    fn parse(address: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = address.split_once("://").unwrap_or(("http", address));
        let (scheme, usual) = match scheme.to_ascii_lowercase().as_str() {
            "http" => ("http", 80),
            "https" => ("https", 443),
            // The names of targets are the proxy's to look up: often only it can.
            "socks5" | "socks5h" => ("socks5h", 1080),
            "socks4" | "socks4a" => ("socks4a", 1080),
            _ => return Err("its scheme is none of http, https, socks5 and socks4"),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if !authority.contains('@') && rest.contains('@') {
            return Err("a /, ? or # in its user info is written as %2F, %3F or %23");
        }
        let (login, place) = match authority.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, authority),
        };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (place, ""),
        };
        let port: u16 = match port {
            "" => usual,
            port => match port.parse() {
                Ok(port @ 1..) => port,
                _ => return Err("its port is not a number from 1 to 65535"),
            },
        };
        // The rules for hosts are those of http.
        let host = Url::parse(&format!("http://{host}/")).ok();
        let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
        let unreadable = "its host cannot be read";
        let address = format!("{scheme}://{host}:{port}/");
        let mut url = Url::parse(&address).map_err(|_| unreadable)?;
        if host.is_empty() {
            return Err(unreadable);
        }
        if let Some(login) = login {
            let (user, password) = match login.split_once(':') {
                Some((user, password)) => (user, Some(password)),
                None => (login, None),
            };
            url.set_username(user).map_err(|()| unreadable)?;
            url.set_password(password).map_err(|()| unreadable)?;
        }
        let matcher = Matcher::builder().all(url.as_str()).build();
        let any = Uri::from_static("http://target.invalid/");
        let proxy = matcher.intercept(&any).as_ref().and_then(Proxy::new);
        Ok(Self {
            proxy: proxy.ok_or(unreadable)?,
            url,
        })
    }
}

impl Proxy {
    fn new(intercept: &Intercept) -> Option<Self> {
        let uri = intercept.uri();
        let scheme = uri.scheme_str().unwrap_or("http");
        let port = uri.port_u16().unwrap_or(match scheme {
            "https" => 443,
            "http" => 80,
            _ => 1080,
        });
        let host = uri.host()?;
        let socks_login = intercept.raw_auth().map(|(user, password)| Login {
            user: user.to_owned(),
            password: password.to_owned(),
        });
        Some(Self {
            shown: crate::text::sanitize(&format!("{host}:{port}"), crate::text::PIECE),
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            speaks_for_target: false,
            encrypted: scheme == "https",
            tunnel: match scheme {
                "socks5" | "socks5h" => Tunnel::Socks5(socks_login),
                "socks4" | "socks4a" => Tunnel::Socks4(socks_login),
                _ => Tunnel::Connect,
            },
            login: intercept.basic_auth().cloned(),
        })
    }
}
