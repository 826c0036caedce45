//! The hosts file: names that are not asked for elsewhere.

use std::fs;
use std::net::IpAddr;

use hickory_resolver::Hosts;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name as HostName, RecordType};

use super::server::addresses;

/// What the hosts file says.
#[derive(Debug, Default)]
pub(super) struct HostsFile(Hosts);

impl HostsFile {
    /// Reads the system's. A system without the file has no names of its own.
    pub(super) fn read() -> Self {
        if cfg!(unix) {
            return Self::parse(&fs::read("/etc/hosts").unwrap_or_default());
        }
        // The library looks for the file below that directory, and insists on it.
        let findable = !cfg!(windows) || std::env::var_os("SystemRoot").is_some();
        if !findable {
            return Self::default();
        }
        Self(Hosts::from_system().unwrap_or_default())
    }

    /// Reads the text of the file. What is not UTF-8 costs a name that has it, or a comment.
    fn parse(text: &[u8]) -> Self {
        let mut hosts = Hosts::default();
        // Text in memory can be read to its end.
        let _ = hosts.read_hosts_conf(String::from_utf8_lossy(text).as_bytes());
        Self(hosts)
    }

    /// The addresses of a name. One that is there is not asked for elsewhere, not even for
    /// addresses of the other family: so does the C library.
    pub(super) fn addresses(&self, name: &HostName) -> Vec<IpAddr> {
        [RecordType::AAAA, RecordType::A]
            .into_iter()
            .filter_map(|kind| self.0.lookup_static_host(&Query::query(name.clone(), kind)))
            .flat_map(|found| addresses(&found))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_text_cost_no_other_name() {
        let hosts = HostsFile::parse(
            b"\xef\xbb\xbf# B\xfcro\r\n\
              10.0.0.1\tdep.test my_api svc_.test # B\xfcro\r\n\
              10.0.0.2 b\xfccher.test next.test\n\
              10.0.0.256 wrong.test\n\
              fd00::3 dep.test\n\
              10.0.0.4 last.test",
        );
        for (name, expected) in [
            ("dep.test", vec!["fd00::3", "10.0.0.1"]),
            ("DEP.Test.", vec!["fd00::3", "10.0.0.1"]),
            ("my_api", vec!["10.0.0.1"]),
            ("svc_.test", vec!["10.0.0.1"]),
            ("next.test", vec!["10.0.0.2"]),
            ("last.test", vec!["10.0.0.4"]),
            ("wrong.test", vec![]),
        ] {
            let found = hosts.addresses(&HostName::from_ascii(name).unwrap());
            let found: Vec<_> = found.iter().map(IpAddr::to_string).collect();
            assert_eq!(found, expected, "{name}");
        }
    }
}
