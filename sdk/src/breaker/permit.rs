//! The proof that a breaker let a call through: it ends in exactly one outcome.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use tokio::time::Instant;

use super::{Breaker, Recorded, Transition};
use crate::sync::{AtomicU64, Ordering};

/// How an admitted call ended, as its breaker sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It was answered; an answer that says "your fault" (4xx) is one.
    Success,
    /// Refused or broken connection, 5xx, or a body that does not decode.
    Failure,
    /// No answer within the attempt timeout.
    Timeout,
}

/// Permission for one call, given by [`Breaker::admit`]; `H` leads to the breaker.
///
/// It is settled once: by [`record`](Permit::record), or by being dropped, which counts as cancelled and
/// changes nothing but that a probe may go again.
#[must_use = "a permit that is dropped counts as a cancelled call"]
pub struct Permit<H: Deref<Target = Breaker> = Arc<Breaker>> {
    holder: H,
    generation: u32,
    standing: Standing,
}

/// As wide as a generation: a permit is two words without a gap, and is moved about as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Standing {
    Call,
    Probe,
    /// Dropping does not settle a second time.
    Settled,
}

impl<H: Deref<Target = Breaker>> Permit<H> {
    pub(super) fn new(holder: H, generation: u32, standing: Standing) -> Self {
        holder.tally.issued.fetch_add(1, Ordering::Relaxed);
        Self { holder, generation, standing }
    }

    pub(crate) fn holder(&self) -> &H {
        &self.holder
    }

    /// Is this the probe of a half-open breaker?
    pub fn is_probe(&self) -> bool {
        self.standing == Standing::Probe
    }

    /// Settles the permit at `now`. If that changed the breaker's state, says how; if the breaker has moved on
    /// since the permit was given, the result is stale and changes nothing.
    pub fn record(mut self, outcome: Outcome, now: Instant) -> Option<Transition> {
        self.settle(outcome, now, || ()).map(|(transition, ())| transition)
    }

    /// As [`record`](Permit::record), for who still needs its holder, and makes transitions by `leave` only. Once only.
    pub(crate) fn settle<L>(
        &mut self,
        outcome: Outcome,
        now: Instant,
        leave: impl Fn() -> L,
    ) -> Option<(Transition, L)> {
        self.standing = Standing::Settled;
        let breaker = &*self.holder;
        let tally = &breaker.tally;
        match breaker.record(self.generation, outcome == Outcome::Success, now, leave) {
            Recorded::Stale => {
                tally.stale.fetch_add(1, Ordering::Relaxed);
                None
            }
            Recorded::Counted(transition) => {
                let count = match outcome {
                    Outcome::Success => &tally.success,
                    Outcome::Failure => &tally.failure,
                    Outcome::Timeout => &tally.timeout,
                };
                count.fetch_add(1, Ordering::Relaxed);
                transition
            }
        }
    }
}

impl<H: Deref<Target = Breaker>> Drop for Permit<H> {
    fn drop(&mut self) {
        match self.standing {
            Standing::Settled => return,
            Standing::Probe => self.holder.release_probe(self.generation),
            Standing::Call => {}
        }
        self.holder.tally.cancelled.fetch_add(1, Ordering::Relaxed);
    }
}

impl<H: Deref<Target = Breaker>> fmt::Debug for Permit<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("generation", &self.generation).field("standing", &self.standing).finish()
    }
}

/// How many permits a breaker gave, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PermitCounts {
    /// Given.
    pub issued: u64,
    /// Ended in [`Outcome::Success`].
    pub success: u64,
    /// Ended in [`Outcome::Failure`].
    pub failure: u64,
    /// Ended in [`Outcome::Timeout`].
    pub timeout: u64,
    /// Dropped.
    pub cancelled: u64,
    /// Recorded after the breaker had moved on.
    pub stale: u64,
}

impl PermitCounts {
    /// How many have ended.
    pub fn settled(&self) -> u64 {
        self.success + self.failure + self.timeout + self.cancelled + self.stale
    }

    /// How many are still out.
    pub fn out(&self) -> u64 {
        self.issued.saturating_sub(self.settled())
    }
}

#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Tally {
    issued: AtomicU64,
    success: AtomicU64,
    failure: AtomicU64,
    timeout: AtomicU64,
    cancelled: AtomicU64,
    stale: AtomicU64,
}

impl Tally {
    pub(super) fn counts(&self) -> PermitCounts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        PermitCounts {
            issued: read(&self.issued),
            success: read(&self.success),
            failure: read(&self.failure),
            timeout: read(&self.timeout),
            cancelled: read(&self.cancelled),
            stale: read(&self.stale),
        }
    }
}
