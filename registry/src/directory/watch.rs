//! One watcher of one service.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use mainstay_contracts::registry::{Fingerprint, WatchFrame};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast};
use tokio::time::{Instant, Interval, interval_at, sleep};

use super::{Channel, Directory, LAG, Told};
use crate::line::line;
use crate::roster::{Kind, Refused, Snapshot};

/// How long a watcher that has lagged waits before it gets a snapshot. Changes that overrun it come in bursts,
/// and a snapshot in the middle of one would be followed by the next.
const SETTLE: Duration = Duration::from_millis(50);

/// A watcher: a snapshot, then every change since.
#[derive(Debug)]
pub(crate) struct Watch {
    directory: Arc<Directory>,
    service: String,
    receiver: broadcast::Receiver<Told>,
    /// The revision that its reader has.
    revision: u64,
    _permit: OwnedSemaphorePermit,
}

impl Directory {
    /// Starts to watch a service, which need not exist.
    pub(crate) fn watch(self: &Arc<Self>, service: &str) -> Result<(Arc<Snapshot>, Watch), Refused> {
        let most = self.config.limits.watchers;
        let Ok(permit) = Arc::clone(&self.watchers).try_acquire_owned() else {
            return Err(Refused::new(Kind::Full, format!("there are {most} watchers, and may not be more")));
        };
        let mut inner = self.inner.lock();
        // Both under one lock: no change falls between them.
        let snapshot = inner.roster.open(service);
        let channel = inner
            .channels
            .entry(service.to_owned())
            .or_insert_with(|| Channel { sender: broadcast::channel(LAG).0, watchers: 0 });
        channel.watchers += 1;
        let receiver = channel.sender.subscribe();
        let (directory, service, revision) = (Arc::clone(self), service.to_owned(), snapshot.listing.revision);
        let watch = Watch { directory, service, receiver, revision, _permit: permit };
        Ok((snapshot, watch))
    }
}

impl Watch {
    /// The lines of the stream, after that of the snapshot.
    pub(crate) fn lines(self) -> impl Stream<Item = Bytes> {
        let every = self.directory.config.bookmark_every;
        let bookmarks = interval_at(Instant::now() + every, every);
        stream::unfold((self, bookmarks), |(mut watch, mut bookmarks)| async {
            let stop = watch.directory.stop.clone();
            let line = tokio::select! {
                biased;
                () = stop.cancelled() => None,
                line = watch.next(&mut bookmarks) => line,
            };
            Some((line?, (watch, bookmarks)))
        })
    }

    async fn next(&mut self, bookmarks: &mut Interval) -> Option<Bytes> {
        let told = tokio::select! {
            biased;
            told = self.receiver.recv() => told,
            _ = bookmarks.tick() => return Some(self.bookmark()),
        };
        match told {
            Ok(Told { revision, line }) => {
                self.revision = revision;
                Some(line)
            }
            Err(RecvError::Lagged(_)) => {
                sleep(SETTLE).await;
                Some(self.resync().line())
            }
            Err(RecvError::Closed) => None,
        }
    }

    fn bookmark(&self) -> Bytes {
        let snapshot = self.directory.list(&self.service);
        let fingerprint = Fingerprint::of(&snapshot.listing.instances);
        line(&WatchFrame::Bookmark { revision: snapshot.listing.revision, fingerprint })
    }

    fn resync(&mut self) -> Arc<Snapshot> {
        let mut inner = self.directory.inner.lock();
        let snapshot = inner.roster.open(&self.service);
        self.receiver = self.receiver.resubscribe();
        self.revision = snapshot.listing.revision;
        snapshot
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut inner = self.directory.inner.lock();
        let left = inner.channels.get_mut(&self.service).map(|channel| {
            channel.watchers -= 1;
            channel.watchers
        });
        if left == Some(0) {
            inner.channels.remove(&self.service);
            inner.roster.forget(&self.service);
        }
    }
}
