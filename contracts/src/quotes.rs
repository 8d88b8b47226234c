//! Quotes: requests for a quote that go out to every provider by message, and the quotes that come back.
//!
//! Two services share this file. [`Quotes`] takes requests, collects quotes and tells how they stand; [`Providers`] are
//! who is asked. They never call each other: an [`Rfq`] goes out, [`Quote`]s come in.

use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Call, Message, Policy, Service};

/// Takes requests, and tells their quotes.
#[derive(Debug)]
pub struct Quotes;

impl Service for Quotes {
    const NAME: &'static str = "quotes";
    /// It answers from what it has: nobody waits for a provider.
    const POLICY: Policy = Policy::builder()
        .timeout(Duration::from_secs(2))
        .retest_delay(Duration::from_secs(5))
        .health_path("/health")
        .build_const();
}

/// Who is asked. An instance's id is the name that it quotes under, and the name of its channel of [`Rfq`]s.
#[derive(Debug)]
pub struct Providers;

impl Service for Providers {
    const NAME: &'static str = "providers";
    const POLICY: Policy = Policy::builder()
        .timeout(Duration::from_secs(1))
        .retest_delay(Duration::from_secs(5))
        .health_path("/health")
        .build_const();
}

/// The name of the provider of this number.
pub fn provider_name(number: u32) -> String {
    format!("UnicornManagementResource{number}")
}

/// What would the ride cost? Told to each provider that is asked, on its own channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rfq {
    /// Which request this is.
    #[serde(rename = "rfq-id")]
    pub id: String,
    /// Where the ride begins.
    pub from: String,
    /// Where it ends.
    pub to: String,
    /// Who rides.
    pub customer: String,
}

impl Message for Rfq {
    const TOPIC: &'static str = "rfq";
}

/// What a provider would take for it. A second one of the same provider for the same request changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// For which request.
    #[serde(rename = "rfq-id")]
    pub rfq_id: String,
    /// Who.
    pub responder: String,
    /// How much.
    pub quote: u32,
}

impl Message for Quote {
    const TOPIC: &'static str = "quote";
}

/// The channel of [`Quote`]s that the collector consumes.
pub const COLLECTOR: &str = "collector";

/// Asks all providers for a quote. Answered with 201 as soon as the request is on disk, and with 400 naming the field
/// that is missing or no text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submit {
    /// Where the ride begins.
    pub from: String,
    /// Where it ends.
    pub to: String,
    /// Who rides.
    pub customer: String,
}

impl Submit {
    /// A ride of `customer`, `from` here `to` there.
    pub fn new(from: impl Into<String>, to: impl Into<String>, customer: impl Into<String>) -> Self {
        Self { from: from.into(), to: to.into(), customer: customer.into() }
    }
}

impl Call for Submit {
    type Service = Quotes;
    type Response = Submitted;
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = "/submit-instant-ride-rfq";
}

/// The request is kept, and on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// By what it is queried.
    #[serde(rename = "rfq-id")]
    pub rfq_id: String,
}

/// How does a request stand? Answered with 404 when there is none of this id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// The request's id.
    pub id: String,
}

impl Query {
    /// Of the request of this id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

impl Call for Query {
    type Service = Quotes;
    type Response = RfqView;
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = "/query-instant-ride-rfq/{id}";
}

/// `GET`: the quotes of a request as server-sent events, until it is over: a `quote` with a [`Quoted`] for each, in the
/// order of their coming, and at last an `over` with the [`RfqView`].
pub const EVENTS: &str = "/query-instant-ride-rfq/{id}/events";

/// The newest requests, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// How many at most: 1 to 100.
    #[serde(default = "usual_list")]
    pub most: usize,
}

fn usual_list() -> usize {
    20
}

impl Default for List {
    /// Twenty.
    fn default() -> Self {
        Self { most: usual_list() }
    }
}

impl Call for List {
    type Service = Quotes;
    type Response = Vec<RfqView>;
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = "/quotes";
}

/// A request, and the quotes that are there. The list only grows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RfqView {
    /// Which request this is.
    #[serde(rename = "rfq-id")]
    pub id: String,
    /// Where the ride begins.
    pub from: String,
    /// Where it ends.
    pub to: String,
    /// Who rides.
    pub customer: String,
    /// Whether more quotes may come.
    pub state: RfqState,
    /// How many providers were asked: all that were in the registry when it was submitted.
    pub asked: usize,
    /// How many of them have answered.
    pub answered: usize,
    /// How long until it closes, in milliseconds; 0 when it is over.
    pub closes_in_ms: u64,
    /// The lowest quote; of equal ones, that of the first name.
    pub best: Option<Quoted>,
    /// All quotes, in the natural order of their responders' names: 2 before 10.
    pub quotes: Vec<Quoted>,
}

/// Whether more quotes may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RfqState {
    /// They may.
    Open,
    /// All that were asked have answered.
    Complete,
    /// Its time is over.
    Closed,
}

/// One quote, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quoted {
    /// Who.
    pub responder: String,
    /// How much.
    pub quote: u32,
}

/// What became of the quotes that came since the collector started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetCounters {}

impl Call for GetCounters {
    type Service = Quotes;
    type Response = Counters;
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = "/quotes/counters";
}

/// How many quotes came, by what became of them. All but the stored ones were dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Counters {
    /// Are quotes of their requests now.
    pub stored: u64,
    /// Came from a provider that had answered already.
    pub twice: u64,
    /// Came for a request that does not exist.
    pub unknown: u64,
    /// Came from somebody who was not asked.
    pub unasked: u64,
    /// Came after the end.
    pub late: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    #[test]
    fn what_crosses_the_wire_is_as_it_always_was() {
        let quoted = |number, quote| Quoted { responder: provider_name(number), quote };
        let view = RfqView {
            id: "7".to_owned(),
            from: "Frankfurt".to_owned(),
            to: "Las Vegas".to_owned(),
            customer: "cmr".to_owned(),
            state: RfqState::Open,
            asked: 10,
            answered: 2,
            closes_in_ms: 900,
            best: Some(quoted(1, 16)),
            quotes: vec![quoted(1, 16), quoted(2, 90)],
        };
        let written = serde_json::to_string(&view).unwrap();
        assert_eq!(
            written,
            r#"{"rfq-id":"7","from":"Frankfurt","to":"Las Vegas","customer":"cmr","state":"open","asked":10,"answered":2,"closes_in_ms":900,"best":{"responder":"UnicornManagementResource1","quote":16},"quotes":[{"responder":"UnicornManagementResource1","quote":16},{"responder":"UnicornManagementResource2","quote":90}]}"#
        );
        assert_eq!(serde_json::from_str::<RfqView>(&written).unwrap(), view);
        let submitted = Submitted { rfq_id: "7".to_owned() };
        assert_eq!(serde_json::to_string(&submitted).unwrap(), r#"{"rfq-id":"7"}"#);
    }

    #[test]
    fn calls_have_their_routes() {
        assert_eq!(wire::encode(&Query::new("7")).unwrap().target, "/query-instant-ride-rfq/7");
        assert_eq!(wire::encode(&List::default()).unwrap().target, "/quotes?most=20");
        assert_eq!(wire::decode::<List>(&[], None, b""), Ok(List { most: 20 }));
        assert_eq!(wire::encode(&GetCounters {}).unwrap().target, "/quotes/counters");
    }
}
