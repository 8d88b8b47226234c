//! Leases: what instances are there by.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use mainstay_contracts::registry::{InstanceId, LeaseId};

use super::batch::{Batch, Heard, HoldEnded, Replaced};
use crate::Config;
use crate::clock::Time;
use crate::pulse::Pulse;
use crate::wheel::Wheel;

/// What a lease is called in here.
pub(crate) type Key = u64;

/// An instance that is registered with a lease.
pub(crate) type Member = (Arc<str>, InstanceId);

/// How far the doubt about a lease has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Beating,
    Silent,
    /// It would be over, were it not for the guard.
    Suspect,
    /// It is no question of beats: a check says that its instance does not work.
    Failed,
}

/// How long a lease lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    /// Without a beat for this long, it is silent. Without this, never.
    pub(super) silent_after: Option<Duration>,
    /// Silent for this long, it is over. Without this, never.
    pub(super) gone_after: Option<Duration>,
}

impl Terms {
    pub(super) fn of(config: &Config) -> Self {
        Self { silent_after: Some(config.silent_after), gone_after: Some(config.gone_after) }
    }

    /// Those of who is there until it is taken off the list.
    pub(super) fn never() -> Self {
        Self { silent_after: None, gone_after: None }
    }
}

#[derive(Debug)]
pub(super) struct Lease {
    /// None for that of an instance that has one of its own.
    pub(super) name: Option<LeaseId>,
    pub(super) terms: Terms,
    /// The check of its one member that it is about.
    pub(super) check: Option<Arc<str>>,
    pub(super) members: BTreeSet<Member>,
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
    by_check: HashMap<Arc<str>, Key>,
    last: Key,
    wheel: Wheel<Key>,
}

impl Leases {
    pub(super) fn new() -> Self {
        let (by_key, by_name, by_check) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { by_key, by_name, by_check, last: 0, wheel: Wheel::new() }
    }

    pub(super) fn named(&self, name: &LeaseId) -> Option<Key> {
        self.by_name.get(name).copied()
    }

    /// The lease that is about a check.
    pub(super) fn about(&self, check: &str) -> Option<Key> {
        self.by_check.get(check).copied()
    }

    pub(super) fn get(&self, key: Key) -> Option<&Lease> {
        self.by_key.get(&key)
    }

    /// A lease that is heard of now.
    pub(super) fn open(&mut self, name: Option<LeaseId>, terms: Terms, now: Time, to: &mut Batch) -> Key {
        self.last += 1;
        let key = self.last;
        let pulse = Arc::new(Pulse::new(key, now));
        if let Some(name) = &name {
            self.by_name.insert(name.clone(), key);
            to.leases.push((name.clone(), Some(Arc::clone(&pulse))));
        }
        let (phase, members) = (Phase::Beating, BTreeSet::new());
        self.by_key.insert(key, Lease { name, terms, check: None, members, pulse, phase, held: None, due: None });
        self.queue_after(key, now, terms.silent_after);
        key
    }

    /// A lease that is about a check, of which was heard now.
    pub(super) fn open_check(&mut self, check: &str, terms: Terms, member: &Member, now: Time, to: &mut Batch) -> Key {
        let (key, check) = (self.open(None, terms, now, to), Arc::<str>::from(check));
        if let Some(lease) = self.by_key.get_mut(&key) {
            let heard = Heard { member: member.clone(), pulse: Arc::clone(&lease.pulse) };
            to.checks.push((Arc::clone(&check), Some(heard)));
            lease.check = Some(Arc::clone(&check));
            lease.members.insert(member.clone());
            self.by_check.insert(check, key);
        }
        key
    }

    /// Looks at a lease some time from now; without that, not at all.
    pub(super) fn queue_after(&mut self, key: Key, now: Time, after: Option<Duration>) {
        match (after, self.by_key.get_mut(&key)) {
            (Some(after), _) => self.queue(key, now + after),
            (None, Some(lease)) => lease.due = None,
            (None, None) => {}
        }
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
        // One that was put in twice for one instant is due once.
        let once = |(at, key): &(Time, Key)| {
            self.by_key.get_mut(key).is_some_and(|it| it.due.take_if(|due| due == at).is_some())
        };
        due.into_iter().filter(once).map(|(_, key)| key).collect()
    }

    pub(super) fn turn(&mut self, key: Key, phase: Phase) {
        if let Some(lease) = self.by_key.get_mut(&key) {
            lease.phase = phase;
            lease.pulse.quieten(matches!(phase, Phase::Silent | Phase::Suspect));
        }
    }

    pub(super) fn join(&mut self, key: Key, member: Member) {
        if let Some(lease) = self.by_key.get_mut(&key) {
            lease.members.insert(member);
        }
    }

    /// Takes an instance off its lease; a lease that nothing is left of ends. `successor` is the incarnation that has
    /// the instance's place.
    pub(super) fn leave(&mut self, key: Key, member: &Member, successor: Option<u64>, to: &mut Batch) {
        let Some(lease) = self.by_key.get_mut(&key) else { return };
        lease.members.remove(member);
        let connected = lease.name.is_some() && lease.held.is_some();
        if lease.members.is_empty() && !connected {
            self.end(key, successor, to);
        }
    }

    /// Notes that another incarnation has an instance's place. The connection of a process goes on without it, and has to
    /// be told; one that ends with its only instance says it by that.
    pub(super) fn replaced(&self, key: Key, member: &Member, by: u64, to: &mut Batch) {
        if let Some(Lease { name: Some(_), held: Some(hold), .. }) = self.by_key.get(&key) {
            to.replaced.push(Replaced { hold: *hold, member: member.clone(), by });
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
        if let Some(check) = lease.check {
            self.by_check.remove(&check);
            to.checks.push((check, None));
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }
}
