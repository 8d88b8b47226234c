//! Calls that began while the breaker was closed succeed after it has opened: news from before the failures.

use super::{Finding, Found};
use crate::score::bed::{Bed, LIMIT, PATIENCE, Unfit};
use crate::score::peer::{Answer, Entry, Trip};

/// More than one, for breakers that want several successes in half-open.
const EARLY: usize = 4;

/// Neither while open nor while half-open does such a success close.
///
/// # Errors
/// When the breaker does not take the calls, does not open, or is not retested.
pub async fn early_success(entry: &Entry) -> Found {
    let bed = Bed::new(entry, Trip::InARow(LIMIT), PATIENCE);
    let mut early = Vec::new();
    for _ in 0..EARLY {
        early.push(bed.hold().await.ok_or(Unfit("skipped a call while closed"))?);
    }
    bed.open().await?;
    if let Some(first) = early.pop() {
        first.end(Ok(())).await;
    }
    if bed.succeed().await != Answer::Skipped {
        return Ok(Finding::new(false, "closes while open"));
    }
    let _probe = bed.probe().await?;
    for held in early {
        held.end(Ok(())).await;
    }
    Ok(if bed.was_closed().await { Finding::new(false, "closes") } else { Finding::new(true, "stays half-open") })
}
