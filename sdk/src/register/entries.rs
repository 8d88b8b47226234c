//! What is to be registered with a lease, and what of it is.

use std::sync::Arc;
use std::time::Duration;

use mainstay_contracts::registry::{InstanceId, Register};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::frames::{AnyError, Complaints};
use crate::transport::Connections;

pub(super) struct Entries {
    list: Mutex<Vec<Entry>>,
    /// Are all of them registered, and take calls?
    all: watch::Sender<bool>,
    /// Wakes the keeper: there is something to register.
    pub(super) changed: Notify,
    /// The registry where the lease stands now.
    standing_at: Mutex<Option<Arc<Connections>>>,
}

struct Entry {
    /// Tells it from the one that had its place.
    serial: u64,
    register: Register,
    state: State,
    backoff: Backoff,
    complaints: Complaints,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// To be registered, from then on.
    Due(Instant),
    Asking,
    Registered,
    /// It is about to leave: it stays registered for as long as the registry likes, and is not registered anew.
    Draining,
}

impl Entries {
    pub(super) fn new() -> Self {
        let (list, all, changed) = (Mutex::default(), watch::Sender::new(false), Notify::new());
        Self { list, all, changed, standing_at: Mutex::default() }
    }

    /// Adds one, or takes it in place of the one with its name.
    pub(super) fn put(&self, register: Register) {
        let mut list = self.list.lock();
        let serial = list.iter().map(|entry| entry.serial + 1).max().unwrap_or_default();
        let is_it = |entry: &Entry| entry.register.service == register.service && entry.register.id == register.id;
        let place = list.iter().position(is_it);
        let state = State::Due(Instant::now());
        let entry = Entry { serial, register, state, backoff: Backoff::new(), complaints: Complaints::default() };
        match place {
            Some(place) => list[place] = entry,
            None => list.push(entry),
        }
        self.tell(&list);
        self.changed.notify_one();
    }

    /// The next ones whose time has come, which are asked for from now on.
    pub(super) fn begin(&self, now: Instant, most: usize) -> Vec<(u64, Register)> {
        let mut list = self.list.lock();
        let due = list.iter_mut().filter(|entry| matches!(entry.state, State::Due(at) if at <= now));
        let begun = due.take(most).map(|entry| {
            entry.state = State::Asking;
            (entry.serial, entry.register.clone())
        });
        begun.collect()
    }

    /// When the next one is due.
    pub(super) fn due_at(&self) -> Option<Instant> {
        let due = |entry: &Entry| if let State::Due(at) = entry.state { Some(at) } else { None };
        self.list.lock().iter().filter_map(due).min()
    }

    /// Returns whether that is still so.
    pub(super) fn registered(&self, serial: u64) -> bool {
        let registered = |entry: &mut Entry| {
            entry.state = State::Registered;
            entry.backoff.reset();
            entry.complaints = Complaints::default();
        };
        self.of(serial, registered).is_some()
    }

    /// It is tried again, after this pause or the usual one. Is it to be said why?
    pub(super) fn refused(&self, serial: u64, error: &AnyError, pause: Option<Duration>) -> bool {
        let complain = |entry: &mut Entry| {
            entry.state = State::Due(Instant::now() + pause.unwrap_or_else(|| entry.backoff.next()));
            entry.complaints.is_new(error)
        };
        self.of(serial, complain).unwrap_or_default()
    }

    /// An incarnation has the place of what was registered: it is tried again after this pause if that is a later one, and
    /// soon if not. Returns what it is about, if it is to be said that a later one is there.
    ///
    /// An answer that is still on its way, and is older than this, changes nothing any more.
    pub(super) fn replaced(&self, service: &str, id: &InstanceId, by: u64, pause: Duration) -> Option<Register> {
        let mut list = self.list.lock();
        let there = |state| matches!(state, State::Registered | State::Asking);
        let is_it = |entry: &&mut Entry| entry.register.service == service && entry.register.id == *id;
        let entry = list.iter_mut().find(is_it).filter(|entry| there(entry.state))?;
        let superseded = entry.register.incarnation < Some(by);
        let pause = if superseded { pause } else { entry.backoff.next() };
        entry.state = State::Due(Instant::now() + pause);
        let register = entry.register.clone();
        self.tell(&list);
        superseded.then_some(register)
    }

    /// The lease stands.
    pub(super) fn stands_at(&self, registry: &Arc<Connections>) {
        *self.standing_at.lock() = Some(Arc::clone(registry));
    }

    /// The lease does not stand any more: all are to be registered again.
    pub(super) fn lost(&self) {
        *self.standing_at.lock() = None;
        let mut list = self.list.lock();
        let stay = list.iter_mut().filter(|entry| entry.state != State::Draining);
        stay.for_each(|entry| entry.state = State::Due(Instant::now()));
        self.tell(&list);
    }

    /// All are about to leave. Says where the lease stands, if it does, and who was registered.
    pub(super) fn drain(&self) -> Option<(Arc<Connections>, Vec<Register>)> {
        let mut list = self.list.lock();
        let mut registered = Vec::with_capacity(list.len());
        for entry in list.iter_mut() {
            if std::mem::replace(&mut entry.state, State::Draining) == State::Registered {
                registered.push(entry.register.clone());
            }
        }
        self.tell(&list);
        drop(list);
        Some((self.standing_at.lock().clone()?, registered))
    }

    pub(super) fn are_registered(&self) -> bool {
        *self.all.borrow()
    }

    pub(super) async fn until_registered(&self) {
        // The sender lives as long as self.
        let _ = self.all.subscribe().wait_for(|all| *all).await;
    }

    /// Who it is about, in a few words.
    pub(super) fn describe(&self) -> String {
        let list = self.list.lock();
        let Some(Register { service, address, .. }) = list.first().map(|entry| &entry.register) else {
            return "nobody".to_owned();
        };
        match list.len() {
            1 => format!("{service} at {address}"),
            more => format!("{service} at {address}, with {} more,", more - 1),
        }
    }

    fn of<T>(&self, serial: u64, change: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let mut list = self.list.lock();
        let entry = list.iter_mut().find(|entry| entry.serial == serial && entry.state == State::Asking);
        let changed = entry.map(change);
        self.tell(&list);
        changed
    }

    fn tell(&self, list: &[Entry]) {
        let all = list.iter().all(|entry| entry.state == State::Registered);
        self.all.send_if_modified(|told| std::mem::replace(told, all) != all);
    }
}
