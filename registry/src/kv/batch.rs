//! What has changed, for whoever keeps it and whoever shows it.

use std::sync::Arc;
use std::time::Duration;

use super::entry::Entry;
use super::session::Session;

/// All that changed since the last time it was asked, in order.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) changes: Vec<Change>,
    /// Keys that were deleted before so many others that nobody remembers when.
    pub(crate) forgotten: Vec<Grave>,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.forgotten.is_empty()
    }
}

/// One change. Each has a revision, except for that of a lock delay, which nobody is told of.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Put(Arc<str>, Arc<Entry>),
    Deleted(Grave),
    /// A session has been made.
    Opened(Arc<Session>),
    /// A session has ended, at a revision.
    Ended(Arc<str>, u64),
    /// For so long nobody can lock a key, or again they can.
    Delayed(Arc<str>, Option<Duration>),
}

/// A key that was deleted, and when.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Grave {
    pub(crate) revision: u64,
    pub(crate) key: Arc<str>,
}
