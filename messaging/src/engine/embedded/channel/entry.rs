//! One message of a channel.

use std::sync::Arc;

use mainstay::contracts::Envelope;
use tokio::time::Instant;

/// A message that the channel knows of.
#[derive(Debug)]
pub(super) struct Entry {
    /// How often it could not be consumed.
    pub(super) tries: u32,
    pub(super) bytes: usize,
    pub(super) state: State,
    /// None if it has to be read from the disk.
    pub(super) message: Option<Arc<Envelope>>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum State {
    /// Whoever asks gets it.
    Ready,
    /// Somebody has it, by this delivery of that run.
    Out { run: u64, delivery: u64, until: Instant },
    /// Nobody gets it yet.
    Later(Instant),
    /// That it leaves is being written down. Should that fail, it is ready again after a while.
    Leaving(Instant),
}

impl State {
    /// When this is over by itself.
    pub(super) fn until(self) -> Option<Instant> {
        match self {
            Self::Ready => None,
            Self::Out { until, .. } | Self::Later(until) | Self::Leaving(until) => Some(until),
        }
    }
}
