use super::*;

fn proxies(variables: &[(&str, &str)]) -> Proxies {
    Proxies::from(|name| {
        let found = variables.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.into())
    })
}

fn found(variables: &[(&str, &str)], url: &str) -> Result<Option<Proxy>, Unusable> {
    proxies(variables).on_the_way(&Url::parse(url).unwrap())
}

const HTTP: &str = "http://dep.test/";
const HTTPS: &str = "https://dep.test/";

#[test]
fn variables_are_read_as_elsewhere() {
    let both = [("HTTP_PROXY", "plain"), ("HTTPS_PROXY", "secure")];
    let all = [("all_proxy", "any"), ("HTTPS_PROXY", "secure")];
    let empty = [("HTTP_PROXY", ""), ("http_proxy", "lower")];
    let all_empty = [("ALL_PROXY", " "), ("all_proxy", "lower")];
    let exempt = [
        ("NO_PROXY", ""),
        ("no_proxy", "dep.test"),
        ("HTTP_PROXY", "plain"),
    ];
    for (variables, url, expected) in [
        (&both[..], HTTP, Some("plain:80")),
        (&both[..], HTTPS, Some("secure:80")),
        (&all[..], HTTP, Some("any:80")),
        (&all[..], HTTPS, Some("secure:80")),
        (&empty[..], HTTP, Some("lower:80")),
        (&all_empty[..], HTTPS, Some("lower:80")),
        (&exempt[..], HTTP, None),
        (&[("HTTP_PROXY", "  ")], HTTP, None),
        (
            &[("HTTP_PROXY", "plain"), ("no_proxy", "dep.test")],
            HTTP,
            None,
        ),
        (&[("HTTP_PROXY", "plain"), ("no_proxy", "*")], HTTP, None),
        (&[("HTTPS_PROXY", "secure")], HTTP, None),
        (&[], HTTP, None),
    ] {
        let proxy = found(variables, url).unwrap();
        let shown = proxy.map(|proxy| proxy.shown);
        assert_eq!(shown.as_deref(), expected, "{variables:?} {url}");
    }
}

#[test]
fn addresses_are_read_with_and_without_their_parts() {
    for (address, shown) in [
        ("proxy.test", "proxy.test:80"),
        ("proxy.test:3128", "proxy.test:3128"),
        ("  http://proxy.test:3128/path?query \n", "proxy.test:3128"),
        ("HTTPS://proxy.test", "proxy.test:443"),
        ("http://squid_proxy:3128", "squid_proxy:3128"),
        ("http://[fd00::1]", "[fd00::1]:80"),
        ("http://[fd00::1]:3128", "[fd00::1]:3128"),
        ("http://carl:hunter2@10.0.0.1:3128", "10.0.0.1:3128"),
        ("socks5://proxy.test", "proxy.test:1080"),
        ("socks4://proxy.test:9050", "proxy.test:9050"),
    ] {
        let proxy = found(&[("HTTP_PROXY", address)], HTTP).unwrap().unwrap();
        assert_eq!(proxy.shown, shown, "{address}");
        let connects = proxy.tunnel == Tunnel::Connect;
        assert_eq!(proxy.speaks_for_target, connects, "{address}");
    }
}

#[test]
fn user_info_is_taken_as_it_is_meant() {
    for (login, expected) in [
        ("carl:hunter2", Some("Basic Y2FybDpodW50ZXIy")),
        ("carl", Some("Basic Y2FybDo=")),
        // A blank, a percent sign, an at sign: as they are, and as they should be.
        ("carl:hun ter", Some("Basic Y2FybDpodW4gdGVy")),
        ("carl:hun%20ter", Some("Basic Y2FybDpodW4gdGVy")),
        ("carl:hun%ter", Some("Basic Y2FybDpodW4ldGVy")),
        ("carl:hun@ter", Some("Basic Y2FybDpodW5AdGVy")),
        ("carl:hun%40ter", Some("Basic Y2FybDpodW5AdGVy")),
        ("carl:hün", Some("Basic Y2FybDpow7xu")),
    ] {
        let address = format!("http://{login}@proxy.test:3128");
        let proxy = found(&[("HTTP_PROXY", &address)], HTTP).unwrap().unwrap();
        let login = proxy.login.as_ref().map(|login| login.to_str().unwrap());
        assert_eq!(login, expected, "{address}");
        let at = (proxy.encrypted, proxy.host.as_str(), proxy.port);
        assert_eq!(at, (false, "proxy.test", 3128));
        assert!(!format!("{proxy:?}").contains("Basic"), "{proxy:?}");
    }
}

#[test]
fn an_address_that_cannot_be_used_is_not_done_without() {
    for (address, word) in [
        ("http://carl:hunter2@proxy.test:99999", "port"),
        ("http://carl:hunter2@proxy.test:0", "port"),
        ("http://carl:hunter2@proxy.test:port", "port"),
        ("http://carl:hunter2@", "host"),
        ("http://carl:hunter2@ba d:3128", "host"),
        ("http://", "host"),
        ("http://fd00::1:3128", "host"),
        ("ftp://carl:hunter2@proxy.test", "scheme"),
        ("http://carl:hun/ter2@proxy.test", "%2F"),
        ("http://carl:hun#ter2@proxy.test", "%23"),
    ] {
        for url in [HTTP, HTTPS] {
            let variables = [("all_proxy", address), ("no_proxy", "other.test")];
            let said = found(&variables, url).unwrap_err().to_string();
            assert!(
                said.contains(word) && said.contains("all_proxy"),
                "{address}: {said}"
            );
            assert!(!said.contains("hun") && !said.contains("carl"), "{said}");
            assert!(proxies(&variables).for_client().is_some());
        }
        let direct = [("all_proxy", address), ("no_proxy", "dep.test")];
        assert_eq!(found(&direct, HTTP), Ok(None));
    }
}
