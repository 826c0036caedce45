//! `NO_PROXY`: what is reached without a proxy, by the union of what curl, Go and Python take.

use std::net::IpAddr;

/// What goes without a proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Exempt(Vec<Entry>);

/// One entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    what: What,
    /// The only port that it is about, if there is one.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// `*`.
    All,
    /// `10.0.0.0/8`; a single address has all its bits.
    Network(IpAddr, u8),
    /// `example.com`, `.example.com`: the domain and all below it.
    Domain(String),
    /// `*.example.com`: all below the domain.
    Below(String),
}

impl Exempt {
    /// Reads the list: entries between commas or blanks.
    pub(super) fn parse(list: &str) -> Self {
        let entries = list.split(|c: char| c == ',' || c.is_whitespace());
        Self(entries.filter_map(Entry::parse).collect())
    }

    /// Whether a host, as an address has it, goes without a proxy.
    pub(super) fn covers(&self, host: &str, port: u16) -> bool {
        let host = host.trim_matches(['[', ']']).trim_end_matches('.');
        let host = host.to_ascii_lowercase();
        let ip = host.parse().ok().map(|ip: IpAddr| ip.to_canonical());
        self.0.iter().any(|entry| {
            entry.port.is_none_or(|only| only == port)
                && match &entry.what {
                    What::All => true,
                    What::Network(network, prefix) => ip
                        .is_some_and(|ip| first_bits(ip, *prefix) == first_bits(*network, *prefix)),
                    What::Domain(domain) => {
                        ip.is_none() && (host == *domain || is_below(&host, domain))
                    }
                    What::Below(domain) => ip.is_none() && is_below(&host, domain),
                }
        })
    }
}

impl Entry {
    fn parse(entry: &str) -> Option<Self> {
        let entry = entry.to_ascii_lowercase();
        if let Some(what) = network(&entry) {
            return Some(Self { what, port: None });
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (entry.as_str(), None),
        };
        let host = host.trim_end_matches('.');
        let what = if host == "*" {
            What::All
        } else if let Some(what) = network(host) {
            what
        } else if let Some(domain) = host.strip_prefix("*.") {
            What::Below(domain.to_owned())
        } else {
            What::Domain(host.trim_start_matches('.').to_owned())
        };
        let empty = matches!(&what, What::Domain(name) | What::Below(name) if name.is_empty());
        (!empty).then_some(Self { what, port })
    }
}

/// An address, with brackets or without, or a network.
fn network(text: &str) -> Option<What> {
    let (ip, prefix) = match text.split_once('/') {
        Some((ip, prefix)) => (ip, Some(prefix.parse().ok()?)),
        None => (text, None),
    };
    let bare = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']'));
    let ip: IpAddr = bare.unwrap_or(ip).parse().ok()?;
    let bits = if ip.is_ipv4() { 32 } else { 128 };
    let prefix: u8 = prefix.unwrap_or(bits);
    if prefix > bits {
        return None;
    }
    Some(match ip.to_canonical() {
        // ::ffff:10.0.0.0/104 is 10.0.0.0/8.
        mapped if mapped.is_ipv4() && ip.is_ipv6() => {
            What::Network(mapped, prefix.checked_sub(96)?)
        }
        same => What::Network(same, prefix),
    })
}

/// The network part of an address, with its family.
fn first_bits(ip: IpAddr, prefix: u8) -> (bool, u128) {
    let prefix = u32::from(prefix);
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
            (true, u128::from(ip.to_bits() & mask))
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
            (false, ip.to_bits() & mask)
        }
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_obeyed_as_elsewhere() {
        for (list, host, port, expected) in [
            ("", "example.com", 80, false),
            (",, ,", "example.com", 80, false),
            ("*", "example.com", 80, true),
            ("other.test,*", "[::1]", 80, true),
            ("example.com", "example.com", 80, true),
            ("Example.COM.", "example.com", 80, true),
            ("example.com", "example.com.", 80, true),
            ("example.com", "a.b.example.com", 80, true),
            ("example.com", "notexample.com", 80, false),
            ("example.com", "com", 80, false),
            (".example.com", "example.com", 80, true),
            (".example.com", "a.example.com", 80, true),
            ("*.example.com", "a.example.com", 80, true),
            ("*.example.com", "example.com", 80, false),
            ("example.com:8080", "example.com", 8080, true),
            ("example.com:8080", "a.example.com", 8080, true),
            ("example.com:8080", "example.com", 80, false),
            ("*.example.com:8080", "a.example.com", 8080, true),
            ("*:8080", "a.example.com", 8080, true),
            ("*:8080", "a.example.com", 80, false),
            ("example.com:http", "example.com", 80, false),
            ("my_api", "my_api", 80, true),
            // Between entries: commas, blanks, both.
            ("a.test b.test", "b.test", 80, true),
            ("a.test ,\tb.test\n", "b.test", 80, true),
            ("a.test;b.test", "b.test", 80, false),
            ("10.0.0.1", "10.0.0.1", 80, true),
            ("10.0.0.1", "10.0.0.10", 80, false),
            ("10.0.0.1:8080", "10.0.0.1", 8080, true),
            ("10.0.0.1:8080", "10.0.0.1", 80, false),
            ("10.0.0.0/8", "10.255.0.1", 80, true),
            ("10.1.2.3/8", "10.255.0.1", 80, true),
            ("10.0.0.0/8", "11.0.0.1", 80, false),
            ("0.0.0.0/0", "11.0.0.1", 80, true),
            ("0.0.0.0/0", "[fd00::1]", 80, false),
            ("10.0.0.0/33", "10.0.0.0", 80, false),
            ("10.0.0.0/8", "[::ffff:10.1.1.1]", 80, true),
            ("::ffff:10.0.0.0/104", "10.1.1.1", 80, true),
            ("::ffff:10.0.0.0/96", "11.0.0.1", 80, true),
            ("::ffff:10.0.0.0/95", "10.0.0.0", 80, false),
            ("::ffff:10.0.0.0/128", "10.0.0.0", 80, true),
            ("::ffff:10.0.0.0/129", "10.0.0.0", 80, false),
            ("::ffff:10.0.0.0/200", "192.0.2.1", 80, false),
            ("fd00::/129", "[fd00::]", 80, false),
            ("0.0.0.1", "10.0.0.1", 80, false),
            ("::1", "[::1]", 80, true),
            ("[::1]", "[::1]", 80, true),
            ("[::1]:8080", "[::1]", 8080, true),
            ("[::1]:8080", "[::1]", 80, false),
            ("fd00::/8", "[fd12::1]", 80, true),
            ("fd00::/8", "[fe80::1]", 80, false),
        ] {
            let covers = Exempt::parse(list).covers(host, port);
            assert_eq!(covers, expected, "{list} {host}:{port}");
        }
    }
}
