//! Keys with their values, and the locks that sessions hold on them, as far as Consul's API has them: a state machine
//! without I/O or a clock of its own.
//!
//! Every method is told what time it is and where revisions come from, and leaves what changed in a [`Batch`].
//!
//! * Every change takes the next **revision** of the registry. A put that changes nothing is none.
//! * A **session** is there until it is ended, or until its time to live has passed since it was renewed last.
//! * A key is **locked** by one session at most. Each time that another one gets it, its lock index grows: what says an
//!   index with its work, and whoever takes the work refuses a lower one than before, is safe from one who was paused.
//!   That of a key that was deleted goes on from the revision of that, which is greater than any it has had: each came
//!   with a revision of its own.
//! * When a session ends, its keys are released or deleted, and nobody locks them for its **lock delay**: whoever had
//!   them may still be at work.

mod batch;
mod board;
mod entry;
mod expiry;
pub(crate) mod http;
mod limits;
mod locks;
mod restore;
mod session;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;

pub(crate) use self::batch::{Batch, Change, Grave};
pub(crate) use self::board::Board;
pub(crate) use self::entry::{Entry, On, Put};
use self::expiry::Due;
pub use self::limits::KvLimits;
use self::locks::{Lock, Open};
pub(crate) use self::restore::Kept;
pub(crate) use self::session::{Behavior, Session, Terms};
use crate::clock::Time;
use crate::roster::{Kind, Refused};
use crate::wheel::Wheel;

/// The longest key, in bytes.
const KEY: usize = 512;
/// How many deleted keys are remembered, and how many of them are forgotten when there are more. Whoever asks for an
/// absent key is told an index that grows when some are: rarely, as that wakes all who wait for one.
const GRAVES: usize = 16_384;
const FORGOTTEN: usize = 4_096;

/// When something changes, and what counts it.
#[derive(Debug)]
pub(crate) struct At<'a> {
    pub(crate) now: Time,
    /// The last revision of the registry.
    pub(crate) revision: &'a mut u64,
}

impl At<'_> {
    fn next(&mut self) -> u64 {
        *self.revision += 1;
        *self.revision
    }
}

/// All keys and sessions.
#[derive(Debug)]
pub(crate) struct Kv {
    limits: KvLimits,
    keys: BTreeMap<Arc<str>, Arc<Entry>>,
    /// Of all keys and values.
    bytes: usize,
    graves: VecDeque<Grave>,
    /// When keys were deleted that are not there again.
    deleted: HashMap<Arc<str>, u64>,
    /// The revision that nobody remembers deleted keys up to.
    forgotten: u64,
    sessions: HashMap<Arc<str>, Open>,
    /// Until when nobody can lock a key.
    delays: HashMap<Arc<str>, Time>,
    wheel: Wheel<Due>,
    batch: Batch,
}

impl Kv {
    pub(crate) fn new(limits: KvLimits) -> Self {
        Self {
            limits,
            keys: BTreeMap::new(),
            bytes: 0,
            graves: VecDeque::new(),
            deleted: HashMap::new(),
            forgotten: 0,
            sessions: HashMap::new(),
            delays: HashMap::new(),
            wheel: Wheel::new(),
            batch: Batch::default(),
        }
    }

    /// What changed since the last time this was asked.
    pub(crate) fn take_batch(&mut self) -> Batch {
        std::mem::take(&mut self.batch)
    }

    /// Gives a key a value, if it is as the put demands; says whether it was.
    pub(crate) fn put(&mut self, key: &str, put: Put, at: &mut At<'_>) -> Result<bool, Refused> {
        let Put { value, flags, on } = put;
        let before = self.keys.get(key).cloned();
        let lock = before.as_deref().map_or_else(|| self.new_lock(key), Lock::of);
        let lock = match on {
            On::Always => Some(lock),
            On::Unchanged(revision) => {
                let is_so = before.as_ref().map(|before| before.modified) == revision;
                is_so.then_some(lock)
            }
            On::Acquire(session) => self.acquired(key, lock, &session, at.now)?,
            On::Release(session) => lock.released(&session),
        };
        let Some(lock) = lock else { return Ok(false) };
        if before.as_ref().is_some_and(|before| before.is(&value, flags, &lock)) {
            return Ok(true);
        }
        self.check(key, &value, before.as_deref())?;
        let modified = at.next();
        let created = before.map_or(modified, |before| before.created);
        let Lock { session, index: lock_index } = lock;
        self.set(key.into(), Entry { value, flags, session, lock_index, created, modified });
        Ok(true)
    }

    /// The lock of a key that is not there.
    fn new_lock(&self, key: &str) -> Lock {
        Lock { session: None, index: self.deleted.get(key).copied().unwrap_or(self.forgotten) }
    }

    /// Refuses what there is no room for.
    fn check(&self, key: &str, value: &Bytes, before: Option<&Entry>) -> Result<(), Refused> {
        let limits = &self.limits;
        if key.is_empty() || key.len() > KEY {
            let reason = format!("a key of {} bytes is not from 1 to {KEY} bytes long", key.len());
            return Err(Refused::new(Kind::Invalid, reason));
        }
        if value.len() > limits.value {
            let reason = format!("the value is longer than {} bytes", limits.value);
            return Err(Refused::new(Kind::Invalid, reason));
        }
        // Keys that cannot be locked yet take room also when they are deleted.
        if before.is_none() && self.keys.len() + self.delays.len() >= limits.keys {
            let reason = format!("there are {} keys, with those in their lock delay, and may not be more", limits.keys);
            return Err(Refused::new(Kind::Full, reason));
        }
        let freed = before.map_or(0, |before| key.len() + before.value.len());
        if self.bytes - freed + key.len() + value.len() > limits.bytes {
            let reason = format!("keys and values may have {} bytes together, and would have more", limits.bytes);
            return Err(Refused::new(Kind::Full, reason));
        }
        Ok(())
    }

    /// Deletes a key, if its last change is that of a revision, where one is named; says whether it is not there now.
    pub(crate) fn delete(&mut self, key: &str, unchanged: Option<u64>, at: &mut At<'_>) -> bool {
        let Some((key, entry)) = self.keys.get_key_value(key) else { return true };
        if unchanged.is_some_and(|revision| revision != entry.modified) {
            return false;
        }
        let key = Arc::clone(key);
        self.remove(&key, at);
        true
    }

    /// Deletes all keys that begin with a prefix.
    pub(crate) fn delete_under(&mut self, prefix: &str, at: &mut At<'_>) {
        let keys: Vec<_> = under(&self.keys, prefix).map(|(key, _)| Arc::clone(key)).collect();
        keys.iter().for_each(|key| self.remove(key, at));
    }

    fn set(&mut self, key: Arc<str>, entry: Entry) {
        let entry = Arc::new(entry);
        self.bytes += key.len() + entry.value.len();
        match self.keys.insert(Arc::clone(&key), Arc::clone(&entry)) {
            Some(before) => {
                self.bytes -= key.len() + before.value.len();
                self.unlock(&key, before.session.as_ref());
            }
            None => drop(self.deleted.remove(&key)),
        }
        if let Some(session) = entry.session.as_ref().and_then(|session| self.sessions.get_mut(session)) {
            session.keys.insert(Arc::clone(&key));
        }
        self.batch.changes.push(Change::Put(key, entry));
    }

    fn remove(&mut self, key: &Arc<str>, at: &mut At<'_>) {
        let Some(entry) = self.keys.remove(key) else { return };
        self.bytes -= key.len() + entry.value.len();
        self.unlock(key, entry.session.as_ref());
        let grave = Grave { revision: at.next(), key: Arc::clone(key) };
        self.bury(grave.clone());
        self.batch.changes.push(Change::Deleted(grave));
        if self.graves.len() > GRAVES {
            let forgotten: Vec<Grave> = self.graves.drain(..FORGOTTEN).collect();
            for Grave { revision, key } in &forgotten {
                self.forgotten = self.forgotten.max(*revision);
                if self.deleted.get(key) == Some(revision) {
                    self.deleted.remove(key);
                }
            }
            self.batch.forgotten.extend(forgotten);
        }
    }

    fn bury(&mut self, grave: Grave) {
        self.deleted.insert(Arc::clone(&grave.key), grave.revision);
        self.graves.push_back(grave);
    }

    fn unlock(&mut self, key: &Arc<str>, session: Option<&Arc<str>>) {
        if let Some(session) = session.and_then(|session| self.sessions.get_mut(session)) {
            session.keys.remove(key);
        }
    }
}

/// Those of a map whose keys begin with a prefix.
fn under<'a, T>(map: &'a BTreeMap<Arc<str>, T>, prefix: &'a str) -> impl Iterator<Item = (&'a Arc<str>, &'a T)> {
    let from = (Bound::Included(prefix), Bound::Unbounded);
    map.range::<str, _>(from).take_while(move |(key, _)| key.starts_with(prefix))
}
