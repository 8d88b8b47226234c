//! A call of the last page as a lane: from when to when, against the deadline.

use std::time::Duration;

use crate::page::{Asked, Outcome, Page};
use crate::ratings::DEADLINE;

/// One lane. Its track is a thousand units long up to the deadline, and a tenth more after it.
#[derive(Debug)]
pub(super) struct Lane<'a> {
    pub(super) asked: &'a Asked,
    pub(super) x: u128,
    pub(super) width: u128,
    pub(super) millis: u128,
    /// The value of `data-outcome`.
    pub(super) outcome: &'static str,
    pub(super) words: &'static str,
}

/// The deadline's place on the track, and the track's end.
const TRACK: u128 = 1000;
const END: u128 = 1100;

/// The narrowest bar that is still seen.
const NARROWEST: u128 = 8;

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
        let x = units(asked.began.saturating_duration_since(page.began)).min(END - NARROWEST);
        let width = units(asked.elapsed).clamp(NARROWEST, END - x);
        Self { asked, x, width, millis: asked.elapsed.as_millis(), outcome, words }
    }
}

fn units(duration: Duration) -> u128 {
    duration.as_micros() * TRACK / DEADLINE.as_micros()
}
