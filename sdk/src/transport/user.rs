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

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicU32);

    impl Woken {
        fn times(&self) -> u32 {
            self.0.load(Ordering::Relaxed)
        }
    }

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn whoever_is_there_is_woken_and_nobody_who_has_left() {
        let (user, woken) = (Arc::new(User::default()), Arc::new(Woken::default()));
        let (connection, waker) = (Waker::from(Arc::clone(&user)), Waker::from(Arc::clone(&woken)));
        connection.wake_by_ref();
        user.comes(&waker);
        assert_eq!(woken.times(), 0);
        connection.wake_by_ref();
        assert_eq!(woken.times(), 1);
        user.comes(&waker);
        user.call();
        assert_eq!(woken.times(), 2);
        user.comes(&waker);
        Waker::wake(connection.clone());
        assert_eq!(woken.times(), 3);
        user.comes(&waker);
        user.leaves();
        connection.wake();
        user.call();
        assert_eq!(woken.times(), 3);
    }
}
