//! All that is kept, at one instant.

use std::sync::Arc;
use std::time::Duration;

use super::keys::{Key, Keys};
use super::rows::{self, At, Fellow, Life};
use crate::etcd::{Client, Failed, Found, Pair, RANGE, Range, prefix_end};
use crate::store::Opened;
use mainstay_contracts::Address;
use tracing::error;

/// How many keys are read at once: of the longest values that fit into etcd, 58 MiB.
const PAGE: i64 = 64;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct All {
    /// etcd's revision of it.
    pub(super) revision: i64,
    pub(super) life: Option<Life>,
    pub(super) at: At,
    /// etcd's revision of that.
    pub(super) changed: i64,
    pub(super) writer: Option<Incumbent>,
    pub(super) fellows: Vec<(i64, Fellow)>,
    pub(super) opened: Opened,
}

/// Who writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Incumbent {
    /// Its lease.
    pub(super) lease: i64,
    /// etcd's revision of its election.
    pub(super) elected: i64,
    pub(super) address: Address,
}

impl Incumbent {
    pub(super) fn read(pair: &Pair) -> Option<Self> {
        let Fellow { address, .. } = rows::read(&pair.value)?;
        Some(Self { lease: pair.lease, elected: pair.created, address })
    }
}

/// Reads all keys, page by page, as they were at the time of the first.
pub(super) async fn all(client: &Client, keys: &Keys) -> Result<All, Failed> {
    let (mut all, end) = (All::default(), prefix_end(&keys.prefix));
    let mut from = keys.prefix.clone().into_bytes();
    loop {
        let range = Range { key: from, end: end.clone(), limit: PAGE, revision: all.revision };
        let Found { header, pairs, more } = client.call(RANGE, range).await?;
        if all.revision == 0 {
            all.revision = header.map(|header| header.revision).unwrap_or_default();
        }
        from = pairs.last().map(|pair| [&*pair.key, &[0]].concat()).unwrap_or_default();
        pairs.into_iter().for_each(|pair| all.take(keys, &pair));
        if !more {
            break;
        }
    }
    all.opened.gone.sort_by_key(|(grave, _)| grave.revision);
    all.opened.kv.graves.sort_by_key(|grave| grave.revision);
    // Whatever it says: no revision is given twice.
    all.at.revision = all.at.revision.max(all.opened.highest());
    let At { revision, floor, sessions_at, forgotten } = all.at;
    (all.opened.revision, all.opened.floor) = (revision, floor);
    (all.opened.kv.sessions_at, all.opened.kv.forgotten) = (sessions_at, forgotten);
    all.opened.epoch = all.life.as_ref().map(|life| life.epoch).unwrap_or_default();
    Ok(all)
}

/// Those who serve the same.
pub(super) async fn fellows(client: &Client, keys: &Keys) -> Result<Vec<(i64, Fellow)>, Failed> {
    let prefix = format!("{}replica/", keys.prefix);
    let (key, end) = (prefix.clone().into_bytes(), prefix_end(&prefix));
    let Found { pairs, .. } = client.call(RANGE, Range { key, end, limit: PAGE, revision: 0 }).await?;
    let mut all = All::default();
    pairs.iter().for_each(|pair| all.take(keys, pair));
    Ok(all.fellows)
}

impl All {
    fn take(&mut self, keys: &Keys, pair: &Pair) {
        if self.read(keys, pair).is_none() {
            error!(
                "etcd has {:?}, which is nothing of a registry's, or of a newer one",
                String::from_utf8_lossy(&pair.key)
            );
        }
    }

    fn read(&mut self, keys: &Keys, pair: &Pair) -> Option<()> {
        let Pair { key, value, lease, .. } = pair;
        let opened = &mut self.opened;
        match keys.read(key)? {
            Key::Life => self.life = Some(rows::read(value)?),
            Key::At => (self.at, self.changed) = (rows::read(value)?, pair.changed),
            Key::Writer => self.writer = Some(Incumbent::read(pair)?),
            Key::Replica(_) => self.fellows.push((*lease, rows::read(value)?)),
            Key::Instance(service, id) => opened.listed.push(rows::read_instance(&service, &id, value)?),
            Key::Gone(grave) => opened.gone.push((grave, rows::read_gone(value)?)),
            Key::Kv(key) => {
                let entry = rows::read_entry(value)?;
                opened.kv.highest = opened.kv.highest.max(entry.modified);
                opened.kv.keys.push((key, Arc::new(entry)));
            }
            Key::Deleted(grave) => {
                opened.kv.highest = opened.kv.highest.max(grave.revision);
                opened.kv.graves.push(grave);
            }
            Key::Session(id) => {
                let (revision, terms) = rows::read_session(value)?;
                opened.kv.highest = opened.kv.highest.max(revision);
                opened.kv.sessions.push((id, revision, terms));
            }
            Key::Delay(key) => {
                let delay = rows::read_delay(value).filter(|delay| *delay > Duration::ZERO)?;
                opened.kv.delays.push((key, delay));
            }
        }
        Some(())
    }
}
