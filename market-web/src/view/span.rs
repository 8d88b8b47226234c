//! From when to when, against a deadline: a bar on a track.

use std::time::Duration;

/// A bar's place on its track, which is a thousand units long up to the deadline, and a tenth more after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) x: u128,
    pub(super) width: u128,
}

/// The deadline's place on the track, and the track's end.
const TRACK: u128 = 1000;
const END: u128 = 1100;

/// The narrowest bar that is still seen.
const NARROWEST: u128 = 8;

impl Span {
    pub(super) fn of(from: Duration, took: Duration, deadline: Duration) -> Self {
        let units = |duration: Duration| duration.as_micros() * TRACK / deadline.as_micros().max(1);
        let x = units(from).min(END - NARROWEST);
        Self { x, width: units(took).clamp(NARROWEST, END - x) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_never_too_small_to_see_nor_too_long() {
        let millis = Duration::from_millis;
        for (from, took, bar) in [(0, 0, (0, 8)), (0, 500, (0, 500)), (200, 1000, (200, 900)), (9000, 1, (1092, 8))] {
            let Span { x, width } = Span::of(millis(from), millis(took), millis(1000));
            assert_eq!((x, width), bar, "{from} {took}");
        }
    }
}
