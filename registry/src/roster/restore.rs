//! A roster as it was before the registry ended.

use std::sync::Arc;

use mainstay_contracts::registry::{GoneReason, LeaseId, Listed};

use super::Roster;
use super::batch::Grave;
use super::batch::{Became, Change, Row};
use super::leases::Phase;
use super::service::{Entry, is_doubtful};
use crate::clock::Time;

/// What was kept of an instance.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) revision: u64,
    pub(crate) service: Arc<str>,
    pub(crate) listed: Arc<Listed>,
    pub(crate) json: bytes::Bytes,
    pub(crate) lease: Option<LeaseId>,
}

impl Roster {
    /// Takes up what was kept, and tells of it as if it had come now. Every lease has its full time, and the grace:
    /// whoever was there has to find back first.
    pub(crate) fn restore(&mut self, revision: u64, listed: Vec<Kept>, gone: Vec<(Grave, GoneReason)>) {
        self.revision = revision;
        listed.into_iter().for_each(|kept| self.take_up(kept));
        for (grave, why) in gone {
            let Grave { revision, service, id } = grave.clone();
            self.batch.changes.push(Change { revision, service, id, became: Became::Gone(why) });
            self.graves.push_back(grave);
        }
    }

    fn take_up(&mut self, kept: Kept) {
        let Kept { revision, service, listed, json, lease: name } = kept;
        let beaten = Time::default() + self.config.grace;
        let silent_at = beaten + self.config.silent_after;
        let key = name.as_ref().and_then(|name| self.leases.named(name));
        let key = key.unwrap_or_else(|| self.leases.open(name.clone(), beaten, silent_at, &mut self.batch));
        if is_doubtful(listed.presence) {
            // Its next beat is to be told.
            self.leases.turn(key, Phase::Silent);
            self.leases.queue(key, silent_at + self.config.gone_after);
        }
        let id = listed.instance.id.clone();
        self.leases.join(key, (Arc::clone(&service), id.clone()));
        let entry = Entry { listed: Arc::clone(&listed), lease: key, revision };
        self.services.entry(Arc::clone(&service)).or_default().put(entry);
        let pulse = self.leases.get(key).map(|lease| Arc::clone(&lease.pulse)).expect("it was opened or found above");
        let row = Row { listed, json, since: Time::default(), lease: name, pulse };
        self.batch.changes.push(Change { revision, service, id, became: Became::Listed(row) });
    }
}
