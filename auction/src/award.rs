//! Who won, and why the others did not.

use std::sync::Arc;
use std::time::Duration;

use mainstay::Instance;
use mainstay::contracts::bidding::Bid;
use mainstay::gather::Leg;

use crate::Bids;

/// What an auction came to: the same for programs, for the command and for the page.
#[derive(Debug, Clone)]
pub struct Award {
    /// The highest bid; of equal ones, that of the lowest number. It is a bid of whom we asked, whatever name stands
    /// in it.
    pub winner: Option<Bid>,
    /// Everybody who was asked, by number.
    pub standings: Vec<Standing>,
    /// Such as `3 of 5 within 1000 ms`.
    pub summary: String,
    /// Whether as many bids came as were asked for.
    pub complete: bool,
    /// How long it took.
    pub elapsed: Duration,
}

/// How one bidder came out of it.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Whom we asked.
    pub bidder: Arc<Instance>,
    /// Its bid, if it made one.
    pub bid: Option<u64>,
    /// Its place among the bids, from 1 on.
    pub rank: Option<usize>,
    /// Its outcome, in one word: `bid`, or else the [outcome's name](mainstay::gather::Outcome::name).
    pub outcome: &'static str,
    /// Why it won, or did not.
    pub why: String,
    /// When that was known, after the auction began.
    pub at: Duration,
}

/// What a bidder is called: by the number it is registered under, whatever it says of itself.
pub fn bidder_name(bidder: &Instance) -> String {
    format!("Bidder {}", bidder.number)
}

impl Standing {
    /// How a bidder stands once its leg has ended, while the others may still be under way.
    pub fn of(leg: &Leg<Arc<Instance>, u64>) -> Self {
        let bid = leg.outcome.answer().map(|fetched| fetched.value);
        Self {
            bidder: Arc::clone(&leg.key),
            bid,
            rank: None,
            outcome: if bid.is_some() { "bid" } else { leg.outcome.name() },
            why: if bid.is_some() { String::new() } else { leg.outcome.to_string() },
            at: leg.at,
        }
    }
}

impl Award {
    /// Adds up an auction that is over.
    pub fn of(bids: &Bids) -> Self {
        let mut standings: Vec<_> = bids.legs().iter().map(Standing::of).collect();
        let mut ranking: Vec<_> = (0..standings.len()).filter(|place| standings[*place].bid.is_some()).collect();
        // Stable: of equal bids, the one of the lower number stays before the other.
        ranking.sort_by_key(|place| std::cmp::Reverse(standings[*place].bid));
        let best = bids.highest(|bid| *bid).map(|(bidder, bid)| (bidder_name(bidder), bid.value));
        for (rank, place) in (1..).zip(ranking) {
            let standing = &mut standings[place];
            standing.rank = Some(rank);
            standing.why = match &best {
                _ if rank == 1 => "won".to_owned(),
                Some((name, best)) if standing.bid == Some(*best) => {
                    format!("as much as {name}, who has the lower number")
                }
                Some((name, best)) => format!("{name} bid {best}"),
                None => String::new(),
            };
        }
        Self {
            winner: best.map(|(bidder, amount)| Bid { bidder, amount }),
            standings,
            summary: bids.to_string(),
            complete: bids.is_complete(),
            elapsed: bids.elapsed,
        }
    }

    /// Whether any bidder said anything at all, if only no.
    pub fn was_heard(&self) -> bool {
        self.standings.iter().any(|standing| matches!(standing.outcome, "bid" | "declined" | "rejected"))
    }
}
