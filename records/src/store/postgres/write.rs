//! What is written to the database, each by one statement.

use std::time::SystemTime;

use uuid::Uuid;

use super::connection::Connection;
use super::outbox::Columns;
use super::read::{self, get_of, select};
use crate::limits::{STEPS_LIMIT, WAITERS_LIMIT};
use crate::record::{Record, Replied, State, Step, Waiter};
use crate::store::{NewReply, PRUNE_LIMIT};
use crate::time::{now, to_micros};
use crate::{Begun, Ending, Error, New, limits};

const INSERT: &str = "WITH new AS (
        INSERT INTO mainstay.record (id, kind, fingerprint, shared, state, request, received, ends_at, asked, steps, waiters)
        VALUES ($1, $2, $3, true, 'open', $4, $5, $6, $7, $8::text::jsonb, $9::text::jsonb)
        ON CONFLICT DO NOTHING RETURNING id
    ), sent AS (
        INSERT INTO mainstay.outbox (id, topic, channel, correlation, reply_to, body, written)
        SELECT message.id, topic, channel, correlation, reply_to, body, $16 FROM new,
            unnest($10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[]) WITH ORDINALITY
                AS message (id, topic, channel, correlation, reply_to, body, place)
        ORDER BY place
    ) SELECT id FROM new";

const SHARE: &str = "UPDATE mainstay.record
    SET waiters = CASE WHEN waiters @> $2::text::jsonb THEN waiters ELSE waiters || $2::text::jsonb END
    WHERE id = $1 AND state = 'open' AND (waiters @> $2::text::jsonb OR jsonb_array_length(waiters) < $3)";

/// The row's lock is taken first: of replies that come together, each counts those before it, and none comes after the end.
const REPLY: &str = "WITH this AS (
        SELECT id FROM mainstay.record
        WHERE id = $1 AND state = 'open' AND coalesce(ends_at > $4, true) AND answered < asked FOR UPDATE
    ), stored AS (
        INSERT INTO mainstay.reply (record, responder, body, at) SELECT id, $2, $3, $4 FROM this
        ON CONFLICT DO NOTHING RETURNING record
    ) UPDATE mainstay.record SET answered = answered + 1 FROM stored WHERE id = stored.record RETURNING answered, asked";

const FINISH: &str = "WITH done AS (
        UPDATE mainstay.record SET state = $2, shared = shared AND $2 = 'complete', result = $3, finished = $4,
            steps = steps || $5::text::jsonb
        WHERE id = $1 AND state = 'open' RETURNING id, waiters
    ), sent AS (
        INSERT INTO mainstay.outbox (id, topic, channel, correlation, reply_to, body, written)
        SELECT message.id, topic, channel, correlation, reply_to, body, $4 FROM (
            SELECT 1 AS part, published.* FROM done,
                unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[]) WITH ORDINALITY
                    AS published (id, topic, channel, correlation, reply_to, body, place)
            UNION ALL
            SELECT 2, $12::text || '-' || (place - 1), $13::text, waiter ->> 'channel', waiter ->> 'correlation',
                $14::text, $15::text, place
            FROM done, jsonb_array_elements(waiters) WITH ORDINALITY AS told (waiter, place) WHERE $12 IS NOT NULL
        ) AS message ORDER BY part, place
    ) SELECT id FROM done";

pub(super) async fn begin(connection: &Connection, id: Uuid, new: New) -> Result<Begun, Error> {
    loop {
        if insert(connection, id, &new).await? {
            return Ok(Begun::New(id.to_string()));
        }
        let sql = select!("WHERE id = $1 OR kind = $2 AND fingerprint = $3 AND shared ORDER BY id <> $1 LIMIT 1");
        let found = connection.query(sql, &[&id, &new.kind, &new.fingerprint]).await?;
        let Some(found) = read::whole(connection, found).await?.pop() else { continue };
        let this = found.id == id.to_string();
        if this && found.kind != new.kind {
            return Err(Error::bad(format!("{id} is the id of a record of {}", found.kind)));
        }
        if found.state.is_ended() {
            return Ok(Begun::Done(Box::new(found)));
        }
        let of = read::id(&found)?;
        if !this && found.ends_at.is_some_and(|ends_at| ends_at <= new.received) {
            // It is over, and only nobody has said so yet.
            connection
                .execute("UPDATE mainstay.record SET shared = false WHERE id = $1 AND state = 'open'", &[&of])
                .await?;
        } else if let Some(shared) = share(connection, of, found, new.waiter.as_ref()).await? {
            return Ok(Begun::UnderWay(Box::new(shared)));
        }
    }
}

/// Writes a record and its messages, unless one of its id or an equal one is there; whether it did.
async fn insert(connection: &Connection, id: Uuid, new: &New) -> Result<bool, Error> {
    let ends_at = new.ends_at.map(to_micros);
    let messages = Columns::of(&new.envelopes);
    let inserted = connection
        .query(
            INSERT,
            &[
                &id,
                &new.kind,
                &new.fingerprint,
                &new.request.get(),
                &to_micros(new.received),
                &ends_at,
                &i64::from(new.asked),
                &to_json(&new.steps)?,
                &to_json(&new.waiters())?,
                &messages.id,
                &messages.topic,
                &messages.to,
                &messages.correlation,
                &messages.reply_to,
                &messages.body,
                &to_micros(now()),
            ],
        )
        .await?;
    Ok(!inserted.is_empty())
}

/// A request under way has one more waiter; `None` when it has ended meanwhile.
async fn share(
    connection: &Connection,
    id: Uuid,
    mut record: Record,
    waiter: Option<&Waiter>,
) -> Result<Option<Record>, Error> {
    let Some(waiter) = waiter.filter(|waiter| !record.waiters.contains(waiter)) else { return Ok(Some(record)) };
    let most = i32::try_from(WAITERS_LIMIT).unwrap_or(i32::MAX);
    match connection.execute(SHARE, &[&id, &to_json(&[waiter])?, &most]).await? {
        0 => limits::waiters(record.waiters.len() + 1).map(|()| None),
        _ => {
            record.waiters.push(waiter.clone());
            Ok(Some(record))
        }
    }
}

pub(super) async fn reply(connection: &Connection, id: Uuid, reply: NewReply) -> Result<Replied, Error> {
    let NewReply { responder, body, at } = reply;
    if let [row, ..] = &*connection.query(REPLY, &[&id, &responder, &body.get(), &to_micros(at)]).await? {
        let count = |column| get_of::<i64>(row, column).map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        return Ok(Replied::Stored { answered: count(0)?, asked: count(1)? });
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM mainstay.reply WHERE record = $1 AND responder = $2)
               FROM mainstay.record WHERE id = $1";
    match connection.query(sql, &[&id, &responder]).await?.first().map(|row| get_of(row, 0)).transpose()? {
        None => Ok(Replied::Unknown),
        Some(true) => Ok(Replied::Twice),
        Some(false) => Ok(Replied::Ended),
    }
}

pub(super) async fn step(connection: &Connection, id: Uuid, step: Step) -> Result<bool, Error> {
    let sql = "UPDATE mainstay.record SET steps = steps || $2::text::jsonb
               WHERE id = $1 AND jsonb_array_length(steps) < $3";
    let most = i32::try_from(STEPS_LIMIT).unwrap_or(i32::MAX);
    if connection.execute(sql, &[&id, &to_json(&[step])?, &most]).await? > 0 {
        return Ok(true);
    }
    match connection.query("SELECT 1 FROM mainstay.record WHERE id = $1", &[&id]).await?.is_empty() {
        true => Ok(false),
        false => limits::steps(STEPS_LIMIT + 1).map(|()| false),
    }
}

pub(super) async fn finish(connection: &Connection, id: Uuid, ending: Ending) -> Result<bool, Error> {
    let Ending { state, result, steps, envelopes, tell } = ending;
    let messages = Columns::of(&envelopes);
    let result = result.as_ref().map(|json| json.get());
    let told = tell.as_ref();
    let done = connection
        .query(
            FINISH,
            &[
                &id,
                &State::name(state),
                &result,
                &to_micros(now()),
                &to_json(&steps)?,
                &messages.id,
                &messages.topic,
                &messages.to,
                &messages.correlation,
                &messages.reply_to,
                &messages.body,
                &told.map(|told| &*told.id),
                &told.map(|told| &*told.topic),
                &told.and_then(|told| told.reply_to.as_deref()),
                &told.map(|told| told.body.get()),
            ],
        )
        .await?;
    Ok(!done.is_empty())
}

pub(super) async fn prune(
    connection: &Connection,
    kind: &str,
    before: SystemTime,
    most_kept: u64,
) -> Result<u64, Error> {
    let sql = "DELETE FROM mainstay.record WHERE id IN (
                   SELECT id FROM mainstay.record WHERE kind = $1 AND state <> 'open' AND received < greatest($2, (
                       SELECT received + 1 FROM mainstay.record WHERE kind = $1 ORDER BY received DESC LIMIT 1 OFFSET $3
                   )) ORDER BY received LIMIT $4)";
    let most_kept = i64::try_from(most_kept).unwrap_or(i64::MAX);
    connection.execute(sql, &[&kind, &to_micros(before), &most_kept, &i64::from(PRUNE_LIMIT)]).await
}

fn to_json(list: &(impl serde::Serialize + ?Sized)) -> Result<String, Error> {
    serde_json::to_string(list).map_err(Error::bad)
}
