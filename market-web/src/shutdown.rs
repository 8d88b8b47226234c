//! When a program of ours is to end.

use std::future::Future;
use std::io;

use tokio::select;
use tokio::signal::unix::{SignalKind, signal};

/// Resolves at ^C, SIGTERM, or when the terminal closes.
/// It fails when the system does not let signals be heard.
pub(crate) fn signals() -> io::Result<impl Future<Output = ()> + Send> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}
