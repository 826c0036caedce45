//! The attempt at a service whose servers stand in SRV records: one look-up, then one server after
//! the other until one is up, all in the time of one attempt.

use std::pin::pin;
use std::time::Instant;

use super::ServiceProbe;
use crate::address::Service;
use crate::net::Network;
use crate::net::dial::{self, Progress};
use crate::net::resolver::Place;
use crate::probe::failure::Unanswered;
use crate::probe::timed::Timed;
use crate::probe::{Attempt, AttemptBudget, Cause, Evidence};
use crate::text;

/// The most servers that are asked: a replica set of MongoDB has no more members.
const MOST: usize = 50;

/// Tries once.
pub(super) async fn attempt(
    probe: &ServiceProbe,
    srv: &str,
    network: &Network,
    budget: AttemptBudget<'_>,
) -> Attempt {
    let started = Instant::now();
    let timed = Timed::begin(budget);
    let name = format!("{srv}.{}", probe.service.host);
    let progress = Progress::default();
    let (found, ended) = timed
        .run(pin!(dial::places(network, &name, &progress)))
        .await;
    let mut places = match found {
        Some(Ok(places)) => places,
        failed => {
            let why = failed.and_then(Result::err).map(Unanswered::Dial);
            let asked = at(
                probe,
                Place {
                    host: name,
                    port: 0,
                },
            );
            return timed.close(asked.fail(why.as_ref(), &ended, &progress.seen()));
        }
    };
    places.truncate(MOST);
    let looked_up = started.elapsed();
    let cut_short = timed.until < started + budget.timeout;
    let count = places.len();
    let mut evidence = Evidence::default();
    let mut failed: Option<Attempt> = None;
    for (asked, place) in places.into_iter().enumerate() {
        let now = Instant::now();
        if now >= timed.until && failed.is_some() {
            break;
        }
        // Each has its share of the time, so that a silent one leaves some for the others.
        let share = |time| time / u32::try_from(count - asked).unwrap_or(u32::MAX);
        let share = AttemptBudget {
            timeout: share(budget.timeout.saturating_sub(now - started)),
            latest: if cut_short {
                now + share(timed.until.saturating_duration_since(now))
            } else {
                budget.latest
            },
            pulse: budget.pulse,
        };
        let shown = text::sanitize(&format!("{}:{}", place.host, place.port), text::PIECE);
        let mut attempt = at(probe, place).attempt_here(network, share).await;
        evidence = evidence.or(attempt.evidence);
        attempt.duration += attempt.started - started;
        attempt.started = started;
        attempt.phases.dns = Some(looked_up + attempt.phases.dns.unwrap_or_default());
        if attempt.is_up() {
            return Attempt {
                evidence,
                ..attempt
            };
        }
        if count > 1 {
            attempt.detail = format!(
                "none of the {count} servers of {} is up; {shown}: {}",
                probe.service.host, attempt.detail
            );
        }
        failed = Some(match failed {
            Some(before) if weight(&before) >= weight(&attempt) => Attempt {
                duration: attempt.duration,
                ..before
            },
            _ => attempt,
        });
    }
    let failed = failed.unwrap_or_else(Attempt::blank);
    Attempt { evidence, ..failed }
}

/// The same question, to a server in another place.
fn at(probe: &ServiceProbe, place: Place) -> ServiceProbe {
    ServiceProbe {
        service: Service {
            host: place.host,
            port: place.port,
            ..probe.service.clone()
        },
        tls: probe.tls,
    }
}

/// How much a failure says: of several servers, the one that says most speaks for all.
fn weight(attempt: &Attempt) -> u8 {
    match attempt.cause {
        Some(Cause::NotServing) => 2,
        Some(cause) if cause.is_evidence() => 1,
        _ => 0,
    }
}
