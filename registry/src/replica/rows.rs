//! What is under a key, and what it says of the registry. JSON, so that `etcdctl get --prefix` is readable.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use mainstay_contracts::Address;
use mainstay_contracts::registry::{GoneReason, InstanceId, LeaseId, Listed};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::kv::{Entry, Terms};
use crate::roster::{Health, Kept, Row};

/// What this version writes. Another one is not taken for it.
pub(super) const VERSION: u32 = 1;

/// What never changes, written by the first replica there is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Life {
    pub(super) version: u32,
    pub(super) epoch: u64,
    /// What replicas show one another.
    pub(super) secret: String,
}

/// How far everything is: written with every batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct At {
    pub(super) revision: u64,
    /// Who was gone up to this revision may be forgotten.
    pub(super) floor: u64,
    /// The last revision at which a session came or ended.
    pub(super) sessions_at: u64,
    /// Keys that were deleted up to this revision may be forgotten.
    pub(super) forgotten: u64,
}

/// A replica, as the others reach it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Fellow {
    pub(super) address: Address,
    /// By what one start of a process is told from another.
    pub(super) start: String,
}

#[derive(Serialize)]
struct InstanceOut<'a> {
    revision: u64,
    listed: &'a RawValue,
    lease: Option<&'a LeaseId>,
    health: Option<&'a Health>,
}

#[derive(Deserialize)]
struct InstanceIn {
    revision: u64,
    listed: Box<RawValue>,
    lease: Option<LeaseId>,
    health: Option<Health>,
}

#[derive(Serialize, Deserialize)]
struct GoneAs {
    why: GoneReason,
}

#[derive(Serialize, Deserialize)]
struct KvAs {
    /// In base64, as it may be anything.
    value: String,
    flags: u64,
    session: Option<String>,
    lock_index: u64,
    created: u64,
    modified: u64,
}

#[derive(Serialize, Deserialize)]
struct SessionAs {
    revision: u64,
    terms: Terms,
}

pub(super) fn write(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("rows are plain data with text keys")
}

pub(super) fn read<T: DeserializeOwned>(value: &[u8]) -> Option<T> {
    serde_json::from_slice(value).ok()
}

pub(super) fn instance(revision: u64, row: &Row) -> Vec<u8> {
    let listed = serde_json::from_slice(&row.json).expect("it was written as JSON");
    write(&InstanceOut { revision, listed, lease: row.lease.as_ref(), health: row.health.as_deref() })
}

/// An instance of that service and id, or nothing.
pub(super) fn read_instance(service: &Arc<str>, id: &InstanceId, value: &[u8]) -> Option<Kept> {
    let InstanceIn { revision, listed: json, lease, health } = read(value)?;
    let listed: Listed = serde_json::from_str(json.get()).ok()?;
    let json = Bytes::from(Box::<str>::from(json).into_string());
    let is_it = listed.instance.id == *id;
    let (service, listed, health) = (Arc::clone(service), Arc::new(listed), health.map(Arc::new));
    is_it.then_some(Kept { revision, service, listed, json, lease, health })
}

pub(super) fn gone(why: GoneReason) -> Vec<u8> {
    write(&GoneAs { why })
}

pub(super) fn read_gone(value: &[u8]) -> Option<GoneReason> {
    read(value).map(|GoneAs { why }| why)
}

pub(super) fn entry(entry: &Entry) -> Vec<u8> {
    let Entry { flags, lock_index, created, modified, .. } = *entry;
    let (value, session) = (STANDARD.encode(&entry.value), entry.session.as_deref().map(str::to_owned));
    write(&KvAs { value, flags, session, lock_index, created, modified })
}

pub(super) fn read_entry(value: &[u8]) -> Option<Entry> {
    let KvAs { value, flags, session, lock_index, created, modified } = read(value)?;
    let (value, session) = (STANDARD.decode(value).ok()?.into(), session.map(Arc::from));
    Some(Entry { value, flags, session, lock_index, created, modified })
}

pub(super) fn session(revision: u64, terms: &Terms) -> Vec<u8> {
    write(&SessionAs { revision, terms: terms.clone() })
}

pub(super) fn read_session(value: &[u8]) -> Option<(u64, Terms)> {
    read(value).map(|SessionAs { revision, terms }| (revision, terms))
}

pub(super) fn delay(delay: Duration) -> Vec<u8> {
    write(&delay.as_millis())
}

pub(super) fn read_delay(value: &[u8]) -> Option<Duration> {
    read(value).map(Duration::from_millis)
}
