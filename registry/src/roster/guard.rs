//! Too many at once: when it is more likely the way to them that was lost.

use std::collections::VecDeque;
use std::time::Duration;

use crate::Guard;
use crate::clock::Time;

/// When instances of a service were taken off the list because their time was up.
#[derive(Debug, Default)]
pub(super) struct Losses(VecDeque<Time>);

impl Losses {
    pub(super) fn note(&mut self, now: Time) {
        self.0.push_back(now);
    }

    fn lately(&mut self, within: Duration, now: Time) -> usize {
        while self.0.front().is_some_and(|at| now.since(*at) >= within) {
            self.0.pop_front();
        }
        self.0.len()
    }

    /// Would too many be lost, if of the `listed` those went whose time is up or will be soon?
    ///
    /// What was lost `within` a lease's time counts as well: ten losses in a row are no better than ten at once.
    pub(super) fn would_be_too_many(
        &mut self,
        guard: &Guard,
        within: Duration,
        (doubtful, listed): (usize, usize),
        now: Time,
    ) -> bool {
        let lately = self.lately(within, now);
        let share = (listed + lately) * usize::from(guard.percent) / 100;
        doubtful + lately > guard.most.max(share) || listed <= 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(105);

    fn too_many(losses: &mut Losses, doubtful: usize, listed: usize, second: u64) -> bool {
        losses.would_be_too_many(&Guard::default(), LEASE, (doubtful, listed), Time::from_millis(second * 1000))
    }

    #[test]
    fn more_than_two_and_more_than_three_in_ten_are_too_many() {
        for (doubtful, listed, expected) in [
            (1, 2, false),
            (2, 3, false),
            (3, 3, true),
            (3, 9, true),
            (3, 10, false),
            (4, 10, true),
            (300, 1000, false),
            (301, 1000, true),
        ] {
            assert_eq!(too_many(&mut Losses::default(), doubtful, listed, 0), expected, "{doubtful} of {listed}");
        }
    }

    #[test]
    fn the_last_one_is_one_too_many() {
        assert!(too_many(&mut Losses::default(), 1, 1, 0));
    }

    #[test]
    fn losses_count_for_as_long_as_a_lease() {
        let mut losses = Losses::default();
        for second in [0, 50] {
            losses.note(Time::default() + Duration::from_secs(second));
        }
        assert!(too_many(&mut losses, 1, 3, 104), "three of five within a lease");
        assert!(!too_many(&mut losses, 1, 3, 105), "two of four");
        assert_eq!(losses.0.len(), 1);
    }
}
