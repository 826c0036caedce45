//! Every row of the table, with bytes as servers send them.

use super::super::transcript::{
    End, Says, foreign, hex, not_serving, play, talk, talk_to_its_end, up,
};
use super::*;

const NOTHING: [Vec<u8>; 0] = [];

/// As it was recorded from MariaDB 10.11.19, without TLS.
fn maria() -> Vec<u8> {
    hex(
        r#"64000000 0a "5.5.5-10.11.19-MariaDB-0+deb12u1" 00 04000000 555b4a404267633a 00
        fef7 08 0200 ff81 15 000000000000 1d000000 394d574f6632672f53365173 00
        "mysql_native_password" 00"#,
    )
}

/// A greeting like MySQL 8's, with TLS.
fn mysql() -> Vec<u8> {
    hex(r#"4a000000 0a "8.0.36" 00 0b000000 3a5d411c2b0f6c71 00
        ffff ff 0200 ffdf 15 00000000000000000000 6f1b58064a3d2e77215a1f43 00
        "caching_sha2_password" 00"#)
}

const SETTINGS: &str = "01820800 00000001 21 0000000000000000000000000000000000000000000000";

/// The login that answers MariaDB's greeting.
fn login() -> Vec<u8> {
    hex(&format!(
        r#"45000001 {SETTINGS} "dep-preflight" 00 00 "mysql_native_password" 00"#
    ))
}

/// The login that answers MySQL's.
fn sha2_login() -> Vec<u8> {
    hex(&format!(
        r#"45000001 {SETTINGS} "dep-preflight" 00 00 "caching_sha2_password" 00"#
    ))
}

fn packet(sequence: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[length, 0, 0, sequence], payload].concat()
}

fn error(sequence: u8, code: u16, text: &str) -> Vec<u8> {
    let code = code.to_le_bytes();
    packet(
        sequence,
        &[&[0xff], code.as_slice(), text.as_bytes()].concat(),
    )
}

#[test]
fn a_login_that_is_refused_is_up() {
    let text = "#28000Access denied for user 'dep-preflight'@'localhost' (using password: NO)";
    let refused = hex(&format!(r#"50000002 ff 1504 "{text}""#));
    let end = talk(&PROTOCOL, &[login()], &[maria(), refused]);
    let answer = up(&end, "1045");
    assert_eq!(
        answer.said,
        "Access denied for user 'dep-preflight'@'localhost' (using password: NO)"
    );
    assert_eq!(answer.note.as_deref(), Some(LOGIN_NOT_CHECKED));
    assert_eq!(answer.goodbye, b"".as_slice());
}

#[test]
fn so_is_any_other_error_that_an_account_might_mend() {
    for (code, text) in [
        (1043, "#08S01Bad handshake"),
        (1044, "#42000Access denied for user ''@'%' to database 'x'"),
        (1049, "#42000Unknown database 'x'"),
        (1105, "#HY000Unknown error"),
        (1156, "#08S01Got packets out of order"),
        (
            1251,
            "#08004Client does not support authentication protocol",
        ),
        (1698, "#28000Access denied for user 'dep-preflight'@'h'"),
        (
            3159,
            "#HY000Connections using insecure transport are prohibited",
        ),
        (4031, "#HY000The client was disconnected by the server"),
        (9001, "#HY000Max connect timeout reached"),
    ] {
        let end = talk(&PROTOCOL, &[login()], &[maria(), error(2, code, text)]);
        let answer = up(&end, &code.to_string());
        assert_eq!(answer.said, text[6..]);
        assert_eq!(answer.note.as_deref(), Some(LOGIN_NOT_CHECKED));
    }
}

#[test]
fn errors_that_no_account_mends_are_not_serving() {
    for (code, text) in [
        (1040, "Too many connections"),
        (1041, "Out of memory"),
        (1053, "Server shutdown in progress"),
        (
            1129,
            "Host '10.0.0.9' is blocked because of many connection errors",
        ),
        (
            1130,
            "Host '127.0.0.2' is not allowed to connect to this MariaDB server",
        ),
        (1135, "Can't create a new thread (errno 11)"),
        (
            1203,
            "User already has more than 'max_user_connections' active connections",
        ),
    ] {
        // In place of the greeting there is no SQLSTATE; MariaDB sends 0 or 1 as the sequence.
        for sequence in [0, 1] {
            let end = talk(&PROTOCOL, &NOTHING, &[error(sequence, code, text)]);
            let answer = not_serving(&end, &code.to_string());
            assert_eq!((answer.said.as_str(), answer.note), (text, None));
        }
        let late = error(2, code, &format!("#08004{text}"));
        let end = talk(&PROTOCOL, &[login()], &[maria(), late]);
        assert_eq!(not_serving(&end, &code.to_string()).said, text);
    }
    let recorded = r#"17000000 ff 1004 "Too many connections""#;
    not_serving(&talk(&PROTOCOL, &NOTHING, &[hex(recorded)]), "1040");
}

#[test]
fn an_error_in_place_of_the_greeting_is_up_if_an_account_might_mend_it() {
    let end = talk(
        &PROTOCOL,
        &NOTHING,
        &[error(0, 1105, "#HY000no such tenant")],
    );
    assert_eq!(up(&end, "1105").said, "no such tenant");
}

#[test]
fn another_method_is_answered_with_nothing() {
    let switch = hex(r#"2c000002 fe "mysql_native_password" 00
        416a74296957583540232b4c7e59233e4f512c27 00"#);
    let refused = |sequence| error(sequence, 1045, "#28000Access denied");
    let end = talk(
        &PROTOCOL,
        &[sha2_login(), hex("00000003")],
        &[mysql(), switch.clone(), refused(4)],
    );
    up(&end, "1045");
    // AuthMoreData: full authentication is wanted.
    let more = packet(4, &[1, 4]);
    let end = talk(
        &PROTOCOL,
        &[sha2_login(), hex("00000003"), hex("00000005")],
        &[mysql(), switch.clone(), more.clone(), refused(6)],
    );
    up(&end, "1045");
    // Each once.
    let end = talk(
        &PROTOCOL,
        &[sha2_login(), hex("00000003")],
        &[mysql(), switch.clone(), switch],
    );
    assert_eq!(up(&end, "").said, "greets as 8.0.36");
    let end = talk(
        &PROTOCOL,
        &[sha2_login(), hex("00000005")],
        &[mysql(), more.clone(), more],
    );
    assert_eq!(up(&end, "").said, "greets as 8.0.36");
}

#[test]
fn a_server_that_lets_anybody_in_is_left_in_order() {
    let ok = packet(2, &[0, 0, 0, 2, 0, 0, 0]);
    let answer = up(&talk(&PROTOCOL, &[login()], &[maria(), ok]), "");
    assert_eq!(answer.said, "asks for no password");
    assert_eq!(answer.note, None);
    assert_eq!(*answer.goodbye, *hex("01000000 01"));
}

#[test]
fn a_greeting_is_up_whatever_comes_then() {
    let greets = "greets as 5.5.5-10.11.19-MariaDB-0+deb12u1";
    let end = talk_to_its_end(&PROTOCOL, &[login()], &[maria()]);
    let answer = up(&end, "");
    assert_eq!(answer.said, greets);
    assert_eq!(answer.note.as_deref(), Some(LOGIN_NOT_CHECKED));
    // It delays refusals.
    let theirs = [Says::Bytes(maria()), Says::Nothing];
    let end = play(&PROTOCOL, Site::default(), &[login()], &theirs);
    assert_eq!(up(&end, "").said, greets);
    for after in [
        b"HTTP/1.1 400".as_slice(),
        b"\x01\0\0\x02\xff",
        b"\x02\0\0\x02\x05x",
    ] {
        let end = talk(&PROTOCOL, &[login()], &[&maria(), after]);
        assert_eq!(up(&end, "").said, greets);
    }
    assert_eq!(
        talk(
            &PROTOCOL,
            &[login()],
            &[&maria(), b"\x20\0\0\x02\xff".as_slice()]
        ),
        End::Waits
    );
}

#[test]
fn protocol_9_is_up() {
    let answer = up(
        &talk(
            &PROTOCOL,
            &NOTHING,
            &[hex(r#"13000000 09 "3.20.1" 00 0b000000 3a5d411c2b0f00"#)],
        ),
        "",
    );
    assert_eq!(answer.said, "greets as 3.20.1");
}

#[test]
fn greetings_without_a_usable_method_are_answered_with_the_oldest() {
    // MySQL 4.1's, which ends behind the salt; one that ends behind the capabilities; one that
    // names a method that cannot be one.
    for recorded in [
        r#"0a "4.1.22" 00 01000000 2e7a3f5b6c21413c 00 2ca2 08 0200
            00000000000000000000000000 5e44407a2c5f71214b60363b 00"#,
        r#"0a "4.1.0" 00 01000000 2e7a3f5b6c21413c 00 0c02"#,
        r#"0a "8.9" 00 01000000 2e7a3f5b6c21413c 00 ffff 08 0200 ffff 15
            00000000000000000000 5e44407a2c5f71214b60363b 00 "../../etc" 00"#,
    ] {
        let greeting = packet(0, &hex(recorded));
        let end = talk(
            &PROTOCOL,
            &[login()],
            &[greeting, error(2, 1045, "#28000No")],
        );
        up(&end, "1045");
    }
    // MySQL 5.5.7: no NUL behind the method.
    let recorded = r#"0a "5.5.7" 00 01000000 2e7a3f5b6c21413c 00 fff7 08 0200 0f80 15
        00000000000000000000 5e44407a2c5f71214b60363b 00 "caching_sha2_password""#;
    let greeting = packet(0, &hex(recorded));
    let end = talk_to_its_end(&PROTOCOL, &[sha2_login()], &[greeting]);
    assert_eq!(up(&end, "").said, "greets as 5.5.7");
}

#[test]
fn tls_is_asked_for() {
    let site = Site {
        upgrade: true,
        ..Site::default()
    };
    let upgrade = |ours: &[Vec<u8>], theirs: &[Vec<u8>]| {
        let theirs: Vec<_> = theirs.iter().cloned().map(Says::Bytes).collect();
        play(&PROTOCOL, site, ours, &theirs)
    };
    let settings = SETTINGS.replacen("0182", "018a", 1);
    let request = || hex(&format!("20000001 {settings}"));
    let login = hex(&format!(
        r#"45000002 {settings} "dep-preflight" 00 00 "caching_sha2_password" 00"#
    ));
    assert_eq!(
        upgrade(&[request()], &[mysql()]),
        End::Moves(Next::StartTls)
    );
    let refused = error(3, 1045, "#28000Access denied");
    up(
        &upgrade(&[request(), login.clone()], &[mysql(), refused]),
        "1045",
    );
    let closes = [Says::Bytes(mysql()), Says::Close];
    let end = play(&PROTOCOL, site, &[request(), login], &closes);
    assert_eq!(up(&end, "").said, "greets as 8.0.36");
    // MariaDB without a certificate, and protocol 9.
    let refused = error(2, 1045, "#28000Access denied");
    let end = upgrade(&[self::login()], &[maria(), refused]);
    assert_eq!(not_serving(&end, "").said, "does not offer TLS");
    let ok = packet(2, &[0, 0, 0, 2, 0, 0, 0]);
    let end = upgrade(&[self::login()], &[maria(), ok]);
    let answer = not_serving(&end, "");
    assert_eq!(answer.said, "does not offer TLS");
    assert_eq!(*answer.goodbye, *hex("01000000 01"));
    let stops = error(2, 1053, "#08S01Server shutdown in progress");
    not_serving(&upgrade(&[self::login()], &[maria(), stops]), "1053");
    let end = upgrade(&[], &[hex(r#"06000000 09 "3.20" 00"#)]);
    assert_eq!(not_serving(&end, "").said, "does not offer TLS");
    not_serving(
        &upgrade(&[], &[error(0, 1040, "Too many connections")]),
        "1040",
    );
}

#[test]
fn what_is_no_packet_is_foreign() {
    for bytes in [
        b"HTTP/1.1 400 Bad Request\r\n".as_slice(),
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"220 mail ESMTP\r\n",
        b"-ERR x\r\n",
        // The X protocol, an empty packet, one that is too long, an OK.
        b"\x05\0\0\0\x0b\x08\x05\x1a\0",
        b"\0\0\0\0\x0a",
        b"\x01\x04\0\0\x0a",
        b"\x07\0\0\0\0\0\0\x02\0\0\0",
        // An error without a code; greetings that end too soon.
        b"\x02\0\0\0\xff\x01",
        b"\x04\0\0\0\x0a8.0",
        b"\x08\0\0\0\x0a8.0\0\x01\0\0",
        b"\x04\0\0\0\x098.0",
    ] {
        foreign(&talk(&PROTOCOL, &NOTHING, &[bytes]));
    }
}

#[test]
fn half_a_greeting_is_none() {
    for length in [0, 3, 4, 5, 40] {
        let half = maria()[..length].to_vec();
        assert_eq!(talk(&PROTOCOL, &NOTHING, &[&half]), End::Waits);
        assert_eq!(talk_to_its_end(&PROTOCOL, &NOTHING, &[&half]), End::Closed);
    }
}
