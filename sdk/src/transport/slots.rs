//! How many connections an instance may have.
//!
//! A semaphore would do, but tokio's takes a lock when a permit is given back, which every call would share.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

#[derive(Debug)]
pub(super) struct Slots {
    limit: usize,
    taken: AtomicUsize,
    waiting: AtomicUsize,
    given_back: Notify,
}

impl Slots {
    pub(super) fn new(limit: usize) -> Self {
        let (taken, waiting) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { limit, taken, waiting, given_back: Notify::new() }
    }

    /// Takes a slot, if there is one now.
    pub(super) fn try_take(&self) -> bool {
        let one_more = |taken| (taken < self.limit).then_some(taken + 1);
        self.taken.fetch_update(Ordering::SeqCst, Ordering::Relaxed, one_more).is_ok()
    }

    /// Waits for a slot, without a bound, and takes it.
    ///
    /// Cancel safe: who leaves when it was its turn passes it on.
    pub(super) async fn take(&self) {
        let _waiting = Waiting::new(self);
        loop {
            let mut given_back = pin!(self.given_back.notified());
            // In the queue before looking: of two that are given back meanwhile, each wakes one.
            given_back.as_mut().enable();
            if self.try_take() {
                return;
            }
            given_back.await;
        }
    }

    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    pub(super) fn give_back(&self) {
        // Both in one order for all: either this sees who waits, or who waits sees the slot.
        self.taken.fetch_sub(1, Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.given_back.notify_one();
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
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn who_waits_gets_what_is_given_back() {
        let slots = Arc::new(Slots::new(2));
        assert!(slots.try_take() && slots.try_take() && !slots.try_take());
        let waits = |slots: &Arc<Slots>| {
            let slots = Arc::clone(slots);
            tokio::spawn(async move { slots.take().await })
        };
        let (third, fourth, leaves) = (waits(&slots), waits(&slots), waits(&slots));
        tokio::task::yield_now().await;
        leaves.abort();
        slots.give_back();
        slots.give_back();
        third.await.unwrap();
        fourth.await.unwrap();
        assert!(leaves.await.is_err());
        assert!(!slots.try_take());
        slots.give_back();
        assert!(slots.try_take());
        assert_eq!(slots.waiting.load(Ordering::SeqCst), 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_turn_is_lost_between_threads() {
        let slots = Arc::new(Slots::new(3));
        let tasks = (0..64).map(|number| {
            let slots = Arc::clone(&slots);
            tokio::spawn(async move {
                for round in 0..200 {
                    if !slots.try_take() {
                        slots.take().await;
                    }
                    assert!(slots.taken.load(Ordering::SeqCst) <= 3);
                    if (number + round) % 3 == 0 {
                        tokio::task::yield_now().await;
                    }
                    slots.give_back();
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert_eq!((slots.taken.load(Ordering::SeqCst), slots.waiting.load(Ordering::SeqCst)), (0, 0));
    }
}
