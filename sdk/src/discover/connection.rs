//! How things stand with the registry.

use std::time::Duration;

use mainstay_contracts::Address;
use parking_lot::Mutex;
use tokio::time::Instant;

/// How things stand between a client and its registry.
#[derive(Debug)]
pub(crate) struct Connection {
    heard: Mutex<Heard>,
}

#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// Which of the registries is in use.
    pub(crate) address: Address,
    pub(crate) reachable: bool,
    /// When it spoke last, or one before it; when watching began, if none ever has.
    at: Instant,
    /// How long before that it was heard by whoever has remembered it.
    remembered: Duration,
}

impl Heard {
    /// How old is what is known?
    pub(crate) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.at) + self.remembered
    }
}

impl Connection {
    /// What is known of it, if anything, was `remembered` for so long.
    pub(crate) fn new(address: Address, remembered: Duration, now: Instant) -> Self {
        Self { heard: Mutex::new(Heard { address, reachable: false, at: now, remembered }) }
    }

    pub(crate) fn heard(&self) -> Heard {
        self.heard.lock().clone()
    }

    /// Returns whether it was unreachable before.
    pub(super) fn hear(&self, now: Instant) -> bool {
        let mut heard = self.heard.lock();
        (heard.at, heard.remembered) = (now, Duration::ZERO);
        !std::mem::replace(&mut heard.reachable, true)
    }

    /// The registry in use is lost, and this one is used next. Returns whether it was reachable before.
    pub(super) fn lose(&self, next: &Address) -> bool {
        let mut heard = self.heard.lock();
        heard.address = next.clone();
        std::mem::replace(&mut heard.reachable, false)
    }
}
