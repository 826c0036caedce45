//! Single values: what a parser accepts is what a naive reading of the README says, and
//! what it refuses it refuses in words that can be printed.

use std::fmt::Display;
use std::time::Duration;

use dep_preflight::facade::forge::Version;
use dep_preflight::facade::{
    Address, Attempts, Next, Origin, Place, Policy, Problems, Service, Sha, is_this_machine_host,
    retry, roots, text, values,
};
use reqwest::Url;

use super::{Feed, SECRET, lines};

const YEAR: Duration = Duration::from_secs(366 * 24 * 3600);

pub(crate) fn check(data: &[u8]) {
    let feed = &mut Feed::new(data);
    let value = feed.text();
    durations(&value);
    status_set(&value);
    words(&value);
    address(&value);
    header(&value, &feed.text());
    texts(feed, &value);
    waits(feed, &value);
    let _ = roots::parse_pem(value.as_bytes());
}

/// What was refused, as people are told.
fn told(input: &str, value: &str, reason: impl Display) {
    let mut problems = Problems::default();
    problems.value(&Place::of(input, &Origin::Unknown), value, reason);
    let line = problems.kept[0].to_string();
    lines::clean(&line);
}

fn durations(value: &str) {
    match values::duration(value) {
        Ok(parsed) => {
            sensible(parsed);
            // Written in another way, it is still the same.
            let (seconds, nanos) = (parsed.as_secs(), parsed.subsec_nanos());
            let again = format!("{}h{}.{nanos:09}s", seconds / 3600, seconds % 3600);
            assert_eq!(values::duration(&again), Ok(parsed), "{value:?}");
            assert!(
                value.contains(|ch: char| ch.is_ascii_alphabetic()),
                "no unit: {value:?}"
            );
            assert_eq!(values::positive_duration(value).is_ok(), !parsed.is_zero());
        }
        Err(reason) => told("timeout", value, reason),
    }
}

/// What a duration may be.
pub(crate) fn sensible(duration: Duration) {
    assert!(duration <= YEAR, "{duration:?}");
}

fn status_set(value: &str) {
    let naive = naive_statuses(value);
    match values::status_set(value) {
        Ok(set) => {
            let naive = naive.unwrap_or_else(|| panic!("{value:?} is no set of statuses"));
            for status in 0..=1000 {
                assert_eq!(
                    set.contains(status),
                    naive.contains(&status),
                    "{status} in {value:?}"
                );
            }
        }
        Err(reason) => {
            assert_eq!(naive, None, "{value:?} is a set of statuses");
            told("expect", value, reason);
        }
    }
}

/// All statuses of a set, by the forms that the README shows.
fn naive_statuses(value: &str) -> Option<Vec<u16>> {
    let mut all = Vec::new();
    for part in value.split(',') {
        let part = part.trim();
        let number =
            |text: &str| (100..=599).find(|number: &u16| number.to_string() == text.trim());
        let class =
            (1..=5).find(|class| part == format!("{class}xx") || part == format!("{class}XX"));
        if let Some(class) = class {
            all.extend(class * 100..class * 100 + 100);
        } else if let Some(limit) = part.strip_prefix('<') {
            let below = (101..=600).find(|number: &u16| number.to_string() == limit.trim())?;
            all.extend(100..below);
        } else if let Some((from, to)) = part.split_once('-') {
            let (from, to) = (number(from)?, number(to)?);
            if from > to {
                return None;
            }
            all.extend(from..=to);
        } else {
            all.push(number(part)?);
        }
    }
    Some(all)
}

fn words(value: &str) {
    match values::name(value) {
        Ok(name) => {
            is_name(&name);
            assert_eq!(name, value.trim());
        }
        Err(reason) => told("name", value, reason),
    }
    match value.parse::<Sha>() {
        Ok(sha) => is_sha(sha.as_str()),
        Err(reason) => told("sha", value, reason),
    }
    match values::attempts(value) {
        Ok(Attempts::AtMost(most)) => assert!(most > 0),
        Ok(Attempts::Unlimited) => assert_eq!(value.trim().to_lowercase(), "unlimited"),
        Err(reason) => told("attempts", value, reason),
    }
    if let Err(reason) = values::redirects(value) {
        told("redirects", value, reason);
    }
    match values::boolean(value) {
        Ok(parsed) => assert_eq!(value.trim().to_lowercase(), parsed.to_string()),
        Err(reason) => told("summary", value, reason),
    }
    if let Err(reason) = values::method(value) {
        told("method", value, reason);
    }
    let _ = Version::parse(value).map(Version::is_new_gitea);
}

/// `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`.
pub(crate) fn is_name(name: &str) {
    const FIRST: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    assert!((1..=64).contains(&name.len()), "{name:?}");
    assert!(name.starts_with(|ch| FIRST.contains(ch)), "{name:?}");
    assert!(
        name.chars()
            .all(|ch| FIRST.contains(ch) || "._-".contains(ch)),
        "{name:?}"
    );
}

/// 40 or 64 digits, as a forge writes them.
pub(crate) fn is_sha(sha: &str) {
    assert!(matches!(sha.len(), 40 | 64), "{sha:?}");
    assert!(
        sha.chars().all(|ch| "0123456789abcdef".contains(ch)),
        "{sha:?}"
    );
}

/// A service that can be connected to, and whose address reads as the same one.
pub(crate) fn is_service(service: &Service) {
    assert!(service.port > 0 && !service.host.is_empty(), "{service:?}");
    let shown = service.to_string();
    assert!(!shown.contains(['@', '?', '#', ' ']), "{shown:?}");
    match values::target(&shown) {
        Ok(Address::Service(again)) => {
            assert_eq!(again.to_string(), shown);
            assert_eq!((&again.host, again.port), (&service.host, service.port));
        }
        other => panic!("{shown:?} is read as {other:?}"),
    }
}

fn address(value: &str) {
    match values::target(value) {
        Ok(Address::Service(service)) => {
            is_service(&service);
            is_name(&values::name_of(&service.host));
        }
        Ok(Address::Http { url, .. }) => is_address(&url),
        Err(reason) if reason.hides_value() => {
            assert!(!reason.to_string().is_empty());
        }
        Err(reason) => told("url", value, reason),
    }
    match values::url(value) {
        Ok(url) => {
            is_address(&url);
            assert_eq!(values::url(url.as_str()), Ok(url.clone()), "{value:?}");
            is_name(&values::name_of(url.host_str().unwrap_or_default()));
            let _ = is_this_machine_host(&url);
        }
        Err(reason) => told("url", value, reason),
    }
    match values::link(value) {
        Ok(link) => {
            lines::clean(link.as_str());
            assert!(matches!(link.scheme(), "http" | "https"), "{link}");
            assert!(
                link.username().is_empty() && link.password().is_none(),
                "a link with a credential: {link}"
            );
            assert_eq!(values::link(link.as_str()), Ok(link.clone()));
        }
        Err(reason) => told("target-url", value, reason),
    }
}

/// An address that may be asked.
pub(crate) fn is_address(url: &Url) {
    assert!(matches!(url.scheme(), "http" | "https"), "{url}");
    assert!(url.host_str().is_some_and(|host| !host.is_empty()), "{url}");
    assert!(
        url.username().is_empty() && url.password().is_none(),
        "a credential in {url}"
    );
    assert_ne!(url.port(), Some(0), "{url}");
    assert_eq!(Url::parse(url.as_str()).as_ref(), Ok(url));
    for limit in [1, text::PIECE, text::LONG] {
        lines::clean(&text::show_url(url, limit));
    }
}

fn header(name: &str, value: &str) {
    match values::header(name, value) {
        Ok((name, value)) => is_header(name.as_str(), value.as_bytes()),
        Err(reason) => {
            lines::clean(&reason.to_string());
        }
    }
}

/// A header that may be sent.
pub(crate) fn is_header(name: &str, value: &[u8]) {
    const WORDS: [&str; 9] = [
        "apikey",
        "authorization",
        "authkey",
        "subscriptionkey",
        "token",
        "secret",
        "passw",
        "credential",
        "cookie",
    ];
    const SCHEMES: [&str; 6] = [
        "basic ",
        "bearer ",
        "negotiate ",
        "digest ",
        "token ",
        "aws4-",
    ];
    let lower = name.to_lowercase();
    let plain = lower.replace(['-', '_'], "");
    assert!(!WORDS.iter().any(|word| plain.contains(word)), "{name:?}");
    assert_ne!(lower, "transfer-encoding");
    let start = value.to_ascii_lowercase();
    assert!(
        !SCHEMES
            .iter()
            .any(|scheme| start.starts_with(scheme.as_bytes())),
        "{value:?}"
    );
    assert!(
        name.bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b':'),
        "{name:?}"
    );
    assert!(
        !value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)),
        "{value:?}"
    );
}

fn texts(feed: &mut Feed<'_>, value: &str) {
    let other = feed.text();
    for limit in [0, 1, 5, text::PIECE] {
        let cleaned = text::sanitize(value, limit);
        lines::clean(&cleaned);
        assert!(!cleaned.contains("##["), "{cleaned:?}");
        assert!(text::truncate(value, limit).chars().count() <= limit.max(1));
    }
    lines::clean(&text::show_value(value));
    for split in [
        value,
        &format!("{value}{other}"),
        &format!("{value}:{other}"),
    ] {
        let whole = text::without_double_colon(split);
        assert!(!whole.contains("::"), "{whole:?}");
    }
    if let Ok(mut url) = Url::parse("http://h.example/p") {
        url.set_query(Some(&format!("a={SECRET}&{}", value.replace(SECRET, ""))));
        lines::hides(&text::show_url(&url, text::LONG));
    }
}

fn waits(feed: &mut Feed<'_>, value: &str) {
    let mut bytes = value.bytes().chain(std::iter::repeat(0));
    let mut span = |unit: u64| {
        let number = u64::from(bytes.next().unwrap_or_default());
        Duration::from_millis(number * unit)
    };
    let policy = Policy {
        timeout: span(100),
        attempts: if feed.flag() {
            Attempts::Unlimited
        } else {
            Attempts::AtMost(3)
        },
        interval: span(1000),
    };
    let (left, asked) = (span(500), span(500));
    let retry_after = match feed.choose(3) {
        0 => None,
        1 => Some(asked),
        _ => Some(Duration::MAX),
    };
    let made = 1 + u32::try_from(feed.choose(255)).unwrap_or_default();
    let took = span(1);
    for chance in [0.0, 0.3, 1.0] {
        match retry::next(&policy, made, took, retry_after, left, chance) {
            Next::After(wait) => {
                assert!(wait <= left, "{wait:?} of {left:?}");
                assert!(wait >= retry_after.unwrap_or_default());
            }
            Next::ToldToWait(told) => assert!(Some(told) == retry_after && told >= left),
            Next::UsedUp => assert_eq!(policy.attempts, Attempts::AtMost(3)),
            Next::OutOfTime => {}
        }
    }
}
