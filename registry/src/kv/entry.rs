//! One key's value, and a put of it.

use std::sync::Arc;

use bytes::Bytes;

use super::locks::Lock;

/// What a key has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) value: Bytes,
    /// Whatever number its writer gave it.
    pub(crate) flags: u64,
    /// The session that has locked it.
    pub(crate) session: Option<Arc<str>>,
    /// Greater with each session that gets the lock after another one.
    pub(crate) lock_index: u64,
    /// The revision it was created at.
    pub(crate) created: u64,
    /// The revision of its last change.
    pub(crate) modified: u64,
}

impl Entry {
    /// Would a put change nothing?
    pub(super) fn is(&self, value: &Bytes, flags: u64, lock: &Lock) -> bool {
        self.value == *value && self.flags == flags && Lock::of(self) == *lock
    }
}

/// A new value for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Put {
    pub(crate) value: Bytes,
    pub(crate) flags: u64,
    pub(crate) on: On,
}

/// What must be so for a put to be done, and what it does to the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum On {
    /// It is done, whoever has locked the key: a lock is an agreement among those who ask for it.
    Always,
    /// The key's last change is that of this revision; without one, there is no such key.
    Unchanged(Option<u64>),
    /// This session gets the lock, or has it.
    Acquire(Arc<str>),
    /// This session has the lock, which it gives back.
    Release(Arc<str>),
}
