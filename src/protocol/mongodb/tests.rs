use super::super::transcript::{End, foreign, not_serving, talk, talk_to_its_end, up};
use super::*;

/// What FerretDB 1.24.0 answers.
const ANSWER: &[u8] = b"\
    \xfb\0\0\0\x01\0\0\0\x01\0\0\0\xdd\x07\0\0\0\0\0\0\0\xe6\0\0\0\x08isWritablePrimar\
    y\0\x01\x10maxBsonObjectSize\0\0\0\0\x01\x10maxMessageSizeBytes\0\0l\xdc\x02\x10ma\
    xWriteBatchSize\0\xa0\x86\x01\0\x09localTime\0h\xd3\xc9\x1c\xa2\x01\0\0\x10logical\
    SessionTimeoutMinutes\0\x1e\0\0\0\x10connectionId\0*\0\0\0\x10minWireVersion\0\0\0\
    \0\0\x10maxWireVersion\0\x15\0\0\0\x08readOnly\0\0\x01ok\0\0\0\0\0\0\0\xf0?\0";

/// Fields of documents, as servers send them.
fn yes(name: &str) -> Vec<u8> {
    [b"\x08", name.as_bytes(), b"\0\x01"].concat()
}

fn no(name: &str) -> Vec<u8> {
    [b"\x08", name.as_bytes(), b"\0\0"].concat()
}

fn text(name: &str, value: &str) -> Vec<u8> {
    let length = u32::try_from(value.len() + 1).unwrap().to_le_bytes();
    [
        b"\x02",
        name.as_bytes(),
        b"\0",
        &length,
        value.as_bytes(),
        b"\0",
    ]
    .concat()
}

fn number(name: &str, value: i32) -> Vec<u8> {
    [b"\x10", name.as_bytes(), b"\0", &value.to_le_bytes()].concat()
}

fn double(name: &str, value: f64) -> Vec<u8> {
    [b"\x01", name.as_bytes(), b"\0", &value.to_le_bytes()].concat()
}

fn document(fields: &[Vec<u8>]) -> Vec<u8> {
    let fields = fields.concat();
    let length = u32::try_from(fields.len() + 5).unwrap().to_le_bytes();
    [&length[..], &fields, &[0]].concat()
}

fn message(opcode: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + HEADER).unwrap();
    let header = [length, 77, ID, opcode].map(u32::to_le_bytes);
    [header.as_flattened(), body].concat()
}

fn op_msg(fields: &[Vec<u8>]) -> Vec<u8> {
    message(OP_MSG, &[&[0; 5], &document(fields)[..]].concat())
}

fn answer(bytes: &[u8]) -> End {
    talk(&PROTOCOL, &[REQUEST], &[bytes])
}

/// What comes of a document with `ok: 1` and these fields.
fn hello(fields: &[Vec<u8>]) -> End {
    // What every server sends, too, in front of it and behind it.
    let front = [
        b"\x03topologyVersion\0\x2d\0\0\0\x07processId\0twelve bytes\x12counter\0\0\0\0\0\0\0\0\0\0"
            .to_vec(),
    ];
    let back = [
        number("maxWireVersion", 25),
        no("readOnly"),
        double("ok", 1.0),
    ];
    let all = [front.as_slice(), fields, back.as_slice()].concat();
    answer(&op_msg(&all))
}

fn refusal(code: i32) -> End {
    answer(&op_msg(&[
        double("ok", 0.0),
        text("errmsg", "no"),
        number("code", code),
        text("codeName", "Name"),
    ]))
}

#[test]
fn the_request_is_the_one_that_was_tried() {
    assert_eq!(REQUEST.len(), 52);
    let expected = [number("hello", 1), text("$db", "admin")];
    let mut message = op_msg(&expected);
    // Ours has the id 1, and answers nothing.
    message[4..12].copy_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(REQUEST, message);
}

#[test]
fn who_takes_writes_is_up() {
    assert_eq!(ANSWER.len(), 251);
    up(&answer(ANSWER), "");
    let alone = up(&hello(&[yes("isWritablePrimary")]), "");
    assert_eq!(alone.note, None);
    let old = up(&hello(&[yes("ismaster"), text("setName", "rs0")]), "");
    assert_eq!(old.said, "primary of rs0");
    let primary = [
        text("setName", "rs0"),
        yes("isWritablePrimary"),
        no("secondary"),
        text("primary", "db1:27017"),
    ];
    up(&hello(&primary), "");
    let mongos = [yes("isWritablePrimary"), text("msg", "isdbgrid")];
    assert_eq!(up(&hello(&mongos), "").said, "mongos");
    assert_eq!(up(&hello(&[text("msg", "isdbgrid")]), "").said, "mongos");
}

#[test]
fn a_secondary_is_up_as_long_as_there_is_a_primary() {
    let member = |kind: &str| vec![text("setName", "rs0"), no("isWritablePrimary"), yes(kind)];
    for (kind, part) in [("secondary", "secondary"), ("arbiterOnly", "arbiter")] {
        let mut fields = member(kind);
        let alone = not_serving(&hello(&fields), "");
        assert!(alone.said.contains("no primary"), "{alone:?}");
        fields.push(text("primary", "db1:27017"));
        let answered = up(&hello(&fields), "");
        assert_eq!(answered.said, format!("{part} of rs0"));
        let note = format!("{part} of db1:27017, which was not asked");
        assert_eq!(answered.note.as_deref(), Some(note.as_str()));
    }
}

#[test]
fn a_replica_set_that_is_not_initiated_is_not_serving() {
    let fields = [
        no("isWritablePrimary"),
        no("secondary"),
        text("info", "Does not have a valid replica set config"),
        yes("isreplicaset"),
    ];
    let answered = not_serving(&hello(&fields), "");
    assert_eq!(
        answered.said,
        "Does not have a valid replica set config: rs.initiate() is missing"
    );
    not_serving(&hello(&[yes("isreplicaset")]), "");
}

#[test]
fn a_member_that_is_neither_is_not_serving() {
    let fields = [
        text("setName", "rs0"),
        no("isWritablePrimary"),
        no("secondary"),
        text("primary", "db1:27017"),
    ];
    let answered = not_serving(&hello(&fields), "");
    assert!(answered.said.contains("recovers"), "{answered:?}");
}

#[test]
fn who_says_nothing_of_this_is_up() {
    assert_eq!(up(&hello(&[]), "").said, "answers hello");
}

#[test]
fn errors() {
    for code in [91, 189, 10107, 11600, 11602, 13435, 13436] {
        not_serving(&refusal(code), &code.to_string());
    }
    for code in [13, 18] {
        let answered = up(&refusal(code), &code.to_string());
        assert_eq!(answered.note.as_deref(), Some(LOGIN_NOT_CHECKED));
    }
    let unknown = up(&refusal(59), "59");
    assert_eq!(
        (unknown.said.as_str(), unknown.note),
        ("error 59: no", None)
    );
    up(&answer(&op_msg(&[double("ok", 0.0)])), "");
    // Whatever type a server has for it.
    up(&answer(&op_msg(&[number("ok", 1)])), "");
    up(&answer(&op_msg(&[yes("ok")])), "");
}

#[test]
fn the_old_form_of_an_answer_is_read() {
    let document = document(&[yes("ismaster"), double("ok", 1.0)]);
    let body = [&[8, 0, 0, 0], &[0; 12][..], &[1, 0, 0, 0], &document].concat();
    up(&answer(&message(OP_REPLY, &body)), "");
}

#[test]
fn an_answer_counts_once_it_is_whole() {
    for end in 0..ANSWER.len() {
        assert_eq!(answer(&ANSWER[..end]), End::Waits, "{end}");
        let cut = talk_to_its_end(&PROTOCOL, &[REQUEST], &[&ANSWER[..end]]);
        assert_eq!(cut, End::Closed, "{end}");
    }
}

#[test]
fn what_is_not_mongodb() {
    let good = op_msg(&[double("ok", 1.0)]);
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    for bytes in [
        b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n".to_vec(),
        b"\x15\x03\x03\0\x02\x02\x46".to_vec(),
        // Lengths that cannot be: too short, beyond the limit, negative.
        b"\x0f\0\0\0".to_vec(),
        b"\x01\0\x01\0".to_vec(),
        b"\xff\xff\xff\xff".to_vec(),
        // An answer to another request, another opcode, another kind of section.
        changed(8, 9),
        changed(12, 0),
        changed(20, 1),
        // A document that lies about its length, and one that does not say how it went.
        changed(21, 200),
        op_msg(&[yes("isWritablePrimary")]),
        message(OP_MSG, &[0; 5]),
        message(OP_REPLY, &[]),
    ] {
        foreign(&answer(&bytes));
    }
}

#[test]
fn the_longest_answer_is_read() {
    let fixed = op_msg(&[text("x", ""), double("ok", 1.0)]).len();
    let long = "x".repeat(LIMIT - fixed);
    let whole = op_msg(&[text("x", &long), double("ok", 1.0)]);
    assert_eq!(whole.len(), LIMIT);
    up(&answer(&whole), "");
}
