//! What readers see of keys and sessions: what is safe, with the revision at which it changed last.
//!
//! That never goes back: for a key it is its last change, for a prefix the last change below it, also after all that it
//! was is deleted. For what never was it is 0, or where the registry's memory begins.

mod shown;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use self::shown::Shown;
use super::batch::Batch;
use super::entry::Entry;
use super::session::Session;
use crate::roster::{Kind, Refused};

/// What can be waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    /// One key, which need not be there.
    Key(String),
    /// All keys that begin so.
    Prefix(String),
    /// Any session's coming or end.
    Sessions,
}

/// What is there since a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen<T> {
    pub(crate) revision: u64,
    pub(crate) what: T,
}

/// All keys and sessions, as they may be seen.
#[derive(Debug)]
pub(crate) struct Board {
    shown: RwLock<Shown>,
    /// Told of every batch that has something in it, by number.
    changed: watch::Sender<u64>,
    waiting: Arc<Semaphore>,
    most: usize,
    stop: CancellationToken,
    /// Counts how often it has become, or ceased to be, this process that keys are asked of.
    turns: watch::Sender<u64>,
}

impl Board {
    /// Nothing, where keys were forgotten up to one revision, and sessions came or ended at another. At most `most` may
    /// wait, until `stop` is cancelled.
    pub(crate) fn new(forgotten: u64, sessions_at: u64, most: usize, stop: CancellationToken) -> Self {
        let shown = RwLock::new(Shown::new(forgotten, sessions_at));
        let (changed, turns) = (watch::Sender::new(0), watch::Sender::new(0));
        Self { shown, changed, waiting: Arc::new(Semaphore::new(most)), most, stop, turns }
    }

    /// Forgets everything, as [`new`](Self::new) knows nothing, and answers who waits.
    #[cfg(feature = "etcd")]
    pub(crate) fn begin_again(&self, forgotten: u64, sessions_at: u64) {
        *self.shown.write() = Shown::new(forgotten, sessions_at);
        self.interrupt();
    }

    /// Answers who waits.
    #[cfg(feature = "etcd")]
    pub(crate) fn interrupt(&self) {
        self.turns.send_modify(|turns| *turns += 1);
    }

    /// Folds in what has changed, and wakes who waits.
    pub(crate) fn fold(&self, batch: &Batch) {
        if !batch.is_empty() {
            self.shown.write().fold(batch);
            self.changed.send_modify(|number| *number += 1);
        }
    }

    /// A key's entry, if it is there.
    pub(crate) fn key(&self, key: &str) -> Seen<Option<Arc<Entry>>> {
        self.shown.read().key(key)
    }

    /// All keys that begin with a prefix, in order.
    pub(crate) fn under(&self, prefix: &str) -> Seen<Vec<(Arc<str>, Arc<Entry>)>> {
        self.shown.read().under(prefix)
    }

    /// All sessions, by their ids.
    pub(crate) fn sessions(&self) -> Seen<Vec<Arc<Session>>> {
        self.shown.read().sessions()
    }

    pub(crate) fn session(&self, id: &str) -> Option<Arc<Session>> {
        self.shown.read().session(id)
    }

    /// Waits until something has changed after a revision, but not for longer than `most`, nor after the registry was told
    /// to stop.
    pub(crate) async fn wait(&self, subject: &Subject, revision: u64, most: Duration) -> Result<(), Refused> {
        let (deadline, mut turns) = (Instant::now() + most, self.turns.subscribe());
        // Before the first look, so that no change falls in between.
        let mut changed = self.changed.subscribe();
        let mut looked = {
            let shown = self.shown.read();
            if shown.revision_of(subject) > revision {
                return Ok(());
            }
            shown.last()
        };
        let Ok(_permit) = self.waiting.try_acquire() else {
            let reason = format!("{} requests wait for keys and sessions, and no more may", self.most);
            return Err(Refused::new(Kind::Full, reason));
        };
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(()),
                _ = turns.changed() => return Ok(()),
                () = sleep_until(deadline) => return Ok(()),
                // Its sender is beside it.
                _ = changed.changed() => {}
            }
            let shown = self.shown.read();
            if shown.has_moved(subject, revision, looked) {
                return Ok(());
            }
            looked = shown.last();
        }
    }
}
