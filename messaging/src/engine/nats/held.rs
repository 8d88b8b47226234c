//! Deliveries that this process has received, and until when they are its own.
//!
//! JetStream takes the word of anybody who ever received a message, however late. So that a late word does not settle
//! what somebody else has by now, it is not passed on: by this process's clock, which began to count a moment after the
//! server's.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// Entries beyond which those that are over are looked for.
const TIDY: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Held {
    /// By message: which delivery of it, and until when.
    deliveries: HashMap<u64, (u32, Instant)>,
    tidy_at: usize,
}

impl Held {
    /// A delivery has come. Whichever of the same message there was before has run out.
    pub(super) fn insert(&mut self, message: u64, attempt: u32, now: Instant, invisible: Duration) {
        if self.deliveries.len() > self.tidy_at.max(TIDY) {
            self.deliveries.retain(|_, (_, until)| now < *until);
            self.tidy_at = 2 * self.deliveries.len();
        }
        self.deliveries.insert(message, (attempt, now + invisible));
    }

    /// Is this delivery still its consumer's?
    pub(super) fn holds(&self, message: u64, attempt: u32, now: Instant) -> bool {
        self.deliveries.get(&message).is_some_and(|&(held, until)| held == attempt && now < until)
    }

    /// A delivery is settled.
    pub(super) fn release(&mut self, message: u64, attempt: u32) {
        if self.deliveries.get(&message).is_some_and(|&(held, _)| held == attempt) {
            self.deliveries.remove(&message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn a_delivery_is_held_until_its_time_is_over() {
        let (mut held, now) = (Held::default(), Instant::now());
        held.insert(7, 1, now, LONG);
        assert!(held.holds(7, 1, now + LONG - Duration::from_nanos(1)));
        assert!(!held.holds(7, 1, now + LONG));
        assert!(!held.holds(8, 1, now));
    }

    #[test]
    fn a_later_delivery_takes_the_message_from_an_earlier_one() {
        let (mut held, now) = (Held::default(), Instant::now());
        held.insert(7, 1, now, LONG);
        held.insert(7, 2, now, LONG);
        assert!(!held.holds(7, 1, now));
        held.release(7, 1);
        assert!(held.holds(7, 2, now));
        held.release(7, 2);
        assert!(!held.holds(7, 2, now));
    }

    #[test]
    fn what_nobody_settles_is_forgotten_when_it_is_over() {
        let (mut held, now) = (Held::default(), Instant::now());
        for message in 0..10 * TIDY as u64 {
            held.insert(message, 1, now + LONG * u32::try_from(message).unwrap(), LONG);
        }
        assert!(held.deliveries.len() <= TIDY + 1, "{}", held.deliveries.len());
    }
}
