//! The latest cycles, each of which is a line in the log.

use std::collections::VecDeque;

use mainstay::contracts::sensors::Cycle;
use parking_lot::Mutex;
use tracing::{info, warn};

/// How many are remembered.
const LATEST: usize = 100;

/// The latest cycles, and how many there were.
#[derive(Debug, Default)]
pub(super) struct Latest(Mutex<Ended>);

#[derive(Debug, Default)]
struct Ended {
    count: u64,
    latest: VecDeque<Cycle>,
}

impl Latest {
    /// A cycle has ended: gives it its number, and logs it.
    pub(super) fn end(&self, mut cycle: Cycle) {
        let mut ended = self.0.lock();
        ended.count += 1;
        cycle.number = ended.count;
        log(&cycle);
        ended.latest.push_front(cycle);
        ended.latest.truncate(LATEST);
    }

    pub(super) fn newest_first(&self) -> Vec<Cycle> {
        self.0.lock().latest.iter().cloned().collect()
    }
}

fn log(cycle: &Cycle) {
    let number = cycle.number;
    match (&cycle.measured, &cycle.squared, &cycle.reason) {
        (Some((sensor, values)), Some((worker, squares)), _) => {
            info!("cycle {number}: {sensor} measured {values:?}, {worker} squared {squares:?}");
        }
        (Some((sensor, values)), None, Some(reason)) => {
            warn!("cycle {number}: {sensor} measured {values:?}, and nobody squared it: {reason}");
        }
        (_, _, reason) => warn!("cycle {number}: nobody measured: {}", reason.as_deref().unwrap_or("no reason")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_remembered_newest_first() {
        let latest = Latest::default();
        for _ in 0..LATEST + 20 {
            latest.end(Cycle { number: 0, at_ms: 0, measured: None, squared: None, reason: None });
        }
        let numbers: Vec<_> = latest.newest_first().iter().map(|cycle| cycle.number).collect();
        assert_eq!(numbers, (21..=120).rev().collect::<Vec<_>>());
    }
}
