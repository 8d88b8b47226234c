//! How a batch is kept in etcd: as few transactions as it takes, one after the other, each of which counts only while its
//! replica is the one that writes.
//!
//! What readers follow is in order all the same: each transaction says up to which revision everything is written, and of
//! a batch that breaks off between two of them nobody has been told.

use std::collections::HashMap;

use prost::Message;

use super::keys::{Key, Keys};
use super::rows::{self, At};
use crate::etcd::{Client, Compare, Found, Op, Put, RANGE, Range, Remove, TXN, Txn, TxnDone};
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
    client: Client,
    keys: Keys,
    /// etcd's revision of its election.
    elected: i64,
    at: At,
    /// etcd's revision of that: each transaction follows upon the one before.
    changed: i64,
    /// How many parts of the batch that could not be kept yet are kept already.
    done: usize,
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
    pub(super) fn new(client: Client, keys: Keys, elected: i64, (at, changed): (At, i64)) -> Self {
        Self { client, keys, elected, at, changed, done: 0 }
    }

    /// Writes a batch, up to a revision. After an error part of it may be written, and it may be tried again.
    pub(crate) async fn commit(&mut self, changes: &Changes, revision: u64) -> Result<(), Unkept> {
        let at = self.at_after(changes, revision);
        let all = last_of_each(listed(changes));
        let parts = parts(&all);
        let (mut written, count) = (self.at.revision, parts.len());
        for (number, part) in parts.into_iter().enumerate() {
            written = part.iter().map(|change| change.revision).fold(written, u64::max);
            if number < self.done {
                continue;
            }
            // What is forgotten is so before it is removed, and nothing is said of what is yet to be written.
            let begun = At {
                revision: written,
                floor: at.floor.min(written),
                sessions_at: at.sessions_at.min(written),
                forgotten: at.forgotten.min(written),
            };
            self.transact(part, if number + 1 == count { &at } else { &begun }).await?;
            self.done = number + 1;
        }
        (self.at, self.done) = (at, 0);
        Ok(())
    }

    async fn transact(&mut self, part: &[Change], at: &At) -> Result<(), Unkept> {
        let ops = part.iter().map(|Change { key, value, .. }| {
            let key = self.keys.of(key);
            match value {
                Some(value) => Op::Put(Put { key, value: value.clone(), lease: 0 }),
                None => Op::Remove(Remove { key }),
            }
        });
        let (key, value) = (self.keys.of(&Key::At), rows::write(at));
        // One that was given up may be done all the same, and late: then it must not be done again, nor over a later one.
        let follows = Compare::changed(key.clone(), self.changed);
        let still = Compare::created(self.keys.of(&Key::Writer), self.elected);
        let txn = Txn::new([still, follows], ops.chain([Op::Put(Put { key, value, lease: 0 })]));
        let TxnDone { header, succeeded } = self.ask(TXN, txn).await?;
        self.changed = if succeeded { header.unwrap_or_default().revision } else { self.done_before().await? };
        Ok(())
    }

    /// Was the transaction that is refused now done when it was tried before? Nobody else may have changed anything, if
    /// this is still the one that writes. Returns etcd's revision of it.
    async fn done_before(&self) -> Result<i64, Unkept> {
        let range = |key: &Key| Range { key: self.keys.of(key), end: Vec::new(), limit: 1, revision: 0 };
        // In this order: who is the writer afterwards was so before.
        let at: Found = self.ask(RANGE, range(&Key::At)).await?;
        let writer: Found = self.ask(RANGE, range(&Key::Writer)).await?;
        match (at.pairs.first(), writer.pairs.first()) {
            (Some(at), Some(writer)) if writer.created == self.elected && at.changed > self.changed => Ok(at.changed),
            _ => Err(Unkept::Ever("another replica writes now".to_owned())),
        }
    }

    async fn ask<Q, A>(&self, path: &'static str, asked: Q) -> Result<A, Unkept>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        self.client.call(path, asked).await.map_err(|failed| Unkept::Yet(failed.to_string()))
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
    let mut listed_at = HashMap::new();
    for change in changes.roster.changes.iter().filter(|change| change.row().is_some()) {
        listed_at.insert((&change.service, &change.id), change.revision);
    }
    let mut all = Vec::new();
    let mut set = |key, revision, value| all.push(Change { key, revision, value, follows: false });
    for change in &changes.roster.changes {
        let instance = Key::Instance(change.service.clone(), change.id.clone());
        match &change.became {
            Became::Listed(row) => set(instance, change.revision, Some(rows::instance(change.revision, row))),
            // Who is back before anybody is told was not gone.
            Became::Gone(_) if listed_at.get(&(&change.service, &change.id)) > Some(&change.revision) => {}
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
    // Nobody is off the list before being among those who are gone.
    for change in &mut all {
        change.follows = matches!(change.key, Key::Gone(_) | Key::Deleted(_)) && change.value.is_some();
    }
    // A batch may break off between two parts. So keys cannot be locked before their session has ended, and it has ended
    // before they are free; and whatever followers show comes before what has later revisions and is shown to nobody.
    all.sort_by_key(|change| match (&change.key, &change.value) {
        (Key::Delay(_), Some(_)) => 0,
        (Key::Instance(..) | Key::Gone(_), _) => 1,
        (Key::Session(_), None) => 2,
        _ => 3,
    });
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use mainstay_contracts::registry::GoneReason;

    use super::*;
    use crate::roster;

    fn gone(number: u64) -> roster::Change {
        let id = format!("r{number}").parse().unwrap();
        roster::Change { revision: number, service: "ratings".into(), id, became: Became::Gone(GoneReason::Left) }
    }

    /// How far each part says that everything is written, as the one who writes them does.
    fn said(parts: &[&[Change]]) -> Vec<u64> {
        let most = |part: &&[Change]| part.iter().map(|change| change.revision).max().unwrap_or_default();
        let so_far = |written: &mut u64, part: u64| {
            *written = part.max(*written);
            Some(*written)
        };
        parts.iter().map(most).scan(0, so_far).collect()
    }

    #[test]
    fn a_part_says_nothing_of_what_is_in_later_ones() {
        let mut changes = Changes::default();
        changes.roster.changes = (1..=200).map(gone).collect();
        for number in 0..70 {
            let key: Arc<str> = format!("k{number}").into();
            changes.kv.changes.push(kv::Change::Delayed(key, Some(Duration::from_secs(15))));
            changes.kv.changes.push(kv::Change::Ended(format!("s{number}").into(), 1_000 + number));
        }
        let all = last_of_each(listed(&changes));
        let parts = parts(&all);
        assert_eq!(parts.iter().map(|part| part.len()).sum::<usize>(), 200 * 2 + 70 * 2);
        assert!(parts.iter().all(|part| part.len() <= OPS), "etcd takes no more");
        for (number, said) in said(&parts).into_iter().enumerate() {
            for change in parts[number + 1..].iter().flat_map(|part| part.iter()) {
                let is_shown = matches!(change.key, Key::Instance(..) | Key::Gone(_));
                assert!(!is_shown || change.revision > said, "{:?} comes after {said} was said", change.key);
            }
        }
        let cuts = parts.iter().filter_map(|part| part.first());
        assert!(cuts.into_iter().all(|first| !first.follows), "nobody is off the list before being among the gone");
    }

    #[test]
    fn of_one_instance_the_last_change_counts_and_who_is_back_was_not_gone() {
        let mut changes = Changes::default();
        changes.roster.changes = vec![gone(1), gone(2)];
        changes.roster.changes[1].id = changes.roster.changes[0].id.clone();
        let all = last_of_each(listed(&changes));
        let instances: Vec<_> = all.iter().filter(|change| matches!(change.key, Key::Instance(..))).collect();
        assert_eq!((instances.len(), instances[0].revision), (1, 2));
        assert_eq!(all.len(), 3, "each grave is one of its own");
    }
}
