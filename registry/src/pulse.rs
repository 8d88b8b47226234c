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
    /// The time that it was given without being heard of.
    granted: AtomicU64,
    /// The roster believes that it has stopped: the next beat has to be told.
    quiet: AtomicBool,
    held: AtomicBool,
}

impl Pulse {
    pub(crate) fn new(lease: u64, now: Time) -> Self {
        Self {
            lease,
            beaten: AtomicU64::new(now.as_millis()),
            granted: AtomicU64::new(u64::MAX),
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

    /// How long ago it was heard of, if it was.
    pub(crate) fn age(&self, now: Time) -> Option<Duration> {
        let beaten = self.beaten();
        (beaten.as_millis() != self.granted.load(Ordering::Relaxed)).then(|| now.since(beaten))
    }

    /// What it has was given to it: it has yet to be heard of.
    pub(crate) fn grant(&self) {
        self.granted.store(self.beaten().as_millis(), Ordering::Relaxed);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_given_time_has_yet_to_be_heard_of() {
        let at = Time::from_millis;
        let pulse = Pulse::new(1, at(5_000));
        assert_eq!(pulse.age(at(7_000)), Some(Duration::from_secs(2)));
        pulse.grant();
        assert_eq!(pulse.age(at(7_000)), None);
        assert!(!pulse.beat(at(8_000)));
        assert_eq!(pulse.age(at(8_500)), Some(Duration::from_millis(500)));
    }
}
