//! What a breaker is to the card: calls go through it, or are skipped.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

/// What a call does once it is let through.
pub type Work = Pin<Box<dyn Future<Output = Result<(), Failed>> + Send>>;

/// A call, from asking the breaker to its answer. Dropping it is what a caller does that waits no longer.
pub type Calling = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// The instance failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The instance answered.
    Done,
    /// The instance was asked, and failed.
    Failed,
    /// The breaker did not let the call through.
    Skipped,
}

impl From<Result<(), Failed>> for Answer {
    fn from(result: Result<(), Failed>) -> Self {
        if result.is_ok() { Self::Done } else { Self::Failed }
    }
}

/// What opens a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trip {
    /// This many failures in a row; where a peer counts in another way, the same with nothing else in its window.
    InARow(u32),
    /// Half of the calls in a window: [`WINDOW_CALLS`] or [`WINDOW_TIME`], whichever the peer counts by.
    Window,
}

/// The window of peers that count calls.
pub const WINDOW_CALLS: u32 = 100;

/// The window of peers that count time: the shortest that all of them accept.
pub const WINDOW_TIME: Duration = Duration::from_secs(1);

/// How a peer is set up: the same for all.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// What opens it.
    pub trip: Trip,
    /// How long it stays open.
    pub retest_delay: Duration,
    /// The timeout of one attempt, inside of the breaker: a timed-out attempt is a failure that it sees.
    pub timeout: Duration,
}

/// A breaker under test.
pub trait Peer: Send + Sync {
    /// Calls through the breaker. Nothing is asked before the future is polled.
    fn call(&self, work: Work) -> Calling;
}

/// A line of the card's head: a breaker that can be built.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// What the card calls it.
    pub name: &'static str,
    /// The package whose version the card shows.
    pub package: &'static str,
    /// Builds it anew, closed.
    pub build: fn(&Rules) -> Arc<dyn Peer>,
}

/// The work, as an attempt that fails after `limit`.
pub(super) async fn within(limit: Duration, work: Work) -> Result<(), Failed> {
    timeout(limit, work).await.unwrap_or(Err(Failed))
}
