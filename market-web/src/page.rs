//! The last page: what each of its calls brought.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

/// Where a rating on the page comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Source {
    /// An instance answered this page's call.
    Live,
    /// None answered; this is the last good answer of an earlier call.
    LastGood,
    /// None answered, now or lately.
    #[default]
    None,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered,
    TimedOut,
    Failed,
    /// Nobody was left to ask.
    Down,
}

/// A rating, and how it was come by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rated {
    pub(crate) stars: f64,
    /// Who said so.
    pub(crate) instance: u32,
    /// When it was said.
    pub(crate) said: Instant,
}

/// Why there is no live rating.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reason {
    /// For the customer, next to the rating: `#1 timed out`. Empty when there was nobody to ask.
    pub(crate) short: String,
    /// For whoever looks after the Market.
    pub(crate) full: String,
}

/// One call of a page.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) thing: &'static str,
    pub(crate) source: Source,
    pub(crate) rated: Option<Rated>,
    /// Set unless the rating is live.
    pub(crate) reason: Option<Reason>,
    /// Who was asked, if anybody was.
    pub(crate) instance: Option<u32>,
    pub(crate) began: Instant,
    pub(crate) elapsed: Duration,
    pub(crate) outcome: Outcome,
}

/// The calls of one page, made at once.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) began: Instant,
    pub(crate) elapsed: Duration,
    /// In the order of the things.
    pub(crate) asked: Vec<Asked>,
}

impl Page {
    /// Whether every call of it found nobody to ask.
    pub(crate) fn is_down(&self) -> bool {
        self.asked.iter().all(|asked| asked.outcome == Outcome::Down)
    }
}
