//! Written from the specifications, and not from the code.

/// What is said, and heard, in a conversation that ends well.
pub(super) enum Turn {
    /// The program says exactly this.
    Hear(&'static [u8]),
    Say(&'static [u8]),
    /// An answer that depends on what was heard last.
    Answer(fn(&[u8]) -> Vec<u8>),
    /// Both go on in TLS.
    Encrypt,
    /// The server says that nothing more will come.
    End,
}

use Turn::{Answer, Encrypt, End, Hear, Say};

/// A protocol.
pub(super) struct Case {
    pub(super) protocol: &'static str,
    /// The conversation up to the answer.
    pub(super) turns: &'static [Turn],
    /// The same where TLS is asked for within the protocol.
    pub(super) upgrade: &'static [Turn],
    /// With what the program leaves.
    pub(super) goodbye: &'static [u8],
    /// The answer's code.
    pub(super) code: &'static str,
    /// What the program says over another connection, if it makes one.
    again: &'static [u8],
    /// Half of this is half an answer, where no turn has one.
    sample: &'static [u8],
    /// An answer that is longer than it says, or than any may be.
    pub(super) lie: fn() -> Vec<u8>,
}

impl Case {
    /// An answer.
    pub(super) fn answer(&self) -> &'static [u8] {
        let mut said = self.turns.iter().filter_map(|turn| match turn {
            Say(bytes) => Some(*bytes),
            _ => None,
        });
        said.next().unwrap_or(self.sample)
    }

    /// Whether a conversation that may have ended early begins like this.
    pub(super) fn knows(&self, heard: &[u8]) -> bool {
        match self.protocol {
            "tls" => return heard.is_empty() || heard.starts_with(b"\x16\x03\x01"),
            "grpc" => {
                let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
                return heard.is_empty() || heard.starts_with(preface);
            }
            _ => {}
        }
        let own = self.turns.iter().filter_map(|turn| match turn {
            Hear(bytes) => Some(*bytes),
            _ => None,
        });
        let own = own.chain([self.goodbye]).collect::<Vec<_>>().concat();
        let starts =
            |own: &[u8]| own.len() >= heard.len() && self.is_same(heard, &own[..heard.len()]);
        starts(&own) || starts(self.again)
    }

    /// Whether this was said, but for what is chance: the number of a question.
    pub(super) fn is_same(&self, heard: &[u8], wanted: &[u8]) -> bool {
        let mut heard = heard.to_vec();
        if self.protocol == "dns" && heard.len() > 3 {
            heard[2..4].copy_from_slice(&wanted[2..4]);
        }
        heard == wanted
    }
}

/// The case of a protocol: each one needs its own.
pub(super) fn case_of(protocol: &str) -> &'static Case {
    let case = CASES.iter().find(|case| case.protocol == protocol);
    case.unwrap_or_else(|| panic!("tests/action/services/cases.rs has no case of {protocol}"))
}

const BLANK: Case = Case {
    protocol: "",
    turns: &[],
    upgrade: &[],
    goodbye: b"",
    code: "",
    again: b"",
    sample: b"hello",
    lie: Vec::new,
};

/// A line that never ends.
fn endless(start: &str) -> Vec<u8> {
    [start, "x".repeat(200_000).as_str()].concat().into()
}

const CASES: &[Case] = &[
    Case {
        protocol: "tcp",
        lie: || endless(""),
        ..BLANK
    },
    Case {
        protocol: "tls",
        sample: b"\x16\x03\x03\0\x7a\x02\0\0\x76\x03\x03",
        lie: || endless("\x16\x03\x03\u{7f}\u{7f}"),
        ..BLANK
    },
    Case {
        protocol: "postgres",
        turns: &[Hear(STARTUP), Say(SCRAM)],
        upgrade: &[
            Hear(b"\0\0\0\x08\x04\xd2\x16\x2f"),
            Say(b"S"),
            Encrypt,
            Hear(STARTUP),
            Say(SCRAM),
        ],
        lie: || b"R\x7f\xff\xff\xff\0\0\0\x0a".into(),
        ..BLANK
    },
    Case {
        protocol: "mysql",
        turns: &[
            Say(b"\x4a\0\0\0\x0a8.0.36\0\x07\0\0\0saltsalt\0\xff\xf7\x21\x02\0\xff\x81\x15\
                \0\0\0\0\0\0\0\0\0\0saltsaltsalt\0mysql_native_password\0"),
            Hear(b"\x45\0\0\x01\x01\x82\x08\0\0\0\0\x01\x21\
                \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
                dep-preflight\0\0mysql_native_password\0"),
            Say(b"\x16\0\0\x02\xff\x15\x04#28000Access denied"),
        ],
        upgrade: &[
            Say(b"\x4a\0\0\0\x0a8.0.36\0\x07\0\0\0saltsalt\0\xff\xff\x21\x02\0\xff\x81\x15\
                \0\0\0\0\0\0\0\0\0\0saltsaltsalt\0mysql_native_password\0"),
            Hear(b"\x20\0\0\x01\x01\x8a\x08\0\0\0\0\x01\x21\
                \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
            Encrypt,
            Hear(b"\x45\0\0\x02\x01\x8a\x08\0\0\0\0\x01\x21\
                \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
                dep-preflight\0\0mysql_native_password\0"),
            Say(b"\x16\0\0\x03\xff\x15\x04#28000Access denied"),
        ],
        code: "1045",
        lie: || b"\xff\xff\xff\0\x0a8.0.36\0".into(),
        ..BLANK
    },
    Case {
        protocol: "redis",
        turns: &[Hear(b"*1\r\n$4\r\nPING\r\n"), Say(b"+PONG\r\n")],
        lie: || endless("-ERR "),
        ..BLANK
    },
    Case {
        protocol: "mongodb",
        turns: &[
            Hear(b"\x34\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\
                \x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0"),
            Say(b"\x3a\0\0\0\x09\0\0\0\x01\0\0\0\xdd\x07\0\0\0\0\0\0\0\
                \x25\0\0\0\x08isWritablePrimary\0\x01\x01ok\0\0\0\0\0\0\0\xf0\x3f\0"),
        ],
        lie: || b"\xff\xff\xff\x7f\x09\0\0\0\x01\0\0\0\xdd\x07\0\0".into(),
        ..BLANK
    },
    Case {
        protocol: "amqp",
        turns: &[Hear(b"AMQP\0\0\x09\x01"), Say(b"AMQP\0\x01\0\0")],
        lie: || b"\x01\0\0\xff\xff\xff\xff\0\x0a\0\x0a".into(),
        ..BLANK
    },
    Case {
        protocol: "kafka",
        turns: &[
            Hear(b"\0\0\0\x17\0\x12\0\0\0\0\0\x07\0\x0ddep-preflight"),
            Say(b"\0\0\0\x0a\0\0\0\x07\0\0\0\0\0\0"),
        ],
        lie: || b"\x7f\xff\xff\xff\0\0\0\x07\0\0".into(),
        ..BLANK
    },
    Case {
        protocol: "grpc",
        sample: b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64",
        lie: || b"\xff\xff\xff\x04\0\0\0\0\0".into(),
        ..BLANK
    },
    Case {
        protocol: "memcached",
        turns: &[
            Hear(b"version\r\nversion\r\nquit\r\n"),
            Say(b"VERSION 1.6.18\r\n"),
        ],
        again: b"\x80\x0b\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        lie: || endless("VERSION "),
        ..BLANK
    },
    Case {
        protocol: "nats",
        turns: &[Say(b"INFO {\"version\":\"2.9.10\",\"auth_required\":true}\r\n")],
        upgrade: &[
            Say(b"INFO {\"version\":\"2.9.10\",\"tls_available\":true}\r\n"),
            Encrypt,
        ],
        lie: || endless("INFO {"),
        ..BLANK
    },
    Case {
        protocol: "mqtt",
        turns: &[
            Hear(b"\x10\x0c\0\x04MQTT\x04\x02\0\x0a\0\0"),
            Say(b"\x20\x02\0\0"),
        ],
        goodbye: b"\xe0\0",
        code: "0",
        lie: || b"\x20\xff\xff\xff\x7f\0\0".into(),
        ..BLANK
    },
    Case {
        protocol: "ssh",
        turns: &[Say(b"Be welcome.\r\nSSH-2.0-OpenSSH_9.2p1\r\n")],
        goodbye: b"SSH-2.0-dep-preflight\r\n\0\0\0\x2c\x0a\x01\0\0\0\x0b\0\0\0\x14\
            reachable, thank you\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        lie: || endless("SSH-2.0-"),
        ..BLANK
    },
    Case {
        protocol: "smtp",
        turns: &[Say(b"220-mail\r\n220 ESMTP\r\n")],
        upgrade: &[
            Say(b"220 mail\r\n"),
            Hear(b"EHLO dep-preflight.invalid\r\n"),
            Say(b"250-mail\r\n250 STARTTLS\r\n"),
            Hear(b"STARTTLS\r\n"),
            Say(b"220 go\r\n"),
            Encrypt,
        ],
        goodbye: b"QUIT\r\n",
        code: "220",
        lie: || endless("220 "),
        ..BLANK
    },
    Case {
        protocol: "imap",
        turns: &[Say(b"* OK ready\r\n")],
        upgrade: &[
            Say(b"* OK ready\r\n"),
            Hear(b"a STARTTLS\r\n"),
            Say(b"a OK go\r\n"),
            Encrypt,
        ],
        goodbye: b"b LOGOUT\r\n",
        code: "OK",
        lie: || endless("* OK "),
        ..BLANK
    },
    Case {
        protocol: "pop3",
        turns: &[Say(b"+OK ready\r\n")],
        upgrade: &[Say(b"+OK ready\r\n"), Hear(b"STLS\r\n"), Say(b"+OK go\r\n"), Encrypt],
        goodbye: b"QUIT\r\n",
        code: "+OK",
        lie: || endless("+OK "),
        ..BLANK
    },
    Case {
        protocol: "ftp",
        turns: &[Say(b"220 ready\r\n")],
        upgrade: &[
            Say(b"220 ready\r\n"),
            Hear(b"AUTH TLS\r\n"),
            Say(b"234 go\r\n"),
            Encrypt,
        ],
        goodbye: b"QUIT\r\n",
        code: "220",
        lie: || endless("220 "),
        ..BLANK
    },
    Case {
        protocol: "ldap",
        turns: &[
            Hear(SEARCH),
            Say(b"\x30\x09\x02\x01\x01\x64\x04\x04\0\x30\0\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\0\x04\0\x04\0"),
        ],
        upgrade: &[
            Hear(b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"),
            Say(b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\0\x04\0\x04\0"),
            Encrypt,
            Hear(SEARCH),
            Say(b"\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\0\x04\0\x04\0"),
        ],
        goodbye: b"\x30\x05\x02\x01\x02\x42\0",
        code: "0",
        lie: || b"\x30\x84\x7f\xff\xff\xff\x02\x01\x01\x65".into(),
        ..BLANK
    },
    Case {
        protocol: "zookeeper",
        turns: &[
            Hear(b"srvr"),
            Say(b"Zookeeper version: 3.8.0-1, built on 2023-01-01\nMode: standalone\n"),
            End,
        ],
        lie: || endless("Zookeeper version: "),
        ..BLANK
    },
    Case {
        protocol: "cassandra",
        turns: &[Hear(b"\x04\0\0\0\x05\0\0\0\0"), Say(b"\x84\0\0\0\x06\0\0\0\x02\0\0")],
        lie: || b"\x84\0\0\0\x06\x7f\xff\xff\xff\0\0".into(),
        ..BLANK
    },
    Case {
        protocol: "dns",
        turns: &[
            Hear(b"\0\x11\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\x02\0\x01"),
            Answer(|asked| {
                let mut answer = asked.to_vec();
                answer[4] |= 0x80;
                answer
            }),
        ],
        code: "NOERROR",
        sample: b"\0\x11\0\0",
        // There is no longer message than its length can say: one of a header's size that is none.
        lie: || b"\0\x02\0\0\x80\0".into(),
        ..BLANK
    },
    Case {
        protocol: "sqlserver",
        turns: &[
            Hear(b"\x12\x01\0\x1a\0\0\0\0\0\0\x0b\0\x06\x01\0\x11\0\x01\xff\0\0\0\0\0\0\x02"),
            Say(b"\x04\x01\0\x1a\0\0\x01\0\0\0\x0b\0\x06\x01\0\x11\0\x01\xff\x10\0\x10\x27\0\0\x02"),
        ],
        lie: || b"\x04\x01\xff\xff\0\0\x01\0".into(),
        ..BLANK
    },
];

const STARTUP: &[u8] = b"\0\0\0\x1c\0\x03\0\0user\0dep-preflight\0\0";
const SCRAM: &[u8] = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0";
const SEARCH: &[u8] = b"\x30\x2a\x02\x01\x01\x63\x25\x04\0\x0a\x01\0\x0a\x01\0\x02\x01\x01\
    \x02\x01\x05\x01\x01\0\x87\x0bobjectClass\x30\x05\x04\x031.1";

/// How other servers begin, what they are called, and whose own word that is.
pub(super) const OTHERS: &[(&str, &[u8], &[&str])] = &[
    (
        "an HTTP server",
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        &[],
    ),
    (
        "an SSH server",
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        &["ssh"],
    ),
    (
        "an IMAP server",
        b"* OK [CAPABILITY IMAP4rev1] ready\r\n",
        &["imap"],
    ),
    ("a POP3 server", b"+OK Dovecot ready.\r\n", &["pop3"]),
    (
        "an SMTP or FTP server",
        b"220 mail.example ESMTP\r\n",
        &["smtp", "ftp"],
    ),
    (
        "an SMTP server",
        b"554 mail.example no service\r\n",
        &["smtp", "ftp"],
    ),
    (
        "a NATS server",
        b"INFO {\"server_id\":\"N\",\"version\":\"2.9.10\"}\r\n",
        &["nats"],
    ),
    ("an AMQP broker", b"AMQP\0\0\x09\x01", &["amqp"]),
    (
        "a Redis server",
        b"-DENIED Redis is running in protected mode\r\n",
        &["redis"],
    ),
    (
        "a Redis, NATS or POP3 server",
        b"-ERR unknown command\r\n",
        &["redis", "nats", "pop3"],
    ),
    ("wants TLS", b"\x15\x03\x03\0\x02\x02\x46", &["tls"]),
    (
        "an HTTP/2 server",
        b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64",
        &["grpc"],
    ),
    ("a VNC server", b"RFB 003.008\n", &[]),
    (
        "a PostgreSQL server",
        b"E\0\0\0\x45SFATAL\0VFATAL\0C08P01\0Minvalid length of startup packet\0Fpqcomm.c\0\0",
        &["postgres"],
    ),
    (
        "a MySQL server's X protocol",
        b"\x05\0\0\0\x0b\x08\x05\x1a\0",
        &[],
    ),
    (
        "a MySQL server",
        b"\x4a\0\0\0\x0a8.0.36\0\x07\0\0\0saltsalt\0\xff\xf7\x21\x02\0\xff\x81\x15\
        \0\0\0\0\0\0\0\0\0\0saltsaltsalt\0mysql_native_password\0",
        &["mysql"],
    ),
];
