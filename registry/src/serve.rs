//! Connections: accepted, bounded, timed, and ended.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use crate::{Limits, Tls};

/// How long a connection may go on after the registry was told to stop.
const GRACE: Duration = Duration::from_millis(500);
/// How long to wait after a connection could not be accepted: mostly for lack of file descriptors, which only
/// time brings back.
const BACK_OFF: Duration = Duration::from_millis(100);
/// How many connections may wait until they are accepted, if the system lets them: after a restart everybody comes at
/// once, and whoever does not fit into the usual 128 tries again a second later.
const QUEUE: i32 = 4096;
/// The longest request head.
const HEAD: usize = 16 * 1024;

/// Serves connections for as long as it is polled. Each runs by itself, until `stop` is cancelled or it ends.
///
/// `axum::serve` bounds neither the number of connections nor the time that a request's head may take.
pub(crate) async fn accept(
    listener: &TcpListener,
    router: Router,
    limits: &Limits,
    tls: Option<&Tls>,
    connections: &TaskTracker,
    stop: &CancellationToken,
) {
    // To listen again is to change the queue. Where that is not to be had, the queue stays as it is.
    let _ = SockRef::from(listener).listen(QUEUE);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head_time).max_buf_size(HEAD);
    let slots = Arc::new(Semaphore::new(limits.connections));
    // Nobody closes the semaphore, so the loop does not end by itself.
    while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (http, router, stop, tls) = (http.clone(), router.clone(), stop.child_token(), tls.cloned());
                let patience = limits.head_time;
                connections.spawn(async move {
                    // Lines of a stream are small and wanted at once. Where that cannot be had, they are late, not wrong.
                    let _ = stream.set_nodelay(true);
                    match tls {
                        None => connection(&http, stream, router, &stop).await,
                        Some(tls) => match stop.run_until_cancelled(timeout(patience, tls.accept(stream))).await {
                            Some(Ok(Ok(stream))) => connection(&http, stream, router, &stop).await,
                            Some(Ok(Err(error))) => debug!(%error, "no TLS with a client"),
                            Some(Err(_)) => debug!("a client did not finish its handshake"),
                            None => {}
                        },
                    }
                    drop(slot);
                });
            }
            Err(error) => {
                warn!(%error, "no connection accepted");
                sleep(BACK_OFF).await;
            }
        }
    }
}

async fn connection(
    http: &http1::Builder,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    router: Router,
    stop: &CancellationToken,
) {
    let mut served = pin!(http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)));
    let ended = tokio::select! {
        biased;
        ended = served.as_mut() => ended,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            timeout(GRACE, served).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection broke off");
    }
}
