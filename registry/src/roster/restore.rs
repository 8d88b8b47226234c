//! A roster as it was before the registry ended.

use std::sync::Arc;

use mainstay_contracts::registry::{GoneReason, LeaseId, Listed, Presence};

use super::Roster;
use super::batch::Grave;
use super::batch::{Became, Change, Row};
use super::health::Health;
use super::leases::{Phase, Terms};
use super::service::{Checked, Entry, is_doubtful};
use crate::clock::Time;

/// What was kept of an instance.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) revision: u64,
    pub(crate) service: Arc<str>,
    pub(crate) listed: Arc<Listed>,
    pub(crate) json: bytes::Bytes,
    pub(crate) lease: Option<LeaseId>,
    pub(crate) health: Option<Arc<Health>>,
}

impl Roster {
    /// Takes up what was kept, and tells of it as if it had come now. Every lease has its full time, and the grace:
    /// whoever was there has to find back first.
    pub(crate) fn restore(&mut self, revision: u64, listed: Vec<Kept>, gone: Vec<(Grave, GoneReason)>, now: Time) {
        self.revision = revision;
        listed.into_iter().for_each(|kept| self.take_up(kept, now));
        for (grave, why) in gone {
            let Grave { revision, service, id } = grave.clone();
            // Who has come back since is not gone any more; but its grave is yet to be forgotten.
            if self.services.get(&service).is_none_or(|service| service.get(&id).is_none()) {
                self.batch.changes.push(Change { revision, service, id, became: Became::Gone(why) });
            }
            self.graves.push_back(grave);
        }
    }

    fn take_up(&mut self, kept: Kept, now: Time) {
        let Kept { revision, service, listed, json, lease: name, health } = kept;
        let beaten = now + self.config.grace;
        let key = name.as_ref().and_then(|name| self.leases.named(name));
        let terms = if health.is_some() { Terms::never() } else { Terms::of(&self.config) };
        let key = key.unwrap_or_else(|| self.leases.open(name.clone(), terms, beaten, &mut self.batch));
        if health.is_none() && is_doubtful(listed.presence) {
            // Its next beat is to be told.
            let (phase, left) = match listed.presence {
                Presence::Suspect => (Phase::Suspect, self.config.guard.suspect_for),
                _ => (Phase::Silent, self.config.silent_after + self.config.gone_after),
            };
            self.leases.turn(key, phase);
            self.leases.queue(key, beaten + left);
        }
        let id = listed.instance.id.clone();
        let member = (Arc::clone(&service), id.clone());
        self.leases.join(key, member.clone());
        let checked = health.as_ref().map(|health| {
            let keys = health.checks.iter().map(|check| self.open_check(check, &member, beaten)).collect();
            Checked { health: Arc::clone(health), keys }
        });
        self.note(&id, &service, health.is_some());
        let entry = Entry { listed: Arc::clone(&listed), lease: key, checked, revision };
        self.services.entry(Arc::clone(&service)).or_default().put(entry);
        let pulse = self.leases.get(key).map(|lease| Arc::clone(&lease.pulse)).expect("it was opened or found above");
        pulse.grant();
        let row = Row { listed, json, since: now, lease: name, pulse, health };
        self.batch.changes.push(Change { revision, service, id, became: Became::Listed(row) });
    }
}
