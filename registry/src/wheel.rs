//! What is due when: put in, and taken out, in a time that does not depend on how much there is.

use std::time::Duration;

use crate::clock::Time;

/// How finely instants are told apart: what is due is found at most this much later, and never earlier.
const SLOT: Duration = Duration::from_millis(64);
/// A turn takes four minutes and a half, longer than a lease: nearly everything is touched once.
const SLOTS: u64 = 4096;

/// Items by the instant they are due, in a ring of slots.
///
/// Nothing is taken out before its slot comes: whoever puts an item in again knows which of the two is meant.
#[derive(Debug)]
pub(crate) struct Wheel<T> {
    slots: Vec<Vec<(Time, T)>>,
    /// The slot that is not over yet, counted from the beginning of time.
    at: u64,
}

impl<T> Wheel<T> {
    pub(crate) fn new() -> Self {
        Self { slots: (0..SLOTS).map(|_| Vec::new()).collect(), at: 0 }
    }

    pub(crate) fn insert(&mut self, due: Time, item: T) {
        // What is due already is found when the present slot is over.
        let slot = number(due).max(self.at);
        self.slot(slot).push((due, item));
    }

    /// Takes out what was due in the slots that are over by `now`, and whatever else in them is not to be kept.
    pub(crate) fn turn(&mut self, now: Time, mut keep: impl FnMut(Time, &T) -> bool) -> Vec<(Time, T)> {
        let mut due = Vec::new();
        let present = number(now);
        // After a whole turn every slot has been seen.
        for slot in self.at..present.min(self.at + SLOTS) {
            for (at, item) in std::mem::take(self.slot(slot)) {
                if !keep(at, &item) {
                    continue;
                }
                if number(at) < present {
                    due.push((at, item));
                } else {
                    self.slot(slot).push((at, item));
                }
            }
        }
        self.at = self.at.max(present);
        due
    }

    fn slot(&mut self, number: u64) -> &mut Vec<(Time, T)> {
        let place = usize::try_from(number % SLOTS).expect("it is less than the number of slots");
        &mut self.slots[place]
    }
}

fn number(time: Time) -> u64 {
    time.as_millis() / u64::try_from(SLOT.as_millis()).expect("a slot is short")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn everything_comes_once_and_never_early(
            steps in prop::collection::vec((0u64..400_000, 0u64..600_000), 1..60),
        ) {
            let (mut wheel, mut now, mut waiting) = (Wheel::new(), 0, BTreeMap::new());
            for (item, (pass, after)) in steps.into_iter().enumerate() {
                wheel.insert(Time::from_millis(now + after), item);
                waiting.insert(item, now + after);
                now += pass;
                let mut came: Vec<_> = wheel.turn(Time::from_millis(now), |_, _| true);
                came.sort();
                for (at, item) in came {
                    prop_assert_eq!(waiting.remove(&item), Some(at.as_millis()));
                    prop_assert!(at.as_millis() <= now);
                }
                prop_assert!(waiting.values().all(|at| *at + 64 > now), "late at {}: {:?}", now, waiting);
            }
        }
    }

    #[test]
    fn what_is_not_kept_is_dropped_when_its_slot_comes() {
        let mut wheel = Wheel::new();
        wheel.insert(Time::from_millis(10), 'a');
        wheel.insert(Time::from_millis(10), 'b');
        assert_eq!(wheel.turn(Time::from_millis(64), |_, item| *item == 'b'), [(Time::from_millis(10), 'b')]);
        assert_eq!(wheel.turn(Time::from_millis(1_000_000), |_, _| true), []);
    }
}
