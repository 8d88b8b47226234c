//! Reads what is there, and around what is damaged.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row};

use super::file::Opened;
use super::kv;
use super::row::{self, Found, signed};

/// What could be read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) epoch: u64,
    pub(super) revision: u64,
    pub(super) floor: u64,
    pub(super) rows: Vec<Found>,
    pub(super) kv: kv::Read,
    pub(super) damage: Option<String>,
}

impl Read {
    pub(super) fn unreadable(what: String) -> Self {
        Self { damage: Some(what), ..Self::default() }
    }
}

/// All sound rows. What is not sound is told.
pub(super) fn read(db: &Connection) -> Read {
    let number =
        |row: &Row<'_>, column| row.get::<_, i64>(column).map(|number| u64::try_from(number).unwrap_or_default());
    let life = db.query_row("SELECT epoch, revision, floor FROM life", (), |row| {
        Ok((number(row, 0)?, number(row, 1)?, number(row, 2)?))
    });
    let check = db.query_row("PRAGMA quick_check(1)", (), |row| row.get::<_, String>(0));
    let (forth, unsound, broken) = rows(db, "ASC");
    let kv = kv::read(db);
    let mut damage = match (&life, &check) {
        (Err(error), _) | (_, Err(error)) => Some(error.to_string()),
        (_, Ok(found)) if found != "ok" => Some(found.clone()),
        _ => broken.clone().or_else(|| kv.broken.clone()),
    };
    let mut found = forth;
    if broken.is_some() {
        // What is behind the damage is reached from the other end.
        found.extend(rows(db, "DESC").0);
    }
    let unsound = unsound + kv.unsound;
    if unsound > 0 && damage.is_none() {
        damage = Some(format!("{unsound} rows are not what was written"));
    }
    let (epoch, revision, floor) = life.unwrap_or_default();
    let highest = found.values().map(revision_of).max().unwrap_or_default().max(kv.kept.highest);
    if damage.is_none() && highest != revision {
        damage = Some(format!("the last change should be that of revision {revision}, and is that of {highest}"));
    }
    Read { epoch, revision, floor, rows: found.into_values().collect(), kv, damage }
}

/// Rows in one direction, up to the first that cannot be read: the sound ones, how many were not, and what broke off.
fn rows(db: &Connection, direction: &str) -> (BTreeMap<(String, String), Found>, usize, Option<String>) {
    let (mut found, mut unsound) = (BTreeMap::new(), 0);
    let query = format!("SELECT {} FROM instance ORDER BY service {direction}, id {direction}", row::COLUMNS);
    let mut read = || -> rusqlite::Result<()> {
        let mut statement = db.prepare(&query)?;
        let mut rows = statement.query(())?;
        while let Some(row) = rows.next()? {
            match row::read(row)? {
                Some(sound) => {
                    found.insert((row.get(0)?, row.get(1)?), sound);
                }
                None => unsound += 1,
            }
        }
        Ok(())
    };
    let broken = read().err().map(|error| error.to_string());
    (found, unsound, broken)
}

fn revision_of(found: &Found) -> u64 {
    match found {
        Found::Listed(kept) => kept.revision,
        Found::Gone(grave, _) => grave.revision,
    }
}

/// Writes what was found into a new database.
pub(super) fn write(db: &mut Connection, opened: &Opened) -> rusqlite::Result<()> {
    let transaction = db.transaction()?;
    for kept in &opened.listed {
        row::put_kept(&transaction, kept)?;
    }
    kv::write_kept(&transaction, &opened.kv)?;
    let life = [opened.epoch, opened.revision, opened.floor].map(signed);
    transaction.execute("UPDATE life SET epoch = ?1, revision = ?2, floor = ?3", life)?;
    transaction.commit()
}
