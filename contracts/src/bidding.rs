//! The bidding service: what would you pay for this? All instances are asked, and the highest bid wins.

mod shape;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::Method;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::shape::Shape;

use crate::{Call, Idempotence, Policy, Service};

/// Bids. One failure opens a breaker: a bidder that hangs costs an auction its deadline, and only once. Nor does one that
/// talks too much cost it time: an offer has some forty bytes.
#[derive(Debug)]
pub struct Bidding;

impl Service for Bidding {
    const NAME: &'static str = "bidders";
    const POLICY: Policy = Policy::builder()
        .timeout(Duration::from_secs(1))
        .failure_limit(1)
        .retest_delay(Duration::from_secs(30))
        .health_path("/health")
        .idempotence(Idempotence::Always)
        .answer_limit(16 * 1024)
        .build_const();
}

/// What would you pay? Answered with an [`Offer`], or with 404 by a bidder that does not want it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Ask {
    /// What is sold, such as `car`.
    pub item: String,
    /// What state it is in, such as `good`.
    pub condition: String,
}

impl Ask {
    /// Asks for a bid on `item` in this `condition`.
    pub fn new(item: impl Into<String>, condition: impl Into<String>) -> Self {
        Self { item: item.into(), condition: condition.into() }
    }
}

impl Call for Ask {
    type Service = Bidding;
    type Response = Offer;
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = "/";
}

/// What a bidder answers, such as `{"Bidder Name":"Bidder 2","Bid":470000}`.
///
/// Bidders may be third parties: any JSON is an offer, and only [`bid`](Offer::bid) says what it is worth. Nothing else
/// of it is kept, however much there is.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer(Said);

#[derive(Debug, Clone, PartialEq)]
enum Said {
    Ours(Bid),
    Theirs(Shape),
}

/// A bid, and who bids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bid {
    /// What it is called, such as `Bidder 2`.
    #[serde(rename = "Bidder Name")]
    pub bidder: String,
    /// What it would pay.
    #[serde(rename = "Bid")]
    pub amount: u64,
}

impl Offer {
    /// The bid: a whole JSON number from 0 on, up to what 64 bits hold. `None` when there is none, or null.
    ///
    /// # Errors
    /// Says what stands there instead.
    pub fn bid(self) -> Result<Option<u64>, BadBid> {
        match self.0 {
            Said::Ours(bid) => Ok(Some(bid.amount)),
            Said::Theirs(Shape::Nothing) => Ok(None),
            Said::Theirs(Shape::Object(bid)) => match *bid {
                Shape::Nothing => Ok(None),
                Shape::Whole(amount) => Ok(Some(amount)),
                Shape::Number(number) => Err(BadBid(format!("the bid is {number}, not a whole number from 0 on"))),
                other => Err(BadBid(format!("the bid is {other}, not a number"))),
            },
            Said::Theirs(other) => Err(BadBid(format!("the offer is {other}, not an object"))),
        }
    }
}

impl From<Bid> for Offer {
    fn from(bid: Bid) -> Self {
        Self(Said::Ours(bid))
    }
}

/// One that was read is written as far as it was kept.
impl Serialize for Offer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.clone() {
            Self(Said::Ours(bid)) => bid.serialize(serializer),
            theirs => BTreeMap::from([("Bid", theirs.bid().unwrap_or_default())]).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Offer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Shape::deserialize(deserializer).map(|shape| Self(Said::Theirs(shape)))
    }
}

/// An [`Offer`] holds something that is no bid; says what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadBid(String);

impl fmt::Display for BadBid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for BadBid {}

#[cfg(test)]
mod tests {
    use super::*;

    fn bid(body: &str) -> Result<Option<u64>, String> {
        serde_json::from_str::<Offer>(body).unwrap().bid().map_err(|bad| bad.to_string())
    }

    #[test]
    fn whole_numbers_are_bids_and_nothing_is_none() {
        for (body, expected) in [
            (r#"{"Bidder Name":"Bidder 2","Bid":470000}"#, Some(470_000)),
            (r#"{"Bid":0}"#, Some(0)),
            (r#"{"Bid":18446744073709551615}"#, Some(u64::MAX)),
            (r#"{"Bid":null}"#, None),
            (r#"{"Bidder Name":"Bidder 2"}"#, None),
            (r#"{"Bidder Name":{"x":[1,{"Bid":7}]},"Bid":3,"more":[{}]}"#, Some(3)),
            (r#"{"Bid":1,"Bid":2}"#, Some(2)),
            ("{}", None),
            ("null", None),
        ] {
            assert_eq!(bid(body), Ok(expected), "{body}");
        }
        let offer = Offer::from(Bid { bidder: "Bidder 2".to_owned(), amount: 470_000 });
        assert_eq!(serde_json::to_string(&offer).unwrap(), r#"{"Bidder Name":"Bidder 2","Bid":470000}"#);
    }

    #[test]
    fn what_is_no_bid_is_named() {
        for (body, why) in [
            (r#"{"Bid":"470000"}"#, "the bid is a text, not a number"),
            (r#"{"Bid":470000.5}"#, "the bid is 470000.5, not a whole number from 0 on"),
            (r#"{"Bid":-1}"#, "the bid is -1, not a whole number"),
            (r#"{"Bid":18446744073709551616}"#, "not a whole number"),
            (r#"{"Bid":1e300}"#, "the bid is 1e300, not a whole number"),
            (r#"{"Bid":5.0}"#, "the bid is 5.0, not a whole number"),
            (r#"{"Bid":470000.00000000001}"#, "not a whole number"),
            (r#"{"Bid":[1]}"#, "the bid is a list, not a number"),
            (r#"{"Bid":{"Bid":1}}"#, "the bid is an object, not a number"),
            (r#"{"Bid":true}"#, "the bid is true or false"),
            ("470000", "the offer is a number, not an object"),
            ("[]", "the offer is a list"),
            (r#"[{"Bid":1}]"#, "the offer is a list"),
            (r#""Bid""#, "the offer is a text"),
            ("true", "the offer is true or false"),
        ] {
            let error = bid(body).unwrap_err();
            assert!(error.contains(why), "{body}: {error:?} does not say {why:?}");
        }
    }
}
