//! The server: a function of its listener and its shutdown.
//!
//! What a client can make it hold is bounded by [`Limits`], and live streams by `live` (256).

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mainstay::serve::{self, Limits};
use tokio::net::TcpListener;
use tokio::select;

use crate::live::Live;
use crate::market::Market;
use crate::{Config, auctions, web};

/// Less patience than usual: the demo has its processes to end as well.
const DRAIN: Duration = Duration::from_secs(1);

/// An auction is answered when it is over.
const ANSWER: Duration = auctions::LONGEST.saturating_add(Duration::from_secs(5));

/// Runs the Market on `listener` until `shutdown` resolves.
///
/// # Errors
/// When the clients of the services cannot be built.
pub async fn run(config: Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let market = Market::new(config)?;
    let live = Live::new(market.clone());
    let router = web::router(market.clone(), live.clone(), listener.local_addr()?.port());
    let limits = Limits { answer: ANSWER, drain: DRAIN, ..Limits::default() };
    let shutdown = async {
        shutdown.await;
        live.end();
    };
    select! {
        () = serve::run(listener, router, limits, shutdown) => {}
        () = live.keep_drawing() => {}
        () = market.watch_traffic() => {}
        () = market.keep_reading(|tab| live.is_watched(tab)) => {}
    }
    Ok(())
}

/// Listens, or says which option helps.
pub(crate) async fn listen(address: SocketAddr, option: &str) -> io::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        io::Error::new(error.kind(), format!("cannot listen on {address}: {error}; {option} chooses another"))
    })
}
