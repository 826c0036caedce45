//! What an answer means, and what the lack of one does.

use std::time::{Instant, SystemTime};

use reqwest::Url;

use super::HttpProbe;
use super::answer::{Answer, phrase, retry_after};
use super::hop::{Hop, Shared, lock, phases_of};
use crate::net::dial::Seen;
use crate::probe::failure::{Failure, Limit, Scene, Twin};
use crate::probe::{Attempt, Cause};
use crate::text;

impl HttpProbe {
    /// Judges the last answer.
    pub(super) async fn judge(
        &self,
        answer: &mut Answer,
        hop: &Hop,
        walk: &Shared,
        until: Instant,
    ) -> Attempt {
        let status = answer.status;
        let (phases, evidence, followed, expected, certificate) = {
            let state = lock(walk);
            let certificate = state.certificate_note();
            let (phases, evidence) = (state.phases, state.evidence);
            (
                phases,
                evidence,
                state.followed,
                state.expected,
                certificate,
            )
        };
        let speaks_for_target = hop.speaks_for_target();
        let mut attempt = Attempt {
            address: Some(answer.from),
            through_proxy: hop.proxy().is_some(),
            http_status: Some(status),
            code: Some(status.to_string()),
            phases,
            final_url: (followed > 0).then(|| self.show(hop, text::LONG)),
            evidence,
            ..Attempt::blank()
        };
        if let Some(proxy) = hop.proxy().filter(|_| speaks_for_target && status == 407) {
            attempt.cause = Some(Cause::Proxy);
            attempt.detail = format!("the proxy {} wants a login (407)", proxy.shown);
            return attempt;
        }
        if answer.is_beyond_limits() {
            attempt.cause = Some(Cause::Protocol);
            attempt.http_status = None;
            attempt.code = None;
            attempt.detail = String::from(
                "something answered, with a head beyond the limits of 256 KiB and 256 fields",
            );
            return attempt;
        }
        if self.expect.contains(status) {
            attempt.detail = phrase(status);
            if let Some(note) = certificate {
                attempt.add_note(note);
            }
            return attempt;
        }
        attempt.cause = Some(Cause::Status);
        attempt.retry_after = retry_after(&answer.headers, SystemTime::now());
        let mut detail = phrase(status);
        if followed > 0 {
            detail.push_str(&format!(" from {}", self.show(hop, text::PIECE)));
        }
        if answer.withheld && self.redirects > 0 {
            detail.push_str(", to a link-local address, where no redirect is followed");
        }
        if let Some(expected) = expected.filter(|_| status < 500) {
            detail.push_str(&format!(
                "; the redirect before it ({expected}) is expected: to judge that one, set `redirects: 0`"
            ));
        }
        if speaks_for_target {
            detail
                .push_str("; this may be the answer of the proxy on the way, not the target's own");
        }
        if hop.told.may_show_text()
            && let Some(said) = answer.read_text(until).await
        {
            detail.push_str(&format!(": {}", text::sanitize(&said, text::PIECE)));
        }
        attempt.detail = detail;
        attempt
    }

    /// An attempt that is up without an answer: the server wants a client certificate.
    pub(super) fn wants_login(&self, walk: &Shared) -> Attempt {
        let mut state = lock(walk);
        if let Some(hop) = state.hop.clone() {
            state.certified(&hop);
        }
        let mut attempt = Attempt {
            detail: "TLS, with a request for a client certificate".to_owned(),
            code: Some("client-certificate".to_owned()),
            note: Some("it asked for a client certificate; the login was not checked".into()),
            phases: state.phases,
            evidence: state.evidence,
            ..Attempt::blank()
        };
        if let Some(hop) = &state.hop {
            attempt.address = hop.seen().address();
            attempt.through_proxy = hop.proxy().is_some();
            attempt.phases = state.phases.plus(phases_of(hop, None));
            attempt.final_url = (state.followed > 0).then(|| self.show(hop, text::LONG));
            hop.sign(attempt.address, &mut attempt.evidence);
        }
        if let Some(note) = state.certificate_note() {
            attempt.add_note(note);
        }
        attempt
    }

    /// An attempt that got no answer, with what is known of how far it came.
    pub(super) fn fail(
        &self,
        walk: &Shared,
        limit: Limit,
        why: impl Fn(&Scene<'_>) -> Failure,
    ) -> Attempt {
        let state = lock(walk);
        let Some(hop) = &state.hop else {
            let scene = Scene {
                host: self.url.host_str().unwrap_or_default(),
                protocol: "HTTP",
                proxy: None,
                seen: &Seen::default(),
                limit,
                redirected: false,
                http1: false,
                twin: Twin::Http("https"),
            };
            let failure = why(&scene);
            return Attempt {
                cause: Some(failure.cause),
                detail: failure.detail,
                ..Attempt::blank()
            };
        };
        let seen = hop.seen();
        let redirected = state.followed > 0;
        let failure = why(&Scene {
            host: hop.url.host_str().unwrap_or_default(),
            protocol: "HTTP",
            proxy: hop.proxy(),
            seen: &seen,
            limit,
            redirected,
            http1: hop.http1 && !self.names_a_host(),
            twin: Twin::Http(if self.websocket && !redirected {
                "wss"
            } else {
                "https"
            }),
        });
        let address = seen.address();
        let mut evidence = state.evidence;
        // What a plain proxy does to a connection is its own doing.
        if failure.cause.is_evidence() && !hop.speaks_for_target() {
            hop.sign(address, &mut evidence);
        }
        let shown = self.show(hop, text::PIECE);
        Attempt {
            address,
            cause: Some(failure.cause),
            detail: if redirected {
                format!("redirected to {shown}: {}", failure.detail)
            } else {
                failure.detail
            },
            final_url: redirected.then_some(shown),
            phases: state.phases.plus(phases_of(hop, None)),
            evidence,
            through_proxy: hop.proxy().is_some(),
            ..Attempt::blank()
        }
    }

    /// An address on the way, fit to be shown. Where an earlier request carried a query or own
    /// headers, the server may have put them into the address that it leads to: only the host
    /// is shown then, and a path that is the target's own.
    fn show(&self, hop: &Hop, limit: usize) -> String {
        if hop.told.before {
            show_origin(&hop.url, &self.url, limit)
        } else {
            text::show_url(&hop.url, limit)
        }
    }
}

fn show_origin(url: &Url, own: &Url, limit: usize) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    if url.path() != own.path() && url.path() != "/" {
        shown.set_path("/***");
    }
    let mut shown = text::show_url(&shown, limit);
    if url.query().is_some() {
        shown.push_str("?***");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_ones_own_are_shown() {
        let own = Url::parse("https://h.example/pay?sig=S3cret").unwrap();
        for (url, shown) in [
            ("https://h.example/pay", "https://h.example/pay"),
            (
                "https://h.example/pay?S3cret=1",
                "https://h.example/pay?***",
            ),
            ("https://o.example:8443/", "https://o.example:8443/"),
            ("https://o.example/cb/S3cret", "https://o.example/***"),
            ("https://o.example/cb/S3cret?x", "https://o.example/***?***"),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(show_origin(&url, &own, text::LONG), shown);
        }
    }
}
