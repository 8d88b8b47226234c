//! A thousand tasks ask a half-open breaker at once, and who is let through stays until all have asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Barrier, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Finding, Found};
use crate::score::bed::{Bed, LIMIT, PATIENCE, Unfit};
use crate::score::peer::{Answer, Entry, Trip, Work};

const CALLERS: usize = 1000;

/// A race need not be lost the first time.
const ROUNDS: usize = 10;

/// One is admitted, in each of several rounds.
///
/// # Errors
/// When the breaker does not open, or not everybody is answered.
pub async fn one_probe(entry: &Entry) -> Found {
    let (mut least, mut most) = (usize::MAX, 0);
    for _ in 0..ROUNDS {
        let bed = Bed::new(entry, Trip::InARow(LIMIT), PATIENCE);
        bed.open().await?;
        bed.half_open().await;
        let admitted = timeout(PATIENCE, ask_at_once(&bed)).await.map_err(|_| Unfit("some never got an answer"))?;
        (least, most) = (least.min(admitted), most.max(admitted));
    }
    let range = if least == most { most.to_string() } else { format!("{least} to {most}") };
    Ok(Finding::new((least, most) == (1, 1), range))
}

/// How many are admitted.
async fn ask_at_once(bed: &Bed) -> usize {
    let start = Arc::new(Barrier::new(CALLERS));
    let admitted = Arc::new(AtomicUsize::new(0));
    let asked = Arc::new(watch::Sender::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (peer, start) = (bed.peer(), Arc::clone(&start));
        let (counts, asked) = (Arc::clone(&admitted), Arc::clone(&asked));
        callers.spawn(async move {
            let has_asked = Arc::clone(&asked);
            let work: Work = Box::pin(async move {
                counts.fetch_add(1, Ordering::SeqCst);
                has_asked.send_modify(|callers| *callers += 1);
                // The sender is held right here.
                let _ = has_asked.subscribe().wait_for(|callers| *callers == CALLERS).await;
                Ok(())
            });
            start.wait().await;
            if peer.call(work).await == Answer::Skipped {
                asked.send_modify(|callers| *callers += 1);
            }
        });
    }
    callers.join_all().await;
    admitted.load(Ordering::SeqCst)
}
