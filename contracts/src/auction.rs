//! The auction service: asks every bidder, and answers with the highest bid.

use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::bidding::Bid;
use crate::{Call, Policy, Service};

/// Runs auctions. Each takes its deadline at most, 1 s unless asked otherwise.
#[derive(Debug)]
pub struct Auction;

impl Service for Auction {
    const NAME: &'static str = "auction";
    const POLICY: Policy = Policy::builder().timeout(Duration::from_secs(12)).health_path("/health").build_const();
}

/// Sells to whoever bids most. Answered with the highest [`Bid`]; with 404 when nobody bids, and 503 when nobody can
/// be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SetAuction {
    /// What is sold.
    pub item: String,
    /// What state it is in.
    pub condition: String,
}

impl Call for SetAuction {
    type Service = Auction;
    type Response = Bid;
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = "/auction/setAuction";
}
