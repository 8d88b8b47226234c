//! The caller whose call is the probe leaves before it is answered.

use super::{Finding, Found};
use crate::score::bed::{Bed, LIMIT, RETEST_DELAY, SHORT_TIMEOUT, SOON};
use crate::score::peer::{Entry, Trip};

/// Another probe goes soon, and until then nobody else: nothing is known of the instance yet.
///
/// # Errors
/// When the breaker does not open, or is not retested.
pub async fn cancelled_probe(entry: &Entry) -> Found {
    let bed = Bed::new(entry, Trip::InARow(LIMIT), SHORT_TIMEOUT);
    bed.open().await?;
    let probe = bed.probe().await?;
    if bed.hold().await.is_some() {
        return Ok(Finding::meaningless("half-open lets every call through, so that there is no probe to lose"));
    }
    probe.cancel().await;
    let Some((_probe, took)) = bed.hold_within(RETEST_DELAY * SOON).await else {
        return Ok(Finding::new(false, "never"));
    };
    if bed.hold().await.is_some() {
        return Ok(Finding::new(false, "closes"));
    }
    Ok(Finding::new(true, format!("after {} ms", took.as_millis())))
}
