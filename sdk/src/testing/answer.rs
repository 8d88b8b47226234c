//! What a simulated instance answers.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;

use super::Feed;

/// What a [`SimulatedInstance`](super::SimulatedInstance) answers.
#[derive(Debug, Clone)]
pub struct Answer {
    pub(super) status: StatusCode,
    pub(super) delay: Duration,
    pub(super) body: Bytes,
    pub(super) feed: Option<Feed>,
}

impl Answer {
    /// 200 with this body, at once.
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, delay: Duration::ZERO, body: body.into(), feed: None }
    }

    /// This status with an empty body, at once.
    pub fn status(status: StatusCode) -> Self {
        Self { status, ..Self::ok("") }
    }

    /// The same with this status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same after a while.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// The same, and its body goes on with whatever the feed is given from now on, as a registry's streams do.
    #[must_use]
    pub fn followed_by(mut self, feed: &Feed) -> Self {
        self.feed = Some(feed.clone());
        self
    }
}
