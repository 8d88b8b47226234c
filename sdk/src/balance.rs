//! Which instance gets the next call.
//!
//! Filter first, rotate after: the rotation runs over the instances whose breaker is closed, so that with one
//! of three open the other two get the same share. Rotating over all and skipping forward gives the
//! neighbour of an open instance twice the load.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

use crate::instance::{Admission, InstanceState};

/// The instances that may be asked, as of the last change: callers read it without a lock. When a breaker turns, only
/// the places change.
#[derive(Default)]
pub(crate) struct Ready {
    /// Whatever their breakers say; by number.
    pub(crate) present: Arc<[Arc<InstanceState>]>,
    /// Whose breaker is closed, by their places among the present.
    pub(crate) closed: Box<[u32]>,
    /// Who is half-open and waits for a live call as its probe, likewise.
    pub(crate) untested: Box<[u32]>,
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

    /// A permit of the next instance that was not `tried` yet and whose breaker gives one.
    pub(crate) fn pick(&self, ready: &Ready, tried: &[Arc<InstanceState>], now: Instant) -> Option<Admission> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let admit = |place: &u32| {
            let state = &ready.present[*place as usize];
            let is_tried = tried.iter().any(|other| Arc::ptr_eq(state, other));
            if is_tried { None } else { state.admit(now).ok() }
        };
        let from = (turn % (ready.closed.len() as u64).max(1)) as usize;
        let (before, after) = ready.closed.split_at(from);
        let by_probe = ready.untested.iter().find_map(admit);
        by_probe.or_else(|| after.iter().find_map(admit)).or_else(|| before.iter().find_map(admit))
    }
}
