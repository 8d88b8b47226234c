//! The last auction: who was asked, what each said, and who won.

use askama::Template;
use auction::{Award, Ending};

use super::form::Choice;
use super::leg::{Leg, legs};
use super::words::{count, sentence};
use crate::auctions::{Auction, Course};
use crate::kind::Kind;
use crate::state::State;

/// The part of the page that shows it.
#[derive(Template)]
#[template(path = "last-auction.html")]
pub(super) struct LastAuction<'a> {
    auction: Option<&'a Auction>,
    legs: Vec<Leg>,
    in_lab: bool,
    registry_lost: bool,
}

impl<'a> LastAuction<'a> {
    pub(super) fn of(state: &'a State) -> Self {
        let auction = state.last_auction.as_deref();
        let legs = auction.map(|auction| legs(auction, state.instances(Kind::Bidders))).unwrap_or_default();
        Self { auction, legs, in_lab: state.in_lab, registry_lost: state.is_lost(Kind::Bidders) }
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

    fn awaited(&self) -> String {
        let awaited = self.legs.iter().filter(|leg| leg.outcome == "pending").count();
        format!("waiting for {awaited} of {}", count(self.legs.len(), "bidder"))
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
            None if self.registry_lost => Some("Start it: cargo run -p mainstay-registry"),
            Some(Ending::Unheard) | None if self.in_lab => Some("Start 1 starts a bidder."),
            Some(Ending::Unheard) | None => Some("Start some: cargo run -p auction --bin bidders"),
            Some(Ending::Won) => None,
        }
    }
}
