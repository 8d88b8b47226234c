//! Requests end when their time is over, those from before a restart too; and are forgotten some day.

use std::time::{Duration, SystemTime};

use futures_util::future::try_join_all;
use mainstay_records::{Ending, Error, Record};
use tokio::time::sleep;
use tracing::{info, warn};

use super::desk::{Desk, RESPITE};
use super::kept::{KIND, Kept, has_all};

/// While requests are open, those that are due are looked for this often at least.
const TICK: Duration = Duration::from_millis(100);
/// Requests that end together, and share a write to the disk.
const AT_ONCE: usize = 1000;
/// How long until a database that could not be asked is asked again.
const AGAIN: Duration = Duration::from_secs(1);

/// How long requests are kept, how many, and how often that is looked at.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const KEPT_MOST: u64 = 100_000;
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// Closes requests for as long as it is polled.
pub(super) async fn keep_closing(desk: &Desk) {
    let mut complained = false;
    loop {
        match close_due(desk).await {
            Ok(next) => {
                complained = false;
                match next {
                    Some(next) => sleep(next).await,
                    None => desk.begun.notified().await,
                }
            }
            Err(error) => {
                if !std::mem::replace(&mut complained, true) {
                    warn!("requests cannot be closed: {error}; trying on");
                }
                sleep(AGAIN).await;
            }
        }
    }
}

/// Closes what is due; when to look again, if anything is open.
async fn close_due(desk: &Desk) -> Result<Option<Duration>, Error> {
    let due = desk.records.due(KIND, SystemTime::now() + RESPITE, AT_ONCE).await?;
    let due = due.iter().filter(|record| !desk.hold.holds(record.received));
    try_join_all(due.map(|record| end(desk, record))).await?;
    let open = desk.records.under_way(KIND, None, 1).await?;
    let Some(oldest) = open.first() else { return Ok(None) };
    let closes_at = oldest.request().map_or(SystemTime::now(), |kept: Kept| kept.closes_at());
    // A millisecond at least, as a clock may show the one that it was told to wait for.
    let left = closes_at.duration_since(SystemTime::now()).unwrap_or(TICK);
    Ok(Some(left.clamp(Duration::from_millis(1), TICK)))
}

async fn end(desk: &Desk, record: &Record) -> Result<(), Error> {
    // All may have answered, and the process was killed before it said so.
    let ending = if has_all(record) { Ending::complete() } else { Ending::closed() };
    if desk.records.finish(&record.id, ending).await? {
        info!("{} is over: {} of {} have answered", record.id, record.replies.len(), record.asked);
    }
    Ok(())
}

/// Forgets old requests for as long as it is polled.
pub(super) async fn keep_pruning(desk: &Desk) {
    loop {
        sleep(PRUNE_EVERY).await;
        let before = SystemTime::now() - KEPT_FOR;
        match desk.records.prune(KIND, before, KEPT_MOST).await {
            Ok(0) => {}
            Ok(some) => info!("{some} old requests are forgotten"),
            Err(error) => warn!("old requests cannot be forgotten: {error}"),
        }
    }
}
