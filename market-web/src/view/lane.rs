//! A call of the last page as a lane: from when to when, against the deadline.

use super::span::Span;
use crate::page::{Asked, Outcome, Page};
use crate::ratings::DEADLINE;

/// One lane.
#[derive(Debug)]
pub(super) struct Lane<'a> {
    pub(super) asked: &'a Asked,
    pub(super) span: Span,
    pub(super) millis: u128,
    /// The value of `data-outcome`.
    pub(super) outcome: &'static str,
    pub(super) words: &'static str,
}

impl<'a> Lane<'a> {
    pub(super) fn all(page: Option<&'a Page>) -> Vec<Self> {
        page.into_iter().flat_map(|page| page.asked.iter().map(|asked| Self::of(page, asked))).collect()
    }

    fn of(page: &Page, asked: &'a Asked) -> Self {
        let (outcome, words) = match asked.outcome {
            Outcome::Answered => ("answered", "answered"),
            Outcome::TimedOut => ("timed-out", "timed out"),
            Outcome::Failed => ("failed", "failed"),
            Outcome::Down => ("down", "nobody left to ask"),
        };
        let span = Span::of(asked.began.saturating_duration_since(page.began), asked.elapsed, DEADLINE);
        Self { asked, span, millis: asked.elapsed.as_millis(), outcome, words }
    }
}
