//! The service, from its registration to its end.

use std::future::Future;
use std::io;
use std::time::Duration;

use mainstay::contracts::auction::Auction;
use mainstay::serve::{self, Limits};
use mainstay::{Address, Registration};
use tokio::net::TcpListener;

use crate::{Auctioneer, http};

/// What the service must know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the registry is. It may be away: the auction serves, with the bidders that it knows, and registers when
    /// the registry comes.
    pub registry: Address,
}

/// Above the longest deadline that an auction may have.
const ANSWER: Duration = Duration::from_millis(http::LONGEST_DEADLINE_MS as u64 + 5_000);

/// Serves auctions on `listener`, registered as `auction-<port>` under its address, until `shutdown` resolves.
///
/// The end is clean: the service leaves the registry first, then finishes what it has begun. Dropping the future ends
/// it at once instead.
///
/// # Errors
/// When the listener has no address to be found at.
pub async fn run(config: Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let auctioneer = Auctioneer::new(config.registry.clone()).map_err(io::Error::other)?;
    run_with(auctioneer, config, listener, shutdown).await
}

/// As [`run()`], with an auctioneer of the caller's, who can see what it knows: so do the tests, to count its permits.
///
/// # Errors
/// When the listener has no address to be found at.
pub async fn run_with(
    auctioneer: Auctioneer,
    config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let address = Address::from(listener.local_addr()?);
    let id = format!("auction-{}", address.port()).parse().map_err(io::Error::other)?;
    let lease = Registration::new::<Auction>(id, address).registry(config.registry).start();
    let limits = Limits { answer: ANSWER, ..Limits::default() };
    serve::run_leased(listener, http::router(auctioneer), limits, lease, shutdown).await;
    Ok(())
}
