//! What becomes of a quote: it is stored, or it is counted and dropped.
//!
//! A quote is acknowledged when all that follows from it is on disk: whoever kills the collector meanwhile has it
//! delivered again, and that is no second quote.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use mainstay::contracts::quotes::{COLLECTOR, Quote};
use mainstay_messaging::{Delivery, Failed, Messages, Rules};
use mainstay_records::{Ending, Replied};
use tracing::{debug, info};

use super::desk::Desk;
use super::kept::{KIND, Kept, has_all};
use crate::channel::Channel;

/// How long until a quote that was received and not stored is delivered again: short, as storing one takes no time.
pub(super) const VISIBILITY: Duration = Duration::from_secs(2);
/// Quotes that are stored at once, and share a write to the disk.
const AT_ONCE: usize = 256;

/// Where quotes come in. No quote is ever given up: what cannot be stored now can be later.
pub(super) fn channel(messages: Messages) -> Channel<Quote> {
    let rules = Rules { visibility_ms: VISIBILITY.as_millis() as u64, tries: 0, ..Rules::default() };
    Channel::new(messages, COLLECTOR.to_owned(), rules)
}

/// Collects for as long as it is polled.
pub(super) async fn keep_collecting(desk: Arc<Desk>, channel: &Channel<Quote>) {
    let handle = |quote: Arc<Delivery<Quote>>| {
        let desk = Arc::clone(&desk);
        async move { collect(&desk, &quote.message).await }
    };
    match channel.consume(AT_ONCE, handle).await {}
}

async fn collect(desk: &Desk, quote: &Quote) -> Result<(), Failed> {
    let tally = &desk.tally;
    let Quote { rfq_id, responder, quote } = quote;
    let Some(record) = desk.records.get(rfq_id).await?.filter(|record| record.kind == KIND) else {
        return drop_as(&tally.unknown, "unknown", rfq_id);
    };
    let kept: Kept = record.request()?;
    if !kept.asked.contains(responder) {
        return drop_as(&tally.unasked, "not from who was asked", rfq_id);
    }
    if !record.state.is_ended() && desk.is_over(&record, &kept, SystemTime::now()) {
        return drop_as(&tally.late, "late", rfq_id);
    }
    match desk.records.reply(rfq_id, responder, quote).await? {
        Replied::Stored { answered, asked } => {
            if answered >= asked {
                complete(desk, rfq_id).await?;
            }
            tally.stored.fetch_add(1, Relaxed);
            debug!("{responder} quotes {quote} to {rfq_id}: {answered} of {asked}");
            Ok(())
        }
        Replied::Twice => {
            // Perhaps it was stored, and then the process was killed.
            if has_all(&record) {
                complete(desk, rfq_id).await?;
            }
            drop_as(&tally.twice, "there already", rfq_id)
        }
        Replied::Ended => drop_as(&tally.late, "late", rfq_id),
        Replied::Unknown => drop_as(&tally.unknown, "unknown", rfq_id),
    }
}

async fn complete(desk: &Desk, id: &str) -> Result<(), Failed> {
    if desk.records.finish(id, Ending::complete()).await? {
        info!("{id} is complete");
    }
    Ok(())
}

fn drop_as(count: &AtomicU64, why: &str, rfq_id: &str) -> Result<(), Failed> {
    count.fetch_add(1, Relaxed);
    // Whoever sent it may have made the id up, and it may be long.
    debug!("a quote is dropped: {why} ({rfq_id:.64})");
    Ok(())
}
