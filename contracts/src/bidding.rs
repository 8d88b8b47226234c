//! The bidding service: what would you pay for this? All instances are asked, and the highest bid wins.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::{Call, Idempotence, Policy, Service};

/// Bids. One failure opens a breaker: a bidder that hangs costs an auction its deadline, and only once.
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
/// Bidders may be third parties, so any JSON is an offer, and only [`bid`](Offer::bid) says what it is worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Offer(Form);

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

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Bid(Bid),
    Any(Value),
}

impl From<Bid> for Offer {
    fn from(bid: Bid) -> Self {
        Self(Form::Bid(bid))
    }
}

impl From<Value> for Offer {
    fn from(any: Value) -> Self {
        Self(Form::Any(any))
    }
}

impl Offer {
    /// The bid: a whole JSON number from 0 on. `None` when there is none, or null.
    ///
    /// # Errors
    /// Says what stands there instead.
    pub fn bid(self) -> Result<Option<u64>, BadBid> {
        let any = match self.0 {
            Form::Bid(bid) => return Ok(Some(bid.amount)),
            Form::Any(any) => any,
        };
        match &any {
            Value::Null => Ok(None),
            Value::Object(fields) => match fields.get("Bid") {
                None | Some(Value::Null) => Ok(None),
                Some(Value::Number(number)) => whole(number).map(Some),
                Some(other) => Err(BadBid(format!("the bid is {}, not a number", kind(other)))),
            },
            other => Err(BadBid(format!("the offer is {}, not an object", kind(other)))),
        }
    }
}

/// Whole by value: 5.0 is, as JSON does not tell it from 5.
fn whole(number: &Number) -> Result<u64, BadBid> {
    /// Up to here, a floating point number is exactly one whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let exact = |float: f64| (float.fract() == 0.0 && (0.0..=EXACT).contains(&float)).then_some(float as u64);
    number
        .as_u64()
        .or_else(|| number.as_f64().and_then(exact))
        .ok_or_else(|| BadBid(format!("the bid is {number}, not a whole number from 0 on")))
}

/// Never the value itself: its size is somebody else's choice.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
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
            (r#"{"Bid":5.0}"#, Some(5)),
            (r#"{"Bid":4.7e5}"#, Some(470_000)),
            (r#"{"Bid":18446744073709551615}"#, Some(u64::MAX)),
            (r#"{"Bid":null}"#, None),
            (r#"{"Bidder Name":"Bidder 2"}"#, None),
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
            (r#"{"Bid":1e300}"#, "not a whole number"),
            (r#"{"Bid":[1]}"#, "the bid is a list, not a number"),
            (r#"{"Bid":true}"#, "the bid is true or false"),
            ("470000", "the offer is a number, not an object"),
            ("[]", "the offer is a list"),
        ] {
            let error = bid(body).unwrap_err();
            assert!(error.contains(why), "{body}: {error:?} does not say {why:?}");
        }
    }
}
