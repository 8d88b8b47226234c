//! The service, from its registration to its end.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;
use mainstay::contracts::quotes::{Providers, Quotes};
use mainstay::serve::{self, Limits};
use mainstay::{Address, Client, Registration};
use mainstay_messaging::Messages;
use mainstay_records::Records;
use tokio::net::TcpListener;
use tokio::select;
use tokio::time::timeout;

use super::desk::Desk;
use super::{close, collect, http};

/// What the service must know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the registry is. It may be away: the service goes on with the providers that it knows, and registers when
    /// the registry comes.
    pub registry: Address,
    /// Where requests go out, and quotes come in. Whoever keeps the messages may be away too: requests wait.
    pub messages: Messages,
    /// Where requests and their quotes are kept.
    pub records: Records,
    /// How long a request is open.
    pub open_for: Duration,
}

/// How long the registry and whoever keeps the messages have, before the first request is taken.
const FIRST: Duration = Duration::from_secs(1);

/// Takes requests on `listener`, registered as `quotes-<port>` under its address, until `shutdown` resolves.
///
/// The end is clean: the service leaves the registry first, then finishes what it has begun. Dropping the future ends
/// it at once instead; neither loses a quote.
///
/// # Errors
/// When the listener has no address to be found at.
pub async fn run(config: Config, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let Config { registry, messages, records, open_for } = config;
    let providers = Client::<Providers>::builder().registry(registry.clone()).build().map_err(io::Error::other)?;
    let channel = collect::channel(messages);
    // Else whoever submits at once would ask nobody.
    let _ = timeout(FIRST, join(somebody(&providers), channel.declare())).await;
    let desk = Arc::new(Desk::new(records, providers, open_for));
    let address = Address::from(listener.local_addr()?);
    let id = format!("quotes-{}", address.port()).parse().map_err(io::Error::other)?;
    let lease = Registration::new::<Quotes>(id, address).registry(registry).start();
    let left = async {
        shutdown.await;
        lease.release().await;
        desk.ending.cancel();
    };
    let hold = async {
        channel.declare().await;
        desk.hold.end(&desk.tally).await;
        std::future::pending::<()>().await;
    };
    select! {
        () = serve::run(listener, http::router(Arc::clone(&desk)), Limits::default(), left) => {}
        () = collect::keep_collecting(Arc::clone(&desk), &channel) => {}
        () = close::keep_closing(&desk) => {}
        () = close::keep_pruning(&desk) => {}
        () = hold => {}
    }
    Ok(())
}

/// Resolves when a provider is known.
async fn somebody(providers: &Client<Providers>) {
    let mut events = providers.events();
    while providers.snapshot().instances.is_empty() && events.next().await.is_some() {}
}
