//! An instance's row.

use mainstay::{BreakerState, Presence};

use super::words::until;
use crate::lab::Condition;
use crate::state::{InstanceNow, breaker_word};
use crate::traffic::Bar;

/// One row, in words and bars.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) now: &'a InstanceNow,
    pub(super) process: &'static str,
    pub(super) registry: &'static str,
    /// The value of `data-breaker`; `none` where the client has not heard of the instance.
    pub(super) breaker: &'static str,
    pub(super) breaker_word: String,
    pub(super) breaker_note: String,
    pub(super) bars: Vec<DrawnBar>,
}

/// A bar of the traffic: answered calls stand on the line, failed ones hang below it.
#[derive(Debug)]
pub(super) struct DrawnBar {
    pub(super) x: usize,
    pub(super) ok: u64,
    pub(super) failed: u64,
}

/// How high the highest bar is drawn. Few calls are drawn to the same scale, so that one call looks small.
const HEIGHT: u64 = 14;
const SCALE: u64 = 6;

impl<'a> Row<'a> {
    pub(super) fn of(now: &'a InstanceNow) -> Self {
        let breaker = now.breaker.map_or("none", breaker_word);
        Self {
            now,
            process: match now.process {
                Some(Condition::Running) => "running",
                Some(Condition::Paused) => "paused",
                Some(Condition::Killed) => "killed",
                None => "unknown",
            },
            registry: match now.registry {
                Some(Presence::Up) => "up",
                Some(Presence::Silent) => "silent",
                Some(Presence::Suspect) => "suspect",
                Some(Presence::Draining) => "draining",
                Some(Presence::Gone) => "gone",
                None => "unknown",
            },
            breaker,
            breaker_word: if breaker == "none" { "\u{2014}".to_owned() } else { breaker.to_uppercase() },
            breaker_note: match (now.breaker, now.retest_in) {
                (Some(BreakerState::Open), Some(left)) => format!("retest in {}", until(left)),
                (Some(BreakerState::HalfOpen), _) => "probing it".to_owned(),
                _ => String::new(),
            },
            bars: draw(&now.bars),
        }
    }
}

impl Row<'_> {
    /// What the instance is called where others stand beside it.
    pub(super) fn title(&self) -> String {
        self.now.kind.title(self.now.number)
    }

    /// How much it has done by message, of what is in the book.
    pub(super) fn done(&self) -> u64 {
        self.now.done.unwrap_or_default()
    }
}

fn draw(bars: &[Bar]) -> Vec<DrawnBar> {
    let most = bars.iter().map(|bar| bar.ok.max(bar.failed)).max().unwrap_or_default().max(SCALE);
    let height = |calls: u64| (calls * HEIGHT).div_ceil(most);
    let drawn = bars.iter().enumerate();
    drawn.map(|(index, bar)| DrawnBar { x: index * 4, ok: height(bar.ok), failed: height(bar.failed) }).collect()
}

impl InstanceNow {
    /// Whether its breaker is open.
    pub(super) fn is_open(&self) -> bool {
        self.breaker == Some(BreakerState::Open)
    }

    /// Whether a call would be sent to it.
    pub(super) fn is_called(&self) -> bool {
        self.breaker == Some(BreakerState::Closed) && self.registry != Some(Presence::Gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_never_too_small_to_see_nor_too_high() {
        let bars = draw(&[Bar { ok: 1, failed: 0 }, Bar { ok: 900, failed: 1 }, Bar::default()]);
        assert_eq!((bars[0].ok, bars[1].ok, bars[1].failed), (1, HEIGHT, 1));
        assert_eq!((bars[2].ok, bars[2].failed), (0, 0));
    }
}
