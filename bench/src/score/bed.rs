//! A breaker, and calls through it that are held open, failed and cancelled at will.

use std::fmt;
use std::future::{pending, ready};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::peer::{Answer, Entry, Failed, Peer, Rules, Trip, Work};

/// Failures in a row that open every breaker.
pub const LIMIT: u32 = 5;

/// The most failures that a half-open breaker lets through: recloser's shortest ring is full with one, and judged with
/// the next. A closed one takes more, also where some successes are in its window.
const HALF_OPEN_LETS_THROUGH: usize = 2;

/// How long every breaker stays open.
pub const RETEST_DELAY: Duration = Duration::from_millis(50);

/// What should happen soon happens within so many retest delays.
pub const SOON: u32 = 10;

/// The timeout of an attempt where attempts are to end by themselves.
pub const SHORT_TIMEOUT: Duration = Duration::from_millis(20);

/// The timeout of an attempt where none is to end by itself, and the longest that anything is waited for.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Longer than a breaker stays open, and than clocks and timers differ.
const SURELY_OVER: Duration = Duration::from_millis(65);

/// How often a breaker is asked that should let a call through soon.
const ASK_EVERY: Duration = Duration::from_millis(1);

/// A scenario came to no result: the breaker was not where it should have been to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfit(pub &'static str);

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A breaker to try things on.
pub struct Bed {
    peer: Arc<dyn Peer>,
}

impl Bed {
    /// A closed breaker with this rule and attempt timeout.
    pub fn new(entry: &Entry, trip: Trip, timeout: Duration) -> Self {
        Self { peer: (entry.build)(&Rules { trip, retest_delay: RETEST_DELAY, timeout }) }
    }

    /// The breaker itself, for tasks of their own.
    pub fn peer(&self) -> Arc<dyn Peer> {
        Arc::clone(&self.peer)
    }

    /// A call that is answered at once.
    pub async fn succeed(&self) -> Answer {
        self.peer.call(Box::pin(ready(Ok(())))).await
    }

    /// A call that fails at once.
    pub async fn fail(&self) -> Answer {
        self.peer.call(Box::pin(ready(Err(Failed)))).await
    }

    /// A call that takes this long (`None`: for ever), by a caller who waits so long. `None` is a caller who left.
    pub async fn leave(&self, takes: Option<Duration>, patience: Duration) -> Option<Answer> {
        let work: Work = match takes {
            None => Box::pin(pending()),
            Some(takes) => Box::pin(async move {
                sleep(takes).await;
                Ok(())
            }),
        };
        timeout(patience, self.peer.call(work)).await.ok()
    }

    /// A call that stays open until it is told how to end; `None` when it was skipped.
    pub async fn hold(&self) -> Option<Held> {
        let (started, has_started) = oneshot::channel();
        let (end, ends) = oneshot::channel();
        let work: Work = Box::pin(async move {
            let _ = started.send(());
            match ends.await {
                Ok(result) => result,
                // Its caller has left. The instance may not know, and does not answer for that.
                Err(_) => pending().await,
            }
        });
        let task = tokio::spawn(self.peer.call(work));
        let held = Held { end: Some(end), task };
        matches!(timeout(PATIENCE, has_started).await, Ok(Ok(()))).then_some(held)
    }

    /// Opens the closed breaker.
    ///
    /// # Errors
    /// When it does not open.
    pub async fn open(&self) -> Result<(), Unfit> {
        let most = 2 * LIMIT as usize;
        if self.failures_until_skipped(most).await < most { Ok(()) } else { Err(Unfit("did not open")) }
    }

    /// Waits until the open breaker is to be retested.
    pub async fn half_open(&self) {
        sleep(SURELY_OVER).await;
    }

    /// Waits likewise, and holds the probe.
    ///
    /// # Errors
    /// When no call is let through.
    pub async fn probe(&self) -> Result<Held, Unfit> {
        self.half_open().await;
        let held = self.hold_within(RETEST_DELAY * SOON).await;
        held.map(|(probe, _)| probe).ok_or(Unfit("was not retested"))
    }

    /// Fails call after call until one is skipped, `most` at most: how many were let through.
    pub async fn failures_until_skipped(&self, most: usize) -> usize {
        for let_through in 0..most {
            if self.fail().await == Answer::Skipped {
                return let_through;
            }
        }
        most
    }

    /// Whether the breaker is closed, by what callers see of it: it lets more failures through than a half-open one.
    pub async fn was_closed(&self) -> bool {
        self.failures_until_skipped(LIMIT as usize).await > HALF_OPEN_LETS_THROUGH
    }

    /// Asks until a call is let through, and holds it: how long that took, or `None` if it took longer than `within`.
    pub async fn hold_within(&self, within: Duration) -> Option<(Held, Duration)> {
        let asked = Instant::now();
        while asked.elapsed() < within {
            if let Some(held) = self.hold().await {
                return Some((held, asked.elapsed()));
            }
            sleep(ASK_EVERY).await;
        }
        None
    }
}

/// A call that is open. Dropping it is what a caller does that leaves.
pub struct Held {
    end: Option<oneshot::Sender<Result<(), Failed>>>,
    task: JoinHandle<Answer>,
}

impl Held {
    /// Ends it so, and waits until its caller has the answer.
    pub async fn end(mut self, result: Result<(), Failed>) {
        if let Some(end) = self.end.take() {
            let _ = end.send(result);
        }
        let _ = timeout(PATIENCE, &mut self.task).await;
    }

    /// Its caller leaves.
    pub async fn cancel(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.task.abort();
    }
}
