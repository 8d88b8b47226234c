//! Everybody a client knows of: by address, by id, and in order.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use mainstay_contracts::Address;
use mainstay_contracts::registry::{GoneReason, Instance, InstanceId, Presence};
use tokio::time::Instant;

use super::Noted;
use crate::balance::Present;
use crate::instance::InstanceState;

/// How many instances that are gone are remembered at most.
pub(super) const REMEMBER_LIMIT: usize = 1000;

#[derive(Default)]
pub(super) struct Known {
    pub(super) by_address: HashMap<Address, Member>,
    pub(super) by_id: HashMap<InstanceId, Address>,
    /// By number; third parties may have said the same one, so by address then.
    in_order: BTreeMap<(u32, Address), Arc<InstanceState>>,
    /// Have those who are present, or who of them drains, changed since somebody asked?
    changed: bool,
    /// The life of the registry that was heard last.
    pub(super) epoch: Option<u64>,
}

pub(super) struct Member {
    pub(super) state: Arc<InstanceState>,
    /// Since when it has been missing from a list that was not to be believed at once.
    pub(super) missing_since: Option<Instant>,
}

impl Known {
    pub(super) fn everybody(&self) -> Vec<Arc<InstanceState>> {
        self.in_order.values().cloned().collect()
    }

    pub(super) fn knows(&self, state: &Arc<InstanceState>) -> bool {
        let member = self.by_address.get(&state.instance().address);
        member.is_some_and(|member| Arc::ptr_eq(&member.state, state))
    }

    /// Notes an instance, whose state is a new one if nobody was known at its address; tells who was there before.
    pub(super) fn enter(
        &mut self,
        instance: &Arc<Instance>,
        new: impl FnOnce() -> Arc<InstanceState>,
    ) -> (Arc<InstanceState>, Option<Arc<Instance>>) {
        let mut before = None;
        let member = match self.by_address.entry(instance.address.clone()) {
            Entry::Occupied(member) => {
                let member = member.into_mut();
                before = Some(member.state.instance());
                member.state.update(Arc::clone(instance));
                member
            }
            Entry::Vacant(place) => place.insert(Member { state: new(), missing_since: None }),
        };
        member.missing_since = None;
        let state = Arc::clone(&member.state);
        if before.as_ref().is_none_or(|before| before.number != instance.number) {
            if let Some(before) = &before {
                self.in_order.remove(&place(before));
            }
            self.in_order.insert(place(instance), Arc::clone(&state));
            self.changed = true;
        }
        (state, before)
    }

    /// Returns what it was before.
    pub(super) fn set_presence(
        &mut self,
        state: &InstanceState,
        presence: Presence,
        now: Instant,
        calls: u64,
    ) -> Presence {
        let before = state.set_presence(presence, now);
        let differs = |other: Presence| (before == other) != (presence == other);
        self.changed |= differs(Presence::Gone) || differs(Presence::Draining);
        if differs(Presence::Gone) {
            state.count_skips(now, calls);
        }
        before
    }

    /// An instance has left this address, unless another has taken it.
    pub(super) fn leave(
        &mut self,
        id: &InstanceId,
        address: &Address,
        why: GoneReason,
        now: Instant,
        calls: u64,
    ) -> Option<Noted> {
        let member = self.by_address.get_mut(address)?;
        let instance = member.state.instance();
        if instance.id != *id {
            return None;
        }
        member.missing_since = None;
        let state = Arc::clone(&member.state);
        state.connections.forget_idle();
        (self.set_presence(&state, Presence::Gone, now, calls) != Presence::Gone).then_some(Noted::Gone(instance, why))
    }

    /// Drops the memory of whoever has been gone for too long, or is too many; says when the next one is due.
    pub(super) fn forget(&mut self, now: Instant, remember: Duration) -> Option<Instant> {
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
                self.in_order.remove(&place(&member.state.instance()));
                // Its keeper ends when it finds the state forgotten.
                member.state.changed.notify_one();
            }
            None
        })
    }

    /// How many the registry has listed last, as far as they are not missing since.
    pub(super) fn vouched_for(&self) -> usize {
        let vouched_for = |address: &&Address| {
            self.by_address
                .get(address)
                .is_some_and(|member| member.missing_since.is_none() && member.state.is_present())
        };
        self.by_id.values().filter(vouched_for).count()
    }

    /// Those of a list that does not name these ids any more who were not there: and whether they have been missing
    /// before. Forgets the ids whose address another instance has taken.
    pub(super) fn unlisted(&mut self, ids: HashMap<InstanceId, Address>) -> Vec<(InstanceId, Address, bool)> {
        let mut unlisted = Vec::with_capacity(ids.len());
        for (id, address) in ids {
            match self.by_address.get(&address) {
                Some(member) if member.state.instance().id == id => {
                    unlisted.push((id, address, member.missing_since.is_some()));
                }
                _ => drop(self.by_id.remove(&id)),
            }
        }
        unlisted
    }

    /// Who is present, in order, if that is not as it was.
    pub(super) fn present_if_changed(&mut self) -> Option<Present> {
        std::mem::take(&mut self.changed).then(|| Present::of(self.in_order.values()))
    }
}

fn place(instance: &Instance) -> (u32, Address) {
    (instance.number, instance.address.clone())
}
