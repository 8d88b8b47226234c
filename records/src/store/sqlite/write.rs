//! What is written to the database, within a transaction.

use std::time::SystemTime;

use mainstay_messaging::Envelope;
use rusqlite::{Connection, OptionalExtension as _, Params};
use uuid::Uuid;

use super::{failed, outbox, read};
use crate::record::{Record, Replied, State, Step, Waiter};
use crate::store::{NewReply, PRUNE_LIMIT};
use crate::time::{now, to_micros};
use crate::{Begun, Ending, Error, New, limits};

pub(super) fn begin(connection: &Connection, id: Uuid, new: &New) -> Result<Begun, Error> {
    while !insert(connection, id, new)? {
        let found = match read::get(connection, id)? {
            Some(this) if this.kind != new.kind => {
                return Err(Error::bad(format!("{id} is the id of a record of {}", this.kind)));
            }
            Some(this) => this,
            None => {
                let equal = (&new.kind, &new.fingerprint);
                let equal = read::one(connection, "kind = ? AND fingerprint = ? AND shared", equal)?;
                equal.ok_or_else(|| Error::unavailable("a record was refused, and there is none in its place"))?
            }
        };
        if found.state.is_ended() {
            return Ok(Begun::Done(Box::new(found)));
        }
        if found.id == id.to_string() || found.ends_at.is_none_or(|ends_at| ends_at > new.received) {
            return share(connection, found, new.waiter.as_ref());
        }
        // It is over, and only nobody has said so yet.
        execute(connection, "UPDATE record SET shared = 0 WHERE id = ?", [parse(&found.id)?.as_bytes()])?;
    }
    outbox::write(connection, &new.envelopes)?;
    Ok(Begun::New(id.to_string()))
}

/// Writes a record, unless one of its id or an equal one is there; whether it did.
fn insert(connection: &Connection, id: Uuid, new: &New) -> Result<bool, Error> {
    let sql =
        "INSERT INTO record (id, kind, fingerprint, shared, state, request, received, ends_at, asked, steps, waiters)
               VALUES (?, ?, ?, 1, 'open', ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    let inserted = execute(
        connection,
        sql,
        (
            id.as_bytes(),
            &new.kind,
            &new.fingerprint,
            new.request.get(),
            to_micros(new.received),
            new.ends_at.map(to_micros),
            new.asked,
            to_json(&new.steps)?,
            to_json(&new.waiters())?,
        ),
    )?;
    Ok(inserted == 1)
}

/// A request under way has one more waiter.
fn share(connection: &Connection, mut record: Record, waiter: Option<&Waiter>) -> Result<Begun, Error> {
    if let Some(waiter) = waiter.filter(|waiter| !record.waiters.contains(waiter)) {
        record.waiters.push(waiter.clone());
        limits::waiters(record.waiters.len())?;
        let waiters = to_json(&record.waiters)?;
        execute(connection, "UPDATE record SET waiters = ? WHERE id = ?", (waiters, parse(&record.id)?.as_bytes()))?;
    }
    Ok(Begun::UnderWay(Box::new(record)))
}

pub(super) fn reply(connection: &Connection, id: Uuid, reply: &NewReply) -> Result<Replied, Error> {
    let sql = "SELECT state = 'open' AND coalesce(ends_at > ?, 1), asked, answered FROM record WHERE id = ?";
    let Some((open, asked, answered)) =
        row::<(bool, u32, u32)>(connection, sql, (to_micros(reply.at), id.as_bytes()), |row| row.try_into())?
    else {
        return Ok(Replied::Unknown);
    };
    let sql = "SELECT 1 FROM reply WHERE record = ? AND responder = ?";
    if row(connection, sql, (id.as_bytes(), &reply.responder), |_| Ok(()))?.is_some() {
        return Ok(Replied::Twice);
    }
    if !open || answered >= asked {
        return Ok(Replied::Ended);
    }
    let NewReply { responder, body, at } = reply;
    let sql = "INSERT INTO reply (record, responder, body, at) VALUES (?, ?, ?, ?)";
    execute(connection, sql, (id.as_bytes(), responder, body.get(), to_micros(*at)))?;
    execute(connection, "UPDATE record SET answered = answered + 1 WHERE id = ?", [id.as_bytes()])?;
    Ok(Replied::Stored { answered: answered + 1, asked })
}

pub(super) fn step(connection: &Connection, id: Uuid, step: Step) -> Result<bool, Error> {
    let Some(Record { mut steps, .. }) = read::get(connection, id)? else { return Ok(false) };
    steps.push(step);
    limits::steps(steps.len())?;
    Ok(execute(connection, "UPDATE record SET steps = ? WHERE id = ?", (to_json(&steps)?, id.as_bytes()))? == 1)
}

pub(super) fn finish(connection: &Connection, id: Uuid, ending: Ending) -> Result<bool, Error> {
    let Some(Record { state: State::Open, mut steps, waiters, .. }) = read::get(connection, id)? else {
        return Ok(false);
    };
    let Ending { state, result, steps: also, envelopes, tell } = ending;
    steps.extend(also);
    let sql = "UPDATE record SET state = ?, shared = shared AND ?, result = ?, finished = ?, steps = ? WHERE id = ?";
    let result = result.as_ref().map(|json| json.get());
    let shared = state == State::Complete;
    execute(connection, sql, (state.name(), shared, result, to_micros(now()), to_json(&steps)?, id.as_bytes()))?;
    outbox::write(connection, &envelopes)?;
    if let Some(told) = tell {
        let copies = waiters.iter().enumerate().map(|(number, waiter)| copy(&told, number, waiter));
        outbox::write(connection, &copies.collect::<Vec<_>>())?;
    }
    Ok(true)
}

/// What one waiter is told.
fn copy(told: &Envelope, number: usize, waiter: &Waiter) -> Envelope {
    let id = format!("{}-{number}", told.id);
    Envelope { id, ..told.clone() }.only_to(&*waiter.channel).correlated(&*waiter.correlation)
}

pub(super) fn prune(connection: &Connection, kind: &str, before: SystemTime, most_kept: u64) -> Result<u64, Error> {
    let most_kept = i64::try_from(most_kept).unwrap_or(i64::MAX);
    let sql = "DELETE FROM record WHERE id IN (
                   SELECT id FROM record WHERE kind = ?1 AND state <> 'open' AND received < max(
                       ?2, coalesce((
                           SELECT received + 1 FROM record WHERE kind = ?1 ORDER BY received DESC LIMIT 1 OFFSET ?3
                       ), 0)
                   ) ORDER BY received LIMIT ?4)";
    Ok(execute(connection, sql, (kind, to_micros(before), most_kept, PRUNE_LIMIT))? as u64)
}

fn execute(connection: &Connection, sql: &str, of: impl Params) -> Result<usize, Error> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute(of)).map_err(failed)
}

fn row<T>(
    connection: &Connection,
    sql: &str,
    of: impl Params,
    read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, Error> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.query_row(of, read).optional()).map_err(failed)
}

fn to_json(list: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(list).map_err(Error::bad)
}

fn parse(id: &str) -> Result<Uuid, Error> {
    Uuid::try_parse(id).map_err(Error::bad)
}
