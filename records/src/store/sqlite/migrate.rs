//! Brings a database to what this program knows: one numbered file after the other.

use rusqlite::{Connection, TransactionBehavior};

use super::failed;
use crate::{Error, time};

/// In their order; a database has had the first so many of them.
const MIGRATIONS: &[&str] = &[include_str!("../../../migrations/sqlite/0001_records.sql")];

pub(super) fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let Some(had) = apply(connection).map_err(failed)? else {
        return Err(Error::foreign("the database is another program's: it has tables, and none of them is known here"));
    };
    match had <= MIGRATIONS.len() {
        true => Ok(()),
        false => Err(Error::foreign(format!(
            "the database has had {had} migrations, and this program knows {}: a newer one has written it",
            MIGRATIONS.len()
        ))),
    }
}

/// Applies what is missing, all or nothing; how many the database had, unless it is another program's.
fn apply(connection: &mut Connection) -> rusqlite::Result<Option<usize>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let sql = "SELECT count(*) > 0 AND sum(name = 'migration') = 0 FROM sqlite_schema WHERE type = 'table'";
    if transaction.query_row(sql, [], |row| row.get(0))? {
        return Ok(None);
    }
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, applied INTEGER NOT NULL) STRICT",
    )?;
    let had: u32 = transaction.query_row("SELECT coalesce(max(number), 0) FROM migration", [], |row| row.get(0))?;
    for (number, sql) in (1..).zip(MIGRATIONS).skip(had as usize) {
        transaction.execute_batch(sql)?;
        let applied = time::to_micros(time::now());
        transaction.execute("INSERT INTO migration (number, applied) VALUES (?, ?)", (number, applied))?;
    }
    transaction.commit()?;
    Ok(Some(had as usize))
}
