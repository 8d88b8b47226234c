//! Stand-ins for the models, with the part of the ordinary types' interface that is used.

use std::sync::Arc;

use loom::sync::atomic::AtomicU8;
pub(crate) use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{MutexGuard, atomic};

/// Loom's, with a gate before it.
///
/// Loom tries another order where a write meets the last access before it; a thread that reads and then writes, as
/// whoever compares and exchanges does, is its own last access then and hides the reads of others before it. So every
/// access first adds to a gate, which meets all others, and orders nothing itself.
#[derive(Debug, Default)]
pub(crate) struct AtomicU64 {
    gate: AtomicU8,
    value: atomic::AtomicU64,
}

impl AtomicU64 {
    pub(crate) fn new(value: u64) -> Self {
        Self { gate: AtomicU8::new(0), value: atomic::AtomicU64::new(value) }
    }

    pub(crate) fn load(&self, order: Ordering) -> u64 {
        self.pass();
        self.value.load(order)
    }

    pub(crate) fn store(&self, value: u64, order: Ordering) {
        self.pass();
        self.value.store(value, order);
    }

    pub(crate) fn compare_exchange(&self, from: u64, to: u64, done: Ordering, not: Ordering) -> Result<u64, u64> {
        self.pass();
        self.value.compare_exchange(from, to, done, not)
    }

    /// Of counters, which nobody reads to decide by: no gate, for the sake of fewer orders.
    pub(crate) fn fetch_add(&self, count: u64, order: Ordering) -> u64 {
        self.value.fetch_add(count, order)
    }

    fn pass(&self) {
        self.gate.fetch_add(1, Ordering::Relaxed);
    }
}

/// As `parking_lot::Mutex`: one that does not poison.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().expect("a model ends where it panics")
    }
}

/// As `arc_swap::ArcSwap`, with no more order than it promises: who loads sees all that came before the store, and
/// nothing else. Values are kept until the end, so that which one it is can be one atomic place.
#[derive(Debug)]
pub(crate) struct ArcSwap<T> {
    // Not loom's: it is the place, and not the list, that threads meet at.
    values: parking_lot::Mutex<Vec<Arc<T>>>,
    place: AtomicU64,
}

/// What `load` gives; `arc_swap` spares the reference count.
pub(crate) type Guard<T> = T;

impl<T> ArcSwap<T> {
    pub(crate) fn new(value: Arc<T>) -> Self {
        Self { values: parking_lot::Mutex::new(vec![value]), place: AtomicU64::new(0) }
    }

    pub(crate) fn load(&self) -> Guard<Arc<T>> {
        let place = self.place.load(Ordering::Acquire) as usize;
        Arc::clone(&self.values.lock()[place])
    }

    pub(crate) fn load_full(&self) -> Arc<T> {
        self.load()
    }

    pub(crate) fn store(&self, value: Arc<T>) {
        let place = {
            let mut values = self.values.lock();
            values.push(value);
            values.len() - 1
        };
        self.place.store(place as u64, Ordering::Release);
    }
}

impl<T: Default> Default for ArcSwap<T> {
    fn default() -> Self {
        Self::new(Arc::default())
    }
}
