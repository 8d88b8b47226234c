//! Follows a service through everything, and knows at once when something is told that cannot be.

use std::collections::BTreeMap;
use std::time::Duration;

use mainstay_contracts::registry::{Fingerprint, InstanceId, Listed, Listing, Presence, WatchFrame};
use tokio::time::sleep;

use crate::client::Client;

/// What a watcher has made of what it was told.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    pub(crate) instances: BTreeMap<InstanceId, Listed>,
    pub(crate) epoch: u64,
    pub(crate) revision: u64,
    pub(crate) resumed: usize,
    pub(crate) snapshots: usize,
    /// How many were told to be gone.
    pub(crate) gone: usize,
    /// How many bookmarks agreed with what it had.
    pub(crate) verified: usize,
    /// The most that were silent or suspect at once.
    pub(crate) doubtful: usize,
}

impl Follower {
    /// Follows until it is dropped, over every restart.
    pub(crate) async fn follow(&mut self, mut client: Client, mut done: impl FnMut(&Self) -> bool) {
        loop {
            let seen = (self.epoch > 0).then_some((self.epoch, self.revision));
            if let Some(mut frames) = client.watch(seen).await {
                while let Some(frame) = frames.change().await {
                    self.take(frame);
                    if done(self) {
                        return;
                    }
                }
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    fn take(&mut self, frame: WatchFrame) {
        match frame {
            WatchFrame::Snapshot(listing) => {
                self.snapshots += 1;
                // What is removed is told by name. A list that shrinks by itself is how an outage begins.
                if self.epoch == listing.epoch {
                    assert!(listing.revision >= self.revision, "revisions do not go back");
                }
                self.epoch = listing.epoch;
                self.revision = listing.revision;
                self.instances =
                    listing.instances.into_iter().map(|listed| (listed.instance.id.clone(), listed)).collect();
            }
            WatchFrame::Resumed { epoch, revision } => {
                self.resumed += 1;
                assert_eq!((epoch, revision), (self.epoch, self.revision));
            }
            WatchFrame::Changed { revision, listed } => {
                self.move_to(revision);
                self.instances.insert(listed.instance.id.clone(), listed);
            }
            WatchFrame::Gone { revision, id, .. } => {
                self.move_to(revision);
                self.gone += usize::from(self.instances.remove(&id).is_some());
            }
            WatchFrame::Bookmark { revision, fingerprint } => {
                assert!(revision >= self.revision);
                self.revision = revision;
                assert_eq!(Fingerprint::of(self.instances.values()), fingerprint, "the fold of the watch is the list");
                self.verified += 1;
            }
            other => panic!("{other:?}"),
        }
        let doubtful = |listed: &&Listed| matches!(listed.presence, Presence::Silent | Presence::Suspect);
        self.doubtful = self.doubtful.max(self.instances.values().filter(doubtful).count());
    }

    fn move_to(&mut self, revision: u64) {
        assert!(revision > self.revision, "{revision} after {}", self.revision);
        self.revision = revision;
    }

    /// Is what it has the list at its revision?
    pub(crate) fn agrees_with(&self, listing: &Listing) {
        let listed = listing.instances.iter().map(|listed| (listed.instance.id.clone(), listed.clone()));
        assert_eq!(self.instances, listed.collect());
    }
}
