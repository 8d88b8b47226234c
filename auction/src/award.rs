//! Who won, and why the others did not.

use std::sync::Arc;
use std::time::Duration;

use mainstay::contracts::bidding::Bid;
use mainstay::gather::{Leg, Outcome};
use mainstay::{Completion, Instance};

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
    /// How it ended.
    pub ending: Ending,
}

/// How an auction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// There is a winner.
    Won,
    /// Somebody was heard, and nobody bids.
    NoBid,
    /// Nobody was heard: no bidder can be reached.
    Unheard,
    /// There are bids, but fewer than the quorum that was asked for, so that nobody wins; or it was out of reach before
    /// anybody could bid.
    NoQuorum,
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
        let (outcome, why) = match &leg.outcome {
            Outcome::Answered(_) => ("bid", String::new()),
            Outcome::Cancelled => (leg.outcome.name(), "the auction was over before it answered".to_owned()),
            other => (other.name(), other.to_string()),
        };
        Self { bidder: Arc::clone(&leg.key), bid, rank: None, outcome, why, at: leg.at }
    }
}

impl Award {
    /// Adds up an auction that is over. Nobody wins without the quorum that was asked for, if one was.
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
                    format!("as much as {name}, who comes first")
                }
                Some((name, best)) => format!("{name} bid {best}"),
                None => String::new(),
            };
        }
        let mut award = Self {
            winner: best.map(|(bidder, amount)| Bid { bidder, amount }),
            standings,
            summary: bids.to_string(),
            complete: bids.is_complete(),
            elapsed: bids.elapsed,
            ending: Ending::Won,
        };
        if award.winner.is_none() {
            award.ending = if award.was_heard() { Ending::NoBid } else { Ending::Unheard };
        }
        let quorum = matches!(bids.completion, Completion::Quorum(_) | Completion::Majority);
        if quorum && !award.complete && award.lacks_only_a_quorum() { award.without_quorum() } else { award }
    }

    /// Nobody bids and nobody can be reached are worse, unless it was for the quorum that nobody was waited for.
    fn lacks_only_a_quorum(&self) -> bool {
        let cancelled = self.standings.iter().any(|standing| standing.outcome == "cancelled");
        self.winner.is_some() || cancelled && !self.was_heard()
    }

    fn without_quorum(mut self) -> Self {
        self.ending = Ending::NoQuorum;
        self.winner = None;
        for highest in self.standings.iter_mut().filter(|standing| standing.rank == Some(1)) {
            highest.why = "the highest, but there was no quorum".to_owned();
        }
        self
    }

    /// The bids, the highest first.
    pub fn ranking(&self) -> Vec<&Standing> {
        let mut ranking: Vec<_> = self.standings.iter().filter(|standing| standing.rank.is_some()).collect();
        ranking.sort_by_key(|standing| standing.rank);
        ranking
    }

    /// How it ended, in words: who won, or why nobody did.
    pub fn reason(&self) -> String {
        match (&self.winner, self.ending) {
            (Some(Bid { bidder, amount }), _) => format!("{bidder} wins with {amount}"),
            (None, Ending::NoQuorum) => format!("no quorum: {} ({})", self.summary, self.counts()),
            (None, Ending::Unheard) => format!("no bidder can be reached: {}", self.counts()),
            (None, Ending::NoBid | Ending::Won) => format!("nobody bids: {}", self.counts()),
        }
    }

    /// How many ended in which way, such as `2 declined, 1 timed-out`: the most first. Never the bidders' own words.
    fn counts(&self) -> String {
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for Standing { outcome, .. } in &self.standings {
            match counts.iter_mut().find(|(other, _)| other == outcome) {
                Some((_, count)) => *count += 1,
                None => counts.push((outcome, 1)),
            }
        }
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect::<Vec<_>>().join(", ")
    }

    /// Whether any bidder said anything at all, if only no.
    fn was_heard(&self) -> bool {
        self.standings.iter().any(|standing| matches!(standing.outcome, "bid" | "declined" | "rejected"))
    }
}
