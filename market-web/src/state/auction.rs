//! The last auction, for programs.

use std::sync::Arc;
use std::time::Duration;

use auction::Standing;
use serde::Serialize;

use super::{millis, whole_millis};
use crate::auctions::{Asked, Auction, Course};

/// The last auction.
#[derive(Debug, Serialize)]
pub(crate) struct AuctionNow {
    /// Grows by one with every auction.
    number: u64,
    item: String,
    condition: String,
    deadline_ms: u64,
    running: bool,
    elapsed_ms: u64,
    winner: Option<WinnerNow>,
    /// Such as `3 of 5 within 1000 ms`, when it is over.
    summary: Option<String>,
    /// Why nobody won, when it is over.
    reason: Option<String>,
    /// By number.
    legs: Vec<LegNow>,
}

/// Who won.
#[derive(Debug, Serialize)]
struct WinnerNow {
    number: Option<u32>,
    bidder: String,
    bid: u64,
}

/// One who was asked.
#[derive(Debug, Serialize)]
struct LegNow {
    /// Its instance's name.
    id: String,
    bidder: u32,
    /// `pending` while there is none.
    outcome: &'static str,
    bid: Option<u64>,
    rank: Option<usize>,
    why: Option<String>,
    #[serde(rename = "at_ms", serialize_with = "millis")]
    at: Option<Duration>,
}

impl AuctionNow {
    pub(super) fn of(auction: &Auction) -> Self {
        let mut now = Self {
            number: auction.number,
            item: auction.lot.item.clone(),
            condition: auction.lot.condition.clone(),
            deadline_ms: whole_millis(auction.terms.deadline),
            running: auction.runs(),
            elapsed_ms: whole_millis(auction.elapsed()),
            winner: None,
            summary: None,
            reason: None,
            legs: Vec::new(),
        };
        match &auction.course {
            Course::Opening => {}
            Course::Asking(all) => now.legs = all.iter().map(LegNow::asked).collect(),
            Course::Nobody { why, .. } => now.reason = Some(why.clone()),
            Course::Over(award) => {
                let first = award.standings.iter().find(|standing| standing.rank == Some(1));
                now.winner = award.winner.as_ref().map(|bid| WinnerNow {
                    number: first.map(|first| first.bidder.number),
                    bidder: bid.bidder.clone(),
                    bid: bid.amount,
                });
                now.reason = now.winner.is_none().then(|| award.reason());
                now.summary = Some(award.summary.clone());
                now.legs = award.standings.iter().map(LegNow::stands).collect();
            }
        }
        now
    }
}

impl LegNow {
    fn asked(asked: &Asked) -> Self {
        let pending = || Self {
            id: asked.bidder.id.to_string(),
            bidder: asked.bidder.number,
            outcome: "pending",
            bid: None,
            rank: None,
            why: None,
            at: None,
        };
        asked.standing.as_ref().map_or_else(pending, |standing: &Arc<Standing>| Self::stands(standing))
    }

    fn stands(standing: &Standing) -> Self {
        Self {
            id: standing.bidder.id.to_string(),
            bidder: standing.bidder.number,
            outcome: standing.outcome,
            bid: standing.bid,
            rank: standing.rank,
            why: Some(standing.why.clone()).filter(|why| !why.is_empty()),
            at: Some(standing.at),
        }
    }
}
