//! Which addresses are this machine's own: what comes from them says nothing about the way out.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::{Mutex, PoisonError};

/// What was found out, for the life of the process: thousands of targets may share an address.
static KNOWN: Mutex<BTreeMap<IpAddr, bool>> = Mutex::new(BTreeMap::new());

/// Whether an address is on this machine: loopback, the unspecified one, which is dialled to it
/// (name servers that block a name answer with that), or one of its interfaces'.
#[must_use]
pub(crate) fn is_own(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    if is_loopback(ip) {
        return true;
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(own) = known.get(&ip) {
        return *own;
    }
    // What could not be found out is asked again.
    let Some(own) = is_on_interface(ip) else {
        return false;
    };
    known.insert(ip, own);
    own
}

/// Whether a host, a name or an address without brackets, says that it is this machine.
#[must_use]
pub(crate) fn is_own_host(host: &str) -> bool {
    match host.parse() {
        Ok(ip) => is_own(ip),
        Err(_) => {
            let host = host.trim_end_matches('.');
            host == "localhost" || host.ends_with(".localhost")
        }
    }
}

/// Whether an address is on this machine whatever interfaces it has.
#[must_use]
pub(crate) fn is_loopback(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    ip.is_loopback() || ip.is_unspecified()
}

/// Whether an address is link-local: 169.254.0.0/16 or `fe80::/10`. Clouds have their metadata
/// services there.
#[must_use]
pub(crate) fn is_link_local(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// The way to one of the machine's own addresses begins at that address. Nothing is sent:
/// connecting a datagram socket only chooses the way. (Binding to the address would tell as
/// well, but not where `ip_nonlocal_bind` is set.)
fn is_on_interface(ip: IpAddr) -> Option<bool> {
    let any: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    // Without a way there it is not here.
    if socket.connect((ip, 9)).is_err() {
        return Some(false);
    }
    Some(socket.local_addr().ok()?.ip() == ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_the_machine_speaks_from_is_its_own() {
        for ip in [
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "0.0.0.0",
            "::",
            "::ffff:127.0.0.1",
        ] {
            assert!(is_own(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["192.0.2.1", "203.0.113.7", "2001:db8::1"] {
            assert!(!is_own(ip.parse().unwrap()), "{ip}");
        }
        // Wherever there is a way out, it begins at an own address.
        let socket = UdpSocket::bind(("0.0.0.0", 0)).unwrap();
        if socket.connect(("192.0.2.1", 9)).is_ok() {
            let own = socket.local_addr().unwrap().ip();
            assert!(is_own(own), "{own}");
        }
    }

    #[test]
    fn link_local_addresses() {
        for (ip, expected) in [
            ("169.254.169.254", true),
            ("::ffff:169.254.0.1", true),
            ("fe80::1", true),
            ("febf::1", true),
            ("fec0::1", false),
            ("169.253.0.1", false),
            ("10.0.0.1", false),
            ("::1", false),
        ] {
            assert_eq!(is_link_local(ip.parse().unwrap()), expected, "{ip}");
        }
    }
}
