//! Messages on disk: what one transaction writes, and what is read back.

mod read;

use std::collections::HashMap;
use std::path::Path;

use mainstay::contracts::Envelope;
use mainstay::contracts::hub::{Rules, dead_letters};
use rusqlite::{Connection, OptionalExtension as _};

pub(super) use self::read::{Saved, SavedChannel};
use super::channel::{Mark, Write};
use super::core::{Change, DEAD_RULES, Declared};
use super::file;
use super::ids::Ids;
use super::limits::Limits;
use super::topic::{Admission, Topic};
use crate::Error;
use crate::engine::Place;

/// The bit that is set in every word of copies.
const ALWAYS: i64 = 1 << 62;
/// Pages that are given back at once, when so many of the file's are free.
const SPARE_PAGES: i64 = 4096;

const PUT: &str = "INSERT INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const WORDS: &str = "SELECT live, dead, bytes FROM messages WHERE seq = ?1";
const SET_WORDS: &str = "UPDATE messages SET live = ?2, dead = ?3 WHERE seq = ?1";
const DELETE: &str = "DELETE FROM messages WHERE seq = ?1";
const TRIED: &str = "INSERT INTO tries VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET tries = excluded.tries";
const UNTRIED: &str = "DELETE FROM tries WHERE seq = ?1 AND mark = ?2";
const TOPIC: &str =
    "UPDATE topics SET last = max(last, ?2), messages = messages + ?3, bytes = bytes + ?4 WHERE topic = ?1";
const WAITING: &str = "UPDATE channels SET waiting = waiting + ?3 WHERE topic = ?1 AND mark = ?2";
const DELIVERED: &str = "UPDATE channels SET delivered = max(delivered, ?3) WHERE topic = ?1 AND mark = ?2";
const NUMBER: &str = "SELECT topic FROM topics WHERE name = ?1";
const NEW_TOPIC: &str = "INSERT OR IGNORE INTO topics VALUES (?1, ?2, ?3, 0, 0)";
const NEW_DEAD: &str = "INSERT OR IGNORE INTO channels VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0)";
const NEW_CHANNEL: &str = "INSERT INTO channels VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7) ON CONFLICT DO UPDATE
    SET visibility_ms = excluded.visibility_ms, tries = excluded.tries, backoff_ms = excluded.backoff_ms";

#[derive(Debug)]
pub(super) struct Store {
    db: Connection,
    ids: Ids,
    disk: u64,
    topics: HashMap<i64, Totals>,
    waiting: HashMap<(i64, Mark), i64>,
}

/// What a transaction changes of a topic's totals.
#[derive(Debug, Default)]
struct Totals {
    last: i64,
    messages: i64,
    bytes: i64,
}

impl Mark {
    /// As it is written.
    pub(super) fn code(self) -> i64 {
        i64::from(self.bit) + if self.dead { 64 } else { 0 }
    }

    fn read(code: i64) -> Self {
        Self { bit: u32::try_from(code & 63).unwrap_or_default(), dead: code & 64 != 0 }
    }
}

impl Store {
    /// Opens what is in a directory, or makes it.
    pub(super) fn open(dir: &Path, limits: &Limits) -> Result<Self, Error> {
        let db = file::open(dir, limits)?;
        let ids = Ids::read(&db).map_err(unreadable)?;
        Ok(Self { db, ids, disk: limits.disk, topics: HashMap::new(), waiting: HashMap::new() })
    }

    /// One transaction: all that `write` does is on disk, or nothing is.
    pub(super) fn commit<T>(&mut self, write: impl FnOnce(&mut Self) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        self.ids.turn(&self.db)?;
        self.db.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
        let written = write(self).and_then(|written| {
            self.totals()?;
            self.db.prepare_cached("COMMIT")?.execute(())?;
            Ok(written)
        });
        self.topics.clear();
        self.waiting.clear();
        if written.is_err() && !self.db.is_autocommit() {
            // Where that fails too, the next transaction does, and says why.
            let _ = self.db.execute_batch("ROLLBACK");
        }
        written
    }

    fn totals(&mut self) -> rusqlite::Result<()> {
        for (topic, totals) in &self.topics {
            self.db.prepare_cached(TOPIC)?.execute((topic, totals.last, totals.messages, totals.bytes))?;
        }
        for ((topic, mark), more) in &self.waiting {
            self.db.prepare_cached(WAITING)?.execute((topic, mark.code(), more))?;
        }
        Ok(())
    }

    /// Writes a message; false if one of its id was taken before.
    pub(super) fn put(&mut self, admission: Admission, envelope: &Envelope) -> rusqlite::Result<bool> {
        let Admission { seq, bytes, live, dead } = admission;
        let topic = Topic::of(seq);
        if !self.ids.add(&self.db, topic, &envelope.id)? {
            return Ok(false);
        }
        let Envelope { id, to, correlation, reply_to, body, .. } = envelope;
        let (words, texts) = ((live | ALWAYS, dead | ALWAYS), (id, to, correlation, reply_to, body.get()));
        let row = (seq, words.0, words.1, bytes as i64, texts.0, texts.1, texts.2, texts.3, texts.4);
        self.db.prepare_cached(PUT)?.execute(row)?;
        let totals = self.topics.entry(topic).or_default();
        totals.last = seq;
        totals.messages += 1;
        totals.bytes += bytes as i64;
        for (word, dead) in [(live, false), (dead, true)] {
            for bit in bits(word) {
                *self.waiting.entry((topic, Mark { bit, dead })).or_default() += 1;
            }
        }
        Ok(true)
    }

    /// Was a message of this id taken?
    pub(super) fn has(&self, topic: &str, id: &str) -> rusqlite::Result<bool> {
        let number = self.db.prepare_cached(NUMBER)?.query_row([topic], |row| row.get(0)).optional()?;
        number.map_or(Ok(false), |number| self.ids.has(&self.db, number, id))
    }

    /// Writes a change; the message's bytes, if it is gone by that.
    pub(super) fn change(&mut self, change: &Change) -> rusqlite::Result<Option<usize>> {
        let Change { seq, mark, write, .. } = *change;
        let (topic, bit) = (Topic::of(seq), 1i64 << mark.bit);
        if let Write::Tries(tries) = write {
            self.db.prepare_cached(TRIED)?.execute((seq, mark.code(), tries))?;
            return Ok(None);
        }
        let words = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let found = self.db.prepare_cached(WORDS)?.query_row([seq], words).optional()?;
        let Some((mut live, mut dead, bytes)): Option<(i64, i64, i64)> = found else { return Ok(None) };
        let word = if mark.dead { &mut dead } else { &mut live };
        if *word & bit == 0 {
            return Ok(None);
        }
        *word &= !bit;
        *self.waiting.entry((topic, mark)).or_default() -= 1;
        self.db.prepare_cached(UNTRIED)?.execute((seq, mark.code()))?;
        if write == Write::Bury {
            dead |= bit;
            let mark = Mark { dead: true, ..mark };
            *self.waiting.entry((topic, mark)).or_default() += 1;
            let Rules { visibility_ms, tries, backoff_ms, .. } = DEAD_RULES;
            let name = dead_letters(&change.place.channel);
            let row = (topic, mark.code(), name, visibility_ms as i64, tries, backoff_ms as i64);
            self.db.prepare_cached(NEW_DEAD)?.execute(row)?;
        }
        if live | dead != ALWAYS {
            self.db.prepare_cached(SET_WORDS)?.execute((seq, live, dead))?;
            return Ok(None);
        }
        self.db.prepare_cached(DELETE)?.execute([seq])?;
        let totals = self.topics.entry(topic).or_default();
        totals.messages -= 1;
        totals.bytes -= bytes;
        Ok(Some(usize::try_from(bytes).unwrap_or_default()))
    }

    /// Writes a channel, new or with new rules, and its topic.
    pub(super) fn declare(&mut self, place: &Place, declared: Declared) -> rusqlite::Result<()> {
        let Declared { topic, mark, rules: Rules { visibility_ms, tries, backoff_ms, .. }, last } = declared;
        let number = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
        self.db.prepare_cached(NEW_TOPIC)?.execute((topic, &place.topic, last))?;
        let times = (number(visibility_ms), number(backoff_ms));
        let row = (topic, mark.code(), &place.channel, times.0, tries, times.1, last);
        self.db.prepare_cached(NEW_CHANNEL)?.execute(row)?;
        Ok(())
    }

    /// Writes how far a channel has handed out its messages.
    pub(super) fn delivered(&mut self, topic: i64, mark: Mark, last: i64) -> rusqlite::Result<()> {
        self.db.prepare_cached(DELIVERED)?.execute((topic, mark.code(), last))?;
        Ok(())
    }

    /// Writes what is there.
    pub(super) fn touch(&mut self) -> rusqlite::Result<()> {
        self.db.prepare_cached("UPDATE engine SET run = run")?.execute(()).map(drop)
    }

    /// Is there room for more messages?
    pub(super) fn has_room(&self) -> rusqlite::Result<bool> {
        let used = self.number("PRAGMA page_count")? - self.number("PRAGMA freelist_count")?;
        Ok(u64::try_from(used).unwrap_or_default() * file::PAGE < self.disk)
    }

    /// Gives space back to the disk, if there is much of it: a little at a time, as others wait meanwhile.
    pub(super) fn tidy(&self) -> rusqlite::Result<bool> {
        if self.number("PRAGMA freelist_count")? < SPARE_PAGES {
            return Ok(false);
        }
        self.db.execute_batch("PRAGMA incremental_vacuum(1024)")?;
        Ok(true)
    }

    fn number(&self, pragma: &str) -> rusqlite::Result<i64> {
        self.db.prepare_cached(pragma)?.query_row((), |row| row.get(0))
    }
}

fn bits(word: i64) -> impl Iterator<Item = u32> {
    (0..i64::BITS).filter(move |bit| word & 1 << bit != 0)
}

fn unreadable(error: rusqlite::Error) -> Error {
    Error::unavailable("the messages on disk cannot be read").because(error)
}
