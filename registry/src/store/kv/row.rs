//! One row, with what tells whether it still is what was written.

use std::sync::Arc;

use bytes::Bytes;
use mainstay_contracts::registry::Fingerprint;
use rusqlite::Row;
use rusqlite::types::ValueRef;
use serde::{Deserialize, Serialize};

use crate::kv::{Entry, Terms};

/// What an entry has beside its value and its last revision.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Meta {
    created: u64,
    lock_index: u64,
    flags: u64,
    session: Option<String>,
}

impl From<&Entry> for Meta {
    fn from(entry: &Entry) -> Self {
        let Entry { created, lock_index, flags, .. } = *entry;
        Self { created, lock_index, flags, session: entry.session.as_deref().map(str::to_owned) }
    }
}

pub(super) fn text(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// A checksum of all that is in a row: SQLite has none. Each part has its length before it, as values may have any bytes.
pub(super) fn sum(parts: &[&[u8]]) -> i64 {
    let mut all = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        all.extend_from_slice(&part.len().to_le_bytes());
        all.extend_from_slice(part);
    }
    Fingerprint::of_json(&all).to_bits().cast_signed()
}

/// A name, its number and the sum that was written, which all tables have after the row's own number.
fn head<'a>(row: &'a Row<'_>) -> rusqlite::Result<Option<(&'a str, i64, i64)>> {
    let (name, number, written) = (row.get_ref(1)?, row.get_ref(2)?, row.get_ref(3)?);
    Ok(match (name.as_str(), number, written) {
        (Ok(name), ValueRef::Integer(number), ValueRef::Integer(written)) => Some((name, number, written)),
        _ => None,
    })
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// A key, its last revision, and its entry if it was not deleted.
type Key = (Arc<str>, u64, Option<Entry>);

pub(super) fn key(row: &Row<'_>) -> rusqlite::Result<Option<Key>> {
    let Some((key, revision, written)) = head(row)? else { return Ok(None) };
    let number = revision.to_le_bytes();
    let entry = match (row.get_ref(4)?, row.get_ref(5)?) {
        (ValueRef::Null, ValueRef::Null) if sum(&[key.as_bytes(), &number]) == written => None,
        (ValueRef::Text(meta), ValueRef::Blob(value)) if sum(&[key.as_bytes(), &number, meta, value]) == written => {
            let Ok(meta) = serde_json::from_slice::<Meta>(meta) else { return Ok(None) };
            let Meta { created, lock_index, flags, session } = meta;
            let (value, session) = (Bytes::copy_from_slice(value), session.map(Arc::from));
            Some(Entry { value, flags, session, lock_index, created, modified: unsigned(revision) })
        }
        _ => return Ok(None),
    };
    Ok(Some((key.into(), unsigned(revision), entry)))
}

/// A session, the revision it came at, and its terms.
pub(super) fn session(row: &Row<'_>) -> rusqlite::Result<Option<(Arc<str>, u64, Terms)>> {
    let Some((id, revision, written)) = head(row)? else { return Ok(None) };
    let Ok(terms) = row.get_ref(4)?.as_bytes() else { return Ok(None) };
    if sum(&[id.as_bytes(), &revision.to_le_bytes(), terms]) != written {
        return Ok(None);
    }
    let terms = serde_json::from_slice(terms).ok();
    Ok(terms.map(|terms| (id.into(), unsigned(revision), terms)))
}

/// A name and its number.
pub(super) fn numbered(row: &Row<'_>) -> rusqlite::Result<Option<(Arc<str>, u64)>> {
    let found = head(row)?.filter(|(name, number, written)| sum(&[name.as_bytes(), &number.to_le_bytes()]) == *written);
    Ok(found.map(|(name, number, _)| (name.into(), unsigned(number))))
}
