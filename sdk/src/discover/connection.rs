//! How things stand with the registry.

use mainstay_contracts::Address;
use parking_lot::Mutex;
use tokio::time::Instant;

/// How things stand between a client and its registry.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) address: Address,
    heard: Mutex<Heard>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard {
    pub(crate) reachable: bool,
    /// When it spoke last; when watching began, if it never has.
    pub(crate) at: Instant,
}

impl Connection {
    pub(crate) fn new(address: Address, now: Instant) -> Self {
        Self { address, heard: Mutex::new(Heard { reachable: false, at: now }) }
    }

    pub(crate) fn heard(&self) -> Heard {
        *self.heard.lock()
    }

    /// Returns whether it was unreachable before.
    pub(super) fn hear(&self, now: Instant) -> bool {
        !std::mem::replace(&mut *self.heard.lock(), Heard { reachable: true, at: now }).reachable
    }

    /// Returns whether it was reachable before.
    pub(super) fn lose(&self) -> bool {
        std::mem::replace(&mut self.heard.lock().reachable, false)
    }
}
