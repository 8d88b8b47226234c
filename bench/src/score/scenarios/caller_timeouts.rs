//! An instance hangs, and callers have less patience than the timeout of an attempt: each drops its call.

use std::time::Duration;

use super::{Finding, Found};
use crate::score::bed::{Bed, LIMIT, SHORT_TIMEOUT, Unfit};
use crate::score::peer::{Answer, Entry, Trip};

const CALLERS: usize = 1000;

/// A tenth of the timeout of an attempt.
const CALLER_WAITS: Duration = SHORT_TIMEOUT.checked_div(10).expect("ten is not zero");

/// One after the other, until somebody is skipped.
///
/// # Errors
/// When a call that nobody answers is answered.
pub async fn caller_timeouts(entry: &Entry) -> Found {
    hang(&Bed::new(entry, Trip::InARow(LIMIT), SHORT_TIMEOUT)).await
}

/// The same, with an instance that answered one call before it hung.
///
/// # Errors
/// As [`caller_timeouts`], and when the first call is not answered.
pub async fn after_an_answer(entry: &Entry) -> Found {
    let bed = Bed::new(entry, Trip::InARow(LIMIT), SHORT_TIMEOUT);
    if bed.succeed().await != Answer::Done {
        return Err(Unfit("did not answer while closed"));
    }
    hang(&bed).await
}

async fn hang(bed: &Bed) -> Found {
    for callers in 0..CALLERS {
        match bed.hang(CALLER_WAITS).await {
            None => {}
            Some(Answer::Skipped) => return Ok(Finding::new(true, format!("after {callers}"))),
            Some(Answer::Done) => return Err(Unfit("answered a call that nobody answers")),
            // A caller can be late itself, and find that the attempt has timed out.
            Some(Answer::Failed) => {}
        }
    }
    Ok(Finding::new(false, "never"))
}
