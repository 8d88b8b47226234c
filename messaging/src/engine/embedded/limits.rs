//! How much of everything there may be.

use std::time::Duration;

use mainstay::contracts::hub::Rules;

use crate::Error;

/// Kept channels of a topic: each has a bit in a word of every message.
pub(super) const CHANNELS: u32 = 62;
/// Channels of a topic that are not kept.
pub(super) const UNKEPT: usize = 1024;
/// Messages of a channel that are in memory to be received at once, and their bytes. More of them wait on disk.
pub(super) const WINDOW: (usize, usize) = (1024, 2 * 1024 * 1024);
/// Bytes of messages received at once. One that is longer comes alone.
pub(super) const RECEIVED: usize = 4 * 1024 * 1024;
/// How long a channel that is not kept outlives whoever asked it last.
pub(super) const ABANDONED: Duration = Duration::from_secs(60);
/// The longest wait before a message is delivered again.
const BACKOFF: Duration = Duration::from_secs(60);
/// The longest time that a message may be invisible.
const VISIBILITY: Duration = Duration::from_secs(24 * 60 * 60);

/// Bounds, so that nobody who has stopped consuming takes the memory or the disk of all others.
///
/// | Limit | Default | Beyond it |
/// |---|---|---|
/// | [`topics`](Limits::topics) | 1 000 | a new one cannot be declared |
/// | [`messages`](Limits::messages) of a topic | 1 000 000 | publishers are told that it is full |
/// | [`bytes`](Limits::bytes) of a topic's messages | 1 GiB | publishers are told that it is full |
/// | [`disk`](Limits::disk) for everything | 4 GiB | publishers are told that it is full; what is there can be consumed |
/// | [`in_flight`](Limits::in_flight) of a kept channel | 10 000 | nobody receives more of it until something is settled |
/// | [`unkept`](Limits::unkept) messages of a channel that is not kept | 10 000, and 16 MiB | it misses copies; what is for it alone is refused |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Topics that there are.
    pub topics: usize,
    /// Messages that some channel of a topic still has to consume.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of the file that all messages are in.
    pub disk: u64,
    /// Messages of a kept channel that were received and not settled, or wait to be delivered again.
    pub in_flight: usize,
    /// Messages of a channel that is not kept.
    pub unkept: usize,
    /// Their bytes.
    pub unkept_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            topics: 1_000,
            messages: 1_000_000,
            bytes: 1 << 30,
            disk: 4 << 30,
            in_flight: 10_000,
            unkept: 10_000,
            unkept_bytes: 16 << 20,
        }
    }
}

/// Can a channel have these rules?
pub(super) fn check_rules(rules: &Rules) -> Result<(), Error> {
    if !(1..=VISIBILITY.as_millis()).contains(&u128::from(rules.visibility_ms)) {
        return Err(Error::bad(format!("a visibility timeout is 1 ms to 24 h, not {} ms", rules.visibility_ms)));
    }
    Ok(())
}

/// How long a message waits that could not be consumed so many times.
pub(super) fn backoff(rules: &Rules, tries: u32) -> Duration {
    let doubled = u32::checked_pow(2, tries.saturating_sub(1)).unwrap_or(u32::MAX);
    Duration::from_millis(rules.backoff_ms.saturating_mul(doubled.into())).min(BACKOFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backoff_doubles_up_to_a_minute() {
        let rules = Rules { backoff_ms: 100, ..Rules::default() };
        let waits = |rules: Rules| [1, 2, 3, 10, 11, 40, u32::MAX].map(|tries| backoff(&rules, tries).as_millis());
        assert_eq!(waits(rules), [100, 200, 400, 51_200, 60_000, 60_000, 60_000]);
        assert_eq!(waits(Rules { backoff_ms: 0, ..rules }), [0; 7]);
        assert_eq!(waits(Rules { backoff_ms: u64::MAX, ..rules }), [60_000; 7]);
    }

    #[test]
    fn rules_out_of_range_are_refused() {
        for (visibility_ms, fits) in [(0, false), (1, true), (86_400_000, true), (86_400_001, false), (u64::MAX, false)]
        {
            assert_eq!(check_rules(&Rules { visibility_ms, ..Rules::default() }).is_ok(), fits, "{visibility_ms}");
        }
    }
}
