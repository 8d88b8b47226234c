//! Who is there: a state machine without I/O, locks or a clock of its own.
//!
//! Every method is told what time it is, and leaves what changed in a [`Batch`] for whoever keeps and tells it.
//!
//! * An instance is there by a **lease**: its own, or one that is shared by all of a process. It is **up** while that
//!   beats, **silent** after [`Config::silent_after`] without a beat, and **gone** [`Config::gone_after`] later, or at
//!   once when it leaves or its lease connection closes.
//! * It is **suspect** instead of gone if too many would go at once, or the last one: see `guard`.
//! * The **revision** grows by one with every change that a watcher can see. A beat of an instance that is up is none.
//! * An **incarnation** fences: what an earlier start of a process says after a later one has registered is refused.
//! * An **address** belongs to one instance of a service. Of two ids that claim it, the later incarnation is right: the
//!   earlier one's process must have ended, or the address would not have been free.

mod batch;
mod check;
mod checked;
mod enlist;
mod expiry;
mod guard;
mod health;
mod leases;
mod numbers;
mod refused;
mod restore;
mod service;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use mainstay_contracts::registry::{
    Deregister, Deregistered, Drain, GoneReason, Instance, InstanceId, LeaseEnded, LeaseId, Listed, Presence, Register,
    Registered, Release, Released, Undrain, Undrained,
};

pub(crate) use self::batch::{Batch, Became, Change, Grave, Heard, Row};
pub(crate) use self::enlist::Enlist;
pub(crate) use self::health::{Check, Health, Status};
pub(crate) use self::leases::Member;
use self::leases::{Key, Leases, Terms};
pub(crate) use self::refused::{Kind, Refused};
pub(crate) use self::restore::Kept;
pub(crate) use self::service::fence;
use self::service::{Checked, Entry, Plan, Service};
use crate::Config;
use crate::clock::Time;

/// How many of those who are gone are remembered, over all services: whoever has missed more of them gets a snapshot.
const GRAVES: usize = 16_384;

/// All services and their instances.
#[derive(Debug)]
pub(crate) struct Roster {
    config: Config,
    epoch: u64,
    /// The present, as an incarnation for those who say none: microseconds of the Unix era when the time was zero.
    born: u64,
    revision: u64,
    services: BTreeMap<Arc<str>, Service>,
    leases: Leases,
    /// Which service an instance is of that has been enlisted: no two of those have one id.
    enlisted: HashMap<InstanceId, Arc<str>>,
    graves: VecDeque<Grave>,
    holds: u64,
    batch: Batch,
}

impl Roster {
    /// An empty roster of one `epoch`; `born` is `now` in microseconds of the Unix era.
    pub(crate) fn new(config: Config, epoch: u64, born: u64, now: Time) -> Self {
        Self {
            config,
            epoch,
            born: born.saturating_sub(now.as_millis().saturating_mul(1000)),
            revision: 0,
            services: BTreeMap::new(),
            leases: Leases::new(),
            enlisted: HashMap::new(),
            graves: VecDeque::new(),
            // No two rosters of a process, one after the other, number their connections alike.
            holds: born,
            batch: Batch::default(),
        }
    }

    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// The last revision, for whoever else changes what the registry keeps.
    pub(crate) fn counter(&mut self) -> &mut u64 {
        &mut self.revision
    }

    /// What changed since the last time this was asked.
    pub(crate) fn take_batch(&mut self) -> Batch {
        std::mem::take(&mut self.batch)
    }

    /// Registers an instance that beats, by itself or with the lease that it names.
    pub(crate) fn register(&mut self, call: Register, now: Time) -> Result<Registered, Refused> {
        self.put(call, None, None, now)
    }

    /// Registers an instance for as long as [`let_go`](Roster::let_go) is not called with the number returned.
    pub(crate) fn hold(&mut self, call: Register, now: Time) -> Result<(Registered, u64), Refused> {
        if call.lease.is_some() {
            let reason = "an instance is held by its own connection or by a lease, not by both";
            return Err(Refused::new(Kind::Invalid, reason));
        }
        let hold = self.holds + 1;
        let registered = self.put(call, Some(hold), None, now)?;
        self.holds = hold;
        Ok((registered, hold))
    }

    /// Decides about a registration without changing anything. The lease that it names, if it does, is there.
    fn plan(&self, call: &Register, portless: bool, now: Time) -> Result<(Option<Key>, Plan), Refused> {
        check::check(call, portless)?;
        let limits = &self.config.limits;
        if !self.services.contains_key(call.service.as_str()) && self.services.len() >= limits.services {
            let reason = format!("there are {} services, and may not be more", limits.services);
            return Err(Refused::new(Kind::Full, reason));
        }
        let named = call.lease.as_ref().map(|lease| self.leases.named(lease).ok_or_else(|| no_lease(lease)));
        let named = named.transpose()?;
        let made = self.born.saturating_add(now.as_millis().saturating_mul(1000));
        let empty = Service::default();
        let service = self.services.get(call.service.as_str()).unwrap_or(&empty);
        Ok((named, service.plan(call, made, limits.instances)?))
    }

    /// Lists what is not refused. With `health` it is there as its checks say, and else by a lease.
    fn put(
        &mut self,
        call: Register,
        hold: Option<u64>,
        health: Option<Health>,
        now: Time,
    ) -> Result<Registered, Refused> {
        let name: Arc<str> = call.service.as_str().into();
        let (named, plan) = self.plan(&call, health.is_some(), now)?;
        let before = self.services.get(&name).and_then(|service| service.get(&call.id)).cloned();
        let (number, incarnation, replaced) = (plan.number, plan.incarnation, plan.replaced);
        let Register { id, address, zone, weight, version, tags, metadata, .. } = call;
        let member = (Arc::clone(&name), id.clone());
        let instance = Instance { id: id.clone(), number, address, zone, weight, version, tags, metadata, incarnation };
        let same = before.as_ref().filter(|before| before.listed.instance.incarnation == incarnation);
        let terms = if health.is_some() { Terms::never() } else { Terms::of(&self.config) };
        let lease = self.lease_for(same, named, hold, terms, now);
        // Who is about to leave has not changed its mind by saying something new of itself.
        let drains = same.is_some_and(|same| same.checked.is_none() && same.listed.presence == Presence::Draining);
        let presence = match &health {
            Some(health) => health.presence(same.map_or(Presence::Up, |same| same.listed.presence)),
            None if drains => Presence::Draining,
            None => Presence::Up,
        };
        let listed = Listed { instance, presence };
        let checked = self.take_checks(before.as_ref().and_then(|before| before.checked.clone()), health, &member, now);
        // As it is now: to hear of a silent one has made it up.
        let present = self.services.get(&name).and_then(|service| service.get(&id)).cloned();
        self.leases.join(lease, member.clone());
        // Not before: with it may go the last one of a lease that this one joins.
        if let Some(replaced) = replaced {
            self.remove(&(Arc::clone(&name), replaced), GoneReason::ConnectionClosed, Some(incarnation));
        }
        if let Some(before) = before.as_ref().filter(|before| before.lease != lease) {
            let successor = same.is_none().then_some(incarnation);
            self.leases.replaced(before.lease, &member, incarnation, &mut self.batch);
            self.leases.leave(before.lease, &member, successor, &mut self.batch);
        }
        let revision = match present {
            Some(present) if *present.listed == listed && present.lease == lease && present.checked == checked => {
                present.revision
            }
            _ => self.list(&name, listed, lease, checked, now),
        };
        Ok(Registered { epoch: self.epoch, revision, number, incarnation, beat_every_ms: self.beat_every_ms() })
    }

    /// The lease of what is registered now: the one it names, the one it has had by itself, or one of its own.
    fn lease_for(
        &mut self,
        same: Option<&Entry>,
        named: Option<Key>,
        hold: Option<u64>,
        terms: Terms,
        now: Time,
    ) -> Key {
        let own = same.map(|same| same.lease);
        let is_own = |key| self.leases.get(key).is_some_and(|lease| lease.name.is_none() && lease.terms == terms);
        let own = own.filter(|key| is_own(*key));
        let key = named.or(own).unwrap_or_else(|| self.leases.open(None, terms, now, &mut self.batch));
        if let Some(hold) = hold {
            self.leases.hold(key, hold, &mut self.batch);
        }
        self.hear(key, now);
        key
    }

    /// Opens a lease, or takes it over, for as long as [`let_go`](Roster::let_go) is not called with the number
    /// returned. Says as well how many instances are registered with it.
    pub(crate) fn hold_lease(&mut self, lease: &LeaseId, now: Time) -> (usize, u64) {
        self.holds += 1;
        let terms = Terms::of(&self.config);
        let known = self.leases.named(lease);
        let key = known.unwrap_or_else(|| self.leases.open(Some(lease.clone()), terms, now, &mut self.batch));
        self.leases.hold(key, self.holds, &mut self.batch);
        self.hear(key, now);
        (self.leases.get(key).map_or(0, |lease| lease.members.len()), self.holds)
    }

    /// Notes that a lease's process is there.
    fn hear(&mut self, key: Key, now: Time) {
        if let Some(lease) = self.leases.get(key)
            && lease.pulse.beat(now)
        {
            self.wake(key, now);
        }
    }

    /// A connection has closed. If that is `sure` to be the end of the process, what it stood for leaves the list, unless
    /// something newer is in its place; else only time will tell.
    pub(crate) fn let_go(&mut self, held: &Held, hold: u64, sure: bool) {
        let key = match held {
            Held::Lease(lease) => self.leases.named(lease),
            Held::Instance(service, id) => {
                self.services.get(service).and_then(|service| service.get(id)).map(|entry| entry.lease)
            }
        };
        let Some(key) = key.filter(|key| self.leases.let_go(*key, hold)) else { return };
        let empty = self.leases.get(key).is_none_or(|lease| lease.members.is_empty());
        if sure || empty {
            self.end(key, GoneReason::ConnectionClosed);
        }
    }

    /// Takes off the list what is registered with a lease, and ends the lease.
    pub(crate) fn end_lease(&mut self, lease: &LeaseId) -> Result<LeaseEnded, Refused> {
        let key = self.leases.named(lease).ok_or_else(|| no_lease(lease))?;
        let instances = self.end(key, GoneReason::Left);
        Ok(LeaseEnded { revision: self.revision, instances })
    }

    fn end(&mut self, key: Key, why: GoneReason) -> usize {
        let members = self.leases.get(key).map(|lease| lease.members.clone()).unwrap_or_default();
        members.iter().for_each(|member| {
            self.remove(member, why, None);
        });
        self.leases.end(key, None, &mut self.batch);
        members.len()
    }

    /// Takes an instance off the list because it says so.
    pub(crate) fn deregister(&mut self, call: &Deregister) -> Result<Deregistered, Refused> {
        let member = self.find(&call.service, &call.id, call.incarnation)?;
        let revision = self.remove(&member, GoneReason::Left, None);
        Ok(Deregistered { revision })
    }

    /// Marks an instance that asks for no more calls. Returns the revision from which on it does.
    pub(crate) fn drain(&mut self, call: &Drain, now: Time) -> Result<u64, Refused> {
        let member = self.find(&call.service, &call.id, call.incarnation)?;
        Ok(self.maintain(&member, Some(String::new()), now))
    }

    /// Takes back that an instance asks for no more calls.
    pub(crate) fn undrain(&mut self, call: &Undrain, now: Time) -> Result<Undrained, Refused> {
        let member = self.find(&call.service, &call.id, call.incarnation)?;
        Ok(Undrained { revision: self.maintain(&member, None, now) })
    }

    /// Takes a service's suspects off the list: an operator says that they are lost.
    pub(crate) fn release(&mut self, call: &Release) -> Result<Released, Refused> {
        let Some((name, service)) = self.services.get_key_value(call.service.as_str()) else {
            return Err(Refused::new(Kind::Unknown, format!("{} has no instances", call.service)));
        };
        let suspects = service.entries().filter(|entry| entry.listed.presence == Presence::Suspect);
        let member = |entry: &Entry| ((Arc::clone(name), entry.listed.instance.id.clone()), entry.lease);
        let members: Vec<(Member, Key)> = suspects.map(member).collect();
        for (member, lease) in &members {
            self.remove(member, GoneReason::Released, None);
            // Should its process be alive after all, it has to see that it must register again.
            self.leases.break_hold(*lease, &mut self.batch);
        }
        Ok(Released { revision: self.revision, instances: members.len() })
    }

    fn find(&self, service: &str, id: &InstanceId, said: Option<u64>) -> Result<Member, Refused> {
        let found = self.services.get_key_value(service).and_then(|(name, service)| Some((name, service.get(id)?)));
        let Some((name, entry)) = found else {
            return Err(Refused::new(Kind::Unknown, format!("{id} of {service} is not registered")));
        };
        fence(id, entry.listed.instance.incarnation, said)?;
        Ok((Arc::clone(name), id.clone()))
    }

    fn revision_of(&self, (service, id): &Member) -> u64 {
        let entry = self.services.get(service).and_then(|service| service.get(id));
        entry.map_or(self.revision, |entry| entry.revision)
    }

    /// Lists an instance as it is now, and tells it.
    fn list(&mut self, service: &Arc<str>, listed: Listed, lease: Key, checked: Option<Checked>, now: Time) -> u64 {
        self.revision += 1;
        let revision = self.revision;
        let json = serde_json::to_vec(&listed).expect("an instance is plain data with text keys");
        let (id, listed) = (listed.instance.id.clone(), Arc::new(listed));
        let health = checked.as_ref().map(|checked| Arc::clone(&checked.health));
        self.note(&id, service, health.is_some());
        let entry = Entry { listed: Arc::clone(&listed), lease, checked, revision };
        self.services.entry(Arc::clone(service)).or_default().put(entry);
        let Some(lease) = self.leases.get(lease) else { unreachable!("every entry has a lease") };
        let (lease, pulse) = (lease.name.clone(), Arc::clone(&lease.pulse));
        let row = Row { listed, json: json.into(), since: now, lease, pulse, health };
        let became = Became::Listed(row);
        self.batch.changes.push(Change { revision, service: Arc::clone(service), id, became });
        revision
    }

    /// Takes an instance off the list, and tells it; `successor` is the incarnation that has its place, if one has.
    fn remove(&mut self, member: &Member, why: GoneReason, successor: Option<u64>) -> u64 {
        let (name, id) = member;
        let Some(service) = self.services.get_mut(name) else { return self.revision };
        let Some(entry) = service.take(id) else { return self.revision };
        if service.is_empty() {
            self.services.remove(name);
        }
        if let Some(by) = successor {
            self.leases.replaced(entry.lease, member, by, &mut self.batch);
        }
        // A stream that ends without a successor is renewed, and one of an earlier start must not be.
        let successor = successor.filter(|&later| later > entry.listed.instance.incarnation);
        self.leases.leave(entry.lease, member, successor, &mut self.batch);
        self.take_checks(entry.checked, None, member, Time::default());
        self.note(id, name, false);
        self.revision += 1;
        let revision = self.revision;
        let (service, id) = member.clone();
        self.graves.push_back(Grave { revision, service: Arc::clone(&service), id: id.clone() });
        if self.graves.len() > GRAVES {
            self.batch.forgotten.extend(self.graves.pop_front());
        }
        self.batch.changes.push(Change { revision, service, id, became: Became::Gone(why) });
        revision
    }

    fn beat_every_ms(&self) -> u64 {
        u64::try_from(self.config.beat_every.as_millis()).unwrap_or(u64::MAX)
    }
}

/// What a lease connection stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Held {
    Instance(Arc<str>, InstanceId),
    Lease(LeaseId),
}

fn no_lease(lease: &LeaseId) -> Refused {
    Refused::new(Kind::Unknown, format!("there is no lease {lease}: hold it, and register again"))
}
