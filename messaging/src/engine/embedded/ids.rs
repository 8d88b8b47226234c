//! The ids of messages that were taken, so that one published again is still one message.
//!
//! They are kept in two generations, and each is emptied at once: to forget them one by one would cost as much as to
//! remember them.

use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OptionalExtension as _};

use super::limits::Limits;

/// How long an id is remembered at least.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);
/// Unless so many came after it: beyond that, the ids would take more disk than the messages.
const MOST: u64 = 4_000_000;
/// And unless so much of the disk's limit were theirs: an id takes less than a quarter of it.
const DISK: u64 = 1024;

const HAS: [&str; 2] =
    ["SELECT 1 FROM ids_0 WHERE topic = ?1 AND id = ?2", "SELECT 1 FROM ids_1 WHERE topic = ?1 AND id = ?2"];
const ADD: [&str; 2] = ["INSERT OR IGNORE INTO ids_0 VALUES (?1, ?2)", "INSERT OR IGNORE INTO ids_1 VALUES (?1, ?2)"];
const EMPTY: [&str; 2] = ["DELETE FROM ids_0", "DELETE FROM ids_1"];
const COUNT: [&str; 2] = ["SELECT count(*) FROM ids_0", "SELECT count(*) FROM ids_1"];

#[derive(Debug)]
pub(super) struct Ids {
    generation: usize,
    /// Ids of a generation.
    most: u64,
    since: Duration,
    count: u64,
    /// Most have nothing to look up in the older generation.
    has_older: bool,
}

impl Ids {
    pub(super) fn read(db: &Connection, limits: &Limits) -> rusqlite::Result<Self> {
        let (generation, since) = db.query_row("SELECT generation, since FROM engine", (), |row| {
            Ok((usize::from(row.get::<_, i64>(0)? != 0), row.get::<_, i64>(1)?))
        })?;
        let count = |generation: usize| db.query_row(COUNT[generation], (), |row| row.get::<_, i64>(0));
        let (count, older) = (count(generation)?, count(1 - generation)?);
        let since = Duration::from_secs(u64::try_from(since).unwrap_or_default());
        let (most, count) = (MOST.min(limits.disk / DISK), u64::try_from(count).unwrap_or_default());
        Ok(Self { generation, most, since, count, has_older: older > 0 })
    }

    /// Was a message of this id taken?
    pub(super) fn has(&self, db: &Connection, topic: i64, id: &str) -> rusqlite::Result<bool> {
        Ok(self.has_in(self.generation, db, topic, id)?
            || (self.has_older && self.has_in(1 - self.generation, db, topic, id)?))
    }

    /// How an id is looked up among the older ones, if there are any.
    pub(super) fn older(&self) -> Option<&'static str> {
        self.has_older.then_some(HAS[1 - self.generation])
    }

    /// How an id is added to the newer ones.
    pub(super) fn newer(&self) -> &'static str {
        ADD[self.generation]
    }

    /// An id was added, or was there already.
    pub(super) fn added(&mut self, added: bool) {
        self.count += u64::from(added);
    }

    fn has_in(&self, generation: usize, db: &Connection, topic: i64, id: &str) -> rusqlite::Result<bool> {
        let mut has = db.prepare_cached(HAS[generation])?;
        Ok(has.query_row((topic, id), |_| Ok(())).optional()?.is_some())
    }

    /// Begins a new generation if it is time, inside of a transaction of its own.
    pub(super) fn turn(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        // A clock that was put back does not make ids immortal.
        let over = now >= self.since + REMEMBERED || now < self.since;
        if self.count < self.most.max(1) && !(over && (self.count > 0 || self.has_older)) {
            return Ok(());
        }
        let next = 1 - self.generation;
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let turned = db.unchecked_transaction()?;
        turned.execute(EMPTY[next], ())?;
        turned.execute("UPDATE engine SET generation = ?1, since = ?2", (i64::from(next == 1), seconds))?;
        turned.commit()?;
        *self = Self { generation: next, since: now, count: 0, has_older: self.count > 0, ..*self };
        Ok(())
    }
}
