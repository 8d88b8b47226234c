//! Keys, sessions and lock delays as they are kept: tables of their own, in the transaction of their batch.

mod row;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{CachedStatement, Connection, Row, Transaction, params};

use self::row::{Meta, sum, text};
use super::row::signed;
use crate::kv::{Batch, Change, Entry, Grave, Kept, Terms};

const PUT: &str = "INSERT OR REPLACE INTO kv (key, revision, entry, value, sum) VALUES (?1, ?2, ?3, ?4, ?5)";
const FORGET: &str = "DELETE FROM kv WHERE key = ?1 AND revision = ?2 AND entry IS NULL";
const OPEN: &str = "INSERT OR REPLACE INTO kv_session (id, revision, terms, sum) VALUES (?1, ?2, ?3, ?4)";
const END: &str = "DELETE FROM kv_session WHERE id = ?1";
const DELAY: &str = "INSERT OR REPLACE INTO kv_delay (key, millis, sum) VALUES (?1, ?2, ?3)";
const UNDELAY: &str = "DELETE FROM kv_delay WHERE key = ?1";
const MARK: &str = "INSERT OR REPLACE INTO kv_mark (of, revision, sum) VALUES (?1, ?2, ?3)";

/// Writes a batch.
pub(super) fn write(transaction: &Transaction<'_>, batch: &Batch) -> rusqlite::Result<()> {
    let mut sessions_at = None;
    for change in &batch.changes {
        match change {
            Change::Put(key, entry) => put(&mut transaction.prepare_cached(PUT)?, key, entry)?,
            Change::Deleted(Grave { revision, key }) => {
                let revision = signed(*revision);
                let sum = sum(&[key.as_bytes(), &revision.to_le_bytes()]);
                let nothing = None::<&[u8]>;
                transaction.prepare_cached(PUT)?.execute(params![&**key, revision, None::<&str>, nothing, sum])?;
            }
            Change::Opened(session) => {
                sessions_at = Some(session.created);
                let (terms, revision) = (text(&session.terms)?, signed(session.created));
                let sum = sum(&[session.id.as_bytes(), &revision.to_le_bytes(), terms.as_bytes()]);
                transaction.prepare_cached(OPEN)?.execute(params![&*session.id, revision, terms, sum])?;
            }
            Change::Ended(id, revision) => {
                sessions_at = Some(*revision);
                transaction.prepare_cached(END)?.execute([&**id])?;
            }
            Change::Delayed(key, Some(delay)) => {
                let millis = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
                let sum = sum(&[key.as_bytes(), &millis.to_le_bytes()]);
                transaction.prepare_cached(DELAY)?.execute(params![&**key, millis, sum])?;
            }
            Change::Delayed(key, None) => {
                transaction.prepare_cached(UNDELAY)?.execute([&**key])?;
            }
        }
    }
    for Grave { revision, key } in &batch.forgotten {
        transaction.prepare_cached(FORGET)?.execute(params![&**key, signed(*revision)])?;
    }
    let forgotten = batch.forgotten.last().map(|grave| grave.revision);
    mark(transaction, sessions_at, forgotten)
}

fn put(statement: &mut CachedStatement<'_>, key: &str, entry: &Entry) -> rusqlite::Result<()> {
    let (meta, revision) = (text(&Meta::from(entry))?, signed(entry.modified));
    let sum = sum(&[key.as_bytes(), &revision.to_le_bytes(), meta.as_bytes(), &entry.value]);
    statement.execute(params![key, revision, meta, &*entry.value, sum])?;
    Ok(())
}

fn mark(transaction: &Transaction<'_>, sessions_at: Option<u64>, forgotten: Option<u64>) -> rusqlite::Result<()> {
    for (of, revision) in [("sessions", sessions_at), ("forgotten", forgotten)] {
        if let Some(revision) = revision.map(signed) {
            let sum = sum(&[of.as_bytes(), &revision.to_le_bytes()]);
            transaction.prepare_cached(MARK)?.execute(params![of, revision, sum])?;
        }
    }
    Ok(())
}

/// Writes what was kept in another database, which was damaged.
pub(super) fn write_kept(transaction: &Transaction<'_>, kept: &Kept) -> rusqlite::Result<()> {
    write(transaction, &Batch::from(kept))?;
    mark(transaction, Some(kept.sessions_at), Some(kept.forgotten))
}

/// What could be read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) kept: Kept,
    pub(super) unsound: usize,
    /// What broke off reading.
    pub(super) broken: Option<String>,
}

/// All sound rows.
pub(super) fn read(db: &Connection) -> Read {
    let mut read = Read::default();
    for (key, revision, entry) in read.all(db, "SELECT rowid, key, revision, sum, entry, value FROM kv", row::key) {
        read.kept.highest = read.kept.highest.max(revision);
        match entry {
            Some(entry) => read.kept.keys.push((key, Arc::new(entry))),
            None => read.kept.graves.push(Grave { revision, key }),
        }
    }
    read.kept.graves.sort_by_key(|grave| grave.revision);
    let sessions = "SELECT rowid, id, revision, sum, terms FROM kv_session";
    let sessions: Vec<(Arc<str>, u64, Terms)> = read.all(db, sessions, row::session);
    let delays = read.all(db, "SELECT rowid, key, millis, sum FROM kv_delay", row::numbered);
    let delays = delays.into_iter().map(|(key, millis)| (key, Duration::from_millis(millis)));
    read.kept.delays = delays.collect();
    for (of, revision) in read.all(db, "SELECT rowid, of, revision, sum FROM kv_mark", row::numbered) {
        match &*of {
            "sessions" => read.kept.sessions_at = revision,
            _ => read.kept.forgotten = revision,
        }
    }
    let opened = sessions.iter().map(|(_, revision, _)| *revision).max().unwrap_or_default();
    read.kept.highest = read.kept.highest.max(opened).max(read.kept.sessions_at);
    read.kept.sessions = sessions;
    read
}

impl Read {
    /// The sound rows of a table: from its beginning, and where that breaks off, from its end as well.
    fn all<T>(
        &mut self,
        db: &Connection,
        query: &str,
        sound: impl Fn(&Row<'_>) -> rusqlite::Result<Option<T>>,
    ) -> Vec<T> {
        let mut found = BTreeMap::new();
        for direction in ["ASC", "DESC"] {
            let mut unsound = 0;
            let mut read = || -> rusqlite::Result<()> {
                let mut statement = db.prepare(&format!("{query} ORDER BY rowid {direction}"))?;
                let mut rows = statement.query(())?;
                while let Some(row) = rows.next()? {
                    match sound(row)? {
                        Some(sound) => drop(found.insert(row.get::<_, i64>(0)?, sound)),
                        None => unsound += 1,
                    }
                }
                Ok(())
            };
            let broken = read().err().map(|error| error.to_string());
            self.unsound += unsound;
            if broken.is_none() {
                break;
            }
            self.broken = broken;
        }
        found.into_values().collect()
    }
}
