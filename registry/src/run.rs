//! The registry as a function of its listener and its shutdown.

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;

use crate::directory::Directory;
use crate::{Config, http, serve};

/// Serves the registry on `listener` until `shutdown` completes; then ends its streams and returns within a
/// second, whatever its clients do.
///
/// # Errors
/// When the listener is not one that listens.
pub async fn run(config: Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let address = listener.local_addr()?;
    let stop = CancellationToken::new();
    // Whoever drops this future instead of shutting down ends the connections too.
    let _stopped = stop.clone().drop_guard();
    let limits = config.limits.clone();
    let directory = Directory::new(config, epoch(), stop.clone());
    let router = http::router(directory.clone());
    let connections = TaskTracker::new();
    info!(%address, "listening");
    tokio::select! {
        () = shutdown => {}
        () = directory.expire() => {}
        () = serve::accept(&listener, router, &limits, &connections, &stop) => {}
    }
    stop.cancel();
    connections.close();
    connections.wait().await;
    info!(%address, "stopped");
    Ok(())
}

/// A clock that stands before 1970 makes an epoch of 0, which is as good as any.
fn epoch() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or_default()
}
