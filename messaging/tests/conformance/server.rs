//! What the cases run against.

pub(crate) mod embedded;
pub(crate) mod hub;
#[cfg(feature = "nats")]
pub(crate) mod nats;

use mainstay_messaging::Messages;

/// So many messages fill a topic quickly.
pub(crate) const SMALL: u32 = 100;

/// An engine for one case.
pub(crate) trait Server: Sized {
    /// Starts one; says so and returns none where it cannot be had.
    async fn start() -> Option<Self>;

    /// What another process has that uses it.
    async fn open(&self) -> Messages;
}

/// One whose bounds can be set.
pub(crate) trait Bounded: Server {
    /// Starts one whose topic of notes holds [`SMALL`] messages.
    async fn start_small() -> Option<Self>;
}

/// One in a process of its own.
pub(crate) trait Mortal: Server {
    /// Are settlements that were answered remembered after a kill?
    const REMEMBERS_SETTLEMENTS: bool;

    /// Ends it with SIGKILL.
    async fn kill(&mut self);

    /// Starts it again, at the same address and with the same data.
    async fn revive(&mut self);
}
