//! An auction as JSON, with every leg; the crate's documentation shows one.

use std::time::Duration;

use mainstay::contracts::bidding::Bid;
use serde::Serialize;

use crate::{Award, Standing, Terms, bidder_name};

/// What came of an auction. The names go on as the first two, which are older than this program, begin.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    #[serde(flatten)]
    pub(crate) result: Outcome,
    #[serde(rename = "Summary")]
    summary: String,
    #[serde(rename = "Deadline ms")]
    deadline: u64,
    #[serde(rename = "Elapsed ms")]
    elapsed: u64,
    #[serde(rename = "Ranking")]
    ranking: Vec<Bid>,
    #[serde(rename = "Legs")]
    legs: Vec<LegReport>,
}

/// All that most are told: the winner's bid, or why there is none.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Outcome {
    Winner(Bid),
    Nobody(Message),
}

/// Why there is no winner.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Message {
    pub(crate) message: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct LegReport {
    #[serde(rename = "Bidder Name")]
    bidder: String,
    number: u32,
    address: String,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bid: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rank: Option<usize>,
    why: String,
    #[serde(rename = "Elapsed ms")]
    elapsed: u64,
}

impl Report {
    /// Of an auction that is over.
    pub(crate) fn of(award: &Award, terms: Terms) -> Self {
        let result = match &award.winner {
            Some(bid) => Outcome::Winner(bid.clone()),
            None => Outcome::Nobody(Message { message: award.reason() }),
        };
        let bid =
            |standing: &Standing| standing.bid.map(|amount| Bid { bidder: bidder_name(&standing.bidder), amount });
        Self {
            result,
            summary: award.summary.clone(),
            deadline: millis(terms.deadline),
            elapsed: millis(award.elapsed),
            ranking: award.ranking().into_iter().filter_map(bid).collect(),
            legs: award.standings.iter().map(LegReport::of).collect(),
        }
    }

    /// Of an auction for which there was nobody to ask.
    pub(crate) fn of_nobody(message: String, terms: Terms, elapsed: Duration) -> Self {
        let deadline = millis(terms.deadline);
        Self {
            result: Outcome::Nobody(Message { message }),
            summary: format!("0 of 0 within {deadline} ms"),
            deadline,
            elapsed: millis(elapsed),
            ranking: Vec::new(),
            legs: Vec::new(),
        }
    }
}

impl LegReport {
    fn of(standing: &Standing) -> Self {
        Self {
            bidder: bidder_name(&standing.bidder),
            number: standing.bidder.number,
            address: standing.bidder.address.to_string(),
            outcome: standing.outcome,
            bid: standing.bid,
            rank: standing.rank,
            why: standing.why.clone(),
            elapsed: millis(standing.at),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
