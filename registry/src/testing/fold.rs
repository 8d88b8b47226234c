//! What a watcher makes of what it is told.

use std::collections::BTreeMap;

use mainstay_contracts::registry::{Fingerprint, GoneReason, InstanceId, Listed, Listing, Presence, WatchFrame};

/// The list that the frames of a watch lead to, over as many streams as it takes.
#[derive(Debug, Default)]
pub struct Fold {
    /// Who is there.
    pub instances: BTreeMap<InstanceId, Listed>,
    /// How many snapshots there were: one, if nothing was forgotten since.
    pub snapshots: usize,
    /// How many streams began where the one before had ended.
    pub resumed: usize,
    /// How many bookmarks agreed with what it had.
    pub verified: usize,
    /// How many were told to be gone.
    pub gone: usize,
    /// The most that were silent or suspect at once.
    pub doubtful: usize,
    seen: Option<(u64, u64)>,
    begun: bool,
    unguarded: bool,
}

impl Fold {
    /// Of a registry without a guard, where time may empty a list.
    #[must_use]
    pub fn unguarded() -> Self {
        Self { unguarded: true, ..Self::default() }
    }

    /// Epoch and revision that it has seen: what the next watch names.
    pub fn seen(&self) -> Option<(u64, u64)> {
        self.seen
    }

    /// The last revision that it has seen.
    pub fn revision(&self) -> u64 {
        self.seen.map(|(_, revision)| revision).unwrap_or_default()
    }

    /// A stream begins: its first frame has to say from where.
    pub fn begin(&mut self) {
        self.begun = false;
    }

    /// Takes the next frame of the stream.
    ///
    /// # Panics
    /// When it cannot come here: see the [module](super).
    #[track_caller]
    pub fn take(&mut self, frame: WatchFrame) {
        // Whoever reads too slowly gets another snapshot in between.
        let fits = match frame {
            WatchFrame::Snapshot(_) => true,
            WatchFrame::Resumed { .. } => !self.begun,
            _ => self.begun,
        };
        assert!(fits, "a stream begins with a snapshot or where it resumes, and not with {frame:?}");
        self.begun = true;
        match frame {
            WatchFrame::Snapshot(listing) => self.begin_with(&listing),
            WatchFrame::Resumed { epoch, revision } => {
                assert_eq!(Some((epoch, revision)), self.seen, "a stream resumes where the one before ended");
                self.resumed += 1;
            }
            WatchFrame::Changed { revision, listed } => {
                assert_ne!(listed.presence, Presence::Gone, "who is gone is not listed");
                self.go_on_to(revision);
                self.instances.insert(listed.instance.id.clone(), listed);
            }
            WatchFrame::Gone { revision, id, why } => {
                self.go_on_to(revision);
                self.remove(&id, why);
            }
            WatchFrame::Bookmark { revision, fingerprint } => {
                assert!(revision >= self.revision(), "revision {revision} after {}", self.revision());
                assert_eq!(Fingerprint::of(self.instances.values()), fingerprint, "the fold of the watch is the list");
                self.seen = self.seen.map(|(epoch, _)| (epoch, revision));
                self.verified += 1;
            }
            // What comes is the end of the stream.
            WatchFrame::Closing { .. } => {}
            WatchFrame::Unknown => panic!("a frame that nobody knows"),
        }
        let doubtful = |listed: &&Listed| matches!(listed.presence, Presence::Silent | Presence::Suspect);
        self.doubtful = self.doubtful.max(self.instances.values().filter(doubtful).count());
    }

    #[track_caller]
    fn begin_with(&mut self, listing: &Listing) {
        if let Some((epoch, revision)) = self.seen {
            assert_eq!(listing.epoch, epoch, "an epoch goes on");
            assert!(listing.revision >= revision, "revision {} after {revision}", listing.revision);
        }
        let empties = listing.instances.is_empty() && !self.instances.is_empty();
        assert!(self.unguarded || !empties, "a list of {} is empty, and nobody said so", self.instances.len());
        self.seen = Some((listing.epoch, listing.revision));
        self.instances = by_id(listing);
        self.snapshots += 1;
    }

    #[track_caller]
    fn remove(&mut self, id: &InstanceId, why: GoneReason) {
        self.gone += usize::from(self.instances.remove(id).is_some());
        let by_time = matches!(why, GoneReason::Silent | GoneReason::Unknown);
        assert!(self.unguarded || !by_time || !self.instances.is_empty(), "{id} was the last, and gone by time");
    }

    #[track_caller]
    fn go_on_to(&mut self, revision: u64) {
        assert!(revision > self.revision(), "revision {revision} after {}", self.revision());
        self.seen = self.seen.map(|(epoch, _)| (epoch, revision));
    }

    /// Holds a list against it that was asked for when nothing changed any more.
    ///
    /// # Panics
    /// When it is another one.
    #[track_caller]
    pub fn agrees_with(&self, listing: &Listing) {
        let mine = self.revision();
        assert!(self.instances == by_id(listing), "at {mine} {:?}, but the list is {listing:?}", self.instances);
    }
}

fn by_id(listing: &Listing) -> BTreeMap<InstanceId, Listed> {
    listing.instances.iter().map(|listed| (listed.instance.id.clone(), listed.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(id: &str) -> Listed {
        let json = format!(r#"{{"id":"{id}","number":1,"address":"127.0.0.1:1","incarnation":9,"presence":"up"}}"#);
        serde_json::from_str(&json).unwrap()
    }

    fn snapshot(revision: u64, ids: &[&str]) -> WatchFrame {
        let instances = ids.iter().map(|id| listed(id)).collect();
        WatchFrame::Snapshot(Listing { service: "ratings".to_owned(), epoch: 1, revision, instances })
    }

    fn changed(revision: u64, id: &str) -> WatchFrame {
        WatchFrame::Changed { revision, listed: listed(id) }
    }

    fn gone(revision: u64, id: &str, why: GoneReason) -> WatchFrame {
        WatchFrame::Gone { revision, id: id.parse().unwrap(), why }
    }

    fn folded(frames: impl IntoIterator<Item = WatchFrame>) -> Fold {
        let mut fold = Fold::default();
        frames.into_iter().for_each(|frame| fold.take(frame));
        fold
    }

    #[test]
    fn what_is_told_in_order_is_the_list() {
        let mut fold = folded([snapshot(3, &["a"]), changed(4, "b"), gone(6, "a", GoneReason::Silent)]);
        let fingerprint = Fingerprint::of([&listed("b")]);
        fold.take(WatchFrame::Bookmark { revision: 8, fingerprint });
        fold.begin();
        fold.take(WatchFrame::Resumed { epoch: 1, revision: 8 });
        fold.take(gone(9, "b", GoneReason::ConnectionClosed));
        assert_eq!((fold.seen(), fold.gone, fold.verified, fold.resumed), (Some((1, 9)), 2, 1, 1));
        let WatchFrame::Snapshot(empty) = snapshot(9, &[]) else { unreachable!("made above") };
        fold.agrees_with(&empty);
    }

    #[test]
    #[should_panic(expected = "a stream begins with a snapshot or where it resumes")]
    fn a_change_comes_first() {
        folded([changed(1, "a")]);
    }

    #[test]
    #[should_panic(expected = "revision 4 after 4")]
    fn a_change_does_not_go_on() {
        folded([snapshot(3, &[]), changed(4, "a"), changed(4, "b")]);
    }

    #[test]
    #[should_panic(expected = "the fold of the watch is the list")]
    fn a_change_was_left_out() {
        let fingerprint = Fingerprint::of([&listed("a"), &listed("b")]);
        folded([snapshot(3, &["a"]), WatchFrame::Bookmark { revision: 4, fingerprint }]);
    }

    #[test]
    #[should_panic(expected = "a was the last, and gone by time")]
    fn time_empties_the_list() {
        folded([snapshot(3, &["a"]), gone(4, "a", GoneReason::Silent)]);
    }

    #[test]
    #[should_panic(expected = "a list of 1 is empty, and nobody said so")]
    fn a_restart_empties_the_list() {
        let mut fold = folded([snapshot(3, &["a"])]);
        fold.begin();
        fold.take(snapshot(3, &[]));
    }

    #[test]
    #[should_panic(expected = "a stream resumes where the one before ended")]
    fn a_stream_resumes_elsewhere() {
        let mut fold = folded([snapshot(3, &["a"])]);
        fold.begin();
        fold.take(WatchFrame::Resumed { epoch: 1, revision: 2 });
    }

    #[test]
    #[should_panic(expected = "at 3")]
    fn the_list_is_another() {
        let WatchFrame::Snapshot(other) = snapshot(3, &["b"]) else { unreachable!("made above") };
        folded([snapshot(3, &["a"])]).agrees_with(&other);
    }
}
