//! Everybody a client knows of, and the snapshot of those that may be asked.
//!
//! Memory is kept by address and outlives discovery: an instance that goes and comes back finds its breaker
//! as it was. Nothing here is touched by a call but the snapshot, which a call reads without a lock.

mod known;

use std::sync::Arc;
use std::time::Duration;

use mainstay_contracts::registry::{
    GONE_AFTER, GoneReason, Instance, InstanceId, Listed, Listing, Presence, SILENT_AFTER,
};
use tokio::sync::Notify;
use tokio::time::Instant;

use self::known::Known;
use crate::balance::{Ready, RoundRobin, Turn};
use crate::breaker::{BreakerState, Probe, Rules, Transition};
use crate::instance::InstanceState;
use crate::sync::{ArcSwap, AtomicU64, Guard, Mutex, Ordering};
use crate::transport::Network;

/// How long the memory of an instance that is gone is kept; longer if its breaker may be open for longer.
const REMEMBER: Duration = Duration::from_secs(10 * 60);

/// What a change of the roster means to the world outside.
pub(crate) enum Noted {
    Up(Arc<Instance>),
    Silent(Arc<Instance>),
    Suspect(Arc<Instance>),
    Draining(Arc<Instance>),
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

    pub(crate) fn ready(&self) -> Guard<Arc<Ready>> {
        self.ready.load()
    }

    /// Everybody, those who are gone included, by number.
    pub(crate) fn everybody(&self) -> Vec<Arc<InstanceState>> {
        self.known.lock().everybody()
    }

    /// Who is present, as a registry would list them.
    pub(crate) fn listing(&self, service: &str, revision: u64) -> Listing {
        let known = self.known.lock();
        let listed = |state: Arc<InstanceState>| Listed {
            instance: Instance::clone(&state.instance()),
            presence: state.standing().presence,
        };
        let listed = known.everybody().into_iter().map(listed);
        let instances = listed.filter(|listed| listed.presence != Presence::Gone).collect();
        Listing { service: service.to_owned(), epoch: known.epoch.unwrap_or_default(), revision, instances }
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
        !self.known.lock().knows(state)
    }

    /// A breaker has turned: whoever may be asked is another set now.
    pub(crate) fn turned(&self, state: &InstanceState, now: Instant) {
        let mut known = self.known.lock();
        state.count_skips(now, self.calls());
        self.publish_locked(&mut known, now);
    }

    /// What the registry, or a fixed list, says of some instances.
    pub(crate) fn note(&self, listed: impl IntoIterator<Item = Listed>, now: Instant) -> Vec<Noted> {
        let mut known = self.known.lock();
        let listed = listed.into_iter().filter(is_reachable);
        let noted = listed.flat_map(|listed| self.upsert(&mut known, listed, now)).collect();
        self.publish_locked(&mut known, now);
        noted
    }

    /// The registry says that an instance is gone, and why.
    pub(crate) fn note_gone(&self, id: &InstanceId, why: GoneReason, now: Instant) -> Vec<Noted> {
        let mut known = self.known.lock();
        self.noted.notify_one();
        let noted = known.by_id.remove(id).and_then(|address| known.leave(id, &address, why, now, self.calls()));
        self.publish_locked(&mut known, now);
        noted.into_iter().collect()
    }

    /// The registry says who is there. Whoever is not listed is gone, unless the list is not one to believe at once: of
    /// a registry that was restarted and knows nobody yet, or that has lost too many at once. That is not the death of
    /// everybody.
    pub(crate) fn note_listing(&self, listing: Listing, now: Instant) -> Vec<Noted> {
        let mut known = self.known.lock();
        self.noted.notify_one();
        let restarted = known.epoch.replace(listing.epoch).is_some_and(|epoch| epoch != listing.epoch);
        let (before, is_empty) = (known.vouched_for(), listing.instances.is_empty());
        let mut unlisted = known.by_id.clone();
        let mut noted = Vec::new();
        for listed in listing.instances.into_iter().filter(is_reachable) {
            unlisted.remove(&listed.instance.id);
            noted.extend(self.upsert(&mut known, listed, now));
        }
        let unlisted = known.unlisted(unlisted);
        let lost = unlisted.iter().filter(|(_, _, missing)| !missing).count();
        let in_doubt = restarted || is_empty || lost > believable(before);
        for (id, address, missing) in unlisted {
            if in_doubt && (restarted || !missing) {
                known.by_address.entry(address).and_modify(|member| member.missing_since = Some(now));
            } else if !missing {
                known.by_id.remove(&id);
                noted.extend(known.leave(&id, &address, GoneReason::Left, now, self.calls()));
            }
        }
        self.publish_locked(&mut known, now);
        noted
    }

    /// Time has passed: who is missing from a list in doubt turns silent and then gone, as if it had stopped to beat
    /// then; who has been gone for long is forgotten.
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
                // Who is suspect or drains says more than that already.
                if member.state.standing().presence == Presence::Up {
                    member.state.set_presence(Presence::Silent, now);
                    noted.push(Noted::Silent(member.state.instance()));
                }
            } else {
                sooner(silent_at);
            }
        }
        for (id, address) in lost {
            known.by_id.remove(&id);
            noted.extend(known.leave(&id, &address, GoneReason::Silent, now, self.calls()));
        }
        known.forget(now, REMEMBER.max(self.rules.retest_delay)).into_iter().for_each(sooner);
        if !noted.is_empty() {
            self.publish_locked(&mut known, now);
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
            noted.extend(known.leave(&instance.id, &before, GoneReason::Left, now, self.calls()));
        }
        let new = || InstanceState::new(Arc::clone(&instance), self.rules, &self.network, now);
        let (state, former) = known.enter(&instance, new);
        let before = known.set_presence(&state, presence, now, self.calls());
        if former.is_none() || before != presence {
            noted.push(match presence {
                Presence::Silent => Noted::Silent(Arc::clone(&instance)),
                Presence::Suspect => Noted::Suspect(Arc::clone(&instance)),
                Presence::Draining => Noted::Draining(Arc::clone(&instance)),
                Presence::Up | Presence::Gone => Noted::Up(Arc::clone(&instance)),
            });
        }
        if former.is_some_and(|former| former.incarnation < instance.incarnation) {
            // Its connections belong to a process that is no more; its breaker's reason may as well.
            state.connections.forget_idle();
            state.changed.notify_one();
            if state.breaker.retest() == Some(Transition::Retest) {
                noted.push(Noted::Retest(state));
            }
        }
        noted
    }

    fn publish_locked(&self, known: &mut Known, now: Instant) {
        let present = known.present_if_changed().unwrap_or_else(|| self.ready.load().present.clone());
        self.ready.store(Arc::new(Ready::new(present, |state| match state.breaker.state(now) {
            BreakerState::Closed => Turn::InRotation,
            BreakerState::HalfOpen if self.rules.probe == Probe::ByCall => Turn::AsProbe,
            BreakerState::HalfOpen | BreakerState::Open => Turn::None,
        })));
    }
}

/// How many of so many instances may leave between two snapshots, and are believed to have left.
fn believable(listed: usize) -> usize {
    (listed * 3 / 10).max(2)
}

/// Consul's clients may register what has no port, and so cannot be called.
fn is_reachable(listed: &Listed) -> bool {
    listed.instance.address.port() != 0
}

#[cfg(test)]
mod schedules;
#[cfg(test)]
mod tests;
