//! One service's instances.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use mainstay_contracts::Address;
use mainstay_contracts::registry::{Instance, InstanceId, Listed, Presence, Register};

use super::guard::Losses;
use super::health::Health;
use super::leases::Key;
use super::numbers::Numbers;
use super::refused::{Kind, Refused};

/// The instances of one service, each found by number, id and address, all three unique; but any number of them may
/// have no port.
#[derive(Debug, Default)]
pub(super) struct Service {
    entries: BTreeMap<u32, Entry>,
    ids: HashMap<InstanceId, u32>,
    addresses: HashMap<Address, u32>,
    numbers: Numbers,
    /// How many are silent or suspect.
    doubtful: usize,
    suspect: usize,
    pub(super) losses: Losses,
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) listed: Arc<Listed>,
    pub(super) lease: Key,
    pub(super) checked: Option<Checked>,
    pub(super) revision: u64,
}

/// What the checks of an instance say, and the lease of each, in the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checked {
    pub(super) health: Arc<Health>,
    pub(super) keys: Vec<Key>,
}

/// How a registration that is not refused is done.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) number: u32,
    pub(super) incarnation: u64,
    /// The instance whose address is taken over.
    pub(super) replaced: Option<InstanceId>,
}

impl Service {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many are silent or suspect.
    pub(super) fn doubtful(&self) -> usize {
        self.doubtful
    }

    /// Is there nobody but those that would be gone by now, were it not for the guard?
    pub(super) fn is_all_suspect(&self) -> bool {
        self.suspect == self.entries.len()
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    pub(super) fn get(&self, id: &InstanceId) -> Option<&Entry> {
        self.entries.get(self.ids.get(id)?)
    }

    /// Decides about a registration without changing anything. `made` is the incarnation of whoever says none.
    pub(super) fn plan(&self, call: &Register, made: u64, most: usize) -> Result<Plan, Refused> {
        let listed = self.get(&call.id).map(|entry| &entry.listed.instance);
        let incarnation = call.incarnation.or(listed.map(|listed| listed.incarnation)).unwrap_or(made);
        if let Some(listed) = listed {
            fence(&call.id, listed.incarnation, Some(incarnation))?;
        }
        let replaced = self.replaced(call, incarnation)?;
        if listed.is_none() && replaced.is_none() && self.len() >= most {
            let reason = format!("{} has {most} instances, and may not have more", call.service);
            return Err(Refused::new(Kind::Full, reason));
        }
        let inherited = listed.or(replaced).map(|instance| instance.number);
        let number = call.number.or(inherited).unwrap_or_else(|| self.numbers.lowest());
        if let Some(other) = self.entries.get(&number).map(|entry| &entry.listed.instance)
            && other.id != call.id
            && replaced.is_none_or(|replaced| replaced.id != other.id)
        {
            return Err(Refused::new(Kind::Conflict, format!("number {number} is that of {}", other.id)));
        }
        Ok(Plan { number, incarnation, replaced: replaced.map(|instance| instance.id.clone()) })
    }

    /// Two processes cannot listen on one address, so of two ids that claim it the one started later is right.
    fn replaced(&self, call: &Register, incarnation: u64) -> Result<Option<&Instance>, Refused> {
        // What listens nowhere is in nobody's way.
        let number = self.addresses.get(&call.address).filter(|_| call.address.port() != 0);
        let Some(Listed { instance: other, presence }) =
            number.and_then(|number| self.entries.get(number)).map(|entry| &*entry.listed)
        else {
            return Ok(None);
        };
        if other.id == call.id {
            Ok(None)
        } else if incarnation > other.incarnation || is_doubtful(*presence) {
            Ok(Some(other))
        } else {
            let reason = format!("address {} is that of {}, of a later incarnation", call.address, other.id);
            Err(Refused::new(Kind::Conflict, reason))
        }
    }

    /// Lists an instance, in place of whatever had its id.
    pub(super) fn put(&mut self, entry: Entry) {
        let instance = &entry.listed.instance;
        self.take(&instance.id.clone());
        self.count(entry.listed.presence, 1);
        self.numbers.take(instance.number);
        self.ids.insert(instance.id.clone(), instance.number);
        self.addresses.insert(instance.address.clone(), instance.number);
        self.entries.insert(instance.number, entry);
    }

    pub(super) fn take(&mut self, id: &InstanceId) -> Option<Entry> {
        let entry = self.entries.remove(&self.ids.remove(id)?)?;
        self.count(entry.listed.presence, -1);
        self.addresses.remove(&entry.listed.instance.address);
        self.numbers.release(entry.listed.instance.number);
        Some(entry)
    }

    fn count(&mut self, presence: Presence, by: isize) {
        if is_doubtful(presence) {
            self.doubtful = self.doubtful.saturating_add_signed(by);
        }
        if presence == Presence::Suspect {
            self.suspect = self.suspect.saturating_add_signed(by);
        }
    }
}

/// Is it listed although it does not beat?
pub(super) fn is_doubtful(presence: Presence) -> bool {
    matches!(presence, Presence::Silent | Presence::Suspect)
}

/// Refuses what an earlier start of a process says after a later one has registered.
pub(crate) fn fence(id: &InstanceId, listed: u64, said: Option<u64>) -> Result<(), Refused> {
    match said {
        Some(said) if said < listed => {
            let reason = format!("incarnation {said} of {id} is over: {listed} is registered");
            Err(Refused::new(Kind::Conflict, reason))
        }
        _ => Ok(()),
    }
}
