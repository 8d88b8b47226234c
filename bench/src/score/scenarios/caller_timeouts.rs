//! Callers have less patience than the timeout of an attempt: each drops its call, one after the other. Whether that says
//! anything of the instance depends on whether it ever answers.

use std::time::Duration;

use super::{Finding, Found};
use crate::score::bed::{Bed, LIMIT, SHORT_TIMEOUT, Unfit};
use crate::score::peer::{Answer, Entry, Trip};

const CALLERS: usize = 1000;

/// A tenth of the timeout of an attempt.
const CALLER_WAITS: Duration = Duration::from_millis(2);

/// Longer than any caller waits, and well within the timeout.
const SLOW: Duration = Duration::from_millis(5);

/// On an instance that hangs, this opens.
///
/// # Errors
/// None of its own.
pub async fn caller_timeouts(entry: &Entry) -> Found {
    hung(&Bed::new(entry, Trip::InARow(LIMIT), SHORT_TIMEOUT)).await
}

/// The same, with an instance that answered one call before it hung.
///
/// # Errors
/// When the first call is not answered.
pub async fn after_an_answer(entry: &Entry) -> Found {
    let bed = Bed::new(entry, Trip::InARow(LIMIT), SHORT_TIMEOUT);
    if bed.succeed().await != Answer::Done {
        return Err(Unfit("did not answer while closed"));
    }
    hung(&bed).await
}

/// On an instance that would have answered a little later, this does not open.
///
/// # Errors
/// None of its own.
pub async fn impatient_callers(entry: &Entry) -> Found {
    let bed = Bed::new(entry, Trip::InARow(LIMIT), SHORT_TIMEOUT);
    Ok(match until_skipped(&bed, Some(SLOW)).await {
        Some(callers) => Finding::new(false, format!("opens after {callers}")),
        None => Finding::new(true, "stays closed"),
    })
}

async fn hung(bed: &Bed) -> Found {
    Ok(match until_skipped(bed, None).await {
        Some(callers) => Finding::new(true, format!("after {callers}")),
        None => Finding::new(false, "never"),
    })
}

/// How many leave before one is skipped; `None` if nobody is.
async fn until_skipped(bed: &Bed, takes: Option<Duration>) -> Option<usize> {
    for callers in 0..CALLERS {
        // A caller can be late itself, and find that the attempt has ended.
        if bed.leave(takes, CALLER_WAITS).await == Some(Answer::Skipped) {
            return Some(callers);
        }
    }
    None
}
