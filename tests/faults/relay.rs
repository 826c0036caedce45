use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

/// A relay for TCP: everything arrives later by `delay`, and in pieces of so many bytes.
pub(crate) fn tcp(at: &str, to: &str, delay: Duration, piece: usize) {
    let listener = TcpListener::bind(at).unwrap();
    let to = to.to_owned();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            thread::sleep(delay);
            let Ok(server) = TcpStream::connect(&to) else {
                return;
            };
            for (mut from, mut into) in [
                (client.try_clone().unwrap(), server.try_clone().unwrap()),
                (server, client),
            ] {
                thread::spawn(move || {
                    let mut bytes = [0; 4096];
                    while let Ok(length @ 1..) = from.read(&mut bytes) {
                        thread::sleep(delay);
                        for bytes in bytes[..length].chunks(piece) {
                            if into.write_all(bytes).is_err() {
                                return;
                            }
                            thread::sleep(Duration::from_millis(1));
                        }
                    }
                    into.shutdown(std::net::Shutdown::Write).ok();
                });
            }
        }
    });
}

/// A relay for datagrams: answers come in pairs, the second one first and twice, and late.
pub(crate) fn udp(at: &str, to: &str, delay: Duration) {
    let outside = UdpSocket::bind(at).unwrap();
    let to = to.to_owned();
    thread::spawn(move || {
        let mut waiting = Vec::new();
        let mut bytes = [0; 4096];
        while let Ok((length, from)) = outside.recv_from(&mut bytes) {
            let inside = UdpSocket::bind("0.0.0.0:0").unwrap();
            inside
                .set_read_timeout(Some(Duration::from_secs(5)))
                .unwrap();
            inside.send_to(&bytes[..length], &to).unwrap();
            let Ok(length) = inside.recv(&mut bytes) else {
                continue;
            };
            waiting.push((bytes[..length].to_vec(), from));
            if waiting.len() == 2 {
                thread::sleep(delay);
                for (answer, from) in waiting.drain(..).rev() {
                    outside.send_to(&answer, from).unwrap();
                    outside.send_to(&answer, from).unwrap();
                }
            }
        }
    });
}
