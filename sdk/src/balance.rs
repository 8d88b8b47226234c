//! Which instance gets the next call.
//!
//! Filter first, rotate after: the rotation runs over the instances whose breaker is closed, so that with one
//! of three open the other two get the same share. Rotating over all and skipping forward gives the
//! neighbour of an open instance twice the load.

use std::sync::Arc;

use tokio::time::Instant;

use crate::instance::{Admission, InstanceState};
use crate::sync::{AtomicU64, Ordering};

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
    turns: Turns,
}

impl Ready {
    pub(crate) fn new(present: Arc<[Arc<InstanceState>]>, closed: Vec<u32>, untested: Vec<u32>) -> Self {
        let turns = Turns::of(closed.len());
        Self { present, closed: closed.into(), untested: untested.into(), turns }
    }
}

/// Divides by the number of instances without dividing, which takes as long as an atomic write: Lemire, Kaser, Kurz:
/// Faster Remainder by Direct Computation (2019).
#[derive(Debug, Clone, Copy, Default)]
struct Turns {
    instances: u32,
    inverse: u64,
}

impl Turns {
    fn of(instances: usize) -> Self {
        let instances = u32::try_from(instances).unwrap_or(u32::MAX);
        Self { instances, inverse: (u64::MAX / u64::from(instances.max(1))).wrapping_add(1) }
    }

    /// `turn % instances`, or 0 if there are none.
    fn remainder(self, turn: u32) -> usize {
        let fraction = self.inverse.wrapping_mul(turn.into());
        ((u128::from(fraction) * u128::from(self.instances)) >> 64) as usize
    }
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
        let (before, after) = ready.closed.split_at(ready.turns.remainder(turn as u32));
        let by_probe = ready.untested.iter().find_map(admit);
        by_probe.or_else(|| after.iter().find_map(admit)).or_else(|| before.iter().find_map(admit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_go_round() {
        for instances in [0, 1, 2, 3, 7, 10, 4_096, 10_000, u32::MAX as usize] {
            let turns = Turns::of(instances);
            for turn in [0, 1, 2, 3, 9, 10, 4_095, 10_001, u32::MAX - 1, u32::MAX] {
                let expected = (turn as usize).checked_rem(instances).unwrap_or(0);
                assert_eq!(turns.remainder(turn), expected, "{turn} of {instances}");
            }
        }
    }
}
