//! The attempt at a service that is asked by one request over HTTP/2.

use std::net::Ipv6Addr;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use super::{Answered, HTTP2, Open, ServiceProbe, Silent};
use crate::net::Network;
use crate::net::dial::{Progress, dial};
use crate::net::http1::Broken;
use crate::net::http2::{self, Uncalled};
use crate::probe::failure::Unanswered;
use crate::protocol::call::{BODY_LIMIT, Call, Reply};

impl ServiceProbe {
    /// Connects, and calls.
    pub(super) async fn call(
        &self,
        call: &Call,
        network: &Network,
        progress: &Progress,
    ) -> Result<Answered, Unanswered> {
        let request = self.request(call).map_err(Unanswered::Http)?;
        let connection = dial(network, &self.destination(), progress).await;
        let connection = connection.map_err(Unanswered::Dial)?;
        if self.tls && connection.alpn.as_deref() != Some(HTTP2) {
            let why = "no HTTP/2 was agreed on in TLS (ALPN)".to_owned();
            return Err(Unanswered::Http(Broken::NotHttp(why)));
        }
        let body = (call.body)(&self.site());
        match http2::call(connection.stream, request, body).await {
            Ok(answer) => self.read(call, answer).await,
            Err(Uncalled::Broken(broken)) => Err(Unanswered::Http(broken)),
            Err(Uncalled::Foreign(start)) => Err(Unanswered::Service(Silent::Foreign(start))),
            Err(Uncalled::TurnedAway(word)) => Ok(Answered {
                answer: (call.turned_away)(&word),
                open: Open::Nothing,
            }),
        }
    }

    /// Reads as much of an answer as it takes to judge it.
    async fn read(&self, call: &Call, mut answer: http2::Answer) -> Result<Answered, Unanswered> {
        let mut reply = Reply {
            status: answer.status(),
            headers: answer.take_headers(),
            ..Reply::default()
        };
        if (call.goes_on)(&reply) {
            let rest = answer.read(BODY_LIMIT).await.map_err(Unanswered::Http)?;
            (reply.body, reply.trailers) = rest;
        }
        let judged = (call.judge)(&reply, &self.site());
        let not_one = || Broken::NotHttp(NO_MESSAGE.to_owned());
        Ok(Answered {
            answer: judged.ok_or_else(|| Unanswered::Http(not_one()))?,
            open: Open::Http2(Box::new(answer)),
        })
    }

    fn request(&self, call: &Call) -> Result<Request<()>, Broken> {
        let service = &self.service;
        let host = match service.host.parse::<Ipv6Addr>() {
            Ok(ip) => format!("[{ip}]"),
            Err(_) => service.host.clone(),
        };
        let scheme = if self.tls { "https" } else { "http" };
        let uri = format!("{scheme}://{host}:{}{}", service.port, call.path);
        let uri = uri.parse::<Uri>();
        let mut request = Request::new(());
        *request.uri_mut() = uri.map_err(|error| Broken::Unsent(error.to_string()))?;
        *request.method_mut() = Method::POST;
        *request.headers_mut() = call
            .fields
            .iter()
            .map(|(name, value)| {
                let name = HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            })
            .collect::<HeaderMap>();
        Ok(request)
    }
}

/// An answer of HTTP/2 that is none of the protocol's.
const NO_MESSAGE: &str = "its answer is cut short, or no message of this protocol";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{self, Address};
    use crate::protocol::Asks;

    /// The library panics at fields that are not written as HTTP/2 has them, and a host may be
    /// an address.
    #[test]
    fn every_call_can_be_made() {
        for protocol in crate::protocol::PROTOCOLS {
            let Asks::Call(call) = protocol.asks else {
                continue;
            };
            for host in ["dep.test", "10.0.0.1", "[2001:db8::1]"] {
                let url = format!("{}://{host}:50051/a", protocol.name);
                let Ok(Address::Service(service)) = address::target(&url) else {
                    panic!("{url}");
                };
                let probe = ServiceProbe {
                    service,
                    tls: false,
                };
                let request = probe.request(call).unwrap();
                let authority = request.uri().authority().unwrap().to_string();
                assert_eq!(authority, format!("{host}:50051"));
                assert_eq!(request.uri().path(), call.path);
            }
        }
    }
}
