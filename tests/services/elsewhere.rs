use std::net::TcpListener;
use std::thread;

use tokio::io::copy_bidirectional;
use tokio::net::TcpSocket;

/// Where it comes from: an address of this machine that some servers do not take for it.
pub(crate) const ELSEWHERE: &str = "127.0.0.2";

/// A port from which it goes on to the server's, from another host for all that this knows.
pub(crate) fn relay(port: u16) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let here = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let socket = TcpSocket::new_v4().unwrap();
                    socket
                        .bind(format!("{ELSEWHERE}:0").parse().unwrap())
                        .unwrap();
                    let there = format!("127.0.0.1:{port}").parse().unwrap();
                    if let Ok(mut far) = socket.connect(there).await {
                        copy_bidirectional(&mut near, &mut far).await.ok();
                    }
                });
            }
        });
    });
    here
}
