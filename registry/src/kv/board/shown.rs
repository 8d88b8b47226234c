//! Keys and sessions by what is asked for, and when each changed last.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::{Seen, Subject};
use crate::kv::batch::{Batch, Change};
use crate::kv::entry::Entry;
use crate::kv::session::Session;
use crate::kv::under;

#[derive(Debug)]
pub(super) struct Shown {
    keys: BTreeMap<Arc<str>, Arc<Entry>>,
    /// When keys were deleted that are not there again, as far as anybody remembers.
    deleted: BTreeMap<Arc<str>, u64>,
    /// The revision that nobody remembers deleted keys up to.
    forgotten: u64,
    /// Each key at its last change, so that whoever waits looks at what is new and at nothing else.
    changes: BTreeMap<u64, Arc<str>>,
    sessions: BTreeMap<Arc<str>, Arc<Session>>,
    sessions_at: u64,
}

impl Shown {
    pub(super) fn new(forgotten: u64, sessions_at: u64) -> Self {
        Self {
            keys: BTreeMap::new(),
            deleted: BTreeMap::new(),
            forgotten,
            changes: BTreeMap::new(),
            sessions: BTreeMap::new(),
            sessions_at,
        }
    }

    pub(super) fn fold(&mut self, batch: &Batch) {
        for change in &batch.changes {
            match change {
                Change::Put(key, entry) => {
                    self.note(key, entry.modified);
                    self.deleted.remove(key);
                    self.keys.insert(Arc::clone(key), Arc::clone(entry));
                }
                Change::Deleted(grave) => {
                    self.note(&grave.key, grave.revision);
                    self.keys.remove(&grave.key);
                    self.deleted.insert(Arc::clone(&grave.key), grave.revision);
                }
                Change::Opened(session) => {
                    self.sessions_at = self.sessions_at.max(session.created);
                    self.sessions.insert(Arc::clone(&session.id), Arc::clone(session));
                }
                Change::Ended(id, revision) => {
                    self.sessions_at = *revision;
                    self.sessions.remove(id);
                }
                Change::Delayed(..) => {}
            }
        }
        for grave in &batch.forgotten {
            self.forgotten = self.forgotten.max(grave.revision);
            // It may have been there again since, and may have been deleted again.
            if self.deleted.get(&grave.key) == Some(&grave.revision) {
                self.deleted.remove(&grave.key);
                self.changes.remove(&grave.revision);
            }
        }
        debug_assert_eq!(self.changes.len(), self.keys.len() + self.deleted.len(), "each key has one last change");
    }

    /// A key changes at a revision, and its change before is not its last any more.
    fn note(&mut self, key: &Arc<str>, revision: u64) {
        let before = self.keys.get(key).map(|entry| entry.modified).or_else(|| self.deleted.get(key).copied());
        if let Some(before) = before {
            self.changes.remove(&before);
        }
        self.changes.insert(revision, Arc::clone(key));
    }

    pub(super) fn key(&self, key: &str) -> Seen<Option<Arc<Entry>>> {
        let entry = self.keys.get(key).cloned();
        let revision = entry.as_ref().map_or_else(
            // If it is not remembered, it was deleted before that, or never was.
            || self.deleted.get(key).copied().unwrap_or(self.forgotten),
            |entry| entry.modified,
        );
        Seen { revision, what: entry }
    }

    pub(super) fn under(&self, prefix: &str) -> Seen<Vec<(Arc<str>, Arc<Entry>)>> {
        let what = under(&self.keys, prefix).map(|(key, entry)| (Arc::clone(key), Arc::clone(entry))).collect();
        Seen { revision: self.revision_under(prefix), what }
    }

    fn revision_under(&self, prefix: &str) -> u64 {
        let there = under(&self.keys, prefix).map(|(_, entry)| entry.modified).max();
        let deleted = under(&self.deleted, prefix).map(|(_, revision)| *revision).max();
        there.max(deleted).unwrap_or_default().max(self.forgotten)
    }

    pub(super) fn sessions(&self) -> Seen<Vec<Arc<Session>>> {
        Seen { revision: self.sessions_at, what: self.sessions.values().cloned().collect() }
    }

    pub(super) fn session(&self, id: &str) -> Option<Arc<Session>> {
        self.sessions.get(id).cloned()
    }

    pub(super) fn revision_of(&self, subject: &Subject) -> u64 {
        match subject {
            Subject::Key(key) => self.key(key).revision,
            Subject::Prefix(prefix) => self.revision_under(prefix),
            Subject::Sessions => self.sessions_at,
        }
    }

    /// The revision of the last change of any key.
    pub(super) fn last(&self) -> u64 {
        self.changes.last_key_value().map_or(0, |(revision, _)| *revision)
    }

    /// Has something changed after a revision now, where it had not when the last change was `looked`?
    pub(super) fn has_moved(&self, subject: &Subject, revision: u64, looked: u64) -> bool {
        let Subject::Prefix(prefix) = subject else { return self.revision_of(subject) > revision };
        let after = (Bound::Excluded(looked.max(revision)), Bound::Unbounded);
        self.forgotten > revision || self.changes.range(after).any(|(_, key)| key.starts_with(prefix))
    }
}
