//! What keeps messages: one trait, and what implements it.
//!
//! | Engine | Keeps messages | An acknowledged publish is |
//! |---|---|---|
//! | [`embedded`] | in this process, on its disk | on disk |
//! | [`hub`] | in a hub, on its disk | on disk |
//! | `nats` | in NATS JetStream | as safe as the server's settings say |
//!
//! An engine says what became of each message of a batch, and fails as a whole only if it cannot be asked.

pub(crate) mod embedded;
pub(crate) mod hub;
#[cfg(feature = "nats")]
pub(crate) mod nats;

use std::fmt::{self, Debug};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use mainstay::Address;
use mainstay::contracts::hub::{Delivered, Published, Rules, Settlement};
use mainstay::contracts::{BadAddress, Envelope};

use self::embedded::{Embedded, Limits};
use self::hub::RemoteHub;
use crate::Error;

/// Which channel of which topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) topic: String,
    pub(crate) channel: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.channel)
    }
}

pub(crate) trait Engine: Debug + Send + Sync + 'static {
    /// Makes a channel, or says its rules anew.
    fn declare(&self, place: Place, rules: Rules) -> BoxFuture<'_, Result<(), Error>>;

    /// Publishes messages: what became of each, in order. All that were taken are kept when this returns.
    ///
    /// Dropped, or failed, it may have taken any of them: published again, each is still one.
    fn publish(&self, messages: Vec<Envelope>) -> BoxFuture<'_, Result<Vec<Published>, Error>>;

    /// At most so many messages: at once if there are any, else the first that come, or none when the wait is over.
    ///
    /// Dropped, it may have received any of them: they come back after their visibility timeout, but those of a channel
    /// that is not kept never.
    fn receive(
        self: Arc<Self>,
        place: Place,
        most: usize,
        wait: Duration,
    ) -> BoxFuture<'static, Result<Vec<Delivered>, Error>>;

    /// Settles deliveries: whether each was still its consumer's, in order. Those of a channel that is not kept always
    /// are: nobody else gets them.
    fn settle(&self, place: Place, settlements: Vec<Settlement>) -> BoxFuture<'_, Result<Vec<bool>, Error>>;
}

/// The engine of a URL.
pub(crate) async fn open(url: &str) -> Result<Arc<dyn Engine>, Error> {
    match url.split_once(':') {
        Some(("embedded", "")) => Err(Error::bad(format!("{url:?} names no directory: embedded:DIR"))),
        Some(("embedded", dir)) => Ok(Arc::new(Embedded::open(PathBuf::from(dir), Limits::default()).await?)),
        Some(("hub", place)) => Ok(Arc::new(RemoteHub::found_by(registry(url, place)?)?)),
        #[cfg(feature = "nats")]
        Some(("nats", _)) => Ok(Arc::new(nats::Nats::open(url).await?)),
        #[cfg(not(feature = "nats"))]
        Some(("nats", _)) => Err(Error::bad(format!("{url:?} needs the feature nats, which is not built in"))),
        _ => Err(Error::bad(format!("{url:?} is none of embedded:DIR, hub://HOST:PORT and nats://HOST:PORT"))),
    }
}

/// The registry that knows the hub.
fn registry(url: &str, place: &str) -> Result<Address, Error> {
    let not = |why: &str| Error::bad(format!("{url:?} is not hub://HOST:PORT with the address of a registry: {why}"));
    let authority = place.strip_prefix("//").ok_or_else(|| not("it has no //"))?;
    format!("http://{authority}").parse().map_err(|error: BadAddress| not(&error.to_string()))
}
