//! Records in PostgreSQL, for several processes on several machines.
//!
//! Whatever a call writes is one statement, and so one transaction. Nobody needs a connection for itself, and the calls of
//! many share a few, one behind the other without waiting for answers; PostgreSQL writes to the disk for all of them.

mod connection;
mod migrate;
mod outbox;
mod pool;
mod read;
mod write;

use std::fmt;
use std::future::Future;
use std::time::{Duration, SystemTime};

use futures_util::FutureExt as _;
use tokio::time::Instant;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use uuid::Uuid;

use self::outbox::Outbox;
use self::pool::Pool;
use super::{Answer, NewReply, Publish, Relayed, Store, Which};
use crate::record::{Record, Replied, Step};
use crate::{Begun, Ending, Error, New};

/// How long a call may take, the making of a connection among it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections for all calls: enough that one's write to the disk is shared by the next ones.
const CONNECTIONS: usize = 6;

pub(crate) struct Postgres {
    pool: Pool,
    outbox: Outbox,
}

impl Postgres {
    pub(crate) async fn open(url: &str) -> Result<Self, Error> {
        let config: Config =
            url.parse().map_err(|error| Error::bad("the URL of the database is wrong").because(error))?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(Error::bad("the URL of the database requires TLS, which is not built in"));
        }
        let pool = Pool::new(config, CONNECTIONS);
        migrate::migrate(&pool).await?;
        Ok(Self { outbox: Outbox::new(pool.config()), pool })
    }
}

/// Until when whatever begins now may take.
fn deadline() -> Instant {
    Instant::now() + PATIENCE
}

fn late() -> Error {
    Error::unavailable("the database has not answered within 5 s; it may have been written")
}

/// What is done with the database, in time.
fn in_time<'a, T: 'a>(work: impl Future<Output = Result<T, Error>> + Send + 'a) -> Answer<'a, T> {
    tokio::time::timeout(PATIENCE, work).map(|done| done.unwrap_or_else(|_| Err(late()))).boxed()
}

impl Store for Postgres {
    fn begin(&self, id: Uuid, new: New) -> Answer<'_, Begun> {
        in_time(async move { write::begin(&*self.pool.connection().await?, id, new).await })
    }

    fn reply(&self, id: Uuid, reply: NewReply) -> Answer<'_, Replied> {
        in_time(async move { write::reply(&*self.pool.connection().await?, id, reply).await })
    }

    fn step(&self, id: Uuid, step: Step) -> Answer<'_, bool> {
        in_time(async move { write::step(&*self.pool.connection().await?, id, step).await })
    }

    fn finish(&self, id: Uuid, ending: Ending) -> Answer<'_, bool> {
        in_time(async move { write::finish(&*self.pool.connection().await?, id, ending).await })
    }

    fn get(&self, id: Uuid) -> Answer<'_, Option<Record>> {
        in_time(async move { read::get(&*self.pool.connection().await?, id).await })
    }

    fn list(&self, kind: String, which: Which, most: u32) -> Answer<'_, Vec<Record>> {
        in_time(async move { read::list(&*self.pool.connection().await?, &kind, &which, most).await })
    }

    fn prune(&self, kind: String, received_before: SystemTime, most_kept: u64) -> Answer<'_, u64> {
        in_time(async move { write::prune(&*self.pool.connection().await?, &kind, received_before, most_kept).await })
    }

    fn relay(&self, after: i64, publish: Publish) -> Answer<'_, Relayed> {
        self.outbox.relay(after, publish).boxed()
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("pool", &self.pool).finish_non_exhaustive()
    }
}
