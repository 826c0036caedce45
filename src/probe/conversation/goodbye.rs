//! Leaving a service so that its log stays quiet: its own goodbye and the answer to it, the end of
//! our side, and what it still sends read to its end. A connection that is closed with unread bytes
//! is reset, and servers log that.

use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::durations::GOODBYE;
use crate::net::dial::Stream;
use crate::net::timer::within;

use super::BUFFER;

/// The most that is read after the goodbye, in bytes.
const LIMIT: usize = 64 * 1024;

/// Leaves. Nothing that happens here changes a verdict; it is over by `until`.
pub(super) async fn leave(mut stream: Box<dyn Stream>, goodbye: &[u8], until: Instant) {
    let limit = until.saturating_duration_since(Instant::now()).min(GOODBYE);
    within(limit, async {
        if !goodbye.is_empty() {
            stream.write_all(goodbye).await.ok()?;
            stream.flush().await.ok()?;
            // Who is told that nothing follows may not get its own last words out: over TLS,
            // Postfix logs a lost connection then. As a rule it closes by itself.
            within(limit / 2, drain(&mut stream)).await;
        }
        stream.shutdown().await.ok()?;
        drain(&mut stream).await;
        Some(())
    })
    .await;
}

/// Reads to the end, and keeps nothing.
async fn drain(stream: &mut Box<dyn Stream>) {
    let mut dropped = 0;
    let mut buffer = Vec::with_capacity(BUFFER);
    while dropped < LIMIT {
        buffer.clear();
        match stream.read_buf(&mut buffer).await {
            Ok(length @ 1..) => dropped += length,
            Ok(0) | Err(_) => break,
        }
    }
}
