//! What a beat touches, and nothing else.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Time;

/// When a lease was heard of last: written by whoever takes its beats, read by the roster when its time is up.
#[derive(Debug)]
pub(crate) struct Pulse {
    /// The lease it is of.
    pub(crate) lease: u64,
    beaten: AtomicU64,
    /// The roster believes that it has stopped: the next beat has to be told.
    quiet: AtomicBool,
    held: AtomicBool,
}

impl Pulse {
    pub(crate) fn new(lease: u64, now: Time) -> Self {
        Self {
            lease,
            beaten: AtomicU64::new(now.as_millis()),
            quiet: AtomicBool::new(false),
            held: AtomicBool::new(false),
        }
    }

    /// Notes a beat. Returns whether the roster has to be told, as it believes that there would be none: the first one
    /// does.
    ///
    /// Sequentially consistent with [`quieten`](Self::quieten): of a beat and the roster's verdict at one time, at
    /// least one sees the other.
    #[must_use]
    pub(crate) fn beat(&self, now: Time) -> bool {
        self.beaten.fetch_max(now.as_millis(), Ordering::SeqCst);
        self.quiet.load(Ordering::SeqCst) && self.quiet.swap(false, Ordering::SeqCst)
    }

    pub(crate) fn beaten(&self) -> Time {
        Time::from_millis(self.beaten.load(Ordering::SeqCst))
    }

    /// How long ago it was heard of.
    pub(crate) fn age(&self, now: Time) -> Duration {
        now.since(self.beaten())
    }

    /// The roster believes from now on that it has stopped, or that it has not.
    pub(crate) fn quieten(&self, quiet: bool) {
        self.quiet.store(quiet, Ordering::SeqCst);
    }

    pub(crate) fn hold(&self, held: bool) {
        self.held.store(held, Ordering::Relaxed);
    }

    /// Does a connection stand for it?
    pub(crate) fn is_held(&self) -> bool {
        self.held.load(Ordering::Relaxed)
    }
}
