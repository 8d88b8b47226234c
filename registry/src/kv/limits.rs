//! How much may be kept by key.

use std::time::Duration;

/// Bounds on keys, values, sessions, and on those who wait for them.
///
/// | Limit | Default | Beyond it |
/// |---|---|---|
/// | [`keys`](KvLimits::keys) | 100 000 | 503 |
/// | [`bytes`](KvLimits::bytes) of all keys and values | 64 MiB | 503 |
/// | [`value`](KvLimits::value) | 64 KiB | 413 |
/// | a key | 512 bytes | 400 |
/// | [`sessions`](KvLimits::sessions) | 10 000 | 503 |
/// | [`waiting`](KvLimits::waiting) | 4 096 | 503 |
/// | [`shortest_ttl`](KvLimits::shortest_ttl) | 10 s | 400 |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KvLimits {
    /// Keys, with those that were deleted and cannot be locked yet.
    pub keys: usize,
    /// Bytes of all keys and values.
    pub bytes: usize,
    /// Bytes of one value.
    pub value: usize,
    /// Sessions that have not ended.
    pub sessions: usize,
    /// Requests that wait for a change.
    pub waiting: usize,
    /// The shortest time to live of a session that has one.
    pub shortest_ttl: Duration,
}

impl Default for KvLimits {
    fn default() -> Self {
        Self {
            keys: 100_000,
            bytes: 64 * 1024 * 1024,
            value: 64 * 1024,
            sessions: 10_000,
            waiting: 4_096,
            shortest_ttl: Duration::from_secs(10),
        }
    }
}
