//! Leases: what instances are there by.

use std::collections::HashMap;
use std::sync::Arc;

use mainstay_contracts::registry::{InstanceId, LeaseId};

use super::batch::{Batch, HoldEnded};
use crate::clock::Time;
use crate::pulse::Pulse;
use crate::wheel::Wheel;

/// What a lease is called in here.
pub(super) type Key = u64;

/// An instance that is registered with a lease.
pub(super) type Member = (Arc<str>, InstanceId);

/// How far the doubt about a lease has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Beating,
    Silent,
    /// It would be over, were it not for the guard.
    Suspect,
}

#[derive(Debug)]
pub(super) struct Lease {
    /// None for that of an instance that has one of its own.
    pub(super) name: Option<LeaseId>,
    pub(super) members: Vec<Member>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) phase: Phase,
    /// The lease connection that stands for it.
    held: Option<u64>,
    /// Its one valid place in the wheel.
    due: Option<Time>,
}

/// All leases, by key and by name, and when each is to be looked at.
#[derive(Debug)]
pub(super) struct Leases {
    by_key: HashMap<Key, Lease>,
    by_name: HashMap<LeaseId, Key>,
    last: Key,
    wheel: Wheel<Key>,
}

impl Leases {
    pub(super) fn new() -> Self {
        Self { by_key: HashMap::new(), by_name: HashMap::new(), last: 0, wheel: Wheel::new() }
    }

    pub(super) fn named(&self, name: &LeaseId) -> Option<Key> {
        self.by_name.get(name).copied()
    }

    pub(super) fn get(&self, key: Key) -> Option<&Lease> {
        self.by_key.get(&key)
    }

    /// A lease that is heard of now, and is to be looked at when `due`.
    pub(super) fn open(&mut self, name: Option<LeaseId>, now: Time, due: Time, to: &mut Batch) -> Key {
        self.last += 1;
        let key = self.last;
        let pulse = Arc::new(Pulse::new(key, now));
        if let Some(name) = &name {
            self.by_name.insert(name.clone(), key);
            to.leases.push((name.clone(), Some(Arc::clone(&pulse))));
        }
        let members = Vec::with_capacity(1);
        self.by_key.insert(key, Lease { name, members, pulse, phase: Phase::Beating, held: None, due: None });
        self.queue(key, due);
        key
    }

    /// Looks at a lease at an instant, and no more at the one said before.
    pub(super) fn queue(&mut self, key: Key, due: Time) {
        if let Some(lease) = self.by_key.get_mut(&key) {
            lease.due = Some(due);
            self.wheel.insert(due, key);
        }
    }

    /// Whose time has come.
    pub(super) fn due(&mut self, now: Time) -> Vec<Key> {
        let leases = &self.by_key;
        let due = self.wheel.turn(now, |at, key| leases.get(key).is_some_and(|lease| lease.due == Some(at)));
        due.into_iter().map(|(_, key)| key).collect()
    }

    pub(super) fn turn(&mut self, key: Key, phase: Phase) {
        if let Some(lease) = self.by_key.get_mut(&key) {
            lease.phase = phase;
            lease.pulse.quieten(phase != Phase::Beating);
        }
    }

    pub(super) fn join(&mut self, key: Key, member: Member) {
        if let Some(lease) = self.by_key.get_mut(&key)
            && !lease.members.contains(&member)
        {
            lease.members.push(member);
        }
    }

    /// Takes an instance off its lease; a lease that nothing is left of ends. `successor` is the incarnation that has
    /// the instance's place.
    pub(super) fn leave(&mut self, key: Key, member: &Member, successor: Option<u64>, to: &mut Batch) {
        let Some(lease) = self.by_key.get_mut(&key) else { return };
        lease.members.retain(|other| other != member);
        let connected = lease.name.is_some() && lease.held.is_some();
        if lease.members.is_empty() && !connected {
            self.end(key, successor, to);
        }
    }

    /// Lets a connection stand for a lease, in place of the one before.
    pub(super) fn hold(&mut self, key: Key, hold: u64, to: &mut Batch) {
        let Some(lease) = self.by_key.get_mut(&key) else { return };
        lease.pulse.hold(true);
        if let Some(before) = lease.held.replace(hold) {
            to.ended.push(HoldEnded { hold: before, superseded_by: None });
        }
    }

    /// The lease that a connection stands for, from now on without it.
    pub(super) fn let_go(&mut self, key: Key, hold: u64) -> bool {
        let Some(lease) = self.by_key.get_mut(&key).filter(|lease| lease.held == Some(hold)) else { return false };
        lease.held = None;
        lease.pulse.hold(false);
        true
    }

    /// Ends the connection that stands for a lease, and with it a lease that nothing else is left of.
    pub(super) fn break_hold(&mut self, key: Key, to: &mut Batch) {
        let Some(lease) = self.by_key.get_mut(&key) else { return };
        lease.pulse.hold(false);
        if let Some(hold) = lease.held.take() {
            to.ended.push(HoldEnded { hold, superseded_by: None });
        }
        if lease.members.is_empty() {
            self.end(key, None, to);
        }
    }

    /// Ends a lease that nothing is registered with.
    pub(super) fn end(&mut self, key: Key, successor: Option<u64>, to: &mut Batch) {
        let Some(lease) = self.by_key.remove(&key) else { return };
        if let Some(hold) = lease.held {
            to.ended.push(HoldEnded { hold, superseded_by: successor });
        }
        if let Some(name) = lease.name {
            self.by_name.remove(&name);
            to.leases.push((name, None));
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }
}
