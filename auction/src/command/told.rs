//! An auction as lines for people.

use std::sync::Arc;

use mainstay::Instance;
use mainstay::gather::Leg;

use crate::program::say;
use crate::{Award, Standing, bidder_name};

/// Tells the legs of an auction as they end, and what came of it, in columns.
pub(super) struct Told {
    /// How wide the longest bidder's name is.
    name: usize,
}

impl Told {
    pub(super) fn new<'a>(bidders: impl Iterator<Item = &'a Arc<Instance>>) -> Self {
        Self { name: bidders.map(|bidder| bidder_name(bidder).len()).max().unwrap_or_default() }
    }

    /// `Bidder 2       4 ms      470000`, or why not.
    pub(super) fn leg(&self, leg: &Leg<Arc<Instance>, u64>) {
        let standing = Standing::of(leg);
        let what = match standing.bid {
            Some(bid) => format!("{bid:>10}"),
            None => standing.why.clone(),
        };
        say(format_args!("  {}  {:>5} ms  {what}", self.name(&standing), standing.at.as_millis()));
    }

    /// Who won, why the others did not, and all of it in one line.
    pub(super) fn award(&self, award: &Award) {
        if award.winner.is_some() {
            say(format_args!("\n{}", award.reason()));
            let ranking = award.ranking().into_iter().skip(1);
            for loser in ranking.chain(award.standings.iter().filter(|standing| standing.bid.is_none())) {
                let bid = loser.bid.map_or_else(|| "-".to_owned(), |bid| bid.to_string());
                say(format_args!("  {}  {bid:>10}  {}", self.name(loser), loser.why));
            }
        }
        say(format_args!("\n{}, took {} ms", award.summary, award.elapsed.as_millis()));
    }

    fn name(&self, standing: &Standing) -> String {
        format!("{:<1$}", bidder_name(&standing.bidder), self.name)
    }
}
