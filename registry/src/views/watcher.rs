//! Whoever follows a service.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use mainstay_contracts::registry::WatchFrame;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::Views;
use super::view::{Since, View};
use crate::line::line;

/// How far a watcher's reader has been told.
#[derive(Debug)]
pub(super) struct Told {
    upto: AtomicU64,
    left: AtomicBool,
}

impl Told {
    fn is_behind(&self, revision: u64) -> bool {
        self.upto.load(Ordering::Relaxed) < revision && !self.left.load(Ordering::Relaxed)
    }
}

/// Follows a service, which need not exist, from a revision on.
#[derive(Debug)]
pub(crate) struct Watcher {
    views: Arc<Views>,
    pub(crate) view: Arc<View>,
    changed: watch::Receiver<u64>,
    /// The revision up to which everything has been handed out.
    cursor: u64,
    resumes: bool,
    told: Arc<Told>,
    _permit: OwnedSemaphorePermit,
}

impl Views {
    /// Starts to follow a service. Whoever names a revision of this epoch that is still remembered, hears what came
    /// after it; whoever does not, hears first what there is.
    pub(crate) fn watch(self: &Arc<Self>, service: &str, seen: Option<u64>, permit: OwnedSemaphorePermit) -> Watcher {
        let told = Arc::new(Told { upto: AtomicU64::new(0), left: AtomicBool::new(false) });
        let (view, changed) = loop {
            let view = self.open(&service.into());
            view.watchers.lock().push(Arc::clone(&told));
            let changed = view.changed.subscribe();
            // Nobody forgets it any more, if nobody has in between.
            if self.get(service).is_some_and(|other| Arc::ptr_eq(&other, &view)) {
                break (view, changed);
            }
        };
        // What is of the future was not said by this registry.
        let cursor = seen.filter(|seen| view.remembers(*seen) && *seen <= self.revision().max(view.revision()));
        told.upto.store(cursor.unwrap_or_default(), Ordering::Relaxed);
        let views = Arc::clone(self);
        Watcher { views, view, changed, cursor: cursor.unwrap_or(0), resumes: cursor.is_some(), told, _permit: permit }
    }
}

impl Watcher {
    /// The first line of its stream.
    pub(crate) fn first(&mut self) -> Bytes {
        if self.resumes {
            return line(&WatchFrame::Resumed { epoch: self.views.epoch, revision: self.cursor });
        }
        let snapshot = self.view.snapshot(self.views.epoch);
        self.cursor = snapshot.listing.revision;
        snapshot.line()
    }

    /// Waits until there is something after the cursor.
    ///
    /// Cancel safe.
    pub(crate) async fn changed(&mut self) {
        self.beyond(self.cursor).await;
    }

    /// Waits until the service has changed after a revision.
    ///
    /// Cancel safe.
    pub(crate) async fn beyond(&mut self, revision: u64) {
        // The view holds the sender.
        let _ = self.changed.wait_for(|now| *now > revision).await;
    }

    /// What came after the cursor, which it moves.
    pub(crate) fn next(&mut self, most: usize) -> Since {
        let since = self.view.since(self.cursor, self.views.epoch, most);
        self.cursor = match &since {
            Since::Lines(_, last) => *last,
            Since::All(snapshot) => snapshot.listing.revision,
        };
        since
    }

    /// Whoever reads has seen all up to a revision already, whoever has told it.
    pub(crate) fn has_seen(&self, revision: u64) {
        self.told.upto.fetch_max(revision, Ordering::Relaxed);
    }

    /// Whatever was handed out before has been written to the reader.
    pub(crate) fn delivered(&self) {
        if self.told.upto.swap(self.cursor, Ordering::Relaxed) < self.cursor {
            self.view.told.notify_waiters();
        }
    }

    /// Says that there is nothing new, and how to verify it; unless there is.
    pub(crate) fn bookmark(&mut self) -> Option<Bytes> {
        // In this order: what has a revision up to this is in the view already.
        let all = self.views.revision();
        let (revision, fingerprint) = self.view.fingerprint();
        if revision > self.cursor {
            return None;
        }
        self.cursor = self.cursor.max(all);
        Some(line(&WatchFrame::Bookmark { revision: self.cursor, fingerprint }))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.told.left.store(true, Ordering::Relaxed);
        self.view.watchers.lock().retain(|other| !Arc::ptr_eq(other, &self.told));
        self.view.told.notify_waiters();
        self.views.drop_if_unused(&self.view);
    }
}

impl View {
    pub(crate) fn watchers(&self) -> usize {
        self.watchers.lock().len()
    }

    /// Who watches now.
    pub(crate) fn audience(self: &Arc<Self>) -> Audience {
        let told = self.watchers.lock().clone();
        Audience { view: Arc::clone(self), told }
    }
}

/// Those who watched a service at one instant.
#[derive(Debug)]
pub(crate) struct Audience {
    view: Arc<View>,
    told: Vec<Arc<Told>>,
}

impl Audience {
    pub(crate) fn len(&self) -> usize {
        self.told.len()
    }

    /// How many of them are still there and have not been told up to a revision.
    pub(crate) fn untold(&self, revision: u64) -> usize {
        self.told.iter().filter(|told| told.is_behind(revision)).count()
    }

    /// Waits, without a bound, until they have been told up to a revision, or have left.
    ///
    /// Cancel safe.
    pub(crate) async fn until_told(&self, revision: u64) {
        loop {
            let mut told = pin!(self.view.told.notified());
            // From here on nobody's word is missed.
            told.as_mut().enable();
            if self.untold(revision) == 0 {
                return;
            }
            told.await;
        }
    }
}
