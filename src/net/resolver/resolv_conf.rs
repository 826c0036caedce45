//! `/etc/resolv.conf` as the C library reads it: line by line, and what it cannot use is left
//! out, not the whole file.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use std::time::Duration;
use std::{fs, io};

use hickory_resolver::config::ResolverOpts;
use hickory_resolver::proto::rr::Name as HostName;
use hickory_resolver::system_conf::read_system_conf;

const FILE: &str = "/etc/resolv.conf";
/// Where a name server listens.
const PORT: u16 = 53;
/// The C library's bounds for numbers: `RES_MAXNDOTS`, `RES_MAXRETRANS`, `RES_MAXRETRY`.
const MAX_NDOTS: u32 = 15;
const MAX_TIMEOUT: u32 = 30;
const MAX_ATTEMPTS: u32 = 5;

/// How names are to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResolvConf {
    /// The name servers, in the order in which they are asked.
    pub(super) servers: Vec<SocketAddr>,
    /// The domains that a short name is tried in.
    pub(super) search: Vec<HostName>,
    /// How many dots a name has that is tried as it is first.
    pub(super) ndots: usize,
    /// How long one server has for one try.
    pub(super) timeout: Duration,
    /// How many tries each server gets.
    pub(super) attempts: usize,
    /// Whether questions carry EDNS0.
    pub(super) edns0: bool,
    /// Whether questions go by TCP alone.
    pub(super) tcp_only: bool,
    /// Why a server was asked that the file does not name, if it does not.
    pub(super) guessed: Option<String>,
}

impl ResolvConf {
    /// Reads the system's configuration.
    pub(super) fn read() -> Self {
        // There the configuration is not in that file.
        if cfg!(any(windows, target_vendor = "apple")) {
            return Self::elsewhere();
        }
        let (text, unreadable) = match fs::read(FILE) {
            Ok(text) => (text, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let hostname = fs::read("/proc/sys/kernel/hostname").unwrap_or_default();
        Self::parse(&text, &hostname).or_this_machine(unreadable.as_ref())
    }

    /// The configuration of a system that keeps it elsewhere.
    fn elsewhere() -> Self {
        let Ok((config, options)) = read_system_conf() else {
            return Self::default().or_this_machine(None);
        };
        let servers = config.name_servers().iter();
        let servers = servers.map(|server| SocketAddr::new(server.ip, PORT));
        Self {
            servers: servers.collect(),
            search: config.search().to_vec(),
            ndots: options.ndots,
            timeout: options.timeout,
            attempts: options.attempts,
            edns0: options.edns0,
            ..Self::default()
        }
        .or_this_machine(None)
    }

    /// Without a server, the one on this machine is asked, as resolv.conf(5) says.
    fn or_this_machine(mut self, unreadable: Option<&io::Error>) -> Self {
        if self.servers.is_empty() {
            let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
            let why = match unreadable {
                Some(error) => format!("{FILE} cannot be read ({error})"),
                None => format!("{FILE} names no name server that can be used"),
            };
            self.guessed = Some(format!("{why}, so {local} was asked"));
            self.servers.push(SocketAddr::new(local, PORT));
        }
        self
    }

    /// Reads the text of the file; without a search list in it, the host's own domain is one.
    fn parse(text: &[u8], hostname: &[u8]) -> Self {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut conf = Self::default();
        let mut search = None;
        for line in text.split(|byte| *byte == b'\n') {
            // Comments may be in any encoding.
            let line = String::from_utf8_lossy(line);
            let line = line.split(['#', ';']).next().unwrap_or_default();
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => conf.servers.extend(words.next().and_then(server)),
                Some("domain") => {
                    if let Some(domain) = words.next() {
                        search = Some(domains([domain]));
                    }
                }
                Some("search") => {
                    let mut words = words.peekable();
                    if words.peek().is_some() {
                        search = Some(domains(words));
                    }
                }
                Some("options") => words.for_each(|word| conf.option(word)),
                _ => {}
            }
        }
        conf.search = search.unwrap_or_else(|| {
            let hostname = String::from_utf8_lossy(hostname);
            domains(hostname.trim().split_once('.').map(|(_, domain)| domain))
        });
        conf
    }

    fn option(&mut self, word: &str) {
        let (key, value) = word.split_once(':').unwrap_or((word, ""));
        match key {
            "ndots" => self.ndots = number(value).min(MAX_NDOTS) as usize,
            // The C library waits a second where it is told to wait none.
            "timeout" => {
                let seconds = number(value).clamp(1, MAX_TIMEOUT);
                self.timeout = Duration::from_secs(seconds.into());
            }
            "attempts" => self.attempts = number(value).clamp(1, MAX_ATTEMPTS) as usize,
            "edns0" => self.edns0 = true,
            "use-vc" => self.tcp_only = true,
            _ => {}
        }
    }
}

impl Default for ResolvConf {
    /// What an empty file says.
    fn default() -> Self {
        let usual = ResolverOpts::default();
        Self {
            servers: Vec::new(),
            search: Vec::new(),
            ndots: usual.ndots,
            timeout: usual.timeout,
            attempts: usual.attempts,
            edns0: false,
            tcp_only: false,
            guessed: None,
        }
    }
}

/// The address of a name server. A link-local one has a zone: by which interface it is reached.
fn server(word: &str) -> Option<SocketAddr> {
    let Some((ip, zone)) = word.split_once('%') else {
        return Some(SocketAddr::new(word.parse().ok()?, PORT));
    };
    let zone = interface(zone).unwrap_or_default();
    Some(SocketAddrV6::new(ip.parse().ok()?, PORT, 0, zone).into())
}

/// The number of an interface, as it is or by its name. The kernel lists the addresses that the
/// machine has by IPv6: number and name of the interface stand with each.
fn interface(zone: &str) -> Option<u32> {
    if let Ok(number) = zone.parse() {
        return Some(number);
    }
    let listed = fs::read_to_string("/proc/net/if_inet6").ok()?;
    listed.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let number = words.nth(1)?;
        (words.last() == Some(zone)).then_some(u32::from_str_radix(number, 16).ok()?)
    })
}

/// Those of these words that are domains.
fn domains<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<HostName> {
    let words = words.into_iter();
    words
        .filter_map(|word| HostName::from_str_relaxed(word).ok())
        .collect()
}

/// The digits at the start, as `atoi` has it.
fn number(value: &str) -> u32 {
    let digits = value.split(|c: char| !c.is_ascii_digit()).next();
    match digits.unwrap_or_default() {
        "" => 0,
        digits => digits.parse().unwrap_or(u32::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8]) -> ResolvConf {
        ResolvConf::parse(text, b"runner\n")
    }

    fn servers(text: &[u8]) -> Vec<String> {
        let servers = parse(text).servers;
        servers.iter().map(SocketAddr::to_string).collect()
    }

    fn search(text: &[u8], hostname: &str) -> Vec<String> {
        let search = ResolvConf::parse(text, hostname.as_bytes()).search;
        search.iter().map(HostName::to_ascii).collect()
    }

    #[test]
    fn a_line_that_cannot_be_used_leaves_the_others_alone() {
        let text = b"\xef\xbb\xbfnameserver 10.0.0.1\r\n\
            # B\xfcro\n\
            nameserver 10.0.0.2 # B\xfcro\n\
            \tnameserver\tfd00::53;near\n\
            nameserver fe80::1%7\n\
            nameserver fe80::2%nowhere\n\
            nameserver 10.0.0.3%7\n\
            nameserver\n\
            nameserver dns.example\n\
            nameserver 10.0.0.1:53\n\
            frobnicate \xff\xfe\n\
            nameserver 10.0.0.4";
        let expected = [
            "10.0.0.1:53",
            "10.0.0.2:53",
            "[fd00::53]:53",
            "[fe80::1%7]:53",
            "[fe80::2]:53",
            "10.0.0.4:53",
        ];
        assert_eq!(servers(text), expected);
    }

    #[test]
    fn numbers_are_kept_within_what_works() {
        let seconds = |text: &str| parse(text.as_bytes()).timeout.as_secs();
        for (option, expected) in [
            ("timeout:0", 1),
            ("timeout:2", 2),
            ("timeout:3s", 3),
            ("timeout:", 1),
            ("timeout:-1", 1),
            ("timeout:99999999999999999999", 30),
            ("timeout", 1),
            ("frobnicate:7", 5),
        ] {
            assert_eq!(seconds(&format!("options {option}")), expected, "{option}");
        }
        let conf = parse(b"options attempts:0 ndots:99\noptions edns0 use-vc");
        assert_eq!((conf.attempts, conf.ndots), (1, 15));
        assert!(conf.edns0 && conf.tcp_only);
        assert_eq!(parse(b"options attempts:9").attempts, 5);
        assert_eq!(parse(b"").attempts, 2);
    }

    #[test]
    fn the_search_list_keeps_the_domains_that_are_ones() {
        let long = "a".repeat(64);
        let text = format!("search {long}.test my_corp.test -- a,b corp.test");
        let kept = ["my_corp.test", "corp.test"];
        assert_eq!(search(text.as_bytes(), "runner"), kept);
        for (text, expected) in [
            (
                "domain a.test\nsearch b.test c.test",
                vec!["b.test", "c.test"],
            ),
            ("search b.test c.test\ndomain a.test d.test", vec!["a.test"]),
            ("search b.test\nsearch", vec!["b.test"]),
            ("search b.test # c.test", vec!["b.test"]),
            ("", vec!["corp.test"]),
        ] {
            assert_eq!(search(text.as_bytes(), "runner.corp.test\n"), expected);
        }
        assert!(search(b"", "runner\n").is_empty());
    }

    #[test]
    fn a_file_without_a_server_leads_to_this_machine_and_says_so() {
        let conf = parse(b"search corp.test").or_this_machine(None);
        assert_eq!(conf.servers, [SocketAddr::from(([127, 0, 0, 1], 53))]);
        let why = conf.guessed.unwrap();
        assert!(why.contains("no name server") && why.contains("127.0.0.1"));
        let missing = io::Error::from(io::ErrorKind::NotFound);
        let why = parse(b"").or_this_machine(Some(&missing)).guessed.unwrap();
        assert!(why.contains("cannot be read"), "{why}");
        let named = parse(b"nameserver 10.0.0.1").or_this_machine(None);
        assert_eq!(named.guessed, None);
    }
}
