//! Addresses as applications have them, with a login in them: they come from secrets, so that
//! nothing of them is shown, not even a part that looks harmless. A forge masks a secret where it
//! stands as a whole, not a piece of it.
//!
//! The raw text is looked at, before anything is parsed: in `postgres://u:p@ss/w0rd@host` a parser
//! finds the host `ss`, in `redis://pa/ss@host` the host `pa` and no user info at all.

use crate::protocol::{Protocol, Scheme};

/// Words that only stand in the connection strings of ADO, JDBC and libpq, in lower case and
/// without blanks.
const WORDS: &[(&str, &str)] = &[
    ("password=", ""),
    ("passwd=", ""),
    ("pass=", ""),
    ("pwd=", ""),
    ("user=", ""),
    ("userid=", ""),
    ("uid=", ""),
    ("jdbc:", ""),
    ("accountkey=", ""),
    ("sharedaccesskey=", ""),
    ("sharedaccesssignature=", ""),
    ("server=", "sqlserver"),
    ("datasource=", "sqlserver"),
    ("host=", "postgres"),
    ("@tcp(", "mysql"),
    ("tcp(", "mysql"),
];

/// What to write in the place of an address that carries a login or its like; `None` where it
/// carries none. Not for http and https, whose paths may have an `@`.
pub(super) fn replacement(value: &str) -> Option<String> {
    let plain: String = value
        .chars()
        .filter(|ch| !ch.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect();
    let mut words = WORDS.iter().filter(|(word, _)| plain.contains(word));
    let has_word = words.clone().next().is_some();
    if !has_word && !value.contains('@') && !authority(&plain).contains("%40") {
        return None;
    }
    let address = plain.strip_prefix("jdbc:").unwrap_or(&plain);
    let scheme = address.split(':').next().unwrap_or_default();
    let without_driver = scheme.split('+').next().unwrap_or_default();
    let meant = words.find(|(_, scheme)| !scheme.is_empty());
    let meant = meant.map_or("", |(_, scheme)| scheme);
    let known = [scheme, without_driver, meant]
        .into_iter()
        .find_map(Protocol::of_scheme);
    Some(instead(known.map(|(_, scheme)| scheme)))
}

/// What is between the scheme and the path.
fn authority(value: &str) -> &str {
    let rest = value.split_once("://").map_or(value, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}

/// What to write in the place of an address with this scheme.
pub(super) fn instead(scheme: Option<&Scheme>) -> String {
    match scheme {
        Some(scheme) if scheme.srv().is_some() => {
            let name = scheme.name;
            format!("{name}://HOST, for example {name}://${{{{ vars.DEP_HOST }}}}")
        }
        Some(scheme) => {
            let port = scheme
                .port
                .map_or("PORT".to_owned(), |port| port.to_string());
            let name = scheme.name;
            format!("{name}://HOST:{port}, for example {name}://${{{{ vars.DEP_HOST }}}}:{port}")
        }
        None => "SCHEME://HOST:PORT, for example postgres://${{ vars.DEP_HOST }}:5432".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_of_every_form_are_seen_before_anything_is_parsed() {
        for (value, scheme) in [
            ("redis://:S3cret@h:6379/0", "redis://HOST:6379"),
            ("redis://S3c/ret@h", "redis://HOST:6379"),
            ("REDISS://u:S3cret@h", "rediss://HOST:6379"),
            ("redis+driver://u@h", "redis://HOST:6379"),
            ("mongodb://u:S3c/ret@h1,h2/db", "mongodb://HOST:27017"),
            ("mongodb+srv://u:S3cret@h/db", "mongodb+srv://HOST, for"),
            ("jdbc:redis://h/0?user=u", "redis://HOST:6379"),
            ("postgres://u:p@S3c/ret@h", "postgres://HOST:5432"),
            ("postgresql+asyncpg://u:S3cret@h", "postgresql://HOST:5432"),
            ("mysql+pymysql://u@h", "mysql://HOST:3306"),
            ("u:S3cret@tcp(h:3306)/db", "mysql://HOST:3306"),
            ("host=h user=u password=S3cret", "postgres://HOST:5432"),
            (
                "Server=h;User Id=u;Password=S3cret",
                "sqlserver://HOST:1433",
            ),
            (
                "jdbc:sqlserver://h;password=S3cret",
                "sqlserver://HOST:1433",
            ),
            ("jdbc:postgresql://h/db?user=u", "postgresql://HOST:5432"),
            ("u:S3cret@h", "SCHEME://HOST:PORT"),
            ("Account Key=S3cret;Endpoint=h", "SCHEME://HOST:PORT"),
            ("tcp://u:S3cret@h:1", "tcp://HOST:PORT"),
            ("redis://h:6379,pass=S3cret", "redis://HOST:6379"),
            ("sqlserver://h;user=u;x=S3cret", "sqlserver://HOST:1433"),
            ("mongodb://u%3AS3cret%40h/db", "mongodb://HOST:27017"),
            (
                "Endpoint=h;SharedAccessSignature=S3cret",
                "SCHEME://HOST:PORT",
            ),
        ] {
            let write = replacement(value).expect(value);
            assert!(write.starts_with(scheme), "{write}");
            assert!(!write.contains("S3c"), "{write}");
        }
        for value in [
            "redis://h:6379/0",
            "amqp://h/a%40b",
            "h:6379",
            "tcp://[::1]:9",
            "",
        ] {
            assert_eq!(replacement(value), None, "{value}");
        }
    }
}
