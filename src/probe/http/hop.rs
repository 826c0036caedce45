//! One request on the way from redirect to redirect, how far it came, and what it told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Url;

use super::is_this_machine_host;
use crate::net::dial::{Progress, Seen};
use crate::net::proxy::{Proxy, Unusable};
use crate::net::tls::ends;
use crate::probe::{Evidence, Phases};
use crate::text;

/// How far an attempt came. Shared with the timeout around it.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// The request under way, or the last one.
    pub(super) hop: Option<Hop>,
    /// Phases of the requests that are over.
    pub(super) phases: Phases,
    pub(super) evidence: Evidence,
    /// How many redirects were followed.
    pub(super) followed: u32,
    /// The status of a redirect that was followed, though it is an expected one itself.
    pub(super) expected: Option<u16>,
    /// How long the certificate is still valid that ends first, and whose it is.
    left: Option<(Duration, String)>,
}

#[derive(Debug, Clone)]
pub(super) struct Hop {
    pub(super) url: Url,
    /// The proxy on the way, if there is one, or why it cannot be used.
    pub(super) proxy: Result<Option<Proxy>, Unusable>,
    /// Whether a redirect led to it.
    pub(super) redirected: bool,
    /// How far its connection came.
    pub(super) progress: Arc<Progress>,
    /// Whether the server asked for HTTP/1.1, so that no other version is offered.
    pub(super) http1: bool,
    /// What the server may know from this request and those before it.
    pub(super) told: Told,
}

/// What a server may repeat, and what its text may be about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// A request before this one carried a query or own headers: this one's address may repeat
    /// them.
    pub(super) before: bool,
    /// This one, or one before it, carried a query or own headers.
    pub(super) now: bool,
    /// A redirect led to another origin.
    pub(super) strayed: bool,
}

impl Told {
    /// After a redirect to `url`, for a target that asks `target`.
    pub(super) fn redirected(self, url: &Url, target: &Url) -> Self {
        Self {
            before: self.now,
            now: self.now || has_query(url),
            strayed: self.strayed || url.origin() != target.origin(),
        }
    }

    /// Whether the text of an answer may be shown: it cannot repeat what was sent, and it is
    /// the target's own.
    pub(super) const fn may_show_text(self) -> bool {
        !self.now && !self.strayed
    }
}

pub(super) fn has_query(url: &Url) -> bool {
    url.query().is_some_and(|query| !query.is_empty())
}

impl Hop {
    /// The proxy on the way, if there is one that can be used.
    pub(super) fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref().ok()?.as_ref()
    }

    /// Notes that something came back. Through a proxy it is the target's all the same, so it
    /// counts by where the target is, not by where the proxy is.
    pub(super) fn sign(&self, from: Option<SocketAddr>, evidence: &mut Evidence) {
        match self.proxy() {
            Some(_) => evidence.add_from(is_this_machine_host(&self.url)),
            None => evidence.add(from),
        }
    }

    /// The same request again, over HTTP/1.1.
    pub(super) fn over_http1(self) -> Self {
        Self {
            progress: Arc::default(),
            http1: true,
            ..self
        }
    }

    pub(super) fn speaks_for_target(&self) -> bool {
        self.proxy().is_some_and(|proxy| proxy.speaks_for_target)
    }

    pub(super) fn seen(&self) -> Seen {
        self.progress.seen()
    }
}

pub(super) type Shared = Mutex<Walk>;

pub(super) fn lock(walk: &Shared) -> std::sync::MutexGuard<'_, Walk> {
    walk.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Walk {
    /// The request under way is over: its phases become part of the sum.
    pub(super) fn over(&mut self, hop: &Hop, headed: Option<Instant>) {
        self.phases = self.phases.plus(phases_of(hop, headed));
        self.certified(hop);
    }

    /// A server on the way has shown its certificate.
    pub(super) fn certified(&mut self, hop: &Hop) {
        if let Some(left) = hop.seen().certificate_left()
            && self.left.as_ref().is_none_or(|(first, _)| left < *first)
        {
            let host = hop.url.host_str().unwrap_or_default();
            self.left = Some((left, text::sanitize(host, text::PIECE)));
        }
    }

    /// A note if one of these certificates ends soon.
    pub(super) fn certificate_note(&self) -> Option<String> {
        let (left, host) = self.left.as_ref()?;
        let ends = ends::words(*left)?;
        // Where there were several servers it says which.
        Some(if self.followed > 0 {
            format!("the certificate of {host} {ends}")
        } else {
            format!("the certificate {ends}")
        })
    }
}

/// Where the time of a request went whose head came at `headed`, if it came.
pub(super) fn phases_of(hop: &Hop, headed: Option<Instant>) -> Phases {
    let seen = hop.seen();
    let response = || Some(headed?.saturating_duration_since(seen.open_since()?));
    Phases {
        dns: seen.name_took(),
        connect: seen.connect_took(),
        tls: seen.tls_took(),
        response: response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shown_only_where_it_cannot_repeat_what_was_sent() {
        let url = |text: &str| Url::parse(text).unwrap();
        let target = url("http://h.example/");
        let nothing = Told::default();
        assert!(nothing.may_show_text());
        for (next, before, may) in [
            ("http://h.example/other", nothing, true),
            ("http://h.example/other?", nothing, true),
            ("http://h.example/other?a=b", nothing, false),
            ("http://h.example:81/", nothing, false),
            ("https://h.example/", nothing, false),
            ("http://other.example/", nothing, false),
        ] {
            let told = before.redirected(&url(next), &target);
            assert_eq!(told.may_show_text(), may, "{next}");
            let back = told.redirected(&target, &target);
            assert_eq!(back.may_show_text(), may, "back from {next}");
        }
        let sent = Told {
            now: true,
            ..nothing
        };
        assert!(!sent.may_show_text());
        assert!(sent.redirected(&target, &target).before);
    }
}
