//! Time passes: up, silent, gone; or suspect, where too many would go at once.

use std::sync::Arc;

use mainstay_contracts::registry::{GoneReason, Listed, Presence};

use super::Roster;
use super::leases::{Key, Member, Phase};
use super::service::is_doubtful;
use crate::clock::Time;

impl Roster {
    /// Makes silent, suspect and gone what has become so by `now`.
    pub(crate) fn expire(&mut self, now: Time) {
        for key in self.leases.due(now) {
            self.look(key, now);
        }
    }

    /// A lease that was believed to be silent has beaten.
    pub(crate) fn wake(&mut self, key: Key, now: Time) {
        let is_quiet = |phase| matches!(phase, Phase::Silent | Phase::Suspect);
        if let Some(lease) = self.leases.get(key).filter(|lease| is_quiet(lease.phase)) {
            let (terms, check) = (lease.terms, lease.check.clone());
            self.leases.turn(key, Phase::Beating);
            self.leases.queue_after(key, now, terms.silent_after);
            for member in self.members(key) {
                match &check {
                    None => self.turn(&member, now, |presence| is_doubtful(presence).then_some(Presence::Up)),
                    Some(check) => self.set_expired(&member, check, false, now),
                }
            }
        }
    }

    /// Decides about a lease whose turn has come. A beat has not moved it: whether there was one is seen now.
    fn look(&mut self, key: Key, now: Time) {
        let Some(lease) = self.leases.get(key) else { return };
        let (pulse, phase, terms, check) = (Arc::clone(&lease.pulse), lease.phase, lease.terms, lease.check.clone());
        let Some(silent_after) = terms.silent_after else { return };
        let beats = || pulse.beaten() + silent_after > now;
        match phase {
            Phase::Beating if beats() => self.leases.queue(key, pulse.beaten() + silent_after),
            Phase::Beating => {
                self.leases.turn(key, Phase::Silent);
                if beats() {
                    // It came in between, from somebody who did not see that it had to be told.
                    return self.wake(key, now);
                }
                self.leases.queue_after(key, now, terms.gone_after);
                for member in self.members(key) {
                    match &check {
                        None => self.turn(&member, now, |before| (before == Presence::Up).then_some(Presence::Silent)),
                        Some(check) => self.set_expired(&member, check, true, now),
                    }
                }
            }
            Phase::Silent | Phase::Suspect if beats() => self.wake(key, now),
            Phase::Silent | Phase::Suspect | Phase::Failed => self.lapse(key, now),
        }
    }

    /// A lease's time is up.
    fn lapse(&mut self, key: Key, now: Time) {
        // Of several checks another one may have been too late before.
        let first = self.leases.get(key).is_some_and(|lease| lease.check.is_some() && lease.phase == Phase::Silent);
        let said = self.leases.get(key).is_some_and(|lease| lease.phase == Phase::Failed);
        for member in self.members(key) {
            if self.is_to_stay(&member, (first, said), now) {
                self.turn(&member, now, |presence| (presence == Presence::Silent).then_some(Presence::Suspect));
            } else {
                if let Some(service) = self.services.get_mut(&member.0).filter(|_| self.config.guard.on) {
                    service.losses.note(now);
                }
                self.remove(&member, GoneReason::Silent, None);
                // Its process may be only paused, and has to see that it must register again.
                self.leases.break_hold(key, &mut self.batch);
            }
        }
        if self.members(key).is_empty() {
            self.leases.break_hold(key, &mut self.batch);
        }
        // Nothing happens to a lease that went with its last member.
        self.leases.turn(key, Phase::Suspect);
        self.leases.queue(key, now + self.config.guard.suspect_for);
    }

    /// Would too many go, or the last? Who asked for no more calls is not missed.
    fn is_to_stay(&mut self, (service, id): &Member, (first, said): (bool, bool), now: Time) -> bool {
        let (guard, within) = (&self.config.guard, self.config.silent_after + self.config.gone_after);
        let Some(service) = self.services.get_mut(service).filter(|_| guard.on) else { return false };
        match service.get(id).map(|entry| entry.listed.presence) {
            Some(Presence::Silent) => {
                let counts = (service.doubtful(), service.len());
                service.losses.would_be_too_many(guard, within, counts, now)
            }
            // Its time as a suspect is over; but a list does not become empty by time.
            Some(Presence::Suspect) => first || service.is_all_suspect(),
            // Not by time, though it is not missed; who said that it fails has asked for it.
            Some(Presence::Draining) => service.len() <= 1 && !said,
            _ => false,
        }
    }

    fn members(&self, key: Key) -> Vec<Member> {
        self.leases.get(key).map(|lease| lease.members.iter().cloned().collect()).unwrap_or_default()
    }

    /// Changes an instance's presence, if `to` says what to.
    pub(super) fn turn(&mut self, member: &Member, now: Time, to: impl FnOnce(Presence) -> Option<Presence>) {
        let (service, id) = member;
        let Some(entry) = self.services.get(service).and_then(|service| service.get(id)) else { return };
        if let Some(presence) = to(entry.listed.presence) {
            let (lease, instance, checked) = (entry.lease, entry.listed.instance.clone(), entry.checked.clone());
            self.list(service, Listed { instance, presence }, lease, checked, now);
        }
    }
}
