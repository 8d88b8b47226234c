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
#[derive(Debug)]
pub(crate) struct Clock {
    began: Instant,
    /// The time at the last look of the one who makes it go on, and when that was, in milliseconds since `began`.
    time: AtomicU64,
    looked: AtomicU64,
}

impl Default for Clock {
    fn default() -> Self {
        Self { began: Instant::now(), time: AtomicU64::new(0), looked: AtomicU64::new(0) }
    }
}

impl Clock {
    /// What it is now, and not at the last look: a beat that is stamped too early would be found too late. It goes no
    /// further by itself than a look would take it.
    pub(crate) fn now(&self) -> Time {
        // In this order: a look in between makes it later, and nobody expires by that.
        let looked = self.looked.load(Ordering::Acquire);
        let time = self.time.load(Ordering::Acquire);
        let since = self.since_began(Instant::now()).saturating_sub(looked);
        Time(time + since.min(LONGEST.as_millis() as u64))
    }

    /// Has nobody looked at it for longer than it goes on by itself?
    #[cfg(feature = "etcd")]
    pub(crate) fn is_late(&self) -> bool {
        let since = self.since_began(Instant::now()).saturating_sub(self.looked.load(Ordering::Acquire));
        since > LONGEST.as_millis() as u64
    }

    fn since_began(&self, now: Instant) -> u64 {
        u64::try_from(now.duration_since(self.began).as_millis()).unwrap_or(u64::MAX)
    }

    fn set(&self, time: Time, looked: Instant) {
        self.time.store(time.0, Ordering::Release);
        self.looked.store(self.since_began(looked), Ordering::Release);
    }
}

/// What makes the time go on: held by the one who changes the roster.
#[derive(Debug)]
pub(crate) struct Ticker {
    clock: Arc<Clock>,
    time: Time,
    last: Instant,
    stalled: Option<Time>,
}

impl Ticker {
    pub(crate) fn new(clock: Arc<Clock>) -> Self {
        Self { time: clock.now(), clock, last: Instant::now(), stalled: None }
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
        self.time = self.time + counted;
        self.clock.set(self.time, self.last);
        if passed > LONGEST {
            self.stalled = Some(self.time);
        }
        self.time
    }

    /// Was there a stall so lately that connections may be closing because of it?
    pub(crate) fn in_aftermath(&self) -> bool {
        self.stalled.is_some_and(|at| self.time.since(at) < AFTERMATH)
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
