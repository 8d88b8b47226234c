//! What everybody reads: each service's list, and what has changed in it since any revision that is still remembered.
//!
//! The one who changes the roster folds the changes in here once they are safe; every protocol reads from here, and none
//! of them has to wait for a disk. A reader that has seen a revision asks for what came after it: of several changes of
//! one instance there is only the last, so that whoever reads slowly skips what is over, and a reader is no more than
//! a number.

mod view;
mod watcher;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use mainstay_contracts::registry::LeaseId;
use parking_lot::RwLock;
use tokio::sync::watch;

pub(crate) use self::view::{Since, Snapshot, View};
pub(crate) use self::watcher::Watcher;
use crate::pulse::Pulse;
use crate::roster::{Batch, Change, Grave, Heard};

/// All services, as they may be seen.
#[derive(Debug)]
pub(crate) struct Views {
    epoch: u64,
    services: RwLock<Services>,
    leases: RwLock<HashMap<LeaseId, Arc<Pulse>>>,
    checks: RwLock<HashMap<Arc<str>, Heard>>,
    /// The last revision of any service.
    changed: watch::Sender<u64>,
    /// The last revision that is folded in everywhere.
    revision: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Services {
    by_name: BTreeMap<Arc<str>, Arc<View>>,
    /// The last revision of any service that was forgotten.
    forgotten: u64,
}

impl Views {
    /// No services, of which the last was forgotten at revision `forgotten`.
    pub(crate) fn new(epoch: u64, forgotten: u64) -> Self {
        Self {
            epoch,
            services: RwLock::new(Services { by_name: BTreeMap::new(), forgotten }),
            leases: RwLock::default(),
            checks: RwLock::default(),
            changed: watch::Sender::new(forgotten),
            revision: watch::Sender::new(0),
        }
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The last revision: whatever has one up to this can be seen.
    pub(crate) fn revision(&self) -> u64 {
        *self.revision.borrow()
    }

    /// Tells the last revision of any service.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Folds in what has changed, and wakes who waits for it.
    pub(crate) fn fold(&self, batch: &Batch, revision: u64) {
        if !batch.leases.is_empty() {
            let mut leases = self.leases.write();
            for (name, pulse) in &batch.leases {
                match pulse {
                    Some(pulse) => leases.insert(name.clone(), Arc::clone(pulse)),
                    None => leases.remove(name),
                };
            }
        }
        if !batch.checks.is_empty() {
            let mut checks = self.checks.write();
            for (id, heard) in &batch.checks {
                match heard {
                    Some(heard) => checks.insert(Arc::clone(id), heard.clone()),
                    None => checks.remove(id),
                };
            }
        }
        // Those of one service under one lock, of which nobody else is kept waiting.
        batch.changes.chunk_by(|one, next| one.service == next.service).for_each(|changes| self.fold_some(changes));
        batch.forgotten.iter().for_each(|grave| self.forget(grave));
        // What was restored comes in no order.
        let changed = batch.changes.iter().map(|change| change.revision).max().unwrap_or_default();
        self.changed.send_if_modified(|last| std::mem::replace(last, changed.max(*last)) < changed);
        if self.revision() != revision {
            self.revision.send_replace(revision);
        }
    }

    /// Shows this in place of all that was, where nobody can tell what has been missed in between: who has seen a revision
    /// before `floor` is told all there is.
    #[cfg(feature = "etcd")]
    pub(crate) fn replace(&self, batch: &Batch, revision: u64, floor: u64) {
        let mut by_service: BTreeMap<&Arc<str>, Vec<Change>> = BTreeMap::new();
        for change in &batch.changes {
            by_service.entry(&change.service).or_default().push(change.clone());
        }
        let known: Vec<Arc<View>> = {
            let mut services = self.services.write();
            services.forgotten = services.forgotten.max(floor);
            services.by_name.values().cloned().collect()
        };
        for view in &known {
            view.replace(&by_service.remove(&view.name).unwrap_or_default(), floor);
        }
        let changes = by_service.into_values().flatten().collect();
        self.fold(&Batch { changes, ..Batch::default() }, revision);
        self.changed.send_modify(|last| *last = floor.max(*last));
    }

    /// Forgets those who were gone up to a revision.
    #[cfg(feature = "etcd")]
    pub(crate) fn forget_until(&self, floor: u64) {
        let known: Vec<Arc<View>> = self.services.read().by_name.values().cloned().collect();
        for view in known {
            view.forget_until(floor);
            self.drop_if_unused(&view);
        }
    }

    /// Forgets where beats were heard: whoever writes now has others.
    #[cfg(feature = "etcd")]
    pub(crate) fn forget_pulses(&self) {
        self.leases.write().clear();
        self.checks.write().clear();
    }

    /// Waits until everything up to a revision is shown. Without a bound; cancel safe.
    #[cfg(feature = "etcd")]
    pub(crate) async fn until(&self, revision: u64) {
        // The sender is beside it.
        let _ = self.revision.subscribe().wait_for(|shown| *shown >= revision).await;
    }

    /// Folds in changes of one service.
    fn fold_some(&self, changes: &[Change]) {
        let Some(Change { service, .. }) = changes.first() else { return };
        loop {
            // Held, so that nobody finds the service unused and forgets it meanwhile.
            let services = self.services.read();
            if let Some(view) = services.by_name.get(service) {
                return view.fold(changes);
            }
            drop(services);
            self.open(service);
        }
    }

    /// A service that somebody has registered for, not all of whose instances have been forgotten.
    pub(crate) fn get(&self, service: &str) -> Option<Arc<View>> {
        self.services.read().by_name.get(service).cloned()
    }

    /// A service's list. One that nobody has registered for is empty.
    pub(crate) fn list(&self, service: &str) -> Arc<Snapshot> {
        match self.get(service) {
            Some(view) => view.snapshot(self.epoch),
            None => Arc::new(Snapshot::empty(service, self.epoch, self.services.read().forgotten)),
        }
    }

    /// Services that have instances, and how many.
    pub(crate) fn services(&self) -> Vec<(Arc<View>, usize)> {
        let services = self.services.read();
        let counted = services.by_name.values().map(|view| (Arc::clone(view), view.len()));
        counted.filter(|(_, count)| *count > 0).collect()
    }

    pub(crate) fn lease(&self, lease: &LeaseId) -> Option<Arc<Pulse>> {
        self.leases.read().get(lease).cloned()
    }

    pub(crate) fn check(&self, id: &str) -> Option<Heard> {
        self.checks.read().get(id).cloned()
    }

    /// The last revision of a service, or one up to which it did not exist.
    pub(crate) fn revision_of(&self, service: &str) -> u64 {
        let services = self.services.read();
        services.by_name.get(service).map_or(services.forgotten, |view| view.revision())
    }

    fn open(&self, service: &Arc<str>) -> Arc<View> {
        if let Some(view) = self.get(service) {
            return view;
        }
        let mut services = self.services.write();
        let floor = services.forgotten;
        let new = || Arc::new(View::new(Arc::clone(service), floor));
        Arc::clone(services.by_name.entry(Arc::clone(service)).or_insert_with(new))
    }

    fn forget(&self, grave: &Grave) {
        if let Some(view) = self.get(&grave.service) {
            view.forget(grave);
            self.drop_if_unused(&view);
        }
    }

    /// Forgets a service that nothing is known of, and that nobody watches.
    fn drop_if_unused(&self, view: &Arc<View>) {
        let mut services = self.services.write();
        if view.is_unused() && services.by_name.get(&view.name).is_some_and(|other| Arc::ptr_eq(other, view)) {
            services.by_name.remove(&view.name);
            services.forgotten = services.forgotten.max(view.revision());
        }
    }
}
