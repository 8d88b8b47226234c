//! One instance as it is kept, with what tells whether it still is what was written.

use std::sync::Arc;

use bytes::Bytes;
use mainstay_contracts::registry::{Fingerprint, GoneReason, InstanceId, LeaseId, Listed};
use rusqlite::{CachedStatement, Connection, Row, params};

use crate::roster::{Became, Change, Grave, Health, Kept};

pub(super) const COLUMNS: &str = "service, id, revision, lease, json, gone, health, sum";

/// What a sound row says.
#[derive(Debug)]
pub(super) enum Found {
    Listed(Kept),
    Gone(Grave, GoneReason),
}

/// Writes a change over whatever was kept of its instance.
pub(super) fn put(statement: &mut CachedStatement<'_>, change: &Change) -> rusqlite::Result<()> {
    let (service, id, revision) = (&*change.service, change.id.as_str(), signed(change.revision));
    let (lease, json, gone, health) = match &change.became {
        Became::Listed(row) => (row.lease.as_ref().map(LeaseId::as_str), Some(&*row.json), None, row.health.as_deref()),
        Became::Gone(why) => (None, None, Some(why.as_str()), None),
    };
    let health = health.map(written);
    let sum = sum(service, id, revision, lease, json, gone, health.as_deref());
    statement.execute(params![service, id, revision, lease, json, gone, health, sum])?;
    Ok(())
}

/// Writes what was kept in another database.
pub(super) fn put_kept(db: &Connection, kept: &Kept) -> rusqlite::Result<()> {
    let (service, id, revision) = (&*kept.service, kept.listed.instance.id.as_str(), signed(kept.revision));
    let (lease, json) = (kept.lease.as_ref().map(LeaseId::as_str), Some(&*kept.json));
    let health = kept.health.as_deref().map(written);
    let sum = sum(service, id, revision, lease, json, None, health.as_deref());
    let params = params![service, id, revision, lease, json, None::<&str>, health, sum];
    db.prepare_cached(super::PUT)?.execute(params)?;
    Ok(())
}

/// What a row says; nothing, if that is not what was written.
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Option<Found>> {
    let text = |column: usize| row.get_ref(column).map(|value| value.as_str().ok());
    let (Some(service), Some(id)) = (text(0)?, text(1)?) else { return Ok(None) };
    let (Ok(revision), Ok(written)) = (row.get::<_, i64>(2), row.get::<_, i64>(7)) else { return Ok(None) };
    let (lease, gone, health) = (text(3)?, text(5)?, text(6)?);
    let json = row.get_ref(4)?.as_blob_or_null().unwrap_or_default();
    if sum(service, id, revision, lease, json, gone, health) != written {
        return Ok(None);
    }
    Ok(found(service, id, revision, lease, json, gone, health))
}

fn found(
    service: &str,
    id: &str,
    revision: i64,
    lease: Option<&str>,
    json: Option<&[u8]>,
    gone: Option<&str>,
    health: Option<&str>,
) -> Option<Found> {
    let (service, revision): (Arc<str>, u64) = (service.into(), u64::try_from(revision).ok()?);
    let Some(json) = json else {
        let id: InstanceId = id.parse().ok()?;
        return Some(Found::Gone(Grave { revision, service, id }, reason(gone?)));
    };
    let listed: Listed = serde_json::from_slice(json).ok()?;
    let lease = lease.map(str::parse::<LeaseId>).transpose().ok()?;
    let health: Option<Health> = health.map(serde_json::from_str).transpose().ok()?;
    let (listed, health) = (Arc::new(listed), health.map(Arc::new));
    Some(Found::Listed(Kept { revision, service, listed, json: Bytes::copy_from_slice(json), lease, health }))
}

/// What an instance's checks say, as it is kept.
fn written(health: &Health) -> String {
    serde_json::to_string(health).expect("checks are plain data with text keys")
}

/// A checksum of all that is in a row: SQLite has none.
fn sum(
    service: &str,
    id: &str,
    revision: i64,
    lease: Option<&str>,
    json: Option<&[u8]>,
    gone: Option<&str>,
    health: Option<&str>,
) -> i64 {
    let revision = revision.to_le_bytes();
    let parts: [&[u8]; 7] = [
        service.as_bytes(),
        id.as_bytes(),
        &revision,
        lease.unwrap_or_default().as_bytes(),
        json.unwrap_or_default(),
        gone.unwrap_or_default().as_bytes(),
        health.unwrap_or_default().as_bytes(),
    ];
    // No text has a byte of 0xff, so that no part can pass for the end of another.
    Fingerprint::of_json(&parts.join(&0xff)).to_bits().cast_signed()
}

/// As SQLite has numbers. No revision ever comes near the end of them.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn reason(word: &str) -> GoneReason {
    match word {
        "left" => GoneReason::Left,
        "connection-closed" => GoneReason::ConnectionClosed,
        "silent" => GoneReason::Silent,
        "released" => GoneReason::Released,
        _ => GoneReason::Unknown,
    }
}
