//! What is read from the database.

use std::collections::HashMap;

use serde_json::value::RawValue;
use tokio_postgres::Row;
use uuid::Uuid;

use super::connection::Connection;
use crate::Error;
use crate::record::{Record, Reply};
use crate::store::Which;
use crate::time::{from_micros, to_micros};

/// A record's columns, as [`record`] reads them.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, fingerprint, state, request, result, received, ends_at, finished, asked, steps::text,
             waiters::text FROM mainstay.record ",
            $rest
        )
    };
}
pub(super) use select;

pub(super) async fn get(connection: &Connection, id: Uuid) -> Result<Option<Record>, Error> {
    Ok(whole(connection, connection.query(select!("WHERE id = $1"), &[&id]).await?).await?.pop())
}

pub(super) async fn list(connection: &Connection, kind: &str, which: &Which, most: u32) -> Result<Vec<Record>, Error> {
    let most = i64::from(most);
    let rows = match which {
        Which::Until(until) => {
            let sql = select!("WHERE kind = $1 AND received <= $2 ORDER BY received DESC, id DESC LIMIT $3");
            connection.query(sql, &[&kind, &to_micros(*until), &most]).await?
        }
        Which::OpenAfter(id) => {
            let sql = select!("WHERE kind = $1 AND state = 'open' AND id > $2 ORDER BY id LIMIT $3");
            connection.query(sql, &[&kind, id, &most]).await?
        }
        Which::Due(now) => {
            let sql = select!("WHERE kind = $1 AND state = 'open' AND ends_at <= $2 ORDER BY ends_at LIMIT $3");
            connection.query(sql, &[&kind, &to_micros(*now), &most]).await?
        }
    };
    whole(connection, rows).await
}

/// Records with their replies.
pub(super) async fn whole(connection: &Connection, rows: Vec<Row>) -> Result<Vec<Record>, Error> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(unreadable)?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT record, responder, body, at FROM mainstay.reply WHERE record = ANY($1) ORDER BY at, responder";
    let mut replies: HashMap<Uuid, Vec<Reply>> = HashMap::new();
    for row in connection.query(sql, &[&ids]).await? {
        let reply = Reply { responder: get_of(&row, 1)?, body: json(&row, 2)?, at: from_micros(get_of(&row, 3)?) };
        replies.entry(get_of(&row, 0)?).or_default().push(reply);
    }
    ids.iter().zip(&rows).map(|(id, row)| record(row, replies.remove(id).unwrap_or_default())).collect()
}

fn record(row: &Row, replies: Vec<Reply>) -> Result<Record, Error> {
    Ok(Record {
        id: get_of::<Uuid>(row, 0)?.to_string(),
        kind: get_of(row, 1)?,
        fingerprint: get_of(row, 2)?,
        state: get_of::<&str>(row, 3)?.parse()?,
        request: json(row, 4)?,
        result: get_of::<Option<&str>>(row, 5)?.map(|_| json(row, 5)).transpose()?,
        received: from_micros(get_of(row, 6)?),
        ends_at: get_of::<Option<i64>>(row, 7)?.map(from_micros),
        finished: get_of::<Option<i64>>(row, 8)?.map(from_micros),
        asked: get_of::<i64>(row, 9)?.try_into().map_err(unreadable)?,
        replies,
        steps: serde_json::from_str(get_of(row, 10)?).map_err(unreadable)?,
        waiters: serde_json::from_str(get_of(row, 11)?).map_err(unreadable)?,
    })
}

pub(super) fn get_of<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, Error> {
    row.try_get(column).map_err(unreadable)
}

pub(super) fn json(row: &Row, column: usize) -> Result<Box<RawValue>, Error> {
    serde_json::from_str(get_of(row, column)?).map_err(unreadable)
}

/// The id that a record was read by.
pub(super) fn id(record: &Record) -> Result<Uuid, Error> {
    Uuid::try_parse(&record.id).map_err(unreadable)
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::foreign("the database has something that is not known here").because(error)
}
