//! The server: a function of its listener and its shutdown, with a bound on all that a client can make it hold.
//!
//! | Limit | Value | Beyond it |
//! |---|---|---|
//! | [`CONNECTIONS`] at once | 1024 | the next one waits in the kernel's queue |
//! | [`HEAD`], also the longest a connection idles | 5 s | the connection is closed |
//! | a request's body, see `web::body` | 64 KiB within 10 s | 413, 408 |
//! | live streams, see `live` | 256 | 503 |
//! | [`DRAIN`] after the shutdown | 1 s | what still runs is dropped |

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::select;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::live::Live;
use crate::market::Market;
use crate::{Config, web};

const CONNECTIONS: usize = 1024;
const HEAD: Duration = Duration::from_secs(5);
const DRAIN: Duration = Duration::from_secs(1);

/// How long to wait when the system has no more file descriptors: trying again at once would only spin.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// Runs the Market on `listener` until `shutdown` resolves.
///
/// # Errors
/// When the client of the ratings service cannot be built.
pub async fn run(config: Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let market = Market::new(config)?;
    let live = Live::new(market.clone());
    let router = web::router(market.clone(), live.clone(), listener.local_addr()?.port());
    let shutdown = async {
        shutdown.await;
        live.end();
    };
    select! {
        () = serve(listener, router, shutdown) => {}
        () = live.keep_drawing() => {}
        () = market.watch_traffic() => {}
    }
    Ok(())
}

/// Listens, or says which option helps.
pub(crate) async fn listen(address: SocketAddr, option: &str) -> io::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        io::Error::new(error.kind(), format!("cannot listen on {address}: {error}; {option} chooses another"))
    })
}

async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let service = TowerToHyperService::new(router);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let ending = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    // Live frames are small, and each is awaited by somebody's eyes.
                    let _ = stream.set_nodelay(true);
                    connections.spawn(ending.watch(http.serve_connection(TokioIo::new(stream), service.clone())));
                }
                Err(error) => {
                    tracing::warn!("a connection could not be accepted: {error}");
                    sleep(ACCEPT_AGAIN).await;
                }
            },
        }
    }
    drop(listener);
    // What does not end in time is dropped with the set of connections.
    let _ = timeout(DRAIN, ending.shutdown()).await;
}
