//! Every row of the table, with bytes as servers send them.

use super::super::transcript::{
    End, Says, foreign, hex, not_serving, play, talk, talk_to_its_end, up,
};
use super::*;

fn startup() -> Vec<u8> {
    hex(r#"0000001c 00030000 "user" 00 "dep-preflight" 00 00"#)
}

fn answers(bytes: &[u8]) -> End {
    talk(&PROTOCOL, &[startup()], &[bytes])
}

/// A message: its type, its length, its body.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[kind], length.to_be_bytes().as_slice(), body].concat()
}

/// An `ErrorResponse` with what PostgreSQL 15 puts into each.
fn error_response(code: &str, text: &str) -> Vec<u8> {
    let fields = format!(
        "SFATAL\0VFATAL\0C{code}\0M{text}\0Fpostmaster.c\0L2383\0RProcessStartupPacket\0\0"
    );
    message(b'E', fields.as_bytes())
}

/// What a server that trusts the runner says once a role is let in.
fn let_in() -> Vec<u8> {
    [
        hex("52 00000008 00000000"),
        message(b'S', b"application_name\0\0"),
        message(b'S', b"server_version\x0015.18\0"),
        hex("4b 0000000c 00001f40 6b8b4567"),
        hex("5a 00000005 49"),
    ]
    .concat()
}

#[test]
fn a_request_for_a_login_is_up() {
    for (recorded, said) in [
        (
            r#"52 00000017 0000000a "SCRAM-SHA-256" 00 00"#,
            "asks for SCRAM-SHA-256",
        ),
        (
            r#"52 0000002a 0000000a "SCRAM-SHA-256-PLUS" 00 "SCRAM-SHA-256" 00 00"#,
            "asks for SCRAM-SHA-256-PLUS or SCRAM-SHA-256",
        ),
        ("52 00000008 00000003", "asks for a password"),
        ("52 0000000c 00000005 7f3a91c2", "asks for an MD5 password"),
        ("52 00000008 00000007", "asks for GSSAPI"),
        ("52 00000008 00000009", "asks for SSPI"),
        ("52 00000008 00000002", "asks for authentication of type 2"),
    ] {
        let answer = up(&answers(&hex(recorded)), "");
        assert_eq!(answer.said, said);
        assert_eq!(answer.note.as_deref(), Some(LOGIN_NOT_CHECKED));
        // Terminate would be logged.
        assert_eq!(answer.goodbye, b"".as_slice());
    }
}

#[test]
fn a_server_that_trusts_everybody_is_left_in_order() {
    let answer = up(&answers(&let_in()), "");
    assert_eq!(answer.said, "asks for no password");
    assert_eq!(answer.note, None);
    assert_eq!(*answer.goodbye, *hex("58 00000004"));
    let unknown = error_response("28000", r#"role "dep-preflight" does not exist"#);
    let trust = [hex("52 00000008 00000000"), unknown].concat();
    let answer = up(&answers(&trust), "28000");
    assert_eq!(answer.note.as_deref(), Some(LOGIN_NOT_CHECKED));
    assert_eq!(answer.goodbye, b"".as_slice());
    let full = error_response("53300", "sorry, too many clients already");
    let trust = [hex("52 00000008 00000000"), full].concat();
    not_serving(&answers(&trust), "53300");
}

#[test]
fn errors_that_a_login_might_mend_are_up() {
    for (code, text) in [
        (
            "28000",
            "no pg_hba.conf entry for host \"10.0.0.9\", user \"dep-preflight\", database \
             \"dep-preflight\", no encryption",
        ),
        (
            "28P01",
            "password authentication failed for user \"dep-preflight\"",
        ),
        ("3D000", "database \"dep-preflight\" does not exist"),
        ("08P01", "\"trust\" authentication failed"),
        ("XX000", "Tenant or user not found"),
    ] {
        let answer = up(&answers(&error_response(code, text)), code);
        assert_eq!(answer.said, text);
        assert_eq!(answer.note.as_deref(), Some(LOGIN_NOT_CHECKED));
    }
}

#[test]
fn errors_that_no_login_mends_are_not_serving() {
    for (code, text) in [
        ("57P03", "the database system is starting up"),
        ("57P03", "the database system is shutting down"),
        ("57P03", "the database system is not accepting connections"),
        (
            "57P01",
            "terminating connection due to administrator command",
        ),
        ("57P02", "server is not accepting clients"),
        ("53300", "sorry, too many clients already"),
        ("53200", "out of memory"),
        ("58000", "could not open file"),
        ("58P01", "could not open file"),
    ] {
        let answer = not_serving(&answers(&error_response(code, text)), code);
        assert_eq!(answer.said, text);
        assert_eq!(answer.note, None);
    }
}

/// As they were recorded from PostgreSQL 15.20.
#[test]
fn recorded_errors() {
    let stops = hex(r#"45 0000006a "SFATAL" 00 "VFATAL" 00 "C57P03" 00
        "Mthe database system is shutting down" 00 "Fpostmaster.c" 00 "L2430" 00
        "RProcessStartupPacket" 00 00"#);
    let answer = not_serving(&answers(&stops), "57P03");
    assert_eq!(answer.said, "the database system is shutting down");
    let refused = hex(r#"45 000000b1 "SFATAL" 00 "VFATAL" 00 "C28000" 00
        "Mpg_hba.conf rejects connection for host " 22 "127.0.0.1" 22 ", user " 22
        "dep-preflight" 22 ", database " 22 "dep-preflight" 22 ", no encryption" 00
        "Fauth.c" 00 "L476" 00 "RClientAuthentication" 00 00"#);
    up(&answers(&refused), "28000");
}

#[test]
fn an_error_of_a_pooler_has_fewer_fields() {
    let recorded = r#"45 0000003a "SERROR" 00 "C08P01" 00
        "M" 22 "trust" 22 " authentication failed" 00 00"#;
    let mut recorded = hex(recorded);
    let length = u32::try_from(recorded.len() - 1).unwrap();
    recorded[1..5].copy_from_slice(&length.to_be_bytes());
    up(&answers(&recorded), "08P01");
}

#[test]
fn an_error_without_a_code_is_not_serving() {
    let answer = not_serving(
        &answers(&message(b'E', b"SFATAL\0Mout of everything\0\0")),
        "",
    );
    assert_eq!(answer.said, "out of everything");
    let answer = not_serving(&answers(&message(b'E', b"SFATAL\0\0")), "");
    assert_eq!(answer.said, "an error without a code");
}

#[test]
fn an_error_of_protocol_2_is_not_serving() {
    let text = b"Ecould not fork new process for connection: Cannot allocate memory\n\0";
    let answer = not_serving(&answers(text), "");
    assert_eq!(
        answer.said,
        "could not fork new process for connection: Cannot allocate memory"
    );
    let text = b"EFATAL:  sorry, too many clients already\n";
    assert_eq!(answers(text), End::Waits);
    not_serving(&talk_to_its_end(&PROTOCOL, &[startup()], &[text]), "");
    // What the runner of another protocol might say.
    foreign(&answers(b"ERROR\r\n"));
    foreign(&answers(b"E\0\0\0\x04\0"));
}

#[test]
fn notices_are_skipped() {
    let notices = [
        message(b'v', &hex("00030000 00000000")),
        message(b'N', b"SWARNING\0C01000\0Mmaintenance tonight\0\0"),
        hex("52 0000000c 00000005 7f3a91c2"),
    ];
    up(&answers(&notices.concat()), "");
}

#[test]
fn tls_is_asked_for() {
    let request = || hex("00000008 04d2162f");
    let site = Site {
        upgrade: true,
        ..Site::default()
    };
    let upgrade = |ours: &[Vec<u8>], theirs: &[Vec<u8>]| {
        let theirs: Vec<_> = theirs.iter().cloned().map(Says::Bytes).collect();
        play(&PROTOCOL, site, ours, &theirs)
    };
    let scram = hex(r#"52 00000017 0000000a "SCRAM-SHA-256" 00 00"#);
    assert_eq!(
        upgrade(&[request()], &[b"S".to_vec()]),
        End::Moves(Next::StartTls)
    );
    let end = upgrade(&[request(), startup()], &[b"S".to_vec(), scram]);
    assert_eq!(up(&end, "").said, "asks for SCRAM-SHA-256");
    let end = upgrade(&[request()], &[b"N".to_vec()]);
    assert_eq!(not_serving(&end, "").said, "does not offer TLS");
    let full = error_response("53300", "sorry, too many clients already");
    not_serving(&upgrade(&[request()], &[full]), "53300");
    let fork = b"Ecould not fork new process for connection: x\n\0".to_vec();
    not_serving(&upgrade(&[request()], &[fork]), "");
    foreign(&upgrade(&[request()], &[b"G".to_vec()]));
    foreign(&upgrade(&[request()], &[b"HTTP/1.1 400 Bad".to_vec()]));
}

#[test]
fn what_is_no_message_is_foreign() {
    for bytes in [
        b"HTTP/1.1 400 Bad Request\r\n".as_slice(),
        b"-ERR unknown command\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        // A MySQL greeting of 82 bytes, and of 69.
        b"R\0\0\0\x0a11.4.2-MariaDB-ubu2404\0",
        b"E\0\0\0\x0a8.0.36-0ubuntu0\0",
        b"R\0\0\0\x03",
        b"R\0\0\x75\x31",
        b"R\0\0\0\x06\0\0",
        b"N\0\0\0\x03",
        b"N\xff\xff\xff\xff",
        // Only after a login.
        b"Z\0\0\0\x05I",
        b"R\0\0\0\x08\0\0\0\0R\0\0\0\x08\0\0\0\x03",
        // Fields that never end.
        b"E\0\0\0\x0aSFATAL",
    ] {
        foreign(&answers(bytes));
    }
}

#[test]
fn half_an_answer_is_none() {
    for bytes in [
        b"".as_slice(),
        b"R",
        b"R\0\0\0\x17\0\0\0\x0aSCRAM",
        b"E\0\0",
        b"R\0\0\0\x08\0\0\0\0",
    ] {
        assert_eq!(answers(bytes), End::Waits);
        let end = talk_to_its_end(&PROTOCOL, &[startup()], &[bytes]);
        assert_eq!(end, End::Closed);
    }
}
