//! Instances that are there as their checks say: what changes when one of them is heard of, or has not been.

use std::sync::Arc;

use mainstay_contracts::registry::{InstanceId, Listed, Presence};

use super::Roster;
use super::health::{Check, Health, Status};
use super::leases::{Key, Member, Phase, Terms};
use super::refused::{Kind, Refused};
use super::service::Checked;
use crate::clock::Time;

impl Roster {
    /// Notes what a check's process says of itself.
    pub(crate) fn hear_check(&mut self, id: &str, said: Status, output: String, now: Time) -> Result<(), Refused> {
        let (key, member) = self.find_check(id)?;
        let Some(lease) = self.leases.get(key) else { return Err(unknown_check(id)) };
        // The roster needs not be told: it hears of it here.
        let _ = lease.pulse.beat(now);
        let own = self.services.get(&member.0).and_then(|service| service.get(&member.1)).map(|entry| entry.lease);
        if let Some(own) = own.and_then(|own| self.leases.get(own)) {
            let _ = own.pulse.beat(now);
        }
        let (phase, terms) = (lease.phase, lease.terms);
        match said {
            Status::Critical if phase == Phase::Failed => {}
            Status::Critical => {
                self.leases.turn(key, Phase::Failed);
                // How long it has been critical does not depend on how that was found out.
                if phase == Phase::Beating {
                    self.leases.queue_after(key, now, terms.gone_after);
                }
            }
            Status::Passing | Status::Warning => {
                self.leases.turn(key, Phase::Beating);
                self.leases.queue_after(key, now, terms.silent_after);
            }
        }
        self.amend(&member, now, |health| {
            if let Some(check) = health.check_mut(id) {
                (check.said, check.output, check.expired) = (said, output, false);
            }
        });
        Ok(())
    }

    /// Notes that what was said last of a check does not hold any more, or does again.
    pub(super) fn set_expired(&mut self, member: &Member, id: &str, expired: bool, now: Time) {
        self.amend(member, now, |health| {
            if let Some(check) = health.check_mut(id) {
                check.expired = expired;
            }
        });
    }

    /// Lets an instance ask for no calls, for a reason, or for calls again.
    pub(crate) fn maintain(&mut self, member: &Member, why: Option<String>, now: Time) -> u64 {
        let entry = self.services.get(&member.0).and_then(|service| service.get(&member.1));
        if entry.is_some_and(|entry| entry.checked.is_some()) {
            self.amend(member, now, |health| health.maintenance = why);
        } else if why.is_some() {
            self.turn(member, now, |presence| (presence != Presence::Draining).then_some(Presence::Draining));
        } else {
            let lease = entry.and_then(|entry| self.leases.get(entry.lease));
            let beats = lease.is_some_and(|lease| lease.phase == Phase::Beating);
            let presence = if beats { Presence::Up } else { Presence::Silent };
            self.turn(member, now, |before| (before == Presence::Draining).then_some(presence));
        }
        self.revision_of(member)
    }

    /// Changes what the checks of an instance say, and what follows from it; if that is anything, it is told.
    fn amend(&mut self, member: &Member, now: Time, change: impl FnOnce(&mut Health)) {
        let (service, id) = member;
        let Some(entry) = self.services.get(service).and_then(|service| service.get(id)) else { return };
        let Some(Checked { health: before, keys }) = &entry.checked else { return };
        let mut health = (**before).clone();
        change(&mut health);
        let presence = health.presence(entry.listed.presence);
        if health != **before || presence != entry.listed.presence {
            let (lease, instance, keys) = (entry.lease, entry.listed.instance.clone(), keys.clone());
            let checked = Checked { health: Arc::new(health), keys };
            self.list(service, Listed { instance, presence }, lease, Some(checked), now);
        }
    }

    /// The leases of an instance's checks, of which some may have been there `before`.
    pub(super) fn take_checks(
        &mut self,
        before: Option<Checked>,
        health: Option<Health>,
        member: &Member,
        now: Time,
    ) -> Option<Checked> {
        let before = before.map(|before| before.health.checks.clone().into_iter().zip(before.keys).collect());
        let mut before: Vec<(Check, Key)> = before.unwrap_or_default();
        // Before others are opened, as what ends takes its name with it.
        before.retain(|(check, key)| {
            let same = |new: &&Check| Terms::about(new) == Terms::about(check);
            let kept = health.as_ref().and_then(|health| health.check(&check.id)).filter(same).is_some();
            if !kept {
                self.leases.end(*key, None, &mut self.batch);
            }
            kept
        });
        let health = health?;
        let keys = health.checks.iter().map(|check| match before.iter().find(|(old, _)| old.id == check.id) {
            None => self.open_check(check, member, now),
            Some((_, key)) => *key,
        });
        Some(Checked { keys: keys.collect(), health: Arc::new(health) })
    }

    /// Notes that an instance's process is there, so that what it has said of its checks still holds.
    pub(super) fn hear_all(&self, (service, id): &Member, now: Time) {
        let entry = self.services.get(service).and_then(|service| service.get(id));
        let Some(Checked { health, keys }) = entry.and_then(|entry| entry.checked.as_ref()) else { return };
        for (check, key) in health.checks.iter().zip(keys) {
            if check.status() != Status::Critical
                && let Some(lease) = self.leases.get(*key)
            {
                let _ = lease.pulse.beat(now);
            }
        }
    }

    pub(super) fn open_check(&mut self, check: &Check, member: &Member, now: Time) -> Key {
        let terms = Terms::about(check);
        let key = self.leases.open_check(&check.id, terms, member, now, &mut self.batch);
        let phase = match (check.expired, check.said) {
            (true, _) => Phase::Silent,
            (false, Status::Critical) => Phase::Failed,
            (false, _) => return key,
        };
        self.leases.turn(key, phase);
        self.leases.queue_after(key, now, terms.gone_after);
        key
    }

    /// Notes whether an instance is one that has been enlisted.
    pub(super) fn note(&mut self, id: &InstanceId, service: &Arc<str>, enlisted: bool) {
        if enlisted {
            self.enlisted.insert(id.clone(), Arc::clone(service));
        } else if self.enlisted.get(id) == Some(service) {
            self.enlisted.remove(id);
        }
    }

    /// The lease that is about a check, and the instance that it is of.
    pub(crate) fn find_check(&self, id: &str) -> Result<(Key, Member), Refused> {
        let key = self.leases.about(id).ok_or_else(|| unknown_check(id))?;
        let member = self.leases.get(key).and_then(|lease| lease.members.first()).cloned();
        Ok((key, member.ok_or_else(|| unknown_check(id))?))
    }
}

impl Terms {
    fn about(check: &Check) -> Self {
        Self { silent_after: Some(check.ttl), gone_after: check.gone_after }
    }
}

fn unknown_check(id: &str) -> Refused {
    let id: String = id.chars().take(140).collect();
    let reason = format!("Unknown check ID {id:?}. Ensure that the check ID is passed, not the check name.");
    Refused::new(Kind::Unknown, reason)
}
