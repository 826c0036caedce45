//! The attempt at a service that is asked in a datagram: by UDP, and by TCP where that is not
//! answered.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;

use tokio::net::UdpSocket;

use super::{Answered, End, Open, ServiceProbe, Silent, talk};
use crate::durations::DATAGRAM;
use crate::net::Network;
use crate::net::dial::{self, Progress};
use crate::net::timer::{in_time, within};
use crate::probe::failure::Unanswered;
use crate::protocol::{Answer, Question};

/// The most of a datagram that is looked at, in bytes.
const BUFFER: usize = 4096;

/// What an address has said.
type Said = Result<Answered, Silent>;

impl ServiceProbe {
    /// Asks all addresses, as a connection to them would be made.
    pub(super) async fn question(
        &self,
        question: &'static Question,
        network: &Network,
        progress: &Progress,
    ) -> Result<Answered, Unanswered> {
        // Not to be guessed by who cannot see it (RFC 5452, 9.1).
        let asked = (question.ask)(&self.site(), fastrand::u16(..));
        let (host, port) = (&self.service.host, self.service.port);
        let ask = |at| ask(question, asked.clone(), at, progress);
        let said = dial::race(network, host, port, progress, ask).await;
        said.map_err(Unanswered::Dial)?.map_err(Unanswered::Service)
    }
}

/// Asks one address.
async fn ask(
    question: &Question,
    asked: Vec<u8>,
    at: SocketAddr,
    progress: &Progress,
) -> io::Result<Said> {
    let mut by_udp = pin!(by_udp(question, &asked, at));
    if let Some(said) = within(DATAGRAM, by_udp.as_mut()).await {
        return said;
    }
    let by_tcp = pin!(by_tcp(question, &asked, at, progress));
    let failed = tokio::select! {
        biased;
        said = by_udp.as_mut() => return said,
        said = by_tcp => match said {
            Err(failed) => failed,
            said => return said,
        },
    };
    // A name server may do without TCP, and be slow.
    let patience = tokio::time::Instant::now() + DATAGRAM;
    in_time(patience, by_udp).await.done.unwrap_or(Err(failed))
}

async fn by_udp(question: &Question, asked: &[u8], at: SocketAddr) -> io::Result<Said> {
    let any = match at {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(any).await?;
    // Others than this address are not heard, and a refusal of it (ICMP) is.
    socket.connect(at).await?;
    socket.send(asked).await?;
    let mut buffer = vec![0; BUFFER];
    loop {
        let length = socket.recv(&mut buffer).await?;
        let datagram = buffer.get(..length).unwrap_or_default();
        if let Some(answer) = (question.read)(asked, datagram) {
            return Ok(Ok(answered(answer, Open::Nothing)));
        }
    }
}

async fn by_tcp(
    question: &Question,
    asked: &[u8],
    at: SocketAddr,
    progress: &Progress,
) -> io::Result<Said> {
    let mut stream = dial::tcp(at, progress).await?;
    let mut greeting = (question.stream)(asked.to_vec());
    Ok(match talk(&mut stream, &mut *greeting).await {
        Ok(End::Answer(answer)) => Ok(answered(answer, Open::Stream(stream))),
        // No such greeting goes on elsewhere.
        Ok(End::StartTls | End::Reconnect) => Err(Silent::Closed),
        Err(silent) => Err(silent),
    })
}

const fn answered(answer: Answer, open: Open) -> Answered {
    Answered { answer, open }
}
