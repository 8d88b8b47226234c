//! What waits to be published.

use std::sync::Arc;

use mainstay_messaging::Envelope;
use tokio::sync::Mutex;
use tokio::time::timeout_at;
use tokio_postgres::{Config, Row};

use super::connection::Connection;
use super::read::{get_of, json};
use super::{deadline, late};
use crate::Error;
use crate::store::{Outgoing, Publish, RELAY_LIMIT, Relayed};
use crate::time::from_micros;

/// What another process is publishing is locked, and passed over; if that process ends, so does its lock.
const PAGE: &str = "SELECT number, id, topic, channel, correlation, reply_to, body, written FROM mainstay.outbox
    WHERE number > $1 ORDER BY number LIMIT $2 FOR UPDATE SKIP LOCKED";

/// The one connection that is in a transaction while messages are published.
pub(super) struct Outbox {
    config: Arc<Config>,
    connection: Mutex<Option<Connection>>,
}

impl Outbox {
    pub(super) fn new(config: Arc<Config>) -> Self {
        Self { config, connection: Mutex::new(None) }
    }

    pub(super) async fn relay(&self, after: i64, publish: Publish) -> Result<Relayed, Error> {
        let mut slot = self.connection.lock().await;
        let connection = match slot.take() {
            Some(connection) if !connection.is_closed() => connection,
            _ => Connection::open(&self.config, deadline()).await?,
        };
        // A connection that has failed, or on which this was dropped, may be in a transaction still: it is not used again.
        let relayed = relay(&connection, after, publish).await?;
        *slot = Some(connection);
        Ok(relayed)
    }
}

async fn relay(connection: &Connection, after: i64, publish: Publish) -> Result<Relayed, Error> {
    let until = deadline();
    let read = async {
        connection.batch("BEGIN").await?;
        let rows = connection.query(PAGE, &[&after, &i64::from(RELAY_LIMIT)]).await?;
        rows.iter().map(outgoing).collect::<Result<Vec<_>, _>>()
    };
    let page = timeout_at(until, read).await.unwrap_or_else(|_| Err(late()))?;
    let more = page.len() >= RELAY_LIMIT as usize;
    let numbers: Vec<i64> = page.iter().map(|message| message.number).collect();
    let last = numbers.last().copied().unwrap_or(after);
    let may_go = if page.is_empty() { Vec::new() } else { publish(page).await };
    let refused = may_go.iter().filter(|may_go| !**may_go).count();
    let gone: Vec<i64> =
        numbers.into_iter().zip(may_go).filter_map(|(number, may_go)| may_go.then_some(number)).collect();
    let until = deadline();
    let remove = async {
        if !gone.is_empty() {
            connection.execute("DELETE FROM mainstay.outbox WHERE number = ANY($1)", &[&gone]).await?;
        }
        let rows = connection.query("SELECT count(*) FROM mainstay.outbox", &[]).await?;
        connection.batch("COMMIT").await?;
        rows.first().map_or(Ok(0), |row| get_of::<i64>(row, 0))
    };
    let left = timeout_at(until, remove).await.unwrap_or_else(|_| Err(late()))?;
    Ok(Relayed { last, refused, more, left: u32::try_from(left).unwrap_or(u32::MAX) })
}

fn outgoing(row: &Row) -> Result<Outgoing, Error> {
    let envelope = Envelope {
        id: get_of(row, 1)?,
        topic: get_of(row, 2)?,
        to: get_of(row, 3)?,
        correlation: get_of(row, 4)?,
        reply_to: get_of(row, 5)?,
        body: json(row, 6)?,
    };
    Ok(Outgoing { number: get_of(row, 0)?, written: from_micros(get_of(row, 7)?), envelope })
}

/// Envelopes, column by column, as statements take several of them.
#[derive(Default)]
pub(super) struct Columns<'a> {
    pub(super) id: Vec<&'a str>,
    pub(super) topic: Vec<&'a str>,
    pub(super) to: Vec<Option<&'a str>>,
    pub(super) correlation: Vec<Option<&'a str>>,
    pub(super) reply_to: Vec<Option<&'a str>>,
    pub(super) body: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(envelopes: &'a [Envelope]) -> Self {
        let mut columns = Self::default();
        for envelope in envelopes {
            columns.id.push(&envelope.id);
            columns.topic.push(&envelope.topic);
            columns.to.push(envelope.to.as_deref());
            columns.correlation.push(envelope.correlation.as_deref());
            columns.reply_to.push(envelope.reply_to.as_deref());
            columns.body.push(envelope.body.get());
        }
        columns
    }
}
