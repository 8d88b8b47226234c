//! Whoever uses a connection now.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use futures_util::task::AtomicWaker;

/// Who uses a connection, if anybody does.
#[derive(Debug, Default)]
pub(super) struct User {
    waker: AtomicWaker,
    /// Written by the one who drives. Whoever wakes was told of by a poll that comes after, and sees it; if not, what
    /// wakes belongs to a use that is over.
    is_there: AtomicBool,
}

impl User {
    pub(super) fn comes(&self, waker: &Waker) {
        self.is_there.store(true, Ordering::Relaxed);
        self.waker.register(waker);
    }

    pub(super) fn leaves(&self) {
        if self.is_there.load(Ordering::Relaxed) {
            self.is_there.store(false, Ordering::Relaxed);
            drop(self.waker.take());
        }
    }

    /// For whoever was not told of by a poll: what they wrote before is seen by a user who comes after.
    pub(super) fn call(&self) {
        self.waker.wake();
    }
}

impl Wake for User {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_there.load(Ordering::Relaxed) {
            self.waker.wake();
        }
    }
}
