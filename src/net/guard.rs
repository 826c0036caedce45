//! Keeps redirects away from link-local addresses, by whatever name they go.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::machine::is_link_local;
use super::resolver::SystemResolver;
use super::trace;

/// A redirect leads to a name that has only link-local addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a redirect to a link-local address is not followed")]
pub(crate) struct LinkLocal;

/// The resolver of the probes' clients: for a request that follows a redirect, a name's
/// link-local addresses are not there.
#[derive(Debug)]
pub(crate) struct Guarded(pub SystemResolver);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let resolving = self.0.resolve(name);
        Box::pin(async move {
            let found = resolving.await?;
            if !trace::is_redirected() {
                return Ok(found);
            }
            let allowed: Vec<_> = found.filter(|at| !is_link_local(at.ip())).collect();
            if allowed.is_empty() {
                return Err(LinkLocal.into());
            }
            let allowed: Addrs = Box::new(allowed.into_iter());
            Ok(allowed)
        })
    }
}
