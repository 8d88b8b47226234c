//! A roster with somebody who follows it.

use std::collections::BTreeMap;

use mainstay_contracts::registry::{InstanceId, Listed};

use super::*;
use crate::clock::Time;
use crate::pulse::Pulse;
use crate::roster::batch::HoldEnded;
use crate::{Config, Guard};

pub(super) struct Board {
    pub(super) roster: Roster,
    /// The fold of all changes.
    pub(super) rows: BTreeMap<InstanceId, Row>,
    pub(super) revision: u64,
    ended: Vec<HoldEnded>,
}

impl Board {
    pub(super) fn new(config: Config) -> (Self, Time) {
        let roster = Roster::new(config, 1_000, 1_000, Time::default());
        (Self { roster, rows: BTreeMap::new(), revision: 0, ended: Vec::new() }, Time::default())
    }

    pub(super) fn unguarded() -> (Self, Time) {
        let guard = Guard { on: false, ..Guard::default() };
        Self::new(Config { guard, ..Config::default() })
    }

    /// Takes in what has changed; says how much that was.
    pub(super) fn follow(&mut self) -> usize {
        let batch = self.roster.take_batch();
        for change in &batch.changes {
            assert!(change.revision > self.revision, "revisions grow");
            self.revision = change.revision;
            match &change.became {
                Became::Listed(row) => {
                    let before = self.rows.insert(change.id.clone(), row.clone());
                    let moved = before.as_ref().is_some_and(|before| before.pulse.lease != row.pulse.lease);
                    let same = before.is_some_and(|before| before.listed == row.listed && before.health == row.health);
                    assert!(!same || moved, "a change changes something");
                    assert_eq!(serde_json::from_slice::<Listed>(&row.json).unwrap(), *row.listed);
                }
                Became::Gone(_) => {
                    assert!(self.rows.remove(&change.id).is_some(), "{} was not there", change.id);
                }
            }
        }
        assert_eq!(self.revision, self.roster.revision());
        self.ended.extend(batch.ended);
        batch.changes.len()
    }

    pub(super) fn listed(&mut self) -> Vec<(String, u32, Presence)> {
        self.follow();
        let row = |row: &Row| (row.listed.instance.id.to_string(), row.listed.instance.number, row.listed.presence);
        let mut rows: Vec<_> = self.rows.values().map(row).collect();
        rows.sort_by_key(|row| row.1);
        rows
    }

    /// How many there are of each presence: up, silent, suspect, draining.
    pub(super) fn counts(&mut self) -> [usize; 4] {
        let listed = self.listed();
        let count = |presence| listed.iter().filter(|row| row.2 == presence).count();
        [Presence::Up, Presence::Silent, Presence::Suspect, Presence::Draining].map(count)
    }

    pub(super) fn endings(&mut self) -> Vec<(u64, Option<u64>)> {
        self.follow();
        std::mem::take(&mut self.ended).into_iter().map(|ended| (ended.hold, ended.superseded_by)).collect()
    }

    pub(super) fn pulse(&mut self, id: &str) -> Arc<Pulse> {
        self.follow();
        Arc::clone(&self.rows[&id.parse::<InstanceId>().unwrap()].pulse)
    }

    pub(super) fn check_pulse(&self, check: &str) -> Arc<Pulse> {
        let lease = self.roster.leases.about(check).and_then(|key| self.roster.leases.get(key));
        Arc::clone(&lease.unwrap().pulse)
    }

    pub(super) fn beat(&mut self, id: &str, now: Time) {
        let pulse = self.pulse(id);
        if pulse.beat(now) {
            self.roster.wake(pulse.lease, now);
        }
    }

    /// Lets time go on as the registry does.
    pub(super) fn pass(&mut self, from: Time, until: Time) {
        let mut now = from;
        while now < until {
            now = until.min(now + Duration::from_millis(100));
            self.roster.expire(now);
        }
    }

    /// Takes in what was restored, whose revisions are those of before, and says how many are listed.
    pub(super) fn restored(&mut self) -> usize {
        for change in self.roster.take_batch().changes {
            match change.became {
                Became::Listed(row) => drop(self.rows.insert(change.id, row)),
                Became::Gone(_) => drop(self.rows.remove(&change.id)),
            }
        }
        self.rows.len()
    }

    /// As [`beat`](Self::beat) of one that was restored.
    pub(super) fn beat_restored(&mut self, id: &str, now: Time) {
        self.restored();
        let pulse = Arc::clone(&self.rows[&id.parse::<InstanceId>().unwrap()].pulse);
        if pulse.beat(now) {
            self.roster.wake(pulse.lease, now);
        }
    }

    pub(super) fn held(&self, id: &str) -> Held {
        Held::Instance("ratings".into(), id.parse().unwrap())
    }
}

pub(super) fn call(id: &str, port: u16) -> Register {
    let json = format!(r#"{{"service":"ratings","id":"{id}","address":"127.0.0.1:{port}"}}"#);
    serde_json::from_str(&json).unwrap()
}

pub(super) fn started(id: &str, port: u16, incarnation: u64) -> Register {
    Register { incarnation: Some(incarnation), ..call(id, port) }
}

pub(super) fn leave(id: &str, incarnation: Option<u64>) -> Deregister {
    Deregister { service: "ratings".to_owned(), id: id.parse().unwrap(), incarnation }
}
