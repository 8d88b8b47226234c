//! What each side can do.

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::Failed;

/// Bytes of a message's text.
pub(crate) const BODY: usize = 200;

/// What a slice is spent with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Publishing.
    Publish,
    /// Asking.
    Ask,
}

/// Something that keeps messages, and a client of it that many tasks share.
pub(crate) trait Side: Send + Sync {
    fn title(&self) -> &'static str;

    /// Publishes one message; resolves when it is on the disk.
    fn publish(&self) -> BoxFuture<'_, Result<(), Failed>>;

    /// Publishes one request, and resolves with the reply of a worker.
    fn ask(&self) -> BoxFuture<'_, Result<(), Failed>>;

    /// Gets rid of so many messages that were published.
    fn empty(&self, published: u64) -> BoxFuture<'_, Result<(), Failed>>;
}

/// What is told and asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Text {
    pub(crate) text: String,
}

impl Text {
    pub(crate) fn new() -> Self {
        Self { text: "x".repeat(BODY) }
    }
}
