//! The ratings service: how well people like a thing.

use std::fmt;
use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{Call, Policy, Service};

/// Rates things. One failure opens a breaker: a shop page has no time for a second.
#[derive(Debug)]
pub struct Ratings;

impl Service for Ratings {
    const NAME: &'static str = "ratings";
    const POLICY: Policy = Policy::builder()
        .timeout(Duration::from_secs(1))
        .failure_limit(1)
        .retest_delay(Duration::from_secs(30))
        .health_path("/health")
        .build_const();
}

/// What is the rating of a thing? Answered with a [`Rating`], or 404 for an unknown thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetRating {
    /// The thing's id, such as `camera`.
    pub thing: String,
}

impl GetRating {
    /// Asks for the rating of `thing`.
    pub fn new(thing: impl Into<String>) -> Self {
        Self { thing: thing.into() }
    }
}

impl Call for GetRating {
    type Service = Ratings;
    type Response = Rating;
    const METHOD: Method = Method::GET;
    const ROUTE: &'static str = "/ratings/{thing}";
}

/// The answer to [`GetRating`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rating {
    /// The thing that was asked for.
    pub thing: String,
    /// How well it is liked.
    pub rating: Stars,
}

/// A decimal from 0 to 5. A number outside does not decode.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Stars(f64);

impl Stars {
    /// `None` unless `stars` is from 0 to 5.
    pub fn new(stars: f64) -> Option<Self> {
        (0.0..=5.0).contains(&stars).then_some(Self(stars))
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Stars {
    type Error = String;

    fn try_from(stars: f64) -> Result<Self, String> {
        Self::new(stars).ok_or_else(|| format!("{stars} is not a rating from 0 to 5"))
    }
}

impl From<Stars> for f64 {
    fn from(stars: Stars) -> Self {
        stars.0
    }
}

impl fmt::Display for Stars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_end_at_five() {
        let decode = |body: &str| serde_json::from_str::<Rating>(body);
        assert_eq!(decode(r#"{"thing":"camera","rating":4.5}"#).unwrap().rating.get(), 4.5);
        for wrong in ["-0.1", "5.1", "\"4.5\"", "null"] {
            assert!(decode(&format!(r#"{{"thing":"camera","rating":{wrong}}}"#)).is_err(), "{wrong}");
        }
    }
}
