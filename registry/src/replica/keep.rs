//! How a batch is kept in etcd: as few transactions as it takes, one after the other, each of which counts only while its
//! replica is the one that writes.
//!
//! What readers follow is in order all the same: each transaction says up to which revision everything is written, and of
//! a batch that breaks off between two of them nobody has been told.

use std::collections::HashMap;

use super::keys::{Key, Keys};
use super::rows::{self, At};
use crate::etcd::{Client, Compare, Op, Put, Remove, TXN, Txn, TxnDone};
use crate::keeper::{Changes, Unkept};
use crate::kv;
use crate::roster::Became;

/// How many keys a transaction changes, with the one that says how far it is: etcd takes 128, if nobody has changed that.
const OPS: usize = 127;
/// How many bytes they have: etcd takes a request of 1.5 MiB.
const BYTES: usize = 1024 * 1024;

/// Keeps what one replica writes, for as long as it is the one that does.
#[derive(Debug)]
pub(crate) struct Keep {
    pub(super) client: Client,
    pub(super) keys: Keys,
    /// etcd's revision of its election.
    pub(super) elected: i64,
    pub(super) at: At,
}

/// One key, and what becomes of it at a revision of the registry.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    key: Key,
    revision: u64,
    value: Option<Vec<u8>>,
    /// It must not be without what is before it.
    follows: bool,
}

impl Keep {
    /// Writes a batch, up to a revision. After an error part of it may be written, and it may be tried again.
    pub(crate) async fn commit(&mut self, changes: &Changes, revision: u64) -> Result<(), Unkept> {
        let at = self.at_after(changes, revision);
        let all = last_of_each(listed(changes));
        let parts = parts(&all);
        let (mut written, count) = (self.at.revision, parts.len());
        for (number, part) in parts.into_iter().enumerate() {
            written = part.iter().map(|change| change.revision).fold(written, u64::max);
            let is_last = number + 1 == count;
            let at = if is_last { at } else { At { revision: written, ..self.at } };
            self.transact(part, &at).await?;
        }
        self.at = at;
        Ok(())
    }

    async fn transact(&self, part: &[Change], at: &At) -> Result<(), Unkept> {
        let ops = part.iter().map(|Change { key, value, .. }| {
            let key = self.keys.of(key);
            match value {
                Some(value) => Op::Put(Put { key, value: value.clone(), lease: 0 }),
                None => Op::Remove(Remove { key }),
            }
        });
        let at = Op::Put(Put { key: self.keys.of(&Key::At), value: rows::write(at), lease: 0 });
        let still = Compare::created(self.keys.of(&Key::Writer), self.elected);
        let done = self.client.call(TXN, Txn::new(still, ops.chain([at]))).await;
        match done {
            Ok(TxnDone { succeeded: true, .. }) => Ok(()),
            Ok(TxnDone { succeeded: false, .. }) => Err(Unkept::Ever("another replica writes now".to_owned())),
            Err(failed) => Err(Unkept::Yet(failed.to_string())),
        }
    }

    fn at_after(&self, changes: &Changes, revision: u64) -> At {
        let forgotten = |last: Option<u64>, before: u64| last.map_or(before, |last| last.max(before));
        let sessions = changes.kv.changes.iter().filter_map(|change| match change {
            kv::Change::Opened(session) => Some(session.created),
            kv::Change::Ended(_, revision) => Some(*revision),
            _ => None,
        });
        At {
            revision,
            floor: forgotten(changes.roster.forgotten.last().map(|grave| grave.revision), self.at.floor),
            sessions_at: sessions.fold(self.at.sessions_at, u64::max),
            forgotten: forgotten(changes.kv.forgotten.last().map(|grave| grave.revision), self.at.forgotten),
        }
    }
}

/// What becomes of which key, in order.
fn listed(changes: &Changes) -> Vec<Change> {
    let mut all = Vec::new();
    let mut set = |key, revision, value| all.push(Change { key, revision, value, follows: false });
    for change in &changes.roster.changes {
        let instance = Key::Instance(change.service.clone(), change.id.clone());
        match &change.became {
            Became::Listed(row) => set(instance, change.revision, Some(rows::instance(change.revision, row))),
            Became::Gone(why) => {
                let grave = change.grave();
                set(instance, change.revision, None);
                set(Key::Gone(grave), change.revision, Some(rows::gone(*why)));
            }
        }
    }
    for grave in &changes.roster.forgotten {
        set(Key::Gone(grave.clone()), 0, None);
    }
    for change in &changes.kv.changes {
        match change {
            kv::Change::Put(key, entry) => set(Key::Kv(key.clone()), entry.modified, Some(rows::entry(entry))),
            kv::Change::Deleted(grave) => {
                set(Key::Kv(grave.key.clone()), grave.revision, None);
                set(Key::Deleted(grave.clone()), grave.revision, Some(Vec::new()));
            }
            kv::Change::Opened(session) => {
                let value = rows::session(session.created, &session.terms);
                set(Key::Session(session.id.clone()), session.created, Some(value));
            }
            kv::Change::Ended(id, revision) => set(Key::Session(id.clone()), *revision, None),
            kv::Change::Delayed(key, delay) => set(Key::Delay(key.clone()), 0, delay.map(rows::delay)),
        }
    }
    for grave in &changes.kv.forgotten {
        set(Key::Deleted(grave.clone()), 0, None);
    }
    // A key is never free before it cannot be locked, nor off the list before it is among those who are gone.
    for change in &mut all {
        change.follows = matches!(change.key, Key::Delay(_) | Key::Gone(_) | Key::Deleted(_)) && change.value.is_some();
    }
    all
}

/// A transaction changes a key once: of several changes the last counts, in its place.
fn last_of_each(all: Vec<Change>) -> Vec<Change> {
    let mut last = HashMap::new();
    for (place, change) in all.iter().enumerate() {
        last.insert(change.key.clone(), place);
    }
    let is_last = |(place, change): &(usize, Change)| last.get(&change.key) == Some(place);
    all.into_iter().enumerate().filter(is_last).map(|(_, change)| change).collect()
}

/// Cut to what etcd takes at once: at least one part, which may be empty.
fn parts(mut all: &[Change]) -> Vec<&[Change]> {
    let mut parts = Vec::new();
    loop {
        let mut bytes = 0;
        let fits = |change: &&Change| {
            bytes += change.value.as_ref().map_or(0, Vec::len) + 256;
            bytes <= BYTES
        };
        let most = all.iter().take(OPS).take_while(fits).count().max(1).min(all.len());
        let mut cut = most;
        while cut < all.len() && cut > 1 && all[cut].follows {
            cut -= 1;
        }
        let (part, rest) = all.split_at(cut);
        parts.push(part);
        if rest.is_empty() {
            return parts;
        }
        all = rest;
    }
}
