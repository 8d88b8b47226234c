//! A lease connection: its instance is listed for as long as this value lives.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, stream};
use mainstay_contracts::registry::{HoldFrame, InstanceId, Register, Registered};
use tokio::sync::oneshot;
use tokio::time::{Instant, Interval, interval_at};

use super::Directory;
use crate::line::line;
use crate::roster::Refused;

/// Stands for a held instance. Dropped, it takes the instance off the list, unless the instance has left by
/// itself or something newer is in its place.
#[derive(Debug)]
pub(crate) struct Hold {
    directory: Arc<Directory>,
    service: String,
    id: InstanceId,
    number: u64,
    registered: Registered,
    ended: oneshot::Receiver<u64>,
}

impl Directory {
    /// Registers an instance for as long as the answer lives.
    pub(crate) fn hold(self: &Arc<Self>, call: Register) -> Result<Hold, Refused> {
        let (service, id) = (call.service.clone(), call.id.clone());
        let (sender, ended) = oneshot::channel();
        let (registered, number) = self.change(|inner, now| {
            let held = inner.roster.hold(call, now)?;
            inner.holds.insert(held.1, sender);
            Ok(held)
        })?;
        Ok(Hold { directory: Arc::clone(self), service, id, number, registered, ended })
    }
}

impl Hold {
    /// The lines of the stream. A client that goes away drops it, and with it the lease.
    pub(crate) fn lines(self) -> impl Stream<Item = Bytes> {
        let every = self.directory.config.bookmark_every;
        let bookmarks = interval_at(Instant::now() + every, every);
        let first = line(&HoldFrame::Held(self.registered.clone()));
        let rest = stream::unfold(Some((self, bookmarks)), |state| async {
            let (mut hold, mut bookmarks) = state?;
            match hold.next(&mut bookmarks).await? {
                last @ HoldFrame::Superseded { .. } => Some((line(&last), None)),
                frame => Some((line(&frame), Some((hold, bookmarks)))),
            }
        });
        stream::StreamExt::chain(stream::iter([first]), rest)
    }

    async fn next(&mut self, bookmarks: &mut Interval) -> Option<HoldFrame> {
        tokio::select! {
            biased;
            () = self.directory.stop.cancelled() => None,
            // Without an incarnation, the instance is gone or a newer connection of the same one stands for it.
            ended = &mut self.ended => ended.ok().map(|incarnation| HoldFrame::Superseded { incarnation }),
            _ = bookmarks.tick() => Some(HoldFrame::Bookmark),
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // When it is the registry that goes, the instances have not.
        if !self.directory.stop.is_cancelled() {
            self.directory.change(|inner, _| {
                inner.roster.release(&self.service, &self.id, self.number);
                inner.holds.remove(&self.number);
            });
        }
    }
}
