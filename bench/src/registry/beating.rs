//! Instances that say that they are there, evenly over time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mainstay::contracts::Call;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::http::Connection;
use crate::Failed;

/// Connections that beats of many instances share.
pub(crate) const CONNECTIONS: u16 = 16;

/// Beats that go on. Dropped, they stop.
#[derive(Debug, Default)]
pub(crate) struct Beating {
    tasks: JoinSet<Result<u64, Failed>>,
    stop: CancellationToken,
}

impl Beating {
    /// Goes on with work that says how many beats it has made, once it is stopped.
    pub(crate) fn spawn(&mut self, work: impl Future<Output = Result<u64, Failed>> + Send + 'static) {
        self.tasks.spawn(work);
    }

    pub(crate) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// How many beats there were, if none has failed.
    pub(crate) async fn end(mut self) -> Result<u64, Failed> {
        self.stop.cancel();
        let mut beats = 0;
        while let Some(ended) = self.tasks.join_next().await {
            beats += ended??;
        }
        Ok(beats)
    }
}

/// When whose turn is.
#[derive(Debug, Clone)]
pub(crate) struct Turns {
    begin: Instant,
    gap: Duration,
    made: usize,
    next: Arc<AtomicUsize>,
}

impl Turns {
    /// So many take their turns within `every`, and whoever shares `next` goes on where it stands.
    pub(crate) fn new(count: usize, every: Duration, next: Arc<AtomicUsize>) -> Self {
        let made = next.load(Ordering::Relaxed);
        Self { begin: Instant::now(), gap: every.div_f64(count as f64), made, next }
    }

    /// Waits for the next turn. None once it is stopped.
    pub(crate) async fn next(&self, stop: &CancellationToken) -> Option<usize> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let at = self.begin + self.gap.mul_f64((turn - self.made) as f64);
        tokio::select! {
            biased;
            () = stop.cancelled() => None,
            () = sleep_until(at) => Some(turn),
        }
    }
}

/// Makes these calls in turn, each once in `every`.
pub(crate) async fn start<C: Call + Sync + 'static>(
    address: SocketAddr,
    calls: Arc<[C]>,
    every: Duration,
    next: &Arc<AtomicUsize>,
) -> Result<Beating, Failed> {
    let mut beating = Beating::default();
    let connections = Connection::several(address, CONNECTIONS).await?;
    let turns = Turns::new(calls.len(), every, Arc::clone(next));
    for mut connection in connections {
        let (calls, turns, stop) = (Arc::clone(&calls), turns.clone(), beating.stop());
        beating.spawn(async move {
            let mut beats = 0;
            while let Some(turn) = turns.next(&stop).await {
                connection.call(&calls[turn % calls.len()]).await?;
                beats += 1;
            }
            Ok(beats)
        });
    }
    Ok(beating)
}
