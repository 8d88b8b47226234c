//! What is written together.

use std::collections::HashMap;

use mainstay::contracts::Envelope;
use mainstay::contracts::hub::{Rules, dead_letters};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row};

use super::super::channel::{Mark, Write};
use super::super::core::{Change, DEAD_RULES, Declared};
use super::super::file;
use super::super::ids::Ids;
use super::super::topic::{Admission, Topic};
use crate::engine::Place;

/// The bit that is set in every word of copies.
const ALWAYS: i64 = 1 << 62;

const PUT: &str = "INSERT INTO messages VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const FINISH: &str = "DELETE FROM messages WHERE seq = ?1 AND live = ?2 AND dead = ?3";
const WORDS: &str = "SELECT live, dead, bytes FROM messages WHERE seq = ?1";
const SET_WORDS: &str = "UPDATE messages SET live = ?2, dead = ?3 WHERE seq = ?1";
const DELETE: &str = "DELETE FROM messages WHERE seq = ?1";
/// Of a message that its channel still has: what was settled meanwhile is not noted any more, nor an earlier try.
const TRIED: &str = "INSERT INTO tries SELECT ?1, ?2, ?3 FROM messages
    WHERE seq = ?1 AND iif(?2 & 64, dead, live) & (1 << (?2 & 63))
    ON CONFLICT DO UPDATE SET tries = max(tries, excluded.tries)";
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

/// A transaction that was begun.
///
/// Statements that are wanted for every message are looked up once for all of them: that would otherwise cost a good
/// part of what they do.
pub(in super::super) struct Transaction<'a> {
    db: &'a Connection,
    ids: &'a mut Ids,
    topics: HashMap<i64, Totals>,
    waiting: HashMap<(i64, Mark), i64>,
    put: Option<CachedStatement<'a>>,
    add: Option<CachedStatement<'a>>,
    older: Option<CachedStatement<'a>>,
    finish: Option<CachedStatement<'a>>,
}

/// What changes of a topic's totals.
#[derive(Debug, Default)]
struct Totals {
    last: i64,
    messages: i64,
    bytes: i64,
}

impl<'a> Transaction<'a> {
    pub(super) fn begin(db: &'a Connection, ids: &'a mut Ids) -> rusqlite::Result<Self> {
        db.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
        let (topics, waiting) = (HashMap::new(), HashMap::new());
        Ok(Self { db, ids, topics, waiting, put: None, add: None, older: None, finish: None })
    }

    pub(super) fn commit(self) -> rusqlite::Result<()> {
        for (topic, totals) in &self.topics {
            self.db.prepare_cached(TOPIC)?.execute((topic, totals.last, totals.messages, totals.bytes))?;
        }
        for ((topic, mark), more) in &self.waiting {
            self.db.prepare_cached(WAITING)?.execute((topic, mark.code(), more))?;
        }
        self.db.prepare_cached("COMMIT")?.execute(())?;
        Ok(())
    }

    /// Writes a message; false if one of its id was taken before.
    pub(in super::super) fn put(&mut self, admission: Admission, envelope: &Envelope) -> rusqlite::Result<bool> {
        let Admission { seq, bytes, live, dead } = admission;
        let topic = Topic::of(seq);
        if !self.remember(topic, &envelope.id)? {
            return Ok(false);
        }
        let Envelope { id, to, correlation, reply_to, body, .. } = envelope;
        let (words, texts) = ((live | ALWAYS, dead | ALWAYS), (id, to, correlation, reply_to, body.get()));
        let row = (seq, words.0, words.1, bytes as i64, texts.0, texts.1, texts.2, texts.3, texts.4);
        ready(&mut self.put, self.db, PUT)?.execute(row)?;
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

    /// Remembers an id; false if it is remembered already.
    fn remember(&mut self, topic: i64, id: &str) -> rusqlite::Result<bool> {
        if let Some(has) = self.ids.older() {
            let mut found = ready(&mut self.older, self.db, has)?.query((topic, id))?;
            if found.next()?.is_some() {
                return Ok(false);
            }
        }
        let added = ready(&mut self.add, self.db, self.ids.newer())?.execute((topic, id))? > 0;
        self.ids.added(added);
        Ok(added)
    }

    /// Was a message of this id taken?
    pub(in super::super) fn has(&self, topic: &str, id: &str) -> rusqlite::Result<bool> {
        let number = self.db.prepare_cached(NUMBER)?.query_row([topic], |row| row.get(0)).optional()?;
        number.map_or(Ok(false), |number| self.ids.has(self.db, number, id))
    }

    /// Writes a change; the message's bytes, if it is gone by that.
    pub(in super::super) fn change(&mut self, change: &Change) -> rusqlite::Result<Option<usize>> {
        let Change { seq, mark, write, bytes, tried, .. } = *change;
        if let Write::Tries(tries) = write {
            self.db.prepare_cached(TRIED)?.execute((seq, mark.code(), tries))?;
            return Ok(None);
        }
        let gone = match bytes {
            Some(bytes) if write == Write::Leave && self.finish(seq, mark)? => Some(bytes),
            _ => match self.clear(change)? {
                Some(gone) => gone,
                None => return Ok(None),
            },
        };
        *self.waiting.entry((Topic::of(seq), mark)).or_default() -= 1;
        if tried {
            self.db.prepare_cached(UNTRIED)?.execute((seq, mark.code()))?;
        }
        if let Some(bytes) = gone {
            let totals = self.topics.entry(Topic::of(seq)).or_default();
            totals.messages -= 1;
            totals.bytes -= bytes as i64;
        }
        Ok(gone)
    }

    /// Deletes a message if this channel alone still had it: so it is with most.
    fn finish(&mut self, seq: i64, mark: Mark) -> rusqlite::Result<bool> {
        let bit = 1i64 << mark.bit | ALWAYS;
        let (live, dead) = if mark.dead { (ALWAYS, bit) } else { (bit, ALWAYS) };
        Ok(ready(&mut self.finish, self.db, FINISH)?.execute((seq, live, dead))? > 0)
    }

    /// Takes a message from its channel, and its bytes if nobody else has it. None if the channel does not have it.
    fn clear(&mut self, change: &Change) -> rusqlite::Result<Option<Option<usize>>> {
        let Change { seq, mark, write, .. } = *change;
        let bit = 1i64 << mark.bit;
        let words = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let found = self.db.prepare_cached(WORDS)?.query_row([seq], words).optional()?;
        let Some((mut live, mut dead, bytes)): Option<(i64, i64, i64)> = found else { return Ok(None) };
        let word = if mark.dead { &mut dead } else { &mut live };
        if *word & bit == 0 {
            return Ok(None);
        }
        *word &= !bit;
        if write == Write::Bury {
            dead |= bit;
            self.bury(change)?;
        }
        if live | dead == ALWAYS {
            self.db.prepare_cached(DELETE)?.execute([seq])?;
            return Ok(Some(Some(usize::try_from(bytes).unwrap_or_default())));
        }
        self.db.prepare_cached(SET_WORDS)?.execute((seq, live, dead))?;
        Ok(Some(None))
    }

    /// Notes one more dead letter of a channel.
    fn bury(&mut self, change: &Change) -> rusqlite::Result<()> {
        let (topic, mark) = (Topic::of(change.seq), Mark { dead: true, ..change.mark });
        *self.waiting.entry((topic, mark)).or_default() += 1;
        let Rules { visibility_ms, tries, backoff_ms, .. } = DEAD_RULES;
        let name = dead_letters(&change.place.channel);
        let row = (topic, mark.code(), name, visibility_ms as i64, tries, backoff_ms as i64);
        self.db.prepare_cached(NEW_DEAD)?.execute(row)?;
        Ok(())
    }

    /// Writes a channel, new or with new rules, and its topic.
    pub(in super::super) fn declare(&mut self, place: &Place, declared: Declared) -> rusqlite::Result<()> {
        let Declared { topic, mark, rules: Rules { visibility_ms, tries, backoff_ms, .. }, last } = declared;
        let number = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
        self.db.prepare_cached(NEW_TOPIC)?.execute((topic, &place.topic, last))?;
        let times = (number(visibility_ms), number(backoff_ms));
        let row = (topic, mark.code(), &place.channel, times.0, tries, times.1, last);
        self.db.prepare_cached(NEW_CHANNEL)?.execute(row)?;
        Ok(())
    }

    /// Writes how far a channel has handed out its messages.
    pub(in super::super) fn delivered(&mut self, topic: i64, mark: Mark, last: i64) -> rusqlite::Result<()> {
        self.db.prepare_cached(DELIVERED)?.execute((topic, mark.code(), last))?;
        Ok(())
    }

    /// Writes what is there. A row that is the same as before would not be written.
    pub(in super::super) fn touch(&mut self) -> rusqlite::Result<()> {
        self.db.pragma_update(None, "user_version", file::VERSION)
    }
}

/// The statement that is kept here, looked up the first time.
fn ready<'s, 'a>(
    kept: &'s mut Option<CachedStatement<'a>>,
    db: &'a Connection,
    sql: &str,
) -> rusqlite::Result<&'s mut CachedStatement<'a>> {
    Ok(match kept {
        Some(kept) => kept,
        None => kept.insert(db.prepare_cached(sql)?),
    })
}

fn bits(word: i64) -> impl Iterator<Item = u32> {
    (0..i64::BITS).filter(move |bit| word & 1 << bit != 0)
}
