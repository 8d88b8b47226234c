//! When a program is to end.

use std::future::Future;
use std::io;

/// Resolves when the process is told to end: at ^C, at SIGTERM, and when its terminal closes. From this call on none of
/// them ends it by itself.
///
/// # Errors
/// When the system does not let them be heard.
#[cfg(unix)]
pub fn ended() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

/// Resolves when the process is told to end: at ^C.
///
/// # Errors
/// Never, here.
#[cfg(not(unix))]
pub fn ended() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
