//! The auction service: asks every bidder, and answers with the highest bid.

use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::bidding::Bid;
use crate::{Call, Policy, Service};

/// Runs auctions. That nobody can be reached (503) says nothing of the auction itself, so that it takes many failures
/// to open its breaker.
#[derive(Debug)]
pub struct Auction;

impl Service for Auction {
    const NAME: &'static str = "auction";
    /// An auction takes ten seconds at most, and this leaves it two for the way.
    const POLICY: Policy =
        Policy::builder().timeout(Duration::from_secs(12)).failure_limit(100).health_path("/health").build_const();
}

/// Sells to whoever bids most within a second. Answered with the highest [`Bid`]; with 404 when nobody bids, and 503 when
/// nobody can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SetAuction {
    /// What is sold.
    pub item: String,
    /// What state it is in.
    pub condition: String,
}

impl SetAuction {
    /// Sells `item` in this `condition`.
    pub fn new(item: impl Into<String>, condition: impl Into<String>) -> Self {
        Self { item: item.into(), condition: condition.into() }
    }
}

impl Call for SetAuction {
    type Service = Auction;
    type Response = Bid;
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = "/auction/setAuction";
}
