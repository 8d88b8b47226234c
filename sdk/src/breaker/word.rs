//! Everything a breaker decides by, in 64 bits that change together.

use std::fmt;

use super::BreakerState;

/// `generation:32 | state:2 | dated:1 | probing:1 | failures:28`
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Word(u64);

const FAILURES: u64 = (1 << 28) - 1;
const PROBING: u64 = 1 << 28;
const DATED: u64 = 1 << 29;
const OPEN: u64 = 1 << 30;
const HALF_OPEN: u64 = 2 << 30;
const STATE: u64 = 3 << 30;

impl Word {
    pub(super) const CLOSED: Self = Self(0);

    pub(super) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(super) fn bits(self) -> u64 {
        self.0
    }

    pub(super) fn state(self) -> BreakerState {
        match self.0 & STATE {
            0 => BreakerState::Closed,
            OPEN => BreakerState::Open,
            _ => BreakerState::HalfOpen,
        }
    }

    pub(super) fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub(super) fn failures(self) -> u32 {
        (self.0 & FAILURES) as u32
    }

    pub(super) fn is_dated(self) -> bool {
        self.0 & DATED != 0
    }

    pub(super) fn is_probing(self) -> bool {
        self.0 & PROBING != 0
    }

    /// Counting stops at 2^28, far above any limit that means something.
    pub(super) fn with_failures(self, failures: u32) -> Self {
        Self(self.0 & !FAILURES | u64::from(failures).min(FAILURES))
    }

    pub(super) fn with_probe(self) -> Self {
        Self((self.0 | PROBING) & !DATED)
    }

    pub(super) fn dated(self) -> Self {
        Self(self.0 | DATED)
    }

    pub(super) fn next_open(self) -> Self {
        self.next(OPEN)
    }

    pub(super) fn next_half_open(self) -> Self {
        self.next(HALF_OPEN)
    }

    pub(super) fn next_closed(self) -> Self {
        self.next(0)
    }

    fn next(self, state: u64) -> Self {
        Self(u64::from(self.generation().wrapping_add(1)) << 32 | state)
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} (generation {}, {} failures", self.state(), self.generation(), self.failures())?;
        f.write_str(if self.is_probing() { ", probing)" } else { ")" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_transition_and_no_probe_is_dated_before_it_is_said() {
        let closed = Word::CLOSED;
        let half_open = closed.next_open().next_half_open();
        for fresh in [closed.next_open(), half_open, half_open.dated().with_probe(), half_open.dated().next_closed()] {
            assert!(!fresh.is_dated() && fresh.dated().is_dated(), "{fresh:?}");
        }
    }

    #[test]
    fn what_is_said_twice_is_said_once() {
        let word = Word::CLOSED.next_open().next_half_open();
        assert_eq!(word.dated().dated(), word.dated());
        assert_eq!(word.with_probe().with_probe(), word.with_probe());
        assert_eq!(word.with_failures(2).with_failures(2), word.with_failures(2));
    }
}
