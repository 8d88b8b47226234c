//! Bidders, from their registration to their end.

use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::time::Duration;

use futures_util::future::join_all;
use mainstay::contracts::bidding::Bidding;
use mainstay::serve::{self, Limits};
use mainstay::{Address, Lease, Registration};
use tokio::net::TcpListener;

use super::{Bidder, answer};

/// The longest that one answer of a bidder is waited for, by the bidder's own server: far above what any auction
/// waits, so that silence is silence.
pub const LONGEST_ANSWER: Duration = Duration::from_secs(30);

/// What bidders that share a process must know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the registry is. It may be away: the bidders serve, and register when the registry comes.
    pub registry: Address,
    /// Who bids. No two have the same number.
    pub bidders: Vec<Bidder>,
}

/// Serves the bidders on `listener`, each registered under its own address, until `shutdown` resolves.
///
/// The end is clean: the bidders leave the registry first, then finish what they have begun. Dropping the future ends
/// them at once instead.
///
/// # Errors
/// When the listener has no address to be found at, or two bidders have the same number.
pub async fn run(config: Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let Config { registry, bidders } = config;
    let mut numbers = BTreeSet::new();
    if let Some(twice) = bidders.iter().find(|bidder| !numbers.insert(bidder.number)) {
        let why = format!("two bidders have number {}", twice.number);
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let address = Address::from(listener.local_addr()?);
    let leases = bidders.iter().map(|bidder| register(bidder, &address, &registry)).collect::<io::Result<Vec<_>>>()?;
    // Auctions that have not yet heard that they leave still ask; they are answered until the registry knows.
    let left = async {
        shutdown.await;
        join_all(leases.into_iter().map(Lease::release)).await;
    };
    let limits = Limits { answer: LONGEST_ANSWER, ..Limits::default() };
    serve::run(listener, answer::router(bidders), limits, left).await;
    Ok(())
}

fn register(bidder: &Bidder, base: &Address, registry: &Address) -> io::Result<Lease> {
    let id = bidder.id().parse().map_err(io::Error::other)?;
    let address = base.at(&bidder.path()).map_err(io::Error::other)?;
    Ok(Registration::new::<Bidding>(id, address).number(bidder.number).registry(registry.clone()).start())
}
