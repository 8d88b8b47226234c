//! Many successes, and then nothing but failures: what is long ago must not weigh.

use tokio::time::sleep;

use super::{Finding, Found};
use crate::score::bed::{Bed, PATIENCE, Unfit};
use crate::score::peer::{Answer, Entry, Trip, WINDOW_CALLS, WINDOW_TIME};

const SUCCESSES: usize = 10_000;

/// Then it is said how many, and not waited any longer.
const MOST_FAILURES: usize = 20_000;

/// As many failures as the window has calls open the breaker, when the time of a window has passed since the successes.
///
/// # Errors
/// When a success is skipped.
pub async fn window(entry: &Entry) -> Found {
    let bed = Bed::new(entry, Trip::Window, PATIENCE);
    for _ in 0..SUCCESSES {
        if bed.succeed().await != Answer::Done {
            return Err(Unfit("skipped a call while closed"));
        }
    }
    sleep(WINDOW_TIME + WINDOW_TIME / 5).await;
    let failures = bed.failures_until_skipped(MOST_FAILURES).await;
    let what = if failures == MOST_FAILURES { "never".to_owned() } else { format!("after {failures}") };
    Ok(Finding::new(failures <= WINDOW_CALLS as usize, what))
}
