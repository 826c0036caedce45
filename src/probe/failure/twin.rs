//! Where TLS and plain meet: what to write for a port that speaks TLS and a target that does not,
//! or the other way round.

use crate::protocol::{Protocol, Scheme, Tls};

/// How the same would be asked with TLS, where the target is without, and without it, where it
/// has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Twin {
    /// Not at all, or nobody knows.
    #[default]
    None,
    /// In HTTP, by this scheme.
    Http(&'static str),
    /// In a protocol of its own, by this scheme.
    Scheme(&'static str),
    /// By the option `tls`.
    Option,
}

impl Twin {
    /// The one of a target that is asked with `tls` from the first byte on, or without.
    pub(crate) fn of(protocol: &Protocol, scheme: &Scheme, tls: bool) -> Self {
        if tls && !scheme.tls {
            return Self::Option;
        }
        // A port that speaks no TLS can still be connected to.
        if protocol.name == "tls" {
            return Self::Scheme("tcp");
        }
        let others = || {
            let schemes = protocol.schemes.iter();
            schemes.filter(|other| other.tls != tls && other.srv().is_none())
        };
        let (short, long) = (|name: &str| format!("{name}s"), scheme.name);
        let same = others().find(|other| short(other.name) == long || other.name == short(long));
        match same.or_else(|| others().next()) {
            Some(other) if scheme.srv().is_none() => Self::Scheme(other.name),
            None if protocol.tls == Tls::FromTheStart && !tls => Self::Option,
            _ => Self::None,
        }
    }

    /// What to ask about a port that did not answer in TLS.
    pub(super) fn without_tls(self) -> String {
        match self {
            Self::Scheme(name) => format!("; is it {name}://, without TLS?"),
            Self::Option => {
                "; does the port speak without TLS? Then leave out `tls: true`".to_owned()
            }
            Self::None | Self::Http(_) => String::new(),
        }
    }

    /// What to write for a port that wants TLS.
    pub(super) fn with_tls(self) -> String {
        match self {
            Self::Scheme(name) | Self::Http(name) => format!("; write {name}://"),
            Self::Option => "; set `tls: true` beside the url".to_owned(),
            Self::None => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_the_twin_of_its_own_scheme() {
        for (scheme, tls, expected) in [
            ("redis", false, Twin::Scheme("rediss")),
            ("rediss", true, Twin::Scheme("redis")),
            ("valkey", false, Twin::Scheme("valkeys")),
            ("valkeys", true, Twin::Scheme("valkey")),
            ("redis", true, Twin::Option),
            ("grpcs", true, Twin::Scheme("grpc")),
            ("kafka", false, Twin::Scheme("kafkas")),
            ("memcached", false, Twin::Option),
            ("memcached", true, Twin::Option),
            ("mongodb+srv", true, Twin::None),
            ("mongodb", false, Twin::Option),
            // It is asked to go on in TLS, or would be.
            ("postgres", false, Twin::None),
            ("tls", true, Twin::Scheme("tcp")),
            ("tcp", false, Twin::None),
            ("dns", false, Twin::None),
        ] {
            let (protocol, found) = Protocol::of_scheme(scheme).unwrap();
            assert_eq!(Twin::of(protocol, found, tls), expected, "{scheme}");
        }
    }
}
