//! What is read back from disk: channels at the start, messages when there is room for them.

use std::sync::Arc;

use mainstay::contracts::Envelope;
use mainstay::contracts::hub::Rules;
use rusqlite::types::Type;
use rusqlite::{OptionalExtension as _, Row};
use serde_json::value::RawValue;

use super::super::channel::{Loaded, Mark};
use super::super::limits::WINDOW;
use super::super::topic::Topic;
use super::{Store, unreadable};
use crate::Error;

const TOPICS: &str = "SELECT topic, name, last, messages, bytes FROM topics ORDER BY topic";
const CHANNELS: &str =
    "SELECT mark, name, visibility_ms, tries, backoff_ms, waiting, delivered FROM channels WHERE topic = ?1";
const HELD: &str = "SELECT m.seq, coalesce(t.tries, 0), m.bytes
    FROM messages m LEFT JOIN tries t ON t.seq = m.seq AND t.mark = ?1
    WHERE m.seq > ?2 AND m.seq <= ?3 AND m.live & ?4";
const LIVE: &str = "SELECT m.seq, m.bytes, coalesce(t.tries, 0), m.id, m.target, m.correlation, m.reply_to, m.body
    FROM messages m LEFT JOIN tries t ON t.seq = m.seq AND t.mark = ?4
    WHERE m.seq > ?1 AND m.seq <= ?2 AND m.live & ?3 ORDER BY m.seq LIMIT ?5";
const DEAD: &str = "SELECT m.seq, m.bytes, coalesce(t.tries, 0), m.id, m.target, m.correlation, m.reply_to, m.body
    FROM messages m LEFT JOIN tries t ON t.seq = m.seq AND t.mark = ?4
    WHERE m.seq > ?1 AND m.seq <= ?2 AND m.dead & ?3 ORDER BY m.seq LIMIT ?5";
const ONE: &str = "SELECT id, target, correlation, reply_to, body FROM messages WHERE seq = ?1";

/// A topic as an earlier run left it.
#[derive(Debug)]
pub(in super::super) struct Saved {
    pub(in super::super) number: i64,
    pub(in super::super) name: String,
    pub(in super::super) last: i64,
    pub(in super::super) messages: u64,
    pub(in super::super) bytes: u64,
    pub(in super::super) channels: Vec<SavedChannel>,
}

/// A channel as an earlier run left it.
#[derive(Debug)]
pub(in super::super) struct SavedChannel {
    pub(in super::super) name: String,
    pub(in super::super) mark: Mark,
    pub(in super::super) rules: Rules,
    pub(in super::super) waiting: u64,
    pub(in super::super) delivered: i64,
    /// What was handed out and not settled: number, tries, bytes.
    pub(in super::super) held: Vec<(i64, u32, usize)>,
}

/// Read messages, how far was read, and whether that was all.
pub(in super::super) type Scan = (Vec<Loaded>, i64, bool);

impl Store {
    /// Begins another run: its number, and what earlier ones left.
    pub(in super::super) fn resume(&mut self) -> Result<(u64, Vec<Saved>), Error> {
        self.begin_run().map_err(unreadable)
    }

    fn begin_run(&mut self) -> rusqlite::Result<(u64, Vec<Saved>)> {
        self.db.execute("UPDATE engine SET run = run + 1", ())?;
        let run = self.db.query_row("SELECT run FROM engine", (), |row| unsigned(row, 0))?;
        let mut topics = self.db.prepare(TOPICS)?;
        let topics = topics.query_map((), |row| {
            let (number, name, last) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Saved { number, name, last, messages: unsigned(row, 3)?, bytes: unsigned(row, 4)?, channels: vec![] })
        })?;
        let mut saved = topics.collect::<rusqlite::Result<Vec<_>>>()?;
        for topic in &mut saved {
            topic.channels = self.channels(topic.number)?;
        }
        Ok((run, saved))
    }

    fn channels(&self, topic: i64) -> rusqlite::Result<Vec<SavedChannel>> {
        let mut channels = self.db.prepare(CHANNELS)?;
        let channels = channels.query_map([topic], |row| {
            let times = (unsigned(row, 2)?, unsigned(row, 4)?);
            let rules = Rules { visibility_ms: times.0, tries: row.get(3)?, backoff_ms: times.1, kept: true };
            let (mark, delivered) = (Mark::read(row.get(0)?), row.get(6)?);
            Ok(SavedChannel { name: row.get(1)?, mark, rules, waiting: unsigned(row, 5)?, delivered, held: vec![] })
        })?;
        let mut channels = channels.collect::<rusqlite::Result<Vec<_>>>()?;
        for SavedChannel { mark, delivered, held, .. } in &mut channels {
            if mark.dead {
                continue;
            }
            let mut rows = self.db.prepare(HELD)?;
            let rows = rows.query_map((mark.code(), Topic::start(topic), *delivered, 1i64 << mark.bit), |row| {
                Ok((row.get(0)?, row.get(1)?, length(row, 2)?))
            })?;
            *held = rows.collect::<rusqlite::Result<_>>()?;
        }
        Ok(channels)
    }

    /// Reads a channel's messages from a number on, as many as may be in memory.
    pub(in super::super) fn scan(&self, topic: &str, number: i64, mark: Mark, from: i64) -> rusqlite::Result<Scan> {
        let mut select = self.db.prepare_cached(if mark.dead { DEAD } else { LIVE })?;
        let limits = (from, Topic::end(number), 1i64 << mark.bit, mark.code());
        let mut rows = select.query((limits.0, limits.1, limits.2, limits.3, WINDOW.0 as i64))?;
        let (mut loaded, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let (seq, length) = (row.get(0)?, length(row, 1)?);
            bytes += length;
            if bytes > WINDOW.1 && !loaded.is_empty() {
                let read = loaded.last().map_or(from, |last: &Loaded| last.seq);
                return Ok((loaded, read, false));
            }
            let message = Arc::new(envelope(topic, row, 3)?);
            loaded.push(Loaded { seq, bytes: length, tries: row.get(2)?, message });
        }
        let complete = loaded.len() < WINDOW.0;
        let read = loaded.last().map_or(from, |last| last.seq);
        Ok((loaded, read, complete))
    }

    /// Reads one message; none if it is gone.
    pub(in super::super) fn one(&self, topic: &str, seq: i64) -> rusqlite::Result<Option<Arc<Envelope>>> {
        let mut select = self.db.prepare_cached(ONE)?;
        select.query_row([seq], |row| envelope(topic, row, 0).map(Arc::new)).optional()
    }
}

fn envelope(topic: &str, row: &Row<'_>, first: usize) -> rusqlite::Result<Envelope> {
    let body = RawValue::from_string(row.get(first + 4)?);
    let not_json = |error| rusqlite::Error::FromSqlConversionFailure(first + 4, Type::Text, Box::new(error));
    Ok(Envelope {
        id: row.get(first)?,
        topic: topic.to_owned(),
        to: row.get(first + 1)?,
        correlation: row.get(first + 2)?,
        reply_to: row.get(first + 3)?,
        body: body.map_err(not_json)?,
    })
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or_default())
}

fn length(row: &Row<'_>, column: usize) -> rusqlite::Result<usize> {
    Ok(usize::try_from(row.get::<_, i64>(column)?).unwrap_or_default())
}
