//! When a certificate ends. webpki judges that and keeps it to itself, so that it is read here from
//! the certificate's DER (RFC 5280, 4.1), as far as to the second of its two times.

use std::time::{Duration, UNIX_EPOCH};

use rustls::pki_types::UnixTime;

use crate::durations::ENDS_SOON;

/// A day, in seconds.
const DAY: u64 = 24 * 3600;

/// The identifiers of ASN.1 that lead to the end.
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// How long a certificate is valid from `now` on; `None` if that cannot be read, or it has ended.
pub(crate) fn left(certificate: &[u8], now: UnixTime) -> Option<Duration> {
    let left = not_after(certificate)?.checked_sub(now.as_secs())?;
    Some(Duration::from_secs(left))
}

/// What there is to say about a certificate that has so long to live: nothing, as a rule.
pub(crate) fn words(left: Duration) -> Option<String> {
    if left > ENDS_SOON {
        return None;
    }
    Some(match left.as_secs() / DAY {
        0 => "ends within 24 hours".to_owned(),
        1 => "ends in 1 day".to_owned(),
        days => format!("ends in {days} days"),
    })
}

/// The last second of its validity, since 1970.
fn not_after(certificate: &[u8]) -> Option<u64> {
    let mut certificate = certificate;
    let mut certificate = within(&mut certificate, SEQUENCE)?;
    let mut signed = within(&mut certificate, SEQUENCE)?;
    if signed.first() == Some(&VERSION) {
        element(&mut signed)?;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        element(&mut signed)?;
    }
    let mut validity = within(&mut signed, SEQUENCE)?;
    element(&mut validity)?;
    let (kind, time) = element(&mut validity)?;
    let time = std::str::from_utf8(time).ok()?;
    let (year, rest) = match kind {
        // Two digits: 50 and later are of the last century (RFC 5280, 4.1.2.5.1).
        UTC_TIME => {
            let (year, rest) = time.split_at_checked(2)?;
            let century = if year < "50" { "20" } else { "19" };
            (format!("{century}{year}"), rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = time.split_at_checked(4)?;
            (year.to_owned(), rest)
        }
        _ => return None,
    };
    let rest = rest.strip_suffix('Z').filter(|rest| rest.len() == 10)?;
    let two = |at: usize| rest.get(at..at + 2);
    let (month, day) = (two(0)?, two(2)?);
    let (hour, minute, second) = (two(4)?, two(6)?, two(8)?);
    let written = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    let end = humantime::parse_rfc3339(&written).ok()?;
    Some(end.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

/// The content of the next element, which has to be of this kind.
fn within<'a>(rest: &mut &'a [u8], kind: u8) -> Option<&'a [u8]> {
    let (found, content) = element(rest)?;
    (found == kind).then_some(content)
}

/// Takes the next element: its kind, and its content.
fn element<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let ([kind, length], mut after) = rest.split_first_chunk()?;
    let mut size = usize::from(*length);
    if *length >= 0x80 {
        // So many bytes of length follow; more than three of them are no certificate.
        let count = usize::from(length & 0x7f);
        let (bytes, content) = after.split_at_checked(count).filter(|_| count <= 3)?;
        size = bytes
            .iter()
            .fold(0, |size, byte| size << 8 | usize::from(*byte));
        after = content;
    }
    let (content, after) = after.split_at_checked(size)?;
    *rest = after;
    Some((*kind, content))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(year: i32, names: usize) -> Vec<u8> {
        let names: Vec<_> = (0..names).map(|name| format!("{name}.example")).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.not_after = date_time_ymd(year, 2, 3);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    fn at(time: &str) -> UnixTime {
        let time = humantime::parse_rfc3339(time).unwrap();
        UnixTime::since_unix_epoch(time.duration_since(UNIX_EPOCH).unwrap())
    }

    /// Two-digit years up to 2049, four digits from then on; short and long ones, by their length.
    #[test]
    fn the_end_is_read() {
        for (year, names) in [(2026, 1), (2049, 40), (2050, 1), (9999, 4000)] {
            let der = certificate(year, names);
            let now = at(&format!("{year}-02-01T00:00:00Z"));
            let expected = Some(Duration::from_secs(2 * DAY));
            assert_eq!(left(&der, now), expected, "{year}");
        }
    }

    #[test]
    fn a_certificate_that_has_ended_has_nothing_left() {
        let der = certificate(2001, 1);
        assert_eq!(left(&der, at("2026-02-01T00:00:00Z")), None);
    }

    /// It is judged before: nothing here may be worse than not to know.
    #[test]
    fn what_is_no_certificate_has_no_end() {
        let der = certificate(2049, 1);
        let now = at("2026-01-01T00:00:00Z");
        for length in 0..120 {
            assert_eq!(left(&der[..length], now), None, "{length}");
        }
        for at in 0..der.len() {
            for byte in [0, 0x30, 0x7f, 0x80, 0x84, 0xff] {
                let mut der = der.clone();
                der[at] = byte;
                left(&der, now);
            }
        }
        assert_eq!(left(b"\x30\x84\xff\xff\xff\xff", now), None);
    }

    #[test]
    fn only_a_near_end_is_worth_a_word() {
        let hours = |hours: u64| words(Duration::from_secs(hours * 3600));
        assert_eq!(hours(0).as_deref(), Some("ends within 24 hours"));
        assert_eq!(hours(23).as_deref(), Some("ends within 24 hours"));
        assert_eq!(hours(24).as_deref(), Some("ends in 1 day"));
        assert_eq!(hours(47).as_deref(), Some("ends in 1 day"));
        assert_eq!(hours(6 * 24 + 1).as_deref(), Some("ends in 6 days"));
        assert_eq!(hours(14 * 24).as_deref(), Some("ends in 14 days"));
        assert_eq!(hours(14 * 24 + 1), None);
    }
}
