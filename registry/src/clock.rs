//! The registry's own time, which stands still while the registry does.
//!
//! Leases run on it. A registry that was stopped, or that waited for its disk, has not heard the beats of that while:
//! they wait in its sockets, or were never sent, and nobody may be the worse for it.

use std::ops::Add;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The longest step between two looks at the clock. What is beyond it was a stall.
pub(crate) const LONGEST: Duration = Duration::from_secs(1);
/// For so long after a stall, a connection that closes says nothing of whoever had it: it may have given us up.
const AFTERMATH: Duration = Duration::from_secs(10);

/// An instant of the registry's own time: milliseconds since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Time(u64);

impl Time {
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    pub(crate) fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    pub(crate) fn as_millis(self) -> u64 {
        self.0
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        let millis = u64::try_from(later.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

/// The time as everybody may read it.
#[derive(Debug, Default)]
pub(crate) struct Clock(AtomicU64);

impl Clock {
    pub(crate) fn now(&self) -> Time {
        Time(self.0.load(Ordering::Relaxed))
    }
}

/// What makes the time go on: held by the one who changes the roster.
#[derive(Debug)]
pub(crate) struct Ticker {
    clock: Arc<Clock>,
    last: Instant,
    stalled: Option<Time>,
}

impl Ticker {
    pub(crate) fn new(clock: Arc<Clock>) -> Self {
        Self { clock, last: Instant::now(), stalled: None }
    }

    /// Lets the time go on to now, and says what it is.
    pub(crate) fn tick(&mut self) -> Time {
        let now = Instant::now();
        let passed = now.duration_since(self.last);
        let counted = if passed > LONGEST {
            self.last = now;
            LONGEST
        } else {
            // Whole milliseconds: the rest counts the next time.
            let whole = Duration::from_millis(u64::try_from(passed.as_millis()).unwrap_or_default());
            self.last += whole;
            whole
        };
        let time = self.clock.now() + counted;
        self.clock.0.store(time.0, Ordering::Relaxed);
        if passed > LONGEST {
            self.stalled = Some(time);
        }
        time
    }

    /// Was there a stall so lately that connections may be closing because of it?
    pub(crate) fn in_aftermath(&self) -> bool {
        self.stalled.is_some_and(|at| self.clock.now().since(at) < AFTERMATH)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_in_steps_and_stands_still_while_nobody_looks() {
        let clock = Arc::new(Clock::default());
        let mut ticker = Ticker::new(Arc::clone(&clock));
        for _ in 0..50 {
            advance(Duration::from_micros(100_300)).await;
            ticker.tick();
        }
        assert_eq!(clock.now(), Time(5_015));
        assert!(!ticker.in_aftermath());
        advance(Duration::from_secs(3600)).await;
        assert_eq!(ticker.tick(), Time(6_015));
        assert!(ticker.in_aftermath());
        for _ in 0..100 {
            advance(Duration::from_millis(100)).await;
            ticker.tick();
        }
        assert!(!ticker.in_aftermath());
    }

    #[tokio::test(start_paused = true)]
    async fn looking_often_loses_nothing() {
        let clock = Arc::new(Clock::default());
        let mut ticker = Ticker::new(Arc::clone(&clock));
        for _ in 0..10_000 {
            advance(Duration::from_micros(70)).await;
            ticker.tick();
        }
        assert_eq!(clock.now(), Time(700));
    }
}
