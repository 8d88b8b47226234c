//! Messages leave the outbox: in order, at once after they were written, again and again until they are taken.
//!
//! A message is removed when its taking is known, and published again after a crash between the two: under the same id,
//! which makes it the same message. One that is refused is tried again later, and the others pass it by.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use mainstay_messaging::{Envelope, Error};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{info, warn};

use crate::store::{Outgoing, Relayed, Store};

/// What other processes wrote and could not publish is looked for this often.
const SWEEP: Duration = Duration::from_secs(1);
/// How long until what was refused is tried again, at first; twice as long each time.
const AGAIN: Duration = Duration::from_millis(50);
const AGAIN_AT_MOST: Duration = Duration::from_secs(2);
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
    let mut passed = Passed::default();
    let (mut again, mut was_away) = (AGAIN, false);
    let mut all_again_at = Instant::now();
    loop {
        let all = Instant::now() >= all_again_at;
        if all {
            passed = Passed::default();
        }
        let published = publish(&*store, &outlet, &backlog, &mut passed).await;
        let away = published.is_err() || passed.refused > 0;
        if away != was_away {
            tell(&published, passed.refused);
            was_away = away;
        }
        if !away {
            again = AGAIN;
        } else if all {
            all_again_at = Instant::now() + again;
            again = (again * 2).min(AGAIN_AT_MOST);
        }
        if published.is_err() {
            sleep_until(all_again_at).await;
            continue;
        }
        // What is written meanwhile does not wait for what was refused.
        let limit = if away { all_again_at } else { Instant::now() + SWEEP };
        let _ = timeout_at(limit, backlog.written.notified()).await;
    }
}

fn tell(published: &Result<(), crate::Error>, refused: usize) {
    match (published, refused) {
        (Err(error), _) => {
            warn!(target: "mainstay::records", "the outbox cannot be read, and is tried again: {error}");
        }
        (Ok(()), 0) => info!(target: "mainstay::records", "the outbox is empty again"),
        (Ok(()), some) => {
            warn!(target: "mainstay::records", "{some} messages are kept in the outbox and tried again");
        }
    }
}

/// What was published or refused since all was tried.
#[derive(Debug, Default)]
struct Passed {
    last: i64,
    refused: usize,
}

/// Publishes what was written after what was passed, and passes it.
async fn publish(
    store: &dyn Store,
    outlet: &Outlet,
    backlog: &Backlog,
    passed: &mut Passed,
) -> Result<(), crate::Error> {
    loop {
        let outlet = Arc::clone(outlet);
        let publish = move |page: Vec<Outgoing>| {
            async move { join_all(page.into_iter().map(|message| leave(&outlet, message))).await }.boxed()
        };
        let Relayed { last, refused, more, left } = store.relay(passed.last, Box::new(publish)).await?;
        backlog.left.store(left, Ordering::Relaxed);
        *passed = Passed { last, refused: passed.refused + refused };
        if !more {
            return Ok(());
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
