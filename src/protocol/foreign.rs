//! What a server is that does not speak the target's protocol, by its first bytes.

/// Whether it is an alert of TLS, as a port that wants TLS answers what is none.
pub(crate) const fn wants_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x15, 3, 0..=4, 0, 2, ..])
}

/// What speaks like this, with its article; `None` where nothing is known that does.
pub(crate) fn what(bytes: &[u8]) -> Option<&'static str> {
    const STARTS: &[(&[u8], &str)] = &[
        (b"HTTP/", "an HTTP server"),
        (b"SSH-", "an SSH server"),
        (b"* OK", "an IMAP server"),
        (b"* BYE", "an IMAP server"),
        (b"* PREAUTH", "an IMAP server"),
        (b"+OK", "a POP3 server"),
        (b"INFO {", "a NATS server"),
        (b"AMQP", "an AMQP broker"),
        (b"-ERR", "a Redis, NATS or POP3 server"),
        (b"-NOAUTH", "a Redis server"),
        (b"-DENIED", "a Redis server"),
        (b"+PONG", "a Redis server"),
        (b"RFB ", "a VNC server"),
        (b"\x05\0\0\0\x0b", "a MySQL server's X protocol"),
        (b"R\0\0\0", "a PostgreSQL server"),
        (b"E\0\0", "a PostgreSQL server"),
    ];
    // A MySQL greeting begins with its length, which may be any of the letters below.
    if let [_, _, 0, 0, 0x0a, b'0'..=b'9', ..] = *bytes {
        return Some("a MySQL server");
    }
    if let Some((_, what)) = STARTS.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Some(what);
    }
    match *bytes {
        _ if wants_tls(bytes) => Some("a server that wants TLS"),
        [0x16, 3, 0..=4, ..] => Some("a TLS client, or a server that speaks TLS first"),
        [0, 0, _, 4, 0, 0, 0, 0, 0, ..] => Some("an HTTP/2 server"),
        [b'2', b'2', b'0', b' ' | b'-', ..] | [b'4', b'2', b'1', b' ' | b'-', ..] => {
            Some("an SMTP or FTP server")
        }
        [b'5', b'5', b'4', b' ' | b'-', ..] => Some("an SMTP server"),
        [_, _, 0, 0, 0x0a, ..] | [_, _, 0, _, 0xff, ..] => Some("a MySQL server"),
        [b'N' | b'S' | b'G'] => Some("a PostgreSQL server"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_known_by_their_first_bytes() {
        for (bytes, expected) in [
            (
                b"HTTP/1.1 400 Bad Request".as_slice(),
                Some("an HTTP server"),
            ),
            (
                b"\x15\x03\x03\0\x02\x02\x46",
                Some("a server that wants TLS"),
            ),
            (b"\0\0\x12\x04\0\0\0\0\0", Some("an HTTP/2 server")),
            (b"220-mail", Some("an SMTP or FTP server")),
            (b"2200", None),
            (b"J\0\0\0\x0a8.0.36", Some("a MySQL server")),
            (b"R\0\0\0\x0a11.4.2-MariaDB", Some("a MySQL server")),
            (b"R\0\0\0\x0c\0\0\0\x05", Some("a PostgreSQL server")),
            (b"N", Some("a PostgreSQL server")),
            (b"NOTICE", None),
            (b"", None),
        ] {
            assert_eq!(what(bytes), expected, "{bytes:?}");
        }
    }
}
