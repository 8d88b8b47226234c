//! What can be set: how long leases last, and how much of everything there may be.

use std::time::Duration;

use mainstay_contracts::registry::{BEAT_EVERY, BOOKMARK_EVERY, GONE_AFTER, SILENT_AFTER};

/// How the registry behaves. The defaults are what its protocol documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// How often instances are told to beat.
    pub beat_every: Duration,
    /// Without a beat for this long, an instance is silent.
    pub silent_after: Duration,
    /// Silent for this long, an instance is gone.
    pub gone_after: Duration,
    /// How often a stream with nothing to tell speaks, so that its reader knows that the registry is there.
    pub bookmark_every: Duration,
    /// How much of everything there may be.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            beat_every: BEAT_EVERY,
            silent_after: SILENT_AFTER,
            gone_after: GONE_AFTER,
            bookmark_every: BOOKMARK_EVERY,
            limits: Limits::default(),
        }
    }
}

/// Bounds, so that no client can take the memory or the connections of all others.
///
/// | Limit | Default | Beyond it |
/// |---|---|---|
/// | [`services`](Limits::services) | 1 000 | 503 |
/// | [`instances`](Limits::instances) of one service | 10 000 | 503 |
/// | [`watchers`](Limits::watchers) | 4 096 | 503 |
/// | [`connections`](Limits::connections) | 16 384 | the next one waits to be accepted |
/// | [`body`](Limits::body) | 64 KiB | 413 |
/// | [`head_time`](Limits::head_time) | 10 s | the connection closes |
/// | [`body_time`](Limits::body_time) | 10 s | 408 |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Services that have instances.
    pub services: usize,
    /// Instances of one service.
    pub instances: usize,
    /// Watch streams, over all services.
    pub watchers: usize,
    /// Open connections. Above a full service that holds and the watchers, as each takes one.
    pub connections: usize,
    /// Bytes of one request body.
    pub body: usize,
    /// How long a request's head may take; also how long an idle connection is kept. It is twice the
    /// time between beats, so that an instance's next beat does not meet a connection just closed.
    pub head_time: Duration,
    /// How long a request's body may take.
    pub body_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            services: 1_000,
            instances: 10_000,
            watchers: 4_096,
            connections: 16_384,
            body: 64 * 1024,
            head_time: 2 * BEAT_EVERY,
            body_time: Duration::from_secs(10),
        }
    }
}
