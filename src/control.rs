//! The control address: tells the runner's own network from a dependency's outage.

use std::time::{Duration, Instant};

use reqwest::Url;
use reqwest::header::HeaderMap;

use crate::net::Network;
use crate::probe::Budget;
use crate::probe::http::HttpProbe;
use crate::probe::pulse::Pulse;
use crate::target::{Method, StatusSet};
use crate::text;
use crate::verdict::Control;

/// The most time it gets.
pub const LIMIT: Duration = Duration::from_secs(5);

/// Asks it once. Whatever it answers is a sign of life, unless it is this machine that answers.
pub async fn ask(network: &Network, url: &Url, latest: Instant) -> Control {
    let probe = HttpProbe {
        url: url.clone(),
        method: Method::Get,
        headers: HeaderMap::new(),
        expect: StatusSet::new(vec![(100, 999)]),
        redirects: 0,
    };
    let pulse = Pulse::default();
    let budget = Budget {
        timeout: LIMIT,
        latest,
        pulse: &pulse,
    };
    let asking = probe.attempt(network, budget);
    tokio::pin!(asking);
    let attempt = tokio::select! {
        biased;
        // The pulse beats for ever.
        () = pulse.beat() => asking.await,
        attempt = &mut asking => attempt,
    };
    Control {
        signs: attempt.signs,
        cause: attempt.cause,
        url: text::show_url(url, text::PIECE),
    }
}
