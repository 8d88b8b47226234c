//! A probe is out when its half-open period ends by another call's failure; it succeeds in the next one.

use super::{Finding, Found};
use crate::score::bed::{Bed, LIMIT, PATIENCE, RETEST_DELAY, SOON, Unfit};
use crate::score::peer::{Entry, Failed, Trip};

/// Such a success does not close.
///
/// # Errors
/// When the breaker does not take the call, does not open, or is not retested.
pub async fn old_probe(entry: &Entry) -> Found {
    let bed = Bed::new(entry, Trip::InARow(LIMIT), PATIENCE);
    let early = bed.hold().await.ok_or(Unfit("skipped a call while closed"))?;
    bed.open().await?;
    // Two, where half-open lets more than one through, for breakers that want several successes.
    let old = [Some(bed.probe().await?), bed.hold().await];
    // The period ends by a failure from before the opening, or by another probe: by whatever the breaker allows.
    early.end(Err(Failed)).await;
    match bed.hold_within(RETEST_DELAY * SOON).await {
        Some((other, _)) => other.end(Err(Failed)).await,
        None => return Ok(Finding::meaningless("a half-open period does not end while its probe is out")),
    }
    let _probe = bed.probe().await?;
    for held in old.into_iter().flatten() {
        held.end(Ok(())).await;
    }
    Ok(if bed.was_closed().await { Finding::new(false, "closes") } else { Finding::new(true, "stays half-open") })
}
