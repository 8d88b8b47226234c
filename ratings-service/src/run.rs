//! One instance, from its registration to its end.

use std::future::Future;
use std::io;

use mainstay::contracts::ratings::Ratings;
use mainstay::serve::{self, Limits};
use mainstay::{Address, Registration};
use tokio::net::TcpListener;

use crate::ratings;

/// What one instance must know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Its own number, the same across restarts: it is registered as `ratings-<number>`.
    pub number: u32,
    /// Where the registry is. It may be away: the instance serves, and registers when the registry comes.
    pub registry: Address,
}

/// Serves ratings on `listener`, registered under its address, until `shutdown` resolves.
///
/// The end is clean, and no call is lost by it: the instance asks for no more calls, leaves the registry when none have
/// come for a moment, and finishes what it has begun. Dropping the future ends it at once instead.
///
/// # Errors
/// When the listener has no address to be found at.
pub async fn run(config: Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let address = Address::from(listener.local_addr()?);
    let id = format!("ratings-{}", config.number).parse().map_err(io::Error::other)?;
    let lease = Registration::new::<Ratings>(id, address).number(config.number).registry(config.registry).start();
    serve::run_leased(listener, ratings::router(), Limits::default(), lease, shutdown).await;
    Ok(())
}
