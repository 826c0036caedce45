//! The control address: tells the runner's own network from a dependency's outage.

use std::time::Instant;

use reqwest::Url;
use reqwest::header::HeaderMap;

use crate::durations::CONTROL;
use crate::net::Network;
use crate::probe::AttemptBudget;
use crate::probe::http::HttpProbe;
use crate::probe::http::{Method, StatusSet};
use crate::probe::pulse::Pulse;
use crate::record::ControlAnswer;
use crate::text;

/// Asks it once. Whatever it answers proves the way out, unless it is this machine that answers.
pub(crate) async fn ask(network: &Network, url: &Url, latest: Instant) -> ControlAnswer {
    let probe = HttpProbe {
        websocket: false,
        url: url.clone(),
        method: Method::Get,
        headers: HeaderMap::new(),
        expect: StatusSet::new(vec![(100, 999)]),
        redirects: 0,
    };
    let pulse = Pulse::default();
    let budget = AttemptBudget {
        timeout: CONTROL,
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
    ControlAnswer {
        evidence: attempt.evidence,
        cause: attempt.cause,
        url: text::show_url(url, text::PIECE),
    }
}
