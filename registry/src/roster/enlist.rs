//! Instances as Consul's clients register them: by an id that says it all, with checks in place of a lease.

use std::sync::Arc;

use mainstay_contracts::registry::{GoneReason, InstanceId, Register};

use super::health::{Check, Health};
use super::leases::Member;
use super::refused::{Kind, Refused};
use super::{Roster, check};
use crate::clock::Time;

/// An instance with its checks, to be listed until it is taken off the list, or a check is critical for too long.
#[derive(Debug, Clone)]
pub(crate) struct Enlist {
    pub(crate) call: Register,
    pub(crate) checks: Vec<Check>,
    pub(crate) warning_weight: u16,
    /// Are the checks that it has had, and does not name now, to be forgotten?
    pub(crate) replace: bool,
}

impl Roster {
    /// Lists an instance. A check that it has had keeps what it has said, so that to say the same again is no change.
    pub(crate) fn enlist(&mut self, enlist: Enlist, now: Time) -> Result<(), Refused> {
        let Enlist { call, mut checks, warning_weight, replace } = enlist;
        let service: Arc<str> = call.service.as_str().into();
        let member = (Arc::clone(&service), call.id.clone());
        let listed = self.services.get(&service).and_then(|service| service.get(&call.id));
        let lease = listed.filter(|entry| entry.checked.is_none()).and_then(|entry| self.leases.get(entry.lease));
        if lease.is_some_and(|lease| lease.name.is_some()) {
            // Its process would take it back at once.
            let reason = format!("{} of {service} is there by the lease of a process", call.id);
            return Err(Refused::new(Kind::Conflict, reason));
        }
        let before = self.health(&member);
        let earlier = before.as_ref().map(|health| health.checks.as_slice()).unwrap_or_default();
        for check in &mut checks {
            self.is_free(&check.id, &call.id)?;
            if let Some(known) = earlier.iter().find(|known| known.id == check.id) {
                (check.said, check.expired, check.output) = (known.said, known.expired, known.output.clone());
            }
        }
        if !replace {
            let others = earlier.iter().filter(|known| checks.iter().all(|check| check.id != known.id));
            let others: Vec<Check> = others.cloned().collect();
            checks.extend(others);
        }
        check::few(&checks)?;
        let maintenance = before.and_then(|health| health.maintenance.clone());
        if let Some(other) = self.enlisted.get(&call.id).filter(|other| **other != service).cloned() {
            // It is of another service now, with the checks that it names; unless it is refused as that.
            self.plan(&call, true, now)?;
            self.remove(&(other, call.id.clone()), GoneReason::Left, None);
        }
        self.put(call, None, Some(Health { checks, maintenance, warning_weight }), now)?;
        self.hear_all(&member, now);
        Ok(())
    }

    /// Adds a check to an enlisted instance, or changes one that it has.
    pub(crate) fn add_check(&mut self, id: &InstanceId, check: Check, now: Time) -> Result<(), Refused> {
        let member = self.enlisted(id)?;
        self.is_free(&check.id, id)?;
        let Some(mut health) = self.health(&member).map(|health| (*health).clone()) else { return Err(unknown(id)) };
        match health.check_mut(&check.id) {
            Some(known) => {
                let (said, expired, output) = (known.said, known.expired, known.output.clone());
                *known = Check { said, expired, output, ..check };
            }
            None => health.checks.push(check),
        }
        check::few(&health.checks)?;
        self.set_checks(&member, health, now)
    }

    /// Takes a check away.
    pub(crate) fn drop_check(&mut self, id: &str, now: Time) -> Result<(), Refused> {
        let (_, member) = self.find_check(id)?;
        let Some(mut health) = self.health(&member).map(|health| (*health).clone()) else { return Ok(()) };
        health.checks.retain(|check| check.id != id);
        self.set_checks(&member, health, now)
    }

    /// As if it was registered so again.
    fn set_checks(&mut self, member: &Member, health: Health, now: Time) -> Result<(), Refused> {
        let Some(entry) = self.services.get(&member.0).and_then(|service| service.get(&member.1)) else {
            return Err(unknown(&member.1));
        };
        let instance = entry.listed.instance.clone();
        let call = Register {
            service: member.0.to_string(),
            id: instance.id,
            address: instance.address,
            number: Some(instance.number),
            zone: instance.zone,
            weight: instance.weight,
            version: instance.version,
            tags: instance.tags,
            metadata: instance.metadata,
            incarnation: None,
            lease: None,
        };
        self.put(call, None, Some(health), now).map(drop)
    }

    /// The one instance of an id, over all services: the enlisted one, if there is one.
    pub(crate) fn find_anywhere(&self, id: &InstanceId) -> Result<Member, Refused> {
        if let Ok(member) = self.enlisted(id) {
            return Ok(member);
        }
        let mut found = self.services.iter().filter(|(_, service)| service.get(id).is_some()).map(|(name, _)| name);
        let service = found.next().ok_or_else(|| unknown(id))?;
        if let Some(other) = found.next() {
            let reason = format!("{id} is one of {service} and one of {other}: say SERVICE/{id}");
            return Err(Refused::new(Kind::Conflict, reason));
        }
        Ok((Arc::clone(service), id.clone()))
    }

    /// An instance of a service.
    pub(crate) fn find_in(&self, service: &str, id: &InstanceId) -> Result<Member, Refused> {
        self.find(service, id, None).map_err(|_| unknown(id))
    }

    /// Takes an instance off the list, whatever keeps it there.
    pub(crate) fn delist(&mut self, member: &Member) {
        self.remove(member, GoneReason::Left, None);
    }

    /// The one instance of an id that has been enlisted.
    pub(crate) fn enlisted(&self, id: &InstanceId) -> Result<Member, Refused> {
        self.enlisted.get(id).map(|service| (Arc::clone(service), id.clone())).ok_or_else(|| unknown(id))
    }

    fn health(&self, (service, id): &Member) -> Option<Arc<Health>> {
        let entry = self.services.get(service)?.get(id)?;
        entry.checked.as_ref().map(|checked| Arc::clone(&checked.health))
    }

    fn is_free(&self, check: &str, id: &InstanceId) -> Result<(), Refused> {
        match self.find_check(check) {
            Ok((_, (service, other))) if other != *id => {
                let reason = format!("check {check:?} is that of {other} of {service}");
                Err(Refused::new(Kind::Conflict, reason))
            }
            _ => Ok(()),
        }
    }
}

fn unknown(id: &InstanceId) -> Refused {
    let reason =
        format!("Unknown service ID {:?}. Ensure that the service ID is passed, not the service name.", id.as_str());
    Refused::new(Kind::Unknown, reason)
}
