//! After a restart, what came meanwhile is heard before anything is closed.
//!
//! Quotes that came while the collector was away wait in its channel; those that it had received when it was killed
//! come back when their visibility timeout is over. They were not late, so the requests that they belong to are held open
//! until all of them have been heard.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use tokio::time::sleep;

use super::collect::VISIBILITY;
use super::tally::Tally;

/// What the predecessor had received has come back by then.
const LEAST: Duration = VISIBILITY.saturating_add(Duration::from_secs(1));
/// Nothing came for so long: nothing waits.
const QUIET: Duration = Duration::from_millis(500);
/// It is never quiet where much is asked: then it is over after so many looks.
const LOOKS: u32 = 60;

/// Whether requests from before the start may close.
#[derive(Debug)]
pub(super) struct Hold {
    started: SystemTime,
    heard: AtomicBool,
}

impl Hold {
    pub(super) fn new() -> Self {
        Self { started: SystemTime::now(), heard: AtomicBool::new(false) }
    }

    /// Is a request that was received then held open?
    pub(super) fn holds(&self, received: SystemTime) -> bool {
        received < self.started && !self.heard.load(Ordering::Acquire)
    }

    /// Waits until what came meanwhile has been heard, from when the collector hears.
    pub(super) async fn end(&self, tally: &Tally) {
        sleep(LEAST).await;
        for _ in 0..LOOKS {
            let before = tally.counters();
            sleep(QUIET).await;
            if tally.counters() == before {
                break;
            }
        }
        self.heard.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_from_before_are_held_until_what_came_meanwhile_is_heard() {
        let (hold, tally, begun) = (Hold::new(), Tally::default(), Instant::now());
        let (before, after) = (hold.started - Duration::from_secs(1), hold.started);
        assert!(hold.holds(before) && !hold.holds(after));
        hold.end(&tally).await;
        assert!(!hold.holds(before));
        assert_eq!(begun.elapsed(), LEAST + QUIET);
    }

    #[tokio::test(start_paused = true)]
    async fn where_quotes_never_cease_to_come_it_ends_all_the_same() {
        let (hold, tally, begun) = (Hold::new(), Tally::default(), Instant::now());
        let quotes = async {
            loop {
                tally.stored.fetch_add(1, Relaxed);
                sleep(QUIET / 2).await;
            }
        };
        tokio::select! {
            () = hold.end(&tally) => {}
            () = quotes => {}
        }
        assert_eq!(begun.elapsed(), LEAST + QUIET * LOOKS);
    }
}
