//! Everybody a client knows of, and the snapshot of those that may be asked.
//!
//! Memory is kept by address and outlives discovery: an instance that goes and comes back finds its breaker
//! as it was. Nothing here is touched by a call but the snapshot, which a call reads without a lock.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use mainstay_contracts::Address;
use mainstay_contracts::registry::{
    GONE_AFTER, GoneReason, Instance, InstanceId, Listed, Listing, Presence, SILENT_AFTER,
};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::balance::{Ready, RoundRobin};
use crate::breaker::{BreakerState, Probe, Rules, Transition};
use crate::instance::InstanceState;
use crate::transport::Network;

/// How long the memory of an instance that is gone is kept; longer if its breaker may be open for longer.
const REMEMBER: Duration = Duration::from_secs(10 * 60);
/// How many instances that are gone are remembered at most.
const REMEMBER_LIMIT: usize = 1000;

/// What a change of the roster means to the world outside.
pub(crate) enum Noted {
    Up(Arc<Instance>),
    Silent(Arc<Instance>),
    Gone(Arc<Instance>, GoneReason),
    /// A new incarnation of an instance whose breaker was open.
    Retest(Arc<InstanceState>),
}

pub(crate) struct Roster {
    rules: Rules,
    pub(crate) network: Network,
    pub(crate) rotation: RoundRobin,
    calls: AtomicU64,
    /// Wakes whoever lets the roster's time go on: what is due next may have changed.
    pub(crate) noted: Notify,
    known: Mutex<Known>,
    ready: ArcSwap<Ready>,
}

#[derive(Default)]
struct Known {
    by_address: HashMap<Address, Member>,
    by_id: HashMap<InstanceId, Address>,
    /// The life of the registry that was heard last.
    epoch: Option<u64>,
}

struct Member {
    state: Arc<InstanceState>,
    /// Since when a restarted registry has not listed it, although the one before did.
    missing_since: Option<Instant>,
}

impl Roster {
    pub(crate) fn new(rules: Rules, network: Network) -> Self {
        Self {
            rules,
            network,
            rotation: RoundRobin::new(),
            calls: AtomicU64::new(0),
            noted: Notify::new(),
            known: Mutex::default(),
            ready: ArcSwap::default(),
        }
    }

    pub(crate) fn ready(&self) -> arc_swap::Guard<Arc<Ready>> {
        self.ready.load()
    }

    /// Everybody, those who are gone included, by number.
    pub(crate) fn everybody(&self) -> Vec<Arc<InstanceState>> {
        let known = self.known.lock();
        let mut everybody: Vec<_> = known.by_address.values().map(|member| Arc::clone(&member.state)).collect();
        drop(known);
        sort(&mut everybody);
        everybody
    }

    /// How many calls there have been.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn count_call(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Has this instance been gone for so long that its memory was dropped?
    pub(crate) fn is_forgotten(&self, state: &Arc<InstanceState>) -> bool {
        let address = &state.instance().address;
        !self.known.lock().by_address.get(address).is_some_and(|member| Arc::ptr_eq(&member.state, state))
    }

    /// A breaker has changed: whoever may be asked is another set now.
    pub(crate) fn publish(&self, now: Instant) {
        self.publish_locked(&self.known.lock(), now);
    }

    /// What the registry, or a fixed list, says of one instance.
    pub(crate) fn note(&self, listed: Listed, now: Instant) -> Vec<Noted> {
        let mut known = self.known.lock();
        let noted = self.upsert(&mut known, listed, now);
        self.publish_locked(&known, now);
        noted
    }

    /// The registry says that an instance is gone, and why.
    pub(crate) fn note_gone(&self, id: &InstanceId, why: GoneReason, now: Instant) -> Vec<Noted> {
        let mut known = self.known.lock();
        self.noted.notify_one();
        let noted = known.by_id.remove(id).and_then(|address| known.leave(id, &address, why, now));
        self.publish_locked(&known, now);
        noted.into_iter().collect()
    }

    /// The registry says who is there. Whoever is not listed is gone, unless the registry is not the one that
    /// listed it: a restarted registry knows nobody yet, and that is not the death of everybody.
    pub(crate) fn note_listing(&self, listing: Listing, now: Instant) -> Vec<Noted> {
        let mut known = self.known.lock();
        self.noted.notify_one();
        let restarted = known.epoch.replace(listing.epoch).is_some_and(|epoch| epoch != listing.epoch);
        let mut unlisted = known.by_id.clone();
        let mut noted = Vec::new();
        for listed in listing.instances {
            unlisted.remove(&listed.instance.id);
            noted.extend(self.upsert(&mut known, listed, now));
        }
        for (id, address) in unlisted {
            let member = known.by_address.get_mut(&address);
            let Some(member) = member.filter(|member| member.state.instance().id == id) else {
                // Another instance has its address.
                known.by_id.remove(&id);
                continue;
            };
            if restarted {
                member.missing_since = Some(now);
            } else if member.missing_since.is_none() {
                known.by_id.remove(&id);
                noted.extend(known.leave(&id, &address, GoneReason::Left, now));
            }
        }
        self.publish_locked(&known, now);
        noted
    }

    /// Time has passed: who was missed by a restarted registry turns silent and then gone, as it would have
    /// with the one before; who has been gone for long is forgotten.
    ///
    /// Returns when to look again.
    pub(crate) fn tick(&self, now: Instant) -> (Vec<Noted>, Option<Instant>) {
        let mut known = self.known.lock();
        let mut noted = Vec::new();
        let mut next = None;
        let mut sooner = |at: Instant| next = Some(next.map_or(at, |other: Instant| other.min(at)));
        let mut lost = Vec::new();
        for (address, member) in &known.by_address {
            let Some(since) = member.missing_since else { continue };
            let (silent_at, gone_at) = (since + SILENT_AFTER, since + SILENT_AFTER + GONE_AFTER);
            if now >= gone_at {
                lost.push((member.state.instance().id.clone(), address.clone()));
            } else if now >= silent_at {
                sooner(gone_at);
                if member.state.set_presence(Presence::Silent, now) != Presence::Silent {
                    noted.push(Noted::Silent(member.state.instance()));
                }
            } else {
                sooner(silent_at);
            }
        }
        for (id, address) in lost {
            known.by_id.remove(&id);
            noted.extend(known.leave(&id, &address, GoneReason::Silent, now));
        }
        known.forget(now, REMEMBER.max(self.rules.retest_delay)).into_iter().for_each(sooner);
        if !noted.is_empty() {
            self.publish_locked(&known, now);
        }
        (noted, next)
    }

    fn upsert(&self, known: &mut Known, listed: Listed, now: Instant) -> Vec<Noted> {
        let Listed { instance, presence } = listed;
        let instance = Arc::new(instance);
        let mut noted = Vec::new();
        if let Some(before) = known.by_id.insert(instance.id.clone(), instance.address.clone())
            && before != instance.address
        {
            noted.extend(known.leave(&instance.id, &before, GoneReason::Left, now));
        }
        let address = instance.address.clone();
        let member = known.by_address.entry(address).or_insert_with(|| Member {
            state: InstanceState::new(Arc::clone(&instance), self.rules, self.network.clone(), now),
            missing_since: None,
        });
        let is_new = Arc::ptr_eq(&member.state.instance(), &instance);
        let restarted = member.state.instance().incarnation < instance.incarnation;
        member.missing_since = None;
        member.state.update(Arc::clone(&instance));
        let before = member.state.set_presence(presence, now);
        if is_new || before != presence {
            noted.push(match presence {
                Presence::Silent => Noted::Silent(Arc::clone(&instance)),
                _ => Noted::Up(Arc::clone(&instance)),
            });
        }
        if restarted {
            // Its connections belong to a process that is no more; its breaker's reason may as well.
            member.state.connections.forget_idle();
            member.state.changed.notify_one();
            if member.state.breaker.retest() == Some(Transition::Retest) {
                noted.push(Noted::Retest(Arc::clone(&member.state)));
            }
        }
        noted
    }

    fn publish_locked(&self, known: &Known, now: Instant) {
        let mut present = Vec::with_capacity(known.by_address.len());
        let calls = self.calls();
        for Member { state, .. } in known.by_address.values() {
            if state.is_present() {
                present.push(Arc::clone(state));
            } else {
                state.count_skips(state.breaker.state(now), calls);
            }
        }
        sort(&mut present);
        let (mut closed, mut untested) = (Vec::with_capacity(present.len()), Vec::new());
        for state in &present {
            let breaker = state.breaker.state(now);
            state.count_skips(breaker, calls);
            match breaker {
                BreakerState::Closed => closed.push(Arc::clone(state)),
                BreakerState::HalfOpen if self.rules.probe == Probe::ByCall => untested.push(Arc::clone(state)),
                BreakerState::HalfOpen | BreakerState::Open => {}
            }
        }
        self.ready.store(Arc::new(Ready { closed: closed.into(), untested: untested.into(), present: present.into() }));
    }
}

/// By number. Third parties may have said the same one, so by address then.
fn sort(states: &mut [Arc<InstanceState>]) {
    states.sort_by_cached_key(|state| {
        let instance = state.instance();
        (instance.number, instance.address.clone())
    });
}

impl Known {
    fn leave(&mut self, id: &InstanceId, address: &Address, why: GoneReason, now: Instant) -> Option<Noted> {
        let member = self.by_address.get_mut(address)?;
        let instance = member.state.instance();
        if instance.id != *id {
            // Another instance has taken the address.
            return None;
        }
        member.missing_since = None;
        member.state.connections.forget_idle();
        (member.state.set_presence(Presence::Gone, now) != Presence::Gone).then_some(Noted::Gone(instance, why))
    }

    /// Drops the memory of whoever has been gone for too long, or is too many; says when the next one is due.
    fn forget(&mut self, now: Instant, remember: Duration) -> Option<Instant> {
        let mut gone: Vec<_> = self
            .by_address
            .iter()
            .map(|(address, member)| (member.state.standing(), address))
            .filter(|(standing, _)| standing.presence == Presence::Gone)
            .map(|(standing, address)| (standing.since + remember, address.clone()))
            .collect();
        gone.sort_by_key(|(due, _)| *due);
        let surplus = gone.len().saturating_sub(REMEMBER_LIMIT);
        let mut due = gone.into_iter().enumerate();
        due.find_map(|(nth, (due, address))| {
            if nth >= surplus && due > now {
                return Some(due);
            }
            if let Some(member) = self.by_address.remove(&address) {
                // Its keeper ends when it finds the state forgotten.
                member.state.changed.notify_one();
            }
            None
        })
    }
}

#[cfg(test)]
mod tests;
