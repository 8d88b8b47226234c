//! What is read from the database.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Params, Row};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::failed;
use crate::Error;
use crate::record::{Record, Reply};
use crate::store::Which;
use crate::time::{from_micros, to_micros};

const COLUMNS: &str =
    "id, kind, fingerprint, state, request, result, received, ends_at, finished, asked, steps, waiters";

pub(super) fn get(connection: &Connection, id: Uuid) -> Result<Option<Record>, Error> {
    one(connection, "id = ?", [id.as_bytes()])
}

/// The first record of which some condition is true.
pub(super) fn one(connection: &Connection, is: &str, of: impl Params) -> Result<Option<Record>, Error> {
    let one = || {
        let sql = format!("SELECT {COLUMNS} FROM record WHERE {is}");
        let found = connection.prepare_cached(&sql)?.query_row(of, record).optional()?;
        found.map(|record| with_replies(connection, record)).transpose()
    };
    one().map_err(failed)
}

pub(super) fn list(connection: &Connection, kind: &str, which: &Which, most: u32) -> Result<Vec<Record>, Error> {
    let list = |is: &str, of: &dyn rusqlite::ToSql| {
        let sql = format!("SELECT {COLUMNS} FROM record WHERE kind = ? AND {is} LIMIT ?");
        let mut statement = connection.prepare_cached(&sql)?;
        let found: Vec<_> = statement.query_map((kind, of, most), record)?.collect::<rusqlite::Result<_>>()?;
        found.into_iter().map(|record| with_replies(connection, record)).collect()
    };
    let listed: rusqlite::Result<_> = match which {
        Which::Until(until) => list("received <= ? ORDER BY received DESC, id DESC", &to_micros(*until)),
        Which::OpenAfter(id) => list("state = 'open' AND id > ? ORDER BY id", id.as_bytes()),
        Which::Due(now) => list("state = 'open' AND ends_at <= ? ORDER BY ends_at", &to_micros(*now)),
    };
    listed.map_err(failed)
}

fn with_replies(connection: &Connection, record: (Uuid, Record)) -> rusqlite::Result<Record> {
    let (id, mut record) = record;
    let mut statement =
        connection.prepare_cached("SELECT responder, body, at FROM reply WHERE record = ? ORDER BY at, responder")?;
    let replies = statement.query_map([id.as_bytes()], |row| {
        Ok(Reply { responder: row.get(0)?, body: json(row, 1)?, at: from_micros(row.get(2)?) })
    })?;
    record.replies = replies.collect::<Result<_, _>>()?;
    Ok(record)
}

fn record(row: &Row<'_>) -> rusqlite::Result<(Uuid, Record)> {
    let id = Uuid::from_bytes(row.get(0)?);
    let record = Record {
        id: id.to_string(),
        kind: row.get(1)?,
        fingerprint: row.get(2)?,
        state: read(row, 3, str::parse)?,
        request: json(row, 4)?,
        result: row.get::<_, Option<String>>(5)?.map(|_| json(row, 5)).transpose()?,
        received: from_micros(row.get(6)?),
        ends_at: row.get::<_, Option<i64>>(7)?.map(from_micros),
        finished: row.get::<_, Option<i64>>(8)?.map(from_micros),
        asked: row.get(9)?,
        replies: Vec::new(),
        steps: read(row, 10, |text| serde_json::from_str(text))?,
        waiters: read(row, 11, |text| serde_json::from_str(text))?,
    };
    Ok((id, record))
}

pub(super) fn json(row: &Row<'_>, column: usize) -> rusqlite::Result<Box<RawValue>> {
    read(row, column, |text| serde_json::from_str(text))
}

fn read<T, E: std::error::Error + Send + Sync + 'static>(
    row: &Row<'_>,
    column: usize,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> rusqlite::Result<T> {
    read(row.get_ref(column)?.as_str()?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}
