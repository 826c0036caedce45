//! The network: names, proxies, roots, connections and HTTP over them; the forge's client.

pub(crate) mod client;
pub(crate) mod dial;
pub(crate) mod http1;
pub(crate) mod http2;
pub(crate) mod machine;
mod meter;
pub(crate) mod proxy;
pub(crate) mod resolver;
pub(crate) mod roots;
pub(crate) mod timer;
pub(crate) mod tls;

use std::io;

pub use client::Network;
pub(crate) use meter::HEAD_LIMIT;

/// Whether an error means that there are no more file descriptors.
#[must_use]
pub(crate) fn is_out_of_files(error: &io::Error) -> bool {
    /// `EMFILE` and `ENFILE`, the same on every Unix.
    const CODES: [i32; 2] = [24, 23];
    cfg!(unix)
        && error
            .raw_os_error()
            .is_some_and(|code| CODES.contains(&code))
}

/// Whether an error means that the runner could not even try: no file descriptors, no ports,
/// no memory, not permitted.
#[must_use]
pub(crate) fn is_local(error: &io::Error) -> bool {
    /// `EMFILE`, `ENFILE`, `ENOBUFS`, `EINVAL`, `EAFNOSUPPORT` and `EPERM` on Linux: the
    /// standard library has no kind for most of them.
    const CODES: [i32; 6] = [24, 23, 105, 22, 97, 1];
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::OutOfMemory
    ) || (cfg!(target_os = "linux")
        && error
            .raw_os_error()
            .is_some_and(|code| CODES.contains(&code)))
}
