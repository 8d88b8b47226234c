//! Messages on disk: what one transaction writes, and what is read back.

mod read;
mod transaction;

use std::path::Path;

use rusqlite::Connection;

pub(super) use self::read::{Saved, SavedChannel};
pub(super) use self::transaction::Transaction;
use super::channel::Mark;
use super::file;
use super::ids::Ids;
use super::limits::Limits;
use crate::Error;

/// Pages that are given back at once, when so many of the file's are free.
const SPARE_PAGES: i64 = 4096;

#[derive(Debug)]
pub(super) struct Store {
    db: Connection,
    ids: Ids,
    disk: u64,
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
        let ids = Ids::read(&db, limits).map_err(unreadable)?;
        Ok(Self { db, ids, disk: limits.disk })
    }

    /// One transaction: all that `write` does is on disk, or nothing is.
    pub(super) fn commit<T>(
        &mut self,
        write: impl FnOnce(&mut Transaction<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.ids.turn(&self.db)?;
        let written = Transaction::begin(&self.db, &mut self.ids).and_then(|mut transaction| {
            let written = write(&mut transaction)?;
            transaction.commit()?;
            Ok(written)
        });
        if written.is_err() && !self.db.is_autocommit() {
            // Where that fails too, the next transaction does, and says why.
            let _ = self.db.execute_batch("ROLLBACK");
        }
        written
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

fn unreadable(error: rusqlite::Error) -> Error {
    Error::unavailable("the messages on disk cannot be read").because(error)
}
