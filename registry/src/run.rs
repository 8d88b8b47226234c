//! The registry as a function of its listener and its shutdown.

use std::io;
use std::pin::pin;

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
/// When the listener is not one that listens, or what is kept cannot be read or written at all.
pub async fn run(config: Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let address = listener.local_addr()?;
    let stop = CancellationToken::new();
    // Whoever drops this future instead of shutting down ends the connections too.
    let _stopped = stop.clone().drop_guard();
    let limits = config.limits.clone();
    let (directory, mut writer) = Directory::open(config, stop.clone()).await?;
    let router = http::router(directory);
    let connections = TaskTracker::new();
    info!(%address, "listening");
    {
        let mut writing = pin!(writer.run());
        tokio::select! {
            () = shutdown => {}
            () = &mut writing => {}
            () = serve::accept(&listener, router, &limits, &connections, &stop) => {}
        }
        stop.cancel();
        connections.close();
        // What has begun is still kept.
        tokio::select! {
            () = connections.wait() => {}
            () = &mut writing => {}
        }
    }
    writer.close().await;
    info!(%address, "stopped");
    Ok(())
}
