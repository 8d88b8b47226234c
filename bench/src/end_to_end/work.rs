//! Tasks that make one call after the other, for a time or a number.

use std::hint::black_box;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use mainstay::contracts::ratings::Rating;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::Failed;
use crate::latency::Latencies;

/// How much longer than its slice a contestant may take for its last calls.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is called for. The compiler does not know it where it is used.
pub(crate) const THING: &str = "camera";

/// Failures of one task in one slice that end everything: what answers errors is not comparable, but a machine that
/// stood still for a second is no reason to begin again.
const TOO_MANY: usize = 3;

/// What one of the concurrent tasks holds of a contestant.
pub(crate) trait Caller: Send + 'static {
    /// One whole call: the answer is read, and decoded.
    fn call(&mut self, thing: &str) -> impl Future<Output = Result<Rating, Failed>> + Send;
}

/// What came of one slice.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) elapsed: Duration,
    /// Of the calls that were answered.
    pub(crate) latencies: Latencies,
    pub(crate) failures: Vec<Failed>,
}

/// The concurrent tasks of one contestant. Without the contestant's type, so that a round goes over all of them, and
/// a call does not pay for that.
pub(crate) trait Work {
    /// All tasks call until the time is over. Fails if one of them does again and again.
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
            let (mut latencies, mut failures) = (Latencies::new(), Vec::new());
            while let Some(ended) = timeout(length + PATIENCE, tasks.join_next()).await? {
                let (caller, tally) = ended??;
                latencies.add(&tally.latencies);
                failures.extend(tally.failures);
                self.callers.push(caller);
            }
            Ok(Tally { elapsed: began.elapsed(), latencies, failures })
        })
    }

    fn calls(&mut self, count: u32) -> LocalBoxFuture<'_, Result<(), Failed>> {
        Box::pin(async move {
            let caller = self.callers.first_mut().ok_or("there is nobody to call")?;
            for _ in 0..count {
                black_box(caller.call(black_box(THING)).await?);
            }
            Ok(())
        })
    }
}

/// One reading of the clock is the end of a call and the beginning of the next.
async fn call_until<C: Caller>(mut caller: C, end: Instant) -> Result<(C, Tally), Failed> {
    let (mut latencies, mut failures) = (Latencies::new(), Vec::new());
    let began = Instant::now();
    let mut now = began;
    while now < end {
        let result = caller.call(black_box(THING)).await;
        let answered = Instant::now();
        match result {
            Ok(rating) => {
                black_box(rating);
                latencies.record(answered - now);
            }
            Err(error) if failures.len() + 1 == TOO_MANY => return Err(error),
            Err(error) => failures.push(error),
        }
        now = answered;
    }
    Ok((caller, Tally { elapsed: now - began, latencies, failures }))
}

#[cfg(test)]
mod tests {
    use mainstay::contracts::ratings::Stars;
    use tokio::time::sleep;

    use super::*;

    /// Answers after a millisecond, and fails as often as it is told to.
    struct Flaky(usize);

    impl Caller for Flaky {
        async fn call(&mut self, _: &str) -> Result<Rating, Failed> {
            sleep(Duration::from_millis(1)).await;
            if self.0 > 0 {
                self.0 -= 1;
                return Err("flaky".into());
            }
            Ok(Rating { thing: "camera".to_owned(), rating: Stars::new(5.0).ok_or("not a rating")? })
        }
    }

    #[tokio::test]
    async fn a_failure_is_told_and_only_many_end_the_slice() {
        let mut team = Team::of(vec![Flaky(1), Flaky(0), Flaky(TOO_MANY - 1)]);
        let tally = team.slice(Duration::from_millis(100)).await.unwrap();
        assert_eq!(tally.failures.len(), TOO_MANY);
        assert!(tally.latencies.calls() > 0 && tally.elapsed >= Duration::from_millis(100));
        assert_eq!(team.slice(Duration::from_millis(10)).await.unwrap().failures.len(), 0);
        assert!(Team::of(vec![Flaky(TOO_MANY)]).slice(Duration::from_millis(100)).await.is_err());
    }
}
