//! One watcher's stream.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use mainstay_contracts::registry::{Watch, WatchFrame};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Interval, interval_at};

use super::Directory;
use crate::line::line;
use crate::roster::{Kind, Refused};
use crate::views::{Since, Watcher};

/// How many lines are written at once.
const AT_ONCE: usize = 256;
/// How many readers can come back in a second without keeping each other waiting.
const PER_SECOND: usize = 2_000;
/// The longest and the shortest time over which they are spread, in milliseconds.
const SPREAD: (u64, u64) = (100, 5_000);

impl Directory {
    /// The lines of a watch, to be read until the client goes or the registry stops.
    pub(crate) fn watch(self: &Arc<Self>, call: &Watch) -> Result<impl Stream<Item = Bytes> + use<>, Refused> {
        let permit = self.place()?;
        let seen = call.revision.filter(|_| call.epoch == Some(self.views.epoch()));
        let mut watcher = self.views.watch(&call.service, seen, permit);
        let first = watcher.first();
        let every = self.config.bookmark_every;
        let bookmarks = interval_at(Instant::now() + every, every);
        // One wait for all of the stream, on a token of its own: thousands would queue for the registry's.
        let stopped = Box::pin(self.watching().child_token().cancelled_owned());
        let state = Some((Arc::clone(self), watcher, bookmarks, stopped));
        let rest = stream::unfold(state, |state| async {
            let (directory, mut watcher, mut bookmarks, mut stopped) = state?;
            // The connection asks for more: what it had is with it, written or about to be.
            watcher.delivered();
            tokio::select! {
                biased;
                () = &mut stopped => {
                    let closing = WatchFrame::Closing { return_in_ms: directory.return_in_ms() };
                    Some((line(&closing), None))
                }
                lines = next(&mut watcher, &mut bookmarks) => {
                    Some((lines, Some((directory, watcher, bookmarks, stopped))))
                }
            }
        });
        Ok(stream::iter([first]).chain(rest))
    }

    /// The place of a watcher, if there is one left.
    pub(super) fn place(&self) -> Result<OwnedSemaphorePermit, Refused> {
        Arc::clone(&self.watchers).try_acquire_owned().map_err(|_| {
            let most = self.config.limits.watchers;
            Refused::new(Kind::Full, format!("there are {most} watchers, and may not be more"))
        })
    }

    /// When a reader is to come back to a registry that stops: each at another time, that they do not all come at once.
    pub(crate) fn return_in_ms(&self) -> u64 {
        let (shortest, longest) = SPREAD;
        let readers = self.watchers() + self.holds.load(Ordering::Relaxed);
        let spread = u64::try_from(readers * 1000 / PER_SECOND).unwrap_or(u64::MAX);
        fastrand::u64(..=spread.clamp(shortest, longest))
    }
}

async fn next(watcher: &mut Watcher, bookmarks: &mut Interval) -> Bytes {
    loop {
        let line = tokio::select! {
            biased;
            () = watcher.changed() => match watcher.next(AT_ONCE) {
                Since::Lines(lines, _) => joined(lines),
                Since::All(snapshot) => Some(snapshot.line()),
            },
            _ = bookmarks.tick() => watcher.bookmark(),
        };
        if let Some(line) = line {
            return line;
        }
    }
}

/// What is one line goes out as it is: it is shared by all who are told.
fn joined(mut lines: Vec<Bytes>) -> Option<Bytes> {
    if lines.len() < 2 {
        return lines.pop();
    }
    let mut all = BytesMut::with_capacity(lines.iter().map(Bytes::len).sum());
    lines.iter().for_each(|line| all.extend_from_slice(line));
    Some(all.freeze())
}
