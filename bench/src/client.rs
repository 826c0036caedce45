//! The bare client that ours is compared with: one thread, epoll, one GET per target, all at
//! once, and nothing but the head is read.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::os::fd::{AsRawFd, RawFd};

use crate::Result;
use crate::sys::{self, Epoll};

/// The subcommand `ask FILE`: each line has an address and a path. Fails unless every one
/// answers 200.
pub fn ask(args: &[String]) -> Result<()> {
    let [file] = args else {
        return Err("ask FILE".into());
    };
    sys::raise_file_limit()?;
    let text = fs::read_to_string(file)?;
    let epoll = Epoll::new()?;
    // By file descriptor.
    let mut open: Vec<Option<(TcpStream, &str)>> = Vec::new();
    let mut left = 0;
    for line in text.lines() {
        let (address, path) = line
            .split_once(' ')
            .ok_or("a line needs an address and a path")?;
        let address: SocketAddrV4 = address.parse()?;
        let stream = TcpStream::from(sys::connect(address)?);
        let fd = stream.as_raw_fd();
        epoll.add(fd, sys::OUT)?;
        if open.len() <= fd as usize {
            open.resize_with(fd as usize + 1, || None);
        }
        open[fd as usize] = Some((stream, path));
        left += 1;
    }
    let asked = left;
    let mut good = 0;
    let mut events = sys::no_events();
    while left > 0 {
        let count = epoll.wait(&mut events, None)?;
        for event in &events[..count] {
            let fd = event.u64 as RawFd;
            let place = &mut open[fd as usize];
            let Some((stream, path)) = place else {
                continue;
            };
            if event.events & sys::OUT != 0 {
                let host = stream.peer_addr()?;
                let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\naccept: */*\r\n\r\n");
                stream.write_all(request.as_bytes())?;
                epoll.change(fd, sys::IN)?;
                continue;
            }
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer)?;
            let head = &buffer[..count];
            if head.starts_with(b"HTTP/1.1 200 ") && head.windows(4).any(|end| end == b"\r\n\r\n") {
                good += 1;
            }
            *place = None;
            left -= 1;
        }
    }
    if good == asked {
        Ok(())
    } else {
        Err(format!("{good} of {asked} answered").into())
    }
}
