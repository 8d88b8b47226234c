//! What became of the quotes that came.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use mainstay::contracts::quotes::Counters;

/// Counts quotes, since the start of the process.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) stored: AtomicU64,
    pub(super) twice: AtomicU64,
    pub(super) unknown: AtomicU64,
    pub(super) unasked: AtomicU64,
    pub(super) late: AtomicU64,
}

impl Tally {
    pub(super) fn counters(&self) -> Counters {
        let Self { stored, twice, unknown, unasked, late } = self;
        let [stored, twice, unknown, unasked, late] =
            [stored, twice, unknown, unasked, late].map(|count| count.load(Relaxed));
        Counters { stored, twice, unknown, unasked, late }
    }
}
