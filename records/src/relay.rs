//! Messages leave the outbox: in order, at once after they were written, again and again until they are taken.
//!
//! A message is removed when its taking is known, and published again after a crash between the two: under the same id,
//! which makes it the same message. One that is refused waits for the next round, and the others pass it by.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use mainstay_messaging::{Envelope, Error};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::store::{Outgoing, Relayed, Store};

/// Between rounds, what other processes wrote and could not publish is looked for this often.
const SWEEP: Duration = Duration::from_secs(1);
/// The first wait after a round in which something was refused; twice as long each time.
const AGAIN: Duration = Duration::from_millis(50);
const AGAIN_AT_MOST: Duration = Duration::from_secs(2);
/// So many refused messages are passed by, and then the round is over.
const REFUSED_LIMIT: usize = 1024;
/// A channel for replies that is not there for so long was given up by whoever waited on it.
const GIVEN_UP: Duration = Duration::from_secs(60);

/// Where messages go.
pub(crate) type Outlet = Arc<dyn Fn(Envelope) -> BoxFuture<'static, Result<(), NotTaken>> + Send + Sync>;

/// Why a message was not taken.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// It never will be.
    Bad(String),
    /// There is no such topic or channel.
    Unknown,
    /// Another time, perhaps.
    Later,
}

impl From<Error> for NotTaken {
    fn from(error: Error) -> Self {
        match error {
            error if error.is_bad() => Self::Bad(error.to_string()),
            error if error.is_unknown() => Self::Unknown,
            _ => Self::Later,
        }
    }
}

/// What the relay and those who write for it have in common.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    written: Notify,
    left: AtomicU32,
}

impl Backlog {
    /// Something was written to the outbox.
    pub(crate) fn written(&self) {
        self.written.notify_one();
    }

    /// How many messages were left when it was last looked.
    pub(crate) fn left(&self) -> u32 {
        self.left.load(Ordering::Relaxed)
    }
}

/// Relays until it is dropped.
pub(crate) async fn relay(store: Arc<dyn Store>, outlet: Outlet, backlog: Arc<Backlog>) {
    let mut again = AGAIN;
    let mut was_away = false;
    loop {
        let refused = round(&*store, &outlet, &backlog).await;
        let away = !matches!(refused, Ok(0));
        if away != was_away {
            match &refused {
                Ok(0) => info!(target: "mainstay::records", "the outbox is empty again"),
                Ok(some) => {
                    warn!(target: "mainstay::records", "{some} messages are kept in the outbox and tried again");
                }
                Err(error) => {
                    warn!(target: "mainstay::records", "the outbox cannot be read, and is tried again: {error}");
                }
            }
            was_away = away;
        }
        if away {
            sleep(again).await;
            again = (again * 2).min(AGAIN_AT_MOST);
        } else {
            again = AGAIN;
            // Either is a reason to look.
            let _ = timeout(SWEEP, backlog.written.notified()).await;
        }
    }
}

/// Publishes what there is; how many were refused.
async fn round(store: &dyn Store, outlet: &Outlet, backlog: &Backlog) -> Result<usize, crate::Error> {
    let mut refused = Vec::new();
    loop {
        let outlet = Arc::clone(outlet);
        let publish = move |page: Vec<Outgoing>| {
            async move { join_all(page.into_iter().map(|message| leave(&outlet, message))).await }.boxed()
        };
        let relayed = store.relay(refused.clone(), Box::new(publish)).await?;
        let Relayed { refused: also, more, left } = relayed;
        backlog.left.store(left, Ordering::Relaxed);
        refused.extend(also);
        if !more || refused.len() >= REFUSED_LIMIT {
            return Ok(refused.len());
        }
    }
}

/// Publishes a message; whether it may be removed.
async fn leave(outlet: &Outlet, message: Outgoing) -> bool {
    let Outgoing { envelope, written, .. } = message;
    let (id, to) = (envelope.id.clone(), envelope.to.clone());
    match (outlet(envelope).await, to) {
        (Ok(()), _) => true,
        (Err(NotTaken::Bad(why)), _) => {
            warn!(target: "mainstay::records", "message {id} can never be published, and is dropped: {why}");
            true
        }
        (Err(NotTaken::Unknown), Some(channel)) => {
            // A clock that was set back says nothing.
            let given_up = written.elapsed().unwrap_or_default() >= GIVEN_UP;
            if given_up {
                info!(target: "mainstay::records", "nobody waits for message {id} on {channel} any more");
            }
            given_up
        }
        (Err(NotTaken::Unknown | NotTaken::Later), _) => false,
    }
}
