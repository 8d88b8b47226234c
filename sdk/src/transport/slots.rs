//! How many connections an instance may have.
//!
//! A semaphore would do, but tokio's takes a lock when a permit is given back, which every call would share.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

#[derive(Debug)]
pub(super) struct Slots {
    limit: usize,
    taken: AtomicUsize,
    waiting: AtomicUsize,
    given_back: Notify,
}

/// The right to one connection.
#[derive(Debug)]
pub(crate) struct Slot(Arc<Slots>);

impl Slots {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        let (taken, waiting) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { limit, taken, waiting, given_back: Notify::new() })
    }

    /// A slot, if there is one now.
    pub(super) fn try_take(self: &Arc<Self>) -> Option<Slot> {
        let one_more = |taken| (taken < self.limit).then_some(taken + 1);
        self.taken.fetch_update(Ordering::SeqCst, Ordering::Relaxed, one_more).ok()?;
        Some(Slot(Arc::clone(self)))
    }

    /// Waits for a slot, without a bound.
    ///
    /// Cancel safe: who leaves when it was its turn passes it on.
    pub(super) async fn take(self: &Arc<Self>) -> Slot {
        let _waiting = Waiting::new(self);
        loop {
            let mut given_back = pin!(self.given_back.notified());
            // In the queue before looking: of two that are given back meanwhile, each wakes one.
            given_back.as_mut().enable();
            if let Some(slot) = self.try_take() {
                return slot;
            }
            given_back.await;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // Both in one order for all: either this sees who waits, or who waits sees the slot.
        self.0.taken.fetch_sub(1, Ordering::SeqCst);
        if self.0.waiting.load(Ordering::SeqCst) > 0 {
            self.0.given_back.notify_one();
        }
    }
}

/// Somebody waits.
struct Waiting<'a>(&'a Slots);

impl<'a> Waiting<'a> {
    fn new(slots: &'a Slots) -> Self {
        slots.waiting.fetch_add(1, Ordering::SeqCst);
        Self(slots)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_waits_gets_what_is_given_back() {
        let slots = Slots::new(2);
        let (first, second) = (slots.try_take().unwrap(), slots.try_take().unwrap());
        assert!(slots.try_take().is_none());
        let waits = |slots: &Arc<Slots>| {
            let slots = Arc::clone(slots);
            tokio::spawn(async move { slots.take().await })
        };
        let (third, fourth, leaves) = (waits(&slots), waits(&slots), waits(&slots));
        tokio::task::yield_now().await;
        leaves.abort();
        drop((first, second));
        let held = (third.await.unwrap(), fourth.await.unwrap());
        assert!(leaves.await.is_err());
        assert!(slots.try_take().is_none());
        drop(held);
        assert!(slots.try_take().is_some());
        assert_eq!(slots.waiting.load(Ordering::SeqCst), 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_turn_is_lost_between_threads() {
        let slots = Slots::new(3);
        let tasks = (0..64).map(|number| {
            let slots = Arc::clone(&slots);
            tokio::spawn(async move {
                for round in 0..200 {
                    let slot = match slots.try_take() {
                        Some(slot) => slot,
                        None => slots.take().await,
                    };
                    assert!(slots.taken.load(Ordering::SeqCst) <= 3);
                    if (number + round) % 3 == 0 {
                        tokio::task::yield_now().await;
                    }
                    drop(slot);
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!((slots.taken.load(Ordering::SeqCst), slots.waiting.load(Ordering::SeqCst)), (0, 0));
    }
}
