//! Makes foreign text harmless before anyone prints it.
//!
//! Everything that comes from the network, a URL, an environment variable or an event file
//! passes through here on its way to a person: control characters out, secrets masked, cut.
//! All functions are pure.

use std::net::Ipv6Addr;

use reqwest::Url;

/// Longest piece of foreign text inside a message, in characters.
pub const PIECE: usize = 200;
/// How much of an answer's code is shown, in characters.
pub(crate) const CODE: usize = 60;
/// Longest address in the JSON report, in characters.
pub const LONG: usize = 2000;

const YEAR: u64 = 366 * 24 * 60 * 60;
const MASK: &str = "***";

/// One line without control characters, bidirectional overrides or the runner's old command
/// prefix, cut to `limit` characters.
#[must_use]
pub fn sanitize(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut blank = false;
    for (count, ch) in text.trim().chars().enumerate() {
        if count >= limit {
            out.push('…');
            break;
        }
        let ch = match ch {
            '\n' | '\r' | '\t' => ' ',
            ch if is_deceptive(ch) => '\u{fffd}',
            ch => ch,
        };
        // Runs of blanks say nothing and can push the rest of a line out of sight.
        if ch == ' ' && blank {
            continue;
        }
        blank = ch == ' ';
        // `##[command]` is still a command on GitHub, wherever it stands in a line.
        if ch == '[' && out.ends_with("##") {
            out.push(' ');
        }
        out.push(ch);
    }
    out
}

/// Control and formatting characters: they move the cursor, reverse or hide text.
fn is_deceptive(ch: char) -> bool {
    ch.is_control()
        || matches!(ch,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Cuts to `limit` characters, the last of them an ellipsis.
#[must_use]
pub fn truncate(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(limit.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// An address for people: no user info, no fragment, query values masked.
#[must_use]
pub fn show_url(url: &Url, limit: usize) -> String {
    let mut shown = url.clone();
    shown.set_fragment(None);
    // Fails only for addresses that cannot have user info, and thus have none.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_query(None);
    let mut text = shown.to_string();
    if let Some(query) = url.query() {
        text.push('?');
        text.push_str(&mask_query(query));
    }
    sanitize(&text, limit)
}

/// `a=1&b&c=2` becomes `a=***&***&c=***`.
fn mask_query(query: &str) -> String {
    query
        .split('&')
        .map(|part| match part.split_once('=') {
            Some((key, _)) => format!("{key}={MASK}"),
            None if part.is_empty() => String::new(),
            None => MASK.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("&")
}

/// A value as somebody wrote it, which may or may not be an address: what stands before an
/// `@` and what stands behind a `?` is masked, then cleaned and cut.
#[must_use]
pub fn show_value(value: &str) -> String {
    sanitize(&mask_address(value), PIECE)
}

/// A key as somebody wrote it. A line that was quoted as a whole (`'password=x'`,
/// `'Authorization: Bearer x'`) is a key, too: what stands behind the separator is masked.
#[must_use]
pub(crate) fn show_key(key: &str) -> String {
    let separator = key.char_indices().find(|(at, ch)| match ch {
        '=' => true,
        ':' => key
            .get(at + 1..)
            .is_some_and(|rest| rest.starts_with(char::is_whitespace)),
        _ => false,
    });
    match separator {
        Some((at, ch)) => {
            let blank = if ch == ':' { " " } else { "" };
            let shown = key.get(..=at).unwrap_or_default();
            show_value(&format!("{shown}{blank}{MASK}"))
        }
        None => show_value(key),
    }
}

/// All of it is one address, blanks or not: what follows a blank in a query is still its.
fn mask_address(value: &str) -> String {
    let (rest, fragment) = match value.split_once('#') {
        Some((rest, _)) => (rest, "#***"),
        None => (value, ""),
    };
    let (rest, query) = match rest.split_once('?') {
        // A password may have a question mark in it; then the rest of it stands in the query.
        Some((rest, query)) if query.contains('@') => (rest, format!("?{MASK}")),
        Some((rest, query)) => (rest, format!("?{}", mask_query(query.trim_end()))),
        None => (rest, String::new()),
    };
    let hidden = query == format!("?{MASK}");
    let (user, host) = match rest.rsplit_once('@') {
        Some((user, host)) => (user, host),
        // The user info that goes on in the query began here.
        None if hidden && value.contains('@') => (rest, ""),
        None => return format!("{rest}{query}{fragment}"),
    };
    // What stands before the `://` is shown only if it can be a scheme.
    let plain = |ch: char| ch.is_ascii_alphanumeric() || "+.-".contains(ch);
    match user.split_once("://") {
        Some((scheme, _)) if !scheme.is_empty() && scheme.chars().all(plain) => {
            format!("{scheme}://{MASK}@{host}{query}{fragment}")
        }
        _ => format!("{MASK}@{host}{query}{fragment}"),
    }
}

/// Text in which no `::` stands: runners split a workflow command there. An IPv6 address is
/// written in full, anything else gets a blank between the colons.
#[must_use]
pub fn without_double_colon(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    // A word that touches a letter is not an address, whatever it looks like.
    let mut touched = false;
    let address_like = |ch: char| ch.is_ascii_hexdigit() || ch == ':' || ch == '.';
    for ch in text.chars().chain(std::iter::once('\0')) {
        if address_like(ch) {
            word.push(ch);
            continue;
        }
        touched |= ch.is_alphanumeric();
        if word.contains("::") && !touched {
            out.push_str(&spell_out(&word));
        } else {
            out.push_str(&word);
        }
        word.clear();
        touched = ch.is_alphanumeric();
        if ch != '\0' {
            out.push(ch);
        }
    }
    // What is left of them, on each side of a seam too (a word that ended in a colon, say).
    let mut split = String::with_capacity(out.len());
    for ch in out.chars() {
        if ch == ':' && split.ends_with(':') {
            split.push(' ');
        }
        split.push(ch);
    }
    split
}

fn spell_out(word: &str) -> String {
    let (address, tail) = match word.parse::<Ipv6Addr>() {
        Ok(address) => (Some(address), ""),
        // "no route to ::1:" ends in a colon of the sentence, or in its full stop.
        Err(_) => {
            let trimmed = word.trim_end_matches([':', '.']);
            (
                trimmed.parse::<Ipv6Addr>().ok(),
                word.get(trimmed.len()..).unwrap_or_default(),
            )
        }
    };
    match address {
        Some(address) if word.bytes().any(|byte| byte.is_ascii_hexdigit()) => {
            let groups: Vec<_> = address
                .segments()
                .iter()
                .map(|segment| format!("{segment:x}"))
                .collect();
            format!("{}{tail}", groups.join(":"))
        }
        _ => word.to_owned(),
    }
}

/// A duration as people read it: `3 ms`, `1.2 s`, `2 min 5 s`.
#[must_use]
pub(crate) fn show_duration(duration: std::time::Duration) -> String {
    let ms = duration.as_millis();
    if ms < 1000 {
        return format!("{ms} ms");
    }
    let secs = duration.as_secs();
    // Servers can ask for a wait of half a trillion years.
    if secs > YEAR {
        return "more than a year".to_owned();
    }
    if secs < 60 {
        return format!("{:.1} s", duration.as_secs_f64());
    }
    match secs % 60 {
        0 => format!("{} min", secs / 60),
        rest => format!("{} min {rest} s", secs / 60),
    }
}

/// The same with its first letter in upper case.
#[must_use]
pub(crate) fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// `1 attempt`, `3 attempts`.
#[must_use]
pub(crate) fn pluralize(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn sanitize_keeps_one_line_and_no_control_characters() {
        assert_eq!(
            sanitize("a\r\n::error::b\u{1b}[31m\u{202e}c", 99),
            "a ::error::b\u{fffd}[31m\u{fffd}c"
        );
        assert_eq!(sanitize("##[set-env name=a]b", 99), "## [set-env name=a]b");
        assert_eq!(sanitize("abcdef", 3), "abc…");
    }

    #[test]
    fn addresses_lose_secrets() {
        let shown = show_url(&url("https://u:p@h.example:8/p?key=v&flag&=x#frag"), 200);
        assert_eq!(shown, "https://h.example:8/p?key=***&***&=***");
    }

    #[test]
    fn values_lose_secrets_even_where_they_are_no_addresses() {
        assert_eq!(show_value("htp:/u:p@h/p?k=v"), "***@h/p?k=***");
        assert_eq!(
            show_value("https://u:p@h /x?tok=1"),
            "https://***@h /x?tok=***"
        );
        assert_eq!(show_value("10"), "10");
    }

    #[test]
    fn keys_lose_what_stands_behind_a_separator() {
        for (key, shown) in [
            ("timeuot", "timeuot"),
            ("Authorization: Bearer SECRETabc", "Authorization: ***"),
            ("password=SECRETabc", "password=***"),
            ("Authorization:\tx", "Authorization: ***"),
            ("http://u:p@h:80/p?k=v&l=w", "http://***@h:80/p?k=***"),
            ("h:80", "h:80"),
        ] {
            assert_eq!(show_key(key), shown, "{key}");
        }
    }

    #[test]
    fn no_double_colon_is_left() {
        assert_eq!(
            without_double_colon("refused by [::1]:80"),
            "refused by [0:0:0:0:0:0:0:1]:80"
        );
        assert_eq!(without_double_colon("x::y:::z"), "x: :y: : :z");
        assert_eq!(
            without_double_colon("fe80::1: gone"),
            "fe80:0:0:0:0:0:0:1: gone"
        );
        assert!(!without_double_colon(":x:\0::").contains("::"));
    }

    /// A quadratic way would take hours for this, and minutes for what a config file can hold.
    #[test]
    fn a_megabyte_of_colons_is_no_work() {
        let split = without_double_colon(&":".repeat(1 << 20));
        assert_eq!(split.len(), (2 << 20) - 1);
        let words = without_double_colon(&"x::y ".repeat(200_000));
        assert_eq!(words.len(), 1_200_000);
    }

    #[test]
    fn durations_read_well() {
        let shown = [5, 1500, 60_000, 125_000]
            .map(|ms| show_duration(std::time::Duration::from_millis(ms)));
        assert_eq!(shown, ["5 ms", "1.5 s", "1 min", "2 min 5 s"]);
        let longest = show_duration(std::time::Duration::from_secs(u64::MAX));
        assert_eq!(longest, "more than a year");
    }
}
