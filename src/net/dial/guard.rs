//! Keeps redirects away from link-local addresses, by whatever name they go: clouds have their
//! metadata services there.

use std::net::IpAddr;

use crate::net::machine::is_link_local;
use crate::net::resolver::Found;

/// A name has only link-local addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a redirect to a link-local address is not followed")]
pub(crate) struct LinkLocal;

/// What was found, as if link-local addresses were not there.
pub(super) async fn without_link_local(found: Found<'_>) -> Result<Found<'_>, LinkLocal> {
    let allowed = |mut addresses: Vec<IpAddr>| {
        addresses.retain(|ip| !is_link_local(*ip));
        addresses
    };
    let Found { first, rest } = found;
    let first = allowed(first);
    if !first.is_empty() {
        return Ok(Found {
            first,
            rest: rest.map(|rest| -> _ { Box::pin(async move { allowed(rest.await) }) as _ }),
        });
    }
    let late = match rest {
        Some(rest) => allowed(rest.await),
        None => Vec::new(),
    };
    if late.is_empty() {
        return Err(LinkLocal);
    }
    Ok(Found {
        first: late,
        rest: None,
    })
}
