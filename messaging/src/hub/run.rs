//! A hub, from its registration to its end.

use std::future::Future;
use std::sync::Arc;

use mainstay::contracts::hub::{Hub, REQUEST_LIMIT};
use mainstay::serve::{self, Limits};
use mainstay::{Address, Registration};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::Config;
use super::calls::{Desk, router};
use crate::Error;
use crate::engine::embedded::Embedded;

/// Who registers under it later takes the place of whoever did before.
const ID: &str = "hub-1";

/// Serves the topics and channels of a directory on `listener`, registered under its address, until `shutdown` resolves.
///
/// The end is clean: the hub leaves the registry first, then nobody waits for messages any more, and what has begun is
/// finished. Dropping the future ends it at once instead; either way nothing that was acknowledged is lost.
///
/// # Errors
/// When the directory cannot be opened: it is damaged, or another hub has it. When the listener has no address to be
/// found at.
pub async fn run(config: Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
    Opened::new(config).await?.serve(listener, shutdown).await
}

/// A hub that has its directory.
pub(super) struct Opened {
    desk: Arc<Desk>,
    registry: Address,
}

impl Opened {
    pub(super) async fn new(config: Config) -> Result<Self, Error> {
        let Config { data, registry, limits, waiting } = config;
        let engine = Arc::new(Embedded::open(data, limits).await?);
        let waiting = Semaphore::new(waiting.min(Semaphore::MAX_PERMITS));
        Ok(Self { desk: Arc::new(Desk { engine, waiting, ending: CancellationToken::new() }), registry })
    }

    pub(super) async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        let Self { desk, registry } = self;
        let nowhere = |error| Error::unavailable("the listener has no address").because(error);
        let address = Address::from(listener.local_addr().map_err(nowhere)?);
        let id = ID.parse().map_err(Error::bad)?;
        let lease = Registration::new::<Hub>(id, address).number(1).registry(registry).start();
        let ending = desk.ending.clone();
        let left = async {
            shutdown.await;
            lease.release().await;
            ending.cancel();
        };
        let limits = Limits { body_bytes: REQUEST_LIMIT, ..Limits::default() };
        serve::run(listener, router(desk), limits, left).await;
        Ok(())
    }
}
