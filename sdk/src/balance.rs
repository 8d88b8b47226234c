//! Which instance gets the next call.
//!
//! Filter first, rotate after: the rotation runs over the instances whose breaker is closed, so that with one
//! of three open the other two get the same share. Rotating over all and skipping forward gives the
//! neighbour of an open instance twice the load. Who drains is filtered too, and asked when nobody else can be.

use std::ops::Deref;
use std::sync::Arc;

use mainstay_contracts::registry::Presence;
use tokio::time::Instant;

use crate::instance::{Admission, InstanceState};
use crate::sync::{AtomicU64, Ordering};

/// Who is present, whatever their breakers say.
#[derive(Clone, Default)]
pub(crate) struct Present {
    /// By number.
    everybody: Arc<[Arc<InstanceState>]>,
    /// Who asks for no more calls, by their places among everybody.
    draining: Arc<[u32]>,
}

impl Present {
    /// Those of them who are present; they come in order.
    pub(crate) fn of<'a>(known: impl Iterator<Item = &'a Arc<InstanceState>>) -> Self {
        let mut draining = Vec::new();
        let mut everybody = Vec::new();
        for state in known {
            match state.standing().presence {
                Presence::Gone => continue,
                Presence::Draining => draining.push(everybody.len() as u32),
                Presence::Up | Presence::Silent | Presence::Suspect => {}
            }
            everybody.push(Arc::clone(state));
        }
        Self { everybody: everybody.into(), draining: draining.into() }
    }

    fn is_draining(&self, place: u32) -> bool {
        !self.draining.is_empty() && self.draining.binary_search(&place).is_ok()
    }
}

impl Deref for Present {
    type Target = [Arc<InstanceState>];

    fn deref(&self) -> &Self::Target {
        &self.everybody
    }
}

/// When an instance is asked, by its breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    InRotation,
    AsProbe,
    None,
}

/// The instances that may be asked, as of the last change: callers read it without a lock. When a breaker turns, only
/// the places change.
#[derive(Default)]
pub(crate) struct Ready {
    pub(crate) present: Present,
    /// Whose breaker is closed and who takes calls, by their places among the present.
    pub(crate) closed: Box<[u32]>,
    /// Who is half-open and waits for a live call as its probe, likewise.
    pub(crate) untested: Box<[u32]>,
    /// Whose breaker is closed and who drains: still serves, and is asked when nobody else can be.
    pub(crate) draining: Box<[u32]>,
    turns: Turns,
}

impl Ready {
    pub(crate) fn new(present: Present, turn: impl Fn(&InstanceState) -> Turn) -> Self {
        let (mut closed, mut untested, mut draining) = (Vec::with_capacity(present.len()), Vec::new(), Vec::new());
        for (place, state) in (0..).zip(present.iter()) {
            match (turn(state), present.is_draining(place)) {
                (Turn::InRotation, false) => closed.push(place),
                (Turn::InRotation, true) => draining.push(place),
                (Turn::AsProbe, false) => untested.push(place),
                (Turn::AsProbe, true) | (Turn::None, _) => {}
            }
        }
        let turns = Turns::of(closed.len());
        Self { present, closed: closed.into(), untested: untested.into(), draining: draining.into(), turns }
    }

    /// Whoever is there to be asked, each: without those who drain, unless nobody else can be.
    pub(crate) fn each(&self) -> impl Iterator<Item = &Arc<InstanceState>> {
        let is_asked = |place: u32| self.closed.is_empty() || !self.present.is_draining(place);
        (0..).zip(self.present.iter()).filter(move |(place, _)| is_asked(*place)).map(|(_, state)| state)
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
        let in_turn = by_probe.or_else(|| after.iter().find_map(admit)).or_else(|| before.iter().find_map(admit));
        in_turn.or_else(|| {
            let (before, after) = ready.draining.split_at(turn as usize % ready.draining.len().max(1));
            after.iter().find_map(admit).or_else(|| before.iter().find_map(admit))
        })
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
