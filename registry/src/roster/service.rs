//! One service's instances.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use mainstay_contracts::Address;
use mainstay_contracts::registry::{GoneReason, Instance, InstanceId, Listed, Listing, Presence, Register, WatchFrame};
use tokio::time::Instant;

use super::due::Place;
use super::numbers::Numbers;
use super::refused::{Kind, Refused};
use super::snapshot::Snapshot;
use super::{Effects, Event};
use crate::Config;

/// The instances of one service, each found by number, id and address, all three unique.
#[derive(Debug)]
pub(super) struct Service {
    name: String,
    revision: u64,
    entries: BTreeMap<u32, Entry>,
    ids: HashMap<InstanceId, u32>,
    addresses: HashMap<Address, u32>,
    numbers: Numbers,
    snapshot: Option<Arc<Snapshot>>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) listed: Listed,
    /// The lease connection that stands for it.
    pub(super) held: Option<u64>,
    pub(super) beaten: Instant,
    place: Place,
}

/// How a registration that is not refused is done.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) number: u32,
    pub(super) incarnation: u64,
    /// The instance whose address is taken over.
    pub(super) replaced: Option<InstanceId>,
}

impl Service {
    pub(super) fn new(name: &str, revision: u64) -> Self {
        Self {
            name: name.to_owned(),
            revision,
            entries: BTreeMap::new(),
            ids: HashMap::new(),
            addresses: HashMap::new(),
            numbers: Numbers::default(),
            snapshot: None,
        }
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    pub(super) fn snapshot(&mut self, epoch: u64) -> Arc<Snapshot> {
        let snapshot = self.snapshot.get_or_insert_with(|| {
            let instances = self.entries.values().map(|entry| entry.listed.clone()).collect();
            let (service, revision) = (self.name.clone(), self.revision);
            Arc::new(Snapshot::new(Listing { service, epoch, revision, instances }))
        });
        Arc::clone(snapshot)
    }

    pub(super) fn get(&self, id: &InstanceId) -> Option<&Entry> {
        self.entries.get(self.ids.get(id)?)
    }

    /// Decides about a registration without changing anything. `made` is the incarnation of whoever says none.
    pub(super) fn plan(&self, call: &Register, made: u64, most: usize) -> Result<Plan, Refused> {
        let listed = self.get(&call.id).map(|entry| &entry.listed.instance);
        let incarnation = call.incarnation.or(listed.map(|listed| listed.incarnation)).unwrap_or(made);
        if let Some(listed) = listed {
            fence(&call.id, listed.incarnation, incarnation)?;
        }
        let replaced = self.replaced(call, incarnation)?;
        if listed.is_none() && replaced.is_none() && self.len() >= most {
            return Err(Refused::new(Kind::Full, format!("{} has {most} instances, and may not have more", self.name)));
        }
        let inherited = listed.or(replaced).map(|instance| instance.number);
        let number = call.number.or(inherited).unwrap_or_else(|| self.numbers.lowest());
        if let Some(other) = self.entries.get(&number).map(|entry| &entry.listed.instance)
            && other.id != call.id
            && replaced.is_none_or(|replaced| replaced.id != other.id)
        {
            return Err(Refused::new(Kind::Conflict, format!("number {number} is that of {}", other.id)));
        }
        Ok(Plan { number, incarnation, replaced: replaced.map(|instance| instance.id.clone()) })
    }

    /// Two processes cannot listen on one address, so of two ids that claim it the one started later is right.
    fn replaced(&self, call: &Register, incarnation: u64) -> Result<Option<&Instance>, Refused> {
        let Some(Listed { instance: other, presence }) =
            self.addresses.get(&call.address).and_then(|number| self.entries.get(number)).map(|entry| &entry.listed)
        else {
            return Ok(None);
        };
        if other.id == call.id {
            Ok(None)
        } else if incarnation > other.incarnation || *presence == Presence::Silent {
            Ok(Some(other))
        } else {
            let reason = format!("address {} is that of {}, of a later incarnation", call.address, other.id);
            Err(Refused::new(Kind::Conflict, reason))
        }
    }

    /// Lists an instance as up, in place of whatever had its id.
    pub(super) fn put(
        &mut self,
        instance: Instance,
        hold: Option<u64>,
        now: Instant,
        config: &Config,
        to: &mut Effects,
    ) {
        let listed = Listed { instance, presence: Presence::Up };
        let instance = &listed.instance;
        let before = self.take(&instance.id);
        let mut held = hold;
        if let Some(before) = &before {
            to.due.leave(before.place);
            let incarnation = instance.incarnation;
            let same = before.listed.instance.incarnation == incarnation;
            if let Some(ended) = before.held {
                if same && hold.is_none() {
                    // It only says something new of itself; the connection still stands for it.
                    held = Some(ended);
                } else {
                    to.events.push(Event::HoldEnded { hold: ended, superseded_by: (!same).then_some(incarnation) });
                }
            }
        }
        if before.is_none_or(|before| before.listed != listed) {
            self.changed(&listed, to);
        }
        let instance = &listed.instance;
        let place = to.due.queue(now + config.silent_after, &self.name, &instance.id);
        self.numbers.take(instance.number);
        self.ids.insert(instance.id.clone(), instance.number);
        self.addresses.insert(instance.address.clone(), instance.number);
        self.entries.insert(instance.number, Entry { listed, held, beaten: now, place });
    }

    /// Takes an instance off the list; `successor` is the incarnation that has its place, if one has.
    pub(super) fn remove(
        &mut self,
        id: &InstanceId,
        why: GoneReason,
        successor: Option<u64>,
        to: &mut Effects,
    ) -> Option<u64> {
        let entry = self.take(id)?;
        to.due.leave(entry.place);
        if let Some(hold) = entry.held {
            // A stream that ends without a successor is renewed, and one of an earlier start must not be.
            let superseded_by = successor.filter(|&later| later > entry.listed.instance.incarnation);
            to.events.push(Event::HoldEnded { hold, superseded_by });
        }
        let revision = self.next_revision();
        let frame = WatchFrame::Gone { revision, id: id.clone(), why };
        to.events.push(Event::Told { service: self.name.clone(), revision, frame });
        Some(revision)
    }

    /// Notes a beat; one of a silent instance makes it up again.
    pub(super) fn beat(&mut self, id: &InstanceId, now: Instant, config: &Config, to: &mut Effects) {
        let Some(entry) = self.ids.get(id).and_then(|number| self.entries.get_mut(number)) else {
            return;
        };
        entry.beaten = now;
        if entry.listed.presence == Presence::Silent {
            to.due.leave(entry.place);
            entry.place = to.due.queue(now + config.silent_after, &self.name, id);
            entry.listed.presence = Presence::Up;
            let listed = entry.listed.clone();
            self.changed(&listed, to);
        }
    }

    /// Decides about an instance whose turn in the queue has come.
    ///
    /// Silence counts from when it is noticed: a registry that was itself stopped for minutes must not find
    /// everybody gone before it has read the beats that wait in its sockets.
    pub(super) fn turn(&mut self, id: &InstanceId, now: Instant, config: &Config, to: &mut Effects) {
        let Some(entry) = self.ids.get(id).and_then(|number| self.entries.get_mut(number)) else {
            return;
        };
        let silent_at = entry.beaten + config.silent_after;
        if entry.listed.presence == Presence::Silent {
            self.remove(id, GoneReason::Silent, None, to);
        } else if silent_at > now {
            entry.place = to.due.queue(silent_at, &self.name, id);
        } else {
            entry.place = to.due.queue(now + config.gone_after, &self.name, id);
            entry.listed.presence = Presence::Silent;
            let listed = entry.listed.clone();
            self.changed(&listed, to);
        }
    }

    fn take(&mut self, id: &InstanceId) -> Option<Entry> {
        let entry = self.entries.remove(&self.ids.remove(id)?)?;
        self.addresses.remove(&entry.listed.instance.address);
        self.numbers.release(entry.listed.instance.number);
        Some(entry)
    }

    fn changed(&mut self, listed: &Listed, to: &mut Effects) {
        let revision = self.next_revision();
        let frame = WatchFrame::Changed { revision, listed: listed.clone() };
        to.events.push(Event::Told { service: self.name.clone(), revision, frame });
    }

    fn next_revision(&mut self) -> u64 {
        self.snapshot = None;
        self.revision += 1;
        self.revision
    }
}

/// Refuses what an earlier start of a process says after a later one has registered.
pub(super) fn fence(id: &InstanceId, listed: u64, incarnation: u64) -> Result<(), Refused> {
    if incarnation < listed {
        let reason = format!("incarnation {incarnation} of {id} is over: {listed} is registered");
        return Err(Refused::new(Kind::Conflict, reason));
    }
    Ok(())
}
