//! A bidder's leg in the last auction: what it said, and why it did not win.

use std::sync::Arc;
use std::time::Duration;

use auction::{Award, Standing, bidder_name};
use mainstay::Instance;

use super::span::Span;
use super::words::{amount, until};
use crate::auctions::{Asked, Auction, Course};
use crate::state::InstanceNow;

/// One who was asked.
#[derive(Debug)]
pub(super) struct Leg {
    /// The instance's own name: numbers may be said twice.
    pub(super) id: String,
    pub(super) number: u32,
    pub(super) name: String,
    /// The value of `data-outcome`: a standing's, or `pending`.
    pub(super) outcome: &'static str,
    pub(super) won: bool,
    pub(super) rank: Option<usize>,
    pub(super) bid: Option<u64>,
    /// Why it did not win.
    pub(super) words: String,
    /// When it ended, or how long it has been waited for.
    pub(super) millis: u128,
    pub(super) span: Span,
}

/// While it runs, by number; then the ranking, and after it those without a bid.
pub(super) fn legs(auction: &Auction, rows: &[InstanceNow]) -> Vec<Leg> {
    let deadline = auction.terms.deadline;
    match &auction.course {
        Course::Opening | Course::Nobody { .. } => Vec::new(),
        Course::Asking(all) => {
            let leg = |asked: &Asked| match &asked.standing {
                Some(standing) => Leg::of(standing, None, deadline, rows),
                None => Leg::pending(&asked.bidder, auction.elapsed().min(deadline), deadline),
            };
            all.iter().map(leg).collect()
        }
        Course::Over(award) => {
            let mut standings: Vec<&Standing> = award.standings.iter().collect();
            standings.sort_by_key(|standing| (standing.rank.is_none(), standing.rank));
            standings.into_iter().map(|standing| Leg::of(standing, Some(award), deadline, rows)).collect()
        }
    }
}

impl Leg {
    pub(super) fn bid(&self) -> String {
        match (self.bid, self.outcome) {
            (Some(bid), _) => amount(bid),
            (None, "pending") => "…".to_owned(),
            (None, "cancelled") => "not heard".to_owned(),
            (None, _) => "no bid".to_owned(),
        }
    }

    fn pending(bidder: &Arc<Instance>, waited: Duration, deadline: Duration) -> Self {
        Self {
            id: bidder.id.to_string(),
            number: bidder.number,
            name: bidder_name(bidder),
            outcome: "pending",
            won: false,
            rank: None,
            bid: None,
            words: "asked".to_owned(),
            millis: waited.as_millis(),
            span: Span::of(Duration::ZERO, waited, deadline),
        }
    }

    fn of(standing: &Standing, award: Option<&Award>, deadline: Duration, rows: &[InstanceNow]) -> Self {
        let winner = award.and_then(|award| award.winner.as_ref());
        Self {
            id: standing.bidder.id.to_string(),
            number: standing.bidder.number,
            name: bidder_name(&standing.bidder),
            outcome: standing.outcome,
            won: winner.is_some() && standing.rank == Some(1),
            rank: standing.rank,
            bid: standing.bid,
            words: match (winner, standing.outcome) {
                (Some(best), "bid") if standing.bid < Some(best.amount) => format!("outbid by {}", best.bidder),
                (_, "skipped") => skipped(standing, rows),
                (None, "bid") if award.is_none() => "bid".to_owned(),
                _ => standing.why.clone(),
            },
            millis: standing.at.as_millis(),
            span: Span::of(Duration::ZERO, standing.at, deadline),
        }
    }
}

/// With the countdown, for as long as its breaker stays open.
fn skipped(standing: &Standing, rows: &[InstanceNow]) -> String {
    let row = rows.iter().find(|row| row.address == standing.bidder.address);
    match row.and_then(|row| row.retest_in) {
        Some(left) => format!("skipped: its breaker is open, retest in {}", until(left)),
        None => "skipped: its breaker was open".to_owned(),
    }
}
