//! Tasks that make one call after the other, for a time or a number.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use mainstay::contracts::ratings::Rating;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::Failed;
use super::latency::Latencies;

/// How much longer than its slice a contestant may take for its last calls.
const PATIENCE: Duration = Duration::from_secs(10);

/// What one of the concurrent tasks holds of a contestant.
pub(crate) trait Caller: Send + 'static {
    /// One whole call: the answer is read, and decoded.
    fn call(&mut self) -> impl Future<Output = Result<Rating, Failed>> + Send;
}

/// What came of one slice.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) elapsed: Duration,
    pub(crate) latencies: Latencies,
}

/// The concurrent tasks of one contestant. Without the contestant's type, so that a round goes over all of them, and
/// a call does not pay for that.
pub(crate) trait Work {
    /// All tasks call until the time is over. Fails if a call does: what answers errors is not comparable.
    fn slice(&mut self, length: Duration) -> LocalBoxFuture<'_, Result<Tally, Failed>>;

    /// The first task alone makes so many calls.
    fn calls(&mut self, count: u32) -> LocalBoxFuture<'_, Result<(), Failed>>;
}

pub(crate) struct Team<C> {
    callers: Vec<C>,
}

impl<C: Caller> Team<C> {
    pub(crate) fn of(callers: Vec<C>) -> Box<dyn Work> {
        Box::new(Self { callers })
    }
}

impl<C: Caller> Work for Team<C> {
    fn slice(&mut self, length: Duration) -> LocalBoxFuture<'_, Result<Tally, Failed>> {
        Box::pin(async move {
            let began = Instant::now();
            let mut tasks: JoinSet<_> =
                self.callers.drain(..).map(|caller| call_until(caller, began + length)).collect();
            let mut latencies = Latencies::new();
            while let Some(ended) = timeout(length + PATIENCE, tasks.join_next()).await? {
                let (caller, took) = ended??;
                latencies.add(&took);
                self.callers.push(caller);
            }
            Ok(Tally { elapsed: began.elapsed(), latencies })
        })
    }

    fn calls(&mut self, count: u32) -> LocalBoxFuture<'_, Result<(), Failed>> {
        Box::pin(async move {
            let caller = self.callers.first_mut().ok_or("there is nobody to call")?;
            for _ in 0..count {
                caller.call().await?;
            }
            Ok(())
        })
    }
}

/// One reading of the clock is the end of a call and the beginning of the next.
async fn call_until<C: Caller>(mut caller: C, end: Instant) -> Result<(C, Latencies), Failed> {
    let mut latencies = Latencies::new();
    let mut now = Instant::now();
    while now < end {
        caller.call().await?;
        let answered = Instant::now();
        latencies.record(answered - now);
        now = answered;
    }
    Ok((caller, latencies))
}
