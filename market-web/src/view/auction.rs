//! The last auction: who was asked, what each said, and who won.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use auction::{Award, Ending, Standing, Terms, bidder_name};
use mainstay::contracts::bidding::Ask;
use mainstay::{Completion, Instance};

use super::span::Span;
use super::words::{amount, count, sentence, until};
use crate::auctions::{Asked, Auction, Course};
use crate::state::{InstanceNow, State};

/// A choice of when an auction is complete.
#[derive(Debug)]
pub(crate) struct Choice {
    /// What the form sends.
    pub(crate) word: &'static str,
    pub(crate) completion: Completion,
    /// What people read.
    pub(crate) title: &'static str,
}

impl Choice {
    /// All of them, the usual one first.
    pub(crate) const ALL: [Self; 5] = [
        Self::new("everybody", Completion::All, "when all are heard"),
        Self::new("first-1", Completion::First(1), "at the first bid"),
        Self::new("first-2", Completion::First(2), "at the second bid"),
        Self::new("first-3", Completion::First(3), "at the third bid"),
        Self::new("majority", Completion::Majority, "when most have bid"),
    ];

    const fn new(word: &'static str, completion: Completion, title: &'static str) -> Self {
        Self { word, completion, title }
    }

    fn of(completion: Completion) -> &'static Self {
        Self::ALL.iter().find(|choice| choice.completion == completion).unwrap_or(&Self::ALL[0])
    }
}

/// What stands in the form.
#[derive(Debug)]
pub(crate) struct Filled {
    pub(crate) item: String,
    pub(crate) condition: String,
    pub(crate) deadline_ms: String,
    /// The word of a [`Choice`].
    pub(crate) complete: String,
}

impl Filled {
    /// As for an auction that there was.
    pub(crate) fn of(lot: &Ask, terms: Terms) -> Self {
        Self {
            item: lot.item.clone(),
            condition: lot.condition.clone(),
            deadline_ms: terms.deadline.as_millis().to_string(),
            complete: Choice::of(terms.completion).word.to_owned(),
        }
    }
}

impl Default for Filled {
    fn default() -> Self {
        Self::of(&Ask::new("car", "good"), Terms::default())
    }
}

/// The part of the page that shows it.
#[derive(Template)]
#[template(path = "last-auction.html")]
pub(super) struct LastAuction<'a> {
    auction: Option<&'a Auction>,
    legs: Vec<Leg>,
    in_lab: bool,
}

/// One who was asked.
#[derive(Debug)]
struct Leg {
    number: u32,
    name: String,
    /// The value of `data-outcome`: a standing's, or `pending`.
    outcome: &'static str,
    won: bool,
    rank: Option<usize>,
    bid: Option<u64>,
    /// Why it did not win.
    words: String,
    /// When it ended, or how long it has been waited for.
    millis: u128,
    span: Span,
}

impl<'a> LastAuction<'a> {
    pub(super) fn of(state: &'a State) -> Self {
        let auction = state.last_auction.as_deref();
        let legs = auction.map(|auction| legs(auction, &state.bidders)).unwrap_or_default();
        Self { auction, legs, in_lab: state.in_lab }
    }

    fn award(&self) -> Option<&Award> {
        match &self.auction?.course {
            Course::Over(award) => Some(award),
            _ => None,
        }
    }

    fn winner(&self) -> Option<&Leg> {
        self.legs.iter().find(|leg| leg.won)
    }

    /// Who would win if nobody else bid; of equal ones, the one of the lower number.
    fn best(&self) -> Option<&Leg> {
        self.legs.iter().rev().filter(|leg| leg.bid.is_some()).max_by_key(|leg| leg.bid)
    }

    /// In what is over, how many answered and how long it took.
    fn conclusion(&self) -> String {
        let took = |award: &Award| format!("{}, took {} ms", award.summary, award.elapsed.as_millis());
        self.award().map(took).unwrap_or_default()
    }

    fn terms(&self, auction: &Auction) -> String {
        format!("ends {}, within {} ms", Choice::of(auction.terms.completion).title, auction.terms.deadline.as_millis())
    }

    fn answered(&self) -> String {
        let answered = self.legs.iter().filter(|leg| leg.outcome != "pending").count();
        format!("{answered} of {} answered", count(self.legs.len(), "bidder"))
    }

    /// That there is no winner, for people.
    fn sorry(&self) -> &'static str {
        match self.award().map(|award| award.ending) {
            Some(Ending::NoBid) => "Nobody bids",
            Some(Ending::NoQuorum) => "Too few bids",
            Some(Ending::Unheard | Ending::Won) => "No bidder could be reached",
            None => "There was nobody to ask",
        }
    }

    /// Why there is none, as the console says it.
    fn why(&self) -> String {
        match self.auction.map(|auction| &auction.course) {
            Some(Course::Over(award)) => sentence(&award.reason()),
            Some(Course::Nobody { why, .. }) => sentence(why),
            _ => String::new(),
        }
    }

    /// What would help.
    fn hint(&self) -> Option<&'static str> {
        match self.award().map(|award| award.ending) {
            Some(Ending::NoBid) => Some("Those of the demo bid on what is good or bad."),
            Some(Ending::NoQuorum) => Some("Give them more time, or hear everybody."),
            Some(Ending::Unheard) | None if self.in_lab => Some("Start 1 starts a bidder."),
            Some(Ending::Unheard) | None => Some("Start some: cargo run -p auction --bin bidders"),
            Some(Ending::Won) => None,
        }
    }
}

/// While it runs, by number; then the ranking, and after it those without a bid.
fn legs(auction: &Auction, rows: &[InstanceNow]) -> Vec<Leg> {
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
    fn bid(&self) -> String {
        match (self.bid, self.outcome) {
            (Some(bid), _) => amount(bid),
            (None, "pending") => "…".to_owned(),
            (None, _) => "no bid".to_owned(),
        }
    }

    fn pending(bidder: &Arc<Instance>, waited: Duration, deadline: Duration) -> Self {
        Self {
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
            number: standing.bidder.number,
            name: bidder_name(&standing.bidder),
            outcome: standing.outcome,
            won: winner.is_some() && standing.rank == Some(1),
            rank: standing.rank,
            bid: standing.bid,
            words: match (winner, standing.outcome) {
                (Some(best), "bid") if standing.bid < Some(best.amount) => format!("outbid by {}", best.bidder),
                (_, "skipped") => skipped(standing, rows),
                (_, "cancelled") => "cancelled, the auction was complete".to_owned(),
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
