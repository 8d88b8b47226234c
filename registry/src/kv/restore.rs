//! Keys and sessions as they were before the registry ended.

use std::sync::Arc;
use std::time::Duration;

use super::Kv;
use super::batch::{Batch, Change, Grave};
use super::entry::Entry;
use super::session::{Behavior, Session, Terms};
use crate::clock::Time;

/// A session whose keys are all that is left of it: what became of it nobody knows, so that its holder may be at work.
const LOST: Terms = Terms {
    name: String::new(),
    node: String::new(),
    ttl: Some(Duration::ZERO),
    behavior: Behavior::Release,
    lock_delay: Duration::from_secs(15),
};

/// What was kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    pub(crate) keys: Vec<(Arc<str>, Arc<Entry>)>,
    /// By their revisions.
    pub(crate) graves: Vec<Grave>,
    pub(crate) sessions: Vec<(Arc<str>, u64, Terms)>,
    /// Keys that could not be locked, and for how long in all.
    pub(crate) delays: Vec<(Arc<str>, Duration)>,
    /// The last revision at which a session came or ended.
    pub(crate) sessions_at: u64,
    /// Keys that were deleted up to this revision may be forgotten.
    pub(crate) forgotten: u64,
    /// The revision of the last change of any of it.
    pub(crate) highest: u64,
}

impl Kv {
    /// Takes up what was kept, and tells of it as if it had come now. Every session has its full time, and the grace;
    /// every lock delay begins anew.
    pub(crate) fn restore(&mut self, kept: Kept, grace: Duration, now: Time) {
        for (id, created, terms) in kept.sessions {
            let session = Arc::new(Session::new(id, terms, created, now + grace));
            self.batch.changes.push(Change::Opened(Arc::clone(&session)));
            self.admit(session);
        }
        for (key, entry) in kept.keys {
            if let Some(id) = entry.session.as_ref().filter(|id| !self.sessions.contains_key(*id)) {
                self.admit(Arc::new(Session::new(Arc::clone(id), LOST, entry.modified, now)));
            }
            self.set(key, Entry::clone(&entry));
        }
        for (key, delay) in kept.delays {
            self.delay(key, delay, now);
        }
        for grave in kept.graves {
            // What is there again is not deleted any more; but its grave is yet to be forgotten.
            if self.keys.contains_key(&grave.key) {
                self.graves.push_back(grave);
            } else {
                self.batch.changes.push(Change::Deleted(grave.clone()));
                self.bury(grave);
            }
        }
        self.forgotten = kept.forgotten;
    }
}

impl From<&Kept> for Batch {
    /// As it is written into a database that has nothing of it.
    fn from(kept: &Kept) -> Self {
        let mut changes = Vec::new();
        for (id, created, terms) in &kept.sessions {
            let session = Session::new(Arc::clone(id), terms.clone(), *created, Time::default());
            changes.push(Change::Opened(Arc::new(session)));
        }
        changes.extend(kept.keys.iter().map(|(key, entry)| Change::Put(Arc::clone(key), Arc::clone(entry))));
        changes.extend(kept.delays.iter().map(|(key, delay)| Change::Delayed(Arc::clone(key), Some(*delay))));
        Self { changes, forgotten: Vec::new() }
    }
}
