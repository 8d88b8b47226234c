//! Who is there: a state machine without I/O, locks or a clock of its own.
//!
//! Every method is told what time it is, and leaves [`Event`]s for whoever tells watchers and holders.
//!
//! * An instance is **up** while it beats, **silent** after [`Config::silent_after`] without a beat, and
//!   **gone** [`Config::gone_after`] later, or at once when it leaves or its lease connection closes.
//! * A service's **revision** grows by one with every change that a watcher can see. A beat of an instance
//!   that is up is none.
//! * An **incarnation** fences: what an earlier start of a process says after a later one has registered is
//!   refused.
//! * An **address** belongs to one instance of a service. Of two ids that claim it, the later incarnation is
//!   right: the earlier one's process must have ended, or the address would not have been free.

mod check;
mod due;
mod numbers;
mod refused;
mod service;
mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mainstay_contracts::registry::{
    Beat, Beaten, Deregister, Deregistered, GoneReason, Instance, InstanceId, Listed, Register, Registered,
    ServiceNames, WatchFrame,
};
use tokio::time::Instant;

use self::due::Due;
pub(crate) use self::refused::{Kind, Refused};
use self::service::{Service, fence};
pub(crate) use self::snapshot::Snapshot;
use crate::Config;

/// What somebody has to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// Watchers of a service: its next revision.
    Told { service: String, revision: u64, frame: WatchFrame },
    /// The holder of a lease connection: it stands for nothing any more.
    HoldEnded { hold: u64, superseded_by: Option<u64> },
}

/// What follows from a change, besides the change.
#[derive(Debug, Default)]
struct Effects {
    due: Due,
    events: Vec<Event>,
}

/// A row of the status page.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) listed: Listed,
    pub(crate) held: bool,
    pub(crate) beaten: Duration,
}

/// All services and their instances.
#[derive(Debug)]
pub(crate) struct Roster {
    config: Config,
    epoch: u64,
    started: Instant,
    services: BTreeMap<String, Service>,
    /// The highest revision of any service that was forgotten: where the revisions of the next one start, so
    /// that no service's ever go back, although the names of empty services are not kept.
    floor: u64,
    holds: u64,
    effects: Effects,
}

impl Roster {
    /// An empty roster; `epoch` is its start in microseconds of the Unix era.
    pub(crate) fn new(config: Config, epoch: u64, now: Instant) -> Self {
        let (services, effects) = (BTreeMap::new(), Effects::default());
        Self { config, epoch, started: now, services, floor: 0, holds: 0, effects }
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Registers an instance that beats.
    pub(crate) fn register(&mut self, call: Register, now: Instant) -> Result<Registered, Refused> {
        self.put(call, None, now)
    }

    /// Registers an instance for as long as [`release`](Roster::release) is not called with the number returned.
    pub(crate) fn hold(&mut self, call: Register, now: Instant) -> Result<(Registered, u64), Refused> {
        let hold = self.holds + 1;
        let registered = self.put(call, Some(hold), now)?;
        self.holds = hold;
        Ok((registered, hold))
    }

    fn put(&mut self, call: Register, hold: Option<u64>, now: Instant) -> Result<Registered, Refused> {
        check::check(&call)?;
        let most = self.config.limits.services;
        if self.instances(&call.service) == 0 && self.in_use() >= most {
            return Err(Refused::new(Kind::Full, format!("there are {most} services, and may not be more")));
        }
        let made = self.epoch + u64::try_from((now - self.started).as_micros()).unwrap_or(u64::MAX / 2);
        let floor = self.floor;
        let service = self.services.entry(call.service.clone()).or_insert_with_key(|name| Service::new(name, floor));
        let plan = service.plan(&call, made, self.config.limits.instances)?;
        if let Some(replaced) = &plan.replaced {
            service.remove(replaced, GoneReason::ConnectionClosed, Some(plan.incarnation), &mut self.effects);
        }
        let (number, incarnation) = (plan.number, plan.incarnation);
        let Register { id, address, zone, weight, version, tags, metadata, .. } = call;
        let instance = Instance { id, number, address, zone, weight, version, tags, metadata, incarnation };
        service.put(instance, hold, now, &self.config, &mut self.effects);
        let (epoch, revision) = (self.epoch, service.revision());
        Ok(Registered { epoch, revision, number, incarnation, beat_every_ms: self.beat_every_ms() })
    }

    /// Notes that an instance is there.
    pub(crate) fn beat(&mut self, call: &Beat, now: Instant) -> Result<Beaten, Refused> {
        let unknown = |what: String| Refused::new(Kind::Unknown, format!("{what} is not registered: register again"));
        let service = self.services.get_mut(&call.service);
        let Some((service, listed)) = service.and_then(|service| {
            let listed = service.get(&call.id)?.listed.instance.incarnation;
            Some((service, listed))
        }) else {
            return Err(unknown(format!("{} of {}", call.id, call.service)));
        };
        if let Some(incarnation) = call.incarnation {
            fence(&call.id, listed, incarnation)?;
            if incarnation > listed {
                return Err(unknown(format!("incarnation {incarnation} of {}", call.id)));
            }
        }
        service.beat(&call.id, now, &self.config, &mut self.effects);
        Ok(Beaten { beat_every_ms: self.beat_every_ms() })
    }

    /// Takes an instance off the list because it says so.
    pub(crate) fn deregister(&mut self, call: &Deregister) -> Result<Deregistered, Refused> {
        let service = self.services.get_mut(&call.service);
        if let Some(service) = service
            && let Some(entry) = service.get(&call.id)
        {
            let listed = entry.listed.instance.incarnation;
            fence(&call.id, listed, call.incarnation.unwrap_or(listed))?;
            if let Some(revision) = service.remove(&call.id, GoneReason::Left, None, &mut self.effects) {
                return Ok(Deregistered { revision });
            }
        }
        Err(Refused::new(Kind::Unknown, format!("{} of {} is not registered", call.id, call.service)))
    }

    /// Takes an instance off the list because its lease connection closed, unless something newer is in its place.
    pub(crate) fn release(&mut self, service: &str, id: &InstanceId, hold: u64) {
        if let Some(service) = self.services.get_mut(service)
            && service.get(id).is_some_and(|entry| entry.held == Some(hold))
        {
            service.remove(id, GoneReason::ConnectionClosed, None, &mut self.effects);
        }
    }

    /// When [`expire`](Roster::expire) has something to do next.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.effects.due.next()
    }

    /// Makes silent and gone what has become so by `now`.
    pub(crate) fn expire(&mut self, now: Instant) {
        while let Some((service, id)) = self.effects.due.pop(now) {
            if let Some(service) = self.services.get_mut(&service) {
                service.turn(&id, now, &self.config, &mut self.effects);
            }
        }
    }

    /// Who has to be told what since the last time this was asked.
    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.effects.events)
    }

    /// A service's list. One that nobody registered for is empty.
    pub(crate) fn list(&mut self, service: &str) -> Arc<Snapshot> {
        let (epoch, floor) = (self.epoch, self.floor);
        match self.services.get_mut(service) {
            Some(service) => service.snapshot(epoch),
            None => Service::new(service, floor).snapshot(epoch),
        }
    }

    /// As [`list`](Roster::list), and keeps the service's revision until it is [forgotten](Roster::forget).
    pub(crate) fn open(&mut self, service: &str) -> Arc<Snapshot> {
        let floor = self.floor;
        let service = self.services.entry(service.to_owned()).or_insert_with_key(|name| Service::new(name, floor));
        service.snapshot(self.epoch)
    }

    /// Forgets a service that has no instances.
    pub(crate) fn forget(&mut self, service: &str) {
        if let Some(empty) = self.services.get(service).filter(|service| service.is_empty()) {
            self.floor = self.floor.max(empty.revision());
            self.services.remove(service);
        }
    }

    /// Names of services that have instances, and how many they have.
    pub(crate) fn services(&self) -> ServiceNames {
        let listed = self.services.iter().filter(|(_, service)| !service.is_empty());
        ServiceNames {
            epoch: self.epoch,
            services: listed.map(|(name, service)| (name.clone(), service.len())).collect(),
        }
    }

    /// The first `most` instances of a service, with what only the registry knows of them.
    pub(crate) fn rows(&self, service: &str, most: usize, now: Instant) -> Vec<Row> {
        let entries = self.services.get(service).into_iter().flat_map(Service::entries);
        let row = |entry: &service::Entry| Row {
            listed: entry.listed.clone(),
            held: entry.held.is_some(),
            beaten: now - entry.beaten,
        };
        entries.take(most).map(row).collect()
    }

    fn instances(&self, service: &str) -> usize {
        self.services.get(service).map_or(0, Service::len)
    }

    fn in_use(&self) -> usize {
        self.services.values().filter(|service| !service.is_empty()).count()
    }

    fn beat_every_ms(&self) -> u64 {
        u64::try_from(self.config.beat_every.as_millis()).unwrap_or(u64::MAX)
    }
}
