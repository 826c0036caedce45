//! The request of one hop, by the version of HTTP that it goes out in.

use http::header::{ACCEPT, HOST, PROXY_AUTHORIZATION, USER_AGENT};
use http::uri::InvalidUri;
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use reqwest::Url;

use super::hop::Hop;
use crate::net::client;
use crate::net::http1::Broken;

/// The address as the HTTP libraries have it.
pub(super) fn uri(url: &Url) -> Result<Uri, Broken> {
    let parsed = url.as_str().parse();
    parsed.map_err(|error: InvalidUri| Broken::Unsent(error.to_string()))
}

/// Over HTTP/2, where the address carries the host, and the library refuses to send what is about
/// one connection of HTTP/1.
pub(super) fn http2(uri: Uri, method: &Method, mut own: HeaderMap) -> Request<()> {
    own.remove("proxy-connection");
    let mut request = Request::new(());
    *request.method_mut() = method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = with_ours(own);
    request
}

/// Over HTTP/1.1: to a proxy that speaks for the target with the whole address and its login, to
/// everybody else with the path.
pub(super) fn http1(hop: &Hop, uri: Uri, method: &Method, own: HeaderMap) -> Request<String> {
    let mut headers = with_ours(own);
    let speaker = hop.proxy().filter(|proxy| proxy.speaks_for_target);
    if let Some(login) = speaker.and_then(|proxy| proxy.login.clone()) {
        headers.insert(PROXY_AUTHORIZATION, login);
    }
    let host = hop.url.host_str().unwrap_or_default();
    let named = match hop.url.port() {
        Some(port) => HeaderValue::try_from(format!("{host}:{port}")),
        None => HeaderValue::from_str(host),
    };
    // A host of an address always is a value.
    if let Ok(named) = named {
        headers.entry(HOST).or_insert(named);
    }
    let mut request = Request::new(String::new());
    *request.method_mut() = method.clone();
    *request.headers_mut() = headers;
    *request.uri_mut() = match (speaker, uri.path_and_query()) {
        (None, Some(path)) => Uri::from(path.clone()),
        _ => uri,
    };
    request
}

/// What every request says beside the target's own headers.
fn with_ours(mut headers: HeaderMap) -> HeaderMap {
    let ours = HeaderValue::from_static;
    headers.entry(ACCEPT).or_insert(ours("*/*"));
    let agent = headers.entry(USER_AGENT);
    agent.or_insert(ours(client::USER_AGENT));
    headers
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::HeaderName;

    use super::*;
    use crate::net::proxy::{Proxy, Tunnel};

    fn hop(url: &str, speaks_for_target: Option<bool>) -> Hop {
        Hop {
            url: Url::parse(url).unwrap(),
            proxy: Ok(speaks_for_target.map(|speaks_for_target| Proxy {
                login: Some(HeaderValue::from_static("Basic x")),
                shown: String::new(),
                host: String::new(),
                port: 80,
                speaks_for_target,
                encrypted: false,
                tunnel: Tunnel::Connect,
            })),
            redirected: false,
            progress: Arc::default(),
            http1: false,
            told: super::super::hop::Told::default(),
        }
    }

    #[test]
    fn a_request_is_written_for_who_reads_it() {
        for (url, proxy, line, host, login) in [
            ("http://dep.test/a?b", None, "/a?b", "dep.test", false),
            ("http://dep.test:80/#f", None, "/", "dep.test", false),
            ("http://dep.test:81/", None, "/", "dep.test:81", false),
            ("https://[::1]:8443/", None, "/", "[::1]:8443", false),
            ("https://dep.test/", Some(false), "/", "dep.test", false),
            (
                "http://dep.test/a?b",
                Some(true),
                "http://dep.test/a?b",
                "dep.test",
                true,
            ),
        ] {
            let hop = hop(url, proxy);
            let request = http1(&hop, uri(&hop.url).unwrap(), &Method::GET, HeaderMap::new());
            assert_eq!(request.uri().to_string(), line, "{url}");
            assert_eq!(request.headers()[HOST], host, "{url}");
            let sent = request.headers().contains_key(PROXY_AUTHORIZATION);
            assert_eq!(sent, login, "{url}");
        }
    }

    #[test]
    fn what_is_about_a_connection_of_http1_is_not_said_over_http2() {
        let uri = Uri::from_static("https://dep.test/");
        let own = HeaderMap::from_iter([(
            HeaderName::from_static("proxy-connection"),
            HeaderValue::from_static("keep-alive"),
        )]);
        let request = http2(uri, &Method::GET, own);
        assert_eq!(request.headers().len(), 2, "{request:?}");
    }

    #[test]
    fn ones_own_headers_win() {
        let hop = hop("http://dep.test/", None);
        let own = HeaderMap::from_iter([
            (HOST, HeaderValue::from_static("other.test")),
            (ACCEPT, HeaderValue::from_static("text/plain")),
        ]);
        let request = http1(&hop, uri(&hop.url).unwrap(), &Method::GET, own);
        assert_eq!(request.headers()[HOST], "other.test");
        assert_eq!(request.headers()[ACCEPT], "text/plain");
        assert_eq!(request.headers()[USER_AGENT], client::USER_AGENT);
    }
}
