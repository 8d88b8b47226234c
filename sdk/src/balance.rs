//! Which instance gets the next call.
//!
//! Filter first, rotate after: the rotation runs over the instances whose breaker is closed, so that with one
//! of three open the other two get the same share. Rotating over all and skipping forward gives the
//! neighbour of an open instance twice the load.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

use crate::breaker::Permit;
use crate::instance::InstanceState;

/// The instances that may be asked, as of the last change: callers read it without a lock.
#[derive(Default)]
pub(crate) struct Ready {
    /// Present, breaker closed; by number.
    pub(crate) closed: Box<[Arc<InstanceState>]>,
    /// Present, half-open, and waiting for a live call as their probe.
    pub(crate) untested: Box<[Arc<InstanceState>]>,
    /// Present, whatever their breakers say; by number.
    pub(crate) present: Box<[Arc<InstanceState>]>,
}

/// Everybody in turn.
#[derive(Debug)]
pub(crate) struct RoundRobin {
    turn: AtomicU64,
}

impl RoundRobin {
    /// Starts anywhere: many clients that start together must not all ask the same instance first.
    pub(crate) fn new() -> Self {
        Self { turn: AtomicU64::new(fastrand::u64(..1 << 32)) }
    }

    /// The next instance that was not `tried` yet and whose breaker gives a permit.
    pub(crate) fn pick(
        &self,
        ready: &Ready,
        tried: &[Arc<InstanceState>],
        now: Instant,
    ) -> Option<(Arc<InstanceState>, Permit)> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let from = (turn % (ready.closed.len() as u64).max(1)) as usize;
        let (before, after) = ready.closed.split_at(from);
        let untried = |state: &&Arc<InstanceState>| !tried.iter().any(|other| Arc::ptr_eq(state, other));
        ready
            .untested
            .iter()
            .chain(after)
            .chain(before)
            .filter(untried)
            .find_map(|state| Some((Arc::clone(state), state.breaker.admit(now).ok()?)))
    }
}
