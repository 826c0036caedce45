use std::net::{Ipv4Addr, UdpSocket};
use std::thread;

use crate::kit::peer::Action::{Hang, Say, Take};
use crate::kit::peer::Script;
use crate::kit::run::Run;
use crate::kit::server::{Refusing, Server};
use crate::kit::step::Preflight;

/// What a name server does with a question, by its bytes.
type Answers = fn(&[u8]) -> Vec<Vec<u8>>;

fn answer(asked: &[u8], code: u8) -> Vec<u8> {
    let mut message = asked.to_vec();
    message[2] |= 0x80;
    message[3] |= code;
    message
}

/// A name server by UDP, until the process ends. Its port is refused by TCP.
fn by_udp(answers: Answers) -> u16 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut bytes = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut bytes) {
            for message in answers(&bytes[..length]) {
                socket.send_to(&message, from).unwrap();
            }
        }
    });
    port
}

/// A server by TCP that says nothing by UDP, and the socket by which it does not.
fn by_tcp(start: impl Fn() -> Server) -> (Server, UdpSocket) {
    loop {
        let server = start();
        match UdpSocket::bind(server.host()) {
            Ok(silent) => return (server, silent),
            // Somebody else has the port.
            Err(_) => drop(server.maybe()),
        }
    }
}

fn ask(url: &str) -> Run {
    Preflight::probing(url)
        .set("attempts", 1)
        .set("timeout", "3s")
        .run()
}

#[test]
fn a_name_server_answers_by_udp() {
    let table: [(Answers, &str, &str); 5] = [
        (|asked| vec![answer(asked, 0)], "", "NOERROR"),
        (|asked| vec![answer(asked, 5)], "", "REFUSED"),
        (|asked| vec![answer(asked, 3)], "", "NXDOMAIN"),
        (|asked| vec![answer(asked, 2)], "not-serving", "SERVFAIL"),
        // Only an answer to the question counts.
        (
            |asked| {
                let mut other = answer(asked, 2);
                other[0] ^= 1;
                vec![other, asked.to_vec(), b"hello".to_vec(), answer(asked, 0)]
            },
            "",
            "NOERROR",
        ),
    ];
    for (answers, cause, code) in table {
        let port = by_udp(answers);
        for path in ["", "/dep.example"] {
            let run = ask(&format!("dns://127.0.0.1:{port}{path}"));
            let found = (run.output("cause"), run.output("code"));
            assert_eq!(found, (cause, code), "{run}");
            let phases = &run.attempts()[0]["phases"];
            assert!(phases["response_ms"].is_number(), "{run}");
            assert!(phases["connect_ms"].is_null(), "{run}");
        }
    }
}

#[test]
fn a_port_that_nobody_has_is_refused() {
    let port = Refusing::new();
    let run = ask(&format!("dns://{}", port.host()));
    run.down("refused").shows(&[&port.host()]);
}

/// Nothing comes by UDP, and TCP is refused.
#[test]
fn silence_by_udp_and_a_refusal_by_tcp_is_a_refusal() {
    let port = by_udp(|_| Vec::new());
    ask(&format!("dns://127.0.0.1:{port}")).down("refused");
}

#[test]
fn where_udp_is_silent_it_asks_by_tcp() {
    let table: [(Script, &str, &str); 4] = [
        (
            &[Take(19), Say(b"SSH-2.0-OpenSSH_9.9\r\n"), Hang],
            "protocol",
            "SSH",
        ),
        (&[Take(19)], "closed", ""),
        (&[Hang], "response-timeout", ""),
        (&[Take(19), Say(b"\0\x11"), Hang], "response-timeout", ""),
    ];
    for (script, cause, words) in table {
        let (server, _silent) = by_tcp(|| Server::script(script));
        let run = ask(&format!("dns://{}", server.host()));
        run.down(cause).shows(&[words]);
    }
    let (server, _silent) = by_tcp(|| {
        Server::start(|peer| {
            let asked = peer.read(19).unwrap();
            peer.send([&asked[..2], &answer(&asked[2..], 5)].concat());
        })
    });
    let run = ask(&format!("dns://{}", server.host()));
    assert_eq!(run.up().output("code"), "REFUSED", "{run}");
}

/// IPv6 is refused, IPv4 answers: addresses race as those of connections do.
#[test]
fn every_address_of_a_name_is_asked() {
    let port = by_udp(|asked| vec![answer(asked, 0)]);
    let run = ask(&format!("dns://localhost:{port}"));
    assert_eq!(run.up().output("code"), "NOERROR", "{run}");
}
