//! How long calls took, in buckets of a few per cent: cheap enough to be kept of every call.

use std::time::Duration;

/// Buckets for each power of two.
const FINE: u64 = 32;
const BITS: u32 = FINE.ilog2();

#[derive(Debug, Clone)]
pub(crate) struct Latencies {
    counts: Vec<u64>,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; bucket(u64::MAX) + 1] }
    }

    pub(crate) fn record(&mut self, took: Duration) {
        self.counts[bucket(took.as_nanos() as u64)] += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
    }

    pub(crate) fn calls(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The time within which this share of the calls was answered. Zero of no calls.
    pub(crate) fn within(&self, share: f64) -> Duration {
        let wanted = (self.calls() as f64 * share).ceil() as u64;
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        Duration::from_nanos(floor(found.unwrap_or(0)))
    }
}

/// Exact below `FINE`, then the power of two and the bits that follow the first.
fn bucket(nanos: u64) -> usize {
    let shift = nanos.max(1).ilog2().saturating_sub(BITS);
    (u64::from(shift) * FINE + (nanos >> shift)) as usize
}

/// The least that is counted in a bucket.
fn floor(bucket: usize) -> u64 {
    let shift = (bucket as u64 / FINE).saturating_sub(1);
    (bucket as u64 - shift * FINE) << shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_one_another_and_are_narrow() {
        for nanos in (0..10_000).chain([u64::MAX / 3, u64::MAX]) {
            let found = floor(bucket(nanos));
            assert!(found <= nanos && nanos - found <= nanos / FINE, "{nanos} is counted as {found}");
        }
        assert!((0..100_000).is_sorted_by_key(bucket));
    }

    #[test]
    fn half_of_the_calls_are_within_the_median() {
        let mut latencies = Latencies::new();
        assert_eq!(latencies.within(0.5), Duration::ZERO);
        (1..=100).for_each(|micros| latencies.record(Duration::from_micros(micros)));
        let close = |share: f64, micros: f64| (latencies.within(share).as_secs_f64() * 1e6 / micros - 1.0).abs() < 0.04;
        assert!(close(0.5, 50.0) && close(0.99, 99.0), "{:?}", latencies.within(0.5));
        assert_eq!(latencies.calls(), 100);
    }
}
