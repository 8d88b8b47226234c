//! Answers that do not end.

use std::convert::Infallible;
use std::fmt;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use tokio::sync::broadcast;

/// What is kept for a reader that is slower than whoever says it. One that is slower still misses what is oldest.
const KEPT: usize = 4096;

/// What several answers go on with; see [`Answer::followed_by`](super::Answer::followed_by). Clones are the same feed.
#[derive(Clone)]
pub struct Feed(broadcast::Sender<Option<Bytes>>);

impl Feed {
    /// One that nobody follows yet.
    pub fn new() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }

    /// Says more to all who follow it now.
    pub fn say(&self, more: impl Into<Bytes>) {
        // Nobody may be listening.
        let _ = self.0.send(Some(more.into()));
    }

    /// Ends all answers that follow it now.
    pub fn end(&self) {
        let _ = self.0.send(None);
    }

    pub(super) fn after(body: Bytes, feed: Option<Self>) -> UnsyncBoxBody<Bytes, Infallible> {
        let Some(Self(feed)) = feed else { return Full::new(body).boxed_unsync() };
        let more = stream::unfold(feed.subscribe(), |mut receiver| async move {
            loop {
                match receiver.recv().await {
                    Ok(more) => return Some((more?, receiver)),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
            }
        });
        let frames = stream::iter([body]).chain(more).map(|bytes| Ok(Frame::data(bytes)));
        StreamBody::new(frames).boxed_unsync()
    }
}

impl Default for Feed {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("followed_by", &self.0.receiver_count()).finish()
    }
}
