//! What keeps records: one trait, and what implements it.
//!
//! | Store | URL | What is written is |
//! |---|---|---|
//! | `sqlite` | `sqlite:PATH` | on disk: one write for all who wait (group commit) |
//! | `postgres` (feature `postgres`) | `postgres://USER@HOST/NAME` | on the server's disk (`synchronous_commit`, whatever its default), which does the same |
//!
//! Whatever a call writes is one transaction: all of it, or nothing. What was checked before is not checked here.

#[cfg(feature = "postgres")]
mod postgres;
mod sqlite;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::future::BoxFuture;
use mainstay_messaging::Envelope;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::record::{Replied, Step};
use crate::{Begun, Ending, Error, New, Record};

pub(crate) type Answer<'a, T> = BoxFuture<'a, Result<T, Error>>;

pub(crate) trait Store: Debug + Send + Sync + 'static {
    /// Writes a record and its messages, or finds the one that it shares, and adds its waiter to it.
    fn begin(&self, id: Uuid, new: New) -> Answer<'_, Begun>;
    fn reply(&self, id: Uuid, reply: NewReply) -> Answer<'_, Replied>;
    /// Whether there is such a record.
    fn step(&self, id: Uuid, step: Step) -> Answer<'_, bool>;
    /// Whether it was open until now.
    fn finish(&self, id: Uuid, ending: Ending) -> Answer<'_, bool>;

    fn get(&self, id: Uuid) -> Answer<'_, Option<Record>>;
    fn list(&self, kind: String, which: Which, most: u32) -> Answer<'_, Vec<Record>>;

    /// Removes records that have ended: those received before, and the oldest beyond so many; how many it were.
    /// Removes a bounded number at once; 0 when there is no more to remove.
    fn prune(&self, kind: String, received_before: SystemTime, most_kept: u64) -> Answer<'_, u64>;

    /// Publishes what is in the outbox after some number, in order and a bounded number at once; removes what may be
    /// removed.
    fn relay(&self, after: i64, publish: Publish) -> Answer<'_, Relayed>;
}

/// A reply that is to be stored.
#[derive(Debug, Clone)]
pub(crate) struct NewReply {
    pub(crate) responder: String,
    pub(crate) body: Box<RawValue>,
    pub(crate) at: SystemTime,
}

/// Which records.
#[derive(Debug, Clone)]
pub(crate) enum Which {
    /// Received until then, newest first.
    Until(SystemTime),
    /// Open ones whose ids come after this, in their order.
    OpenAfter(Uuid),
    /// Open ones whose deadline has come by then, the first due first.
    Due(SystemTime),
}

/// A message in the outbox.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) number: i64,
    pub(crate) written: SystemTime,
    pub(crate) envelope: Envelope,
}

/// What is done with messages of the outbox: whether each may be removed, in order.
pub(crate) type Publish = Box<dyn FnOnce(Vec<Outgoing>) -> BoxFuture<'static, Vec<bool>> + Send>;

/// What was done with the outbox.
#[derive(Debug, Clone, Default)]
pub(crate) struct Relayed {
    /// The number of the last message of them; where there was none, the one after which they were to be.
    pub(crate) last: i64,
    /// How many were not removed.
    pub(crate) refused: usize,
    /// There may be more.
    pub(crate) more: bool,
    /// How many are left in all, the refused ones among them.
    pub(crate) left: u32,
}

/// The most messages that leave an outbox at once. Of the longest bodies, they are 64 MiB.
pub(crate) const RELAY_LIMIT: u32 = 64;
/// The most records that one call removes.
pub(crate) const PRUNE_LIMIT: u32 = 500;

/// Opens the store that a URL names.
pub(crate) async fn open(url: &str) -> Result<Arc<dyn Store>, Error> {
    match url.split_once(':') {
        Some(("sqlite", path)) => Ok(Arc::new(sqlite::Sqlite::open(path).await?)),
        #[cfg(feature = "postgres")]
        Some(("postgres" | "postgresql", _)) => Ok(Arc::new(postgres::Postgres::open(url).await?)),
        #[cfg(not(feature = "postgres"))]
        Some(("postgres" | "postgresql", _)) => Err(Error::bad("this program was built without the feature postgres")),
        // A password may be in it, so it is not repeated.
        Some((scheme, _)) => Err(Error::bad(format!("records are at sqlite:PATH or postgres://, not at {scheme:?}"))),
        None => Err(Error::bad("records are at sqlite:PATH or postgres://, and this says neither")),
    }
}
