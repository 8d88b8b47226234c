//! What waits to be published.

use mainstay_messaging::Envelope;
use rusqlite::{Connection, Row};

use super::failed;
use super::read::json;
use crate::Error;
use crate::store::{Outgoing, RELAY_LIMIT};
use crate::time::{from_micros, now, to_micros};

/// What is read from an outbox at once.
pub(super) struct Page {
    pub(super) messages: Vec<Outgoing>,
    pub(super) more: bool,
    /// How many there are in all.
    pub(super) left: u32,
}

pub(super) fn write(connection: &Connection, envelopes: &[Envelope]) -> Result<(), Error> {
    envelopes.iter().try_for_each(|envelope| {
        let Envelope { id, topic, to, correlation, reply_to, body } = envelope;
        let mut statement = connection.prepare_cached(
            "INSERT INTO outbox (id, topic, channel, correlation, reply_to, body, written) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?;
        statement.execute((id, topic, to, correlation, reply_to, body.get(), to_micros(now())))?;
        Ok(())
    })
    .map_err(failed)
}

pub(super) fn page(connection: &Connection, after: i64) -> Result<Page, Error> {
    let page = || {
        let mut statement = connection.prepare_cached(
            "SELECT number, id, topic, channel, correlation, reply_to, body, written FROM outbox
             WHERE number > ? ORDER BY number LIMIT ?",
        )?;
        let messages: Vec<_> = statement.query_map((after, RELAY_LIMIT), outgoing)?.collect::<Result<_, _>>()?;
        let left = connection.prepare_cached("SELECT count(*) FROM outbox")?.query_row([], |row| row.get(0))?;
        Ok(Page { more: messages.len() >= RELAY_LIMIT as usize, messages, left })
    };
    page().map_err(failed)
}

fn outgoing(row: &Row<'_>) -> rusqlite::Result<Outgoing> {
    let envelope = Envelope {
        id: row.get(1)?,
        topic: row.get(2)?,
        to: row.get(3)?,
        correlation: row.get(4)?,
        reply_to: row.get(5)?,
        body: json(row, 6)?,
    };
    Ok(Outgoing { number: row.get(0)?, written: from_micros(row.get(7)?), envelope })
}

pub(super) fn remove(connection: &Connection, numbers: &[i64]) -> Result<(), Error> {
    let remove = |number| connection.prepare_cached("DELETE FROM outbox WHERE number = ?")?.execute([number]);
    numbers.iter().try_for_each(|number| remove(number).map(drop)).map_err(failed)
}
