//! One service, as everybody sees it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use mainstay_contracts::registry::{Fingerprint, InstanceId, Listing, Presence, WatchFrame};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, watch};

use super::watcher::Told;
use crate::line::{changed, line};
use crate::roster::{Became, Change, Grave, Row};

/// A service's list, and what has changed.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) name: Arc<str>,
    folded: RwLock<Folded>,
    /// The last revision, for whoever waits for the next one.
    pub(super) changed: watch::Sender<u64>,
    /// Who watches, and how far each has been told.
    pub(super) watchers: Mutex<Vec<Arc<Told>>>,
    /// Somebody waits until watchers have been told.
    pub(super) told: Notify,
}

/// The changes that nothing newer has taken the place of, in order: who is listed, and who is gone.
#[derive(Debug)]
struct Folded {
    by_revision: BTreeMap<u64, Latest>,
    by_id: HashMap<InstanceId, u64>,
    counts: Counts,
    fingerprint: Fingerprint,
    /// What came after this revision is all here; of what came before, those who are gone may be missing.
    floor: u64,
    revision: u64,
    snapshot: Option<Arc<Snapshot>>,
}

/// How many instances of a service are of which presence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) up: usize,
    pub(crate) silent: usize,
    pub(crate) suspect: usize,
    pub(crate) draining: usize,
}

impl Counts {
    pub(crate) fn all(self) -> usize {
        self.up + self.silent + self.suspect + self.draining
    }

    fn of(&mut self, presence: Presence) -> &mut usize {
        match presence {
            Presence::Up => &mut self.up,
            Presence::Silent => &mut self.silent,
            Presence::Suspect => &mut self.suspect,
            // Who is gone is not listed, and so not counted.
            Presence::Draining | Presence::Gone => &mut self.draining,
        }
    }
}

/// The last change of an instance.
#[derive(Debug)]
struct Latest {
    change: Change,
    /// That of a listed one.
    fingerprint: Option<Fingerprint>,
    line: OnceLock<Bytes>,
}

/// What came after a revision.
#[derive(Debug)]
pub(crate) enum Since {
    /// So many lines, and the revision up to which they tell.
    Lines(Vec<Bytes>, u64),
    /// It is not remembered; here is all there is.
    All(Arc<Snapshot>),
}

impl View {
    pub(super) fn new(name: Arc<str>, floor: u64) -> Self {
        Self {
            name,
            folded: RwLock::new(Folded::empty(floor)),
            changed: watch::Sender::new(floor),
            watchers: Mutex::default(),
            told: Notify::new(),
        }
    }

    /// The revision of its last change.
    pub(crate) fn revision(&self) -> u64 {
        self.folded.read().revision
    }

    /// How many instances are listed.
    pub(crate) fn len(&self) -> usize {
        self.counts().all()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.folded.read().counts
    }

    /// What is known of one instance.
    pub(crate) fn row(&self, id: &InstanceId) -> Option<Row> {
        self.row_at(id).map(|(_, row)| row)
    }

    /// What is known of one instance, and the revision of that.
    pub(crate) fn row_at(&self, id: &InstanceId) -> Option<(u64, Row)> {
        let folded = self.folded.read();
        let at = folded.by_id.get(id)?;
        Some((*at, folded.by_revision.get(at)?.change.row()?.clone()))
    }

    /// What is known of everybody listed, by number.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = self.folded.read().rows().cloned().collect();
        rows.sort_by_key(|row| row.listed.instance.number);
        rows
    }

    /// The last revision, and everybody who is listed then, by number, with the revision of each.
    pub(crate) fn at(&self) -> (u64, Vec<(u64, Row)>) {
        let folded = self.folded.read();
        let listed = folded.by_revision.iter().filter_map(|(at, latest)| Some((*at, latest.change.row()?.clone())));
        let mut rows: Vec<(u64, Row)> = listed.collect();
        let revision = folded.revision;
        drop(folded);
        rows.sort_by_key(|(_, row)| row.listed.instance.number);
        (revision, rows)
    }

    /// The list at its last revision.
    pub(crate) fn snapshot(&self, epoch: u64) -> Arc<Snapshot> {
        if let Some(snapshot) = &self.folded.read().snapshot {
            return Arc::clone(snapshot);
        }
        let mut folded = self.folded.write();
        let folded = &mut *folded;
        let new = || {
            let mut rows: Vec<&Row> = latest_rows(&folded.by_revision).collect();
            rows.sort_by_key(|row| row.listed.instance.number);
            let instances = rows.into_iter().map(|row| (*row.listed).clone()).collect();
            let (service, revision) = (self.name.to_string(), folded.revision);
            Arc::new(Snapshot::new(Listing { service, epoch, revision, instances }))
        };
        Arc::clone(folded.snapshot.get_or_insert_with(new))
    }

    /// What came after a revision, in one piece of a stream at most `most` lines long.
    pub(crate) fn since(&self, revision: u64, epoch: u64, most: usize) -> Since {
        let folded = self.folded.read();
        if revision < folded.floor {
            drop(folded);
            return Since::All(self.snapshot(epoch));
        }
        let after = folded.by_revision.range(revision + 1..).take(most);
        let (mut lines, mut last) = (Vec::new(), revision);
        for (at, latest) in after {
            lines.push(latest.line());
            last = *at;
        }
        // Nothing after it is left: told up to the end, though the last changes may have been undone by later ones.
        let last = if lines.len() < most { folded.revision.max(last) } else { last };
        Since::Lines(lines, last)
    }

    /// The fingerprint of the list, and its revision.
    pub(crate) fn fingerprint(&self) -> (u64, Fingerprint) {
        let folded = self.folded.read();
        (folded.revision, folded.fingerprint)
    }

    /// Can a stream resume after this revision?
    pub(crate) fn remembers(&self, revision: u64) -> bool {
        revision >= self.folded.read().floor
    }

    pub(super) fn fold(&self, changes: &[Change]) {
        let mut folded = self.folded.write();
        folded.snapshot = None;
        changes.iter().for_each(|change| folded.fold(change.clone()));
        let revision = folded.revision;
        drop(folded);
        self.changed.send_replace(revision);
    }

    /// Takes a list in place of all that was. Whoever has seen a revision before `floor` is told all of it.
    #[cfg(feature = "etcd")]
    pub(super) fn replace(&self, changes: &[Change], floor: u64) {
        let mut folded = self.folded.write();
        *folded = Folded::empty(floor);
        changes.iter().for_each(|change| folded.fold(change.clone()));
        let revision = folded.revision;
        drop(folded);
        self.changed.send_replace(revision);
    }

    pub(super) fn forget(&self, grave: &Grave) {
        self.folded.write().forget(grave);
    }

    #[cfg(feature = "etcd")]
    pub(super) fn forget_until(&self, floor: u64) {
        let mut folded = self.folded.write();
        let graves = folded.by_revision.range(..=floor).filter(|(_, latest)| latest.fingerprint.is_none());
        let graves: Vec<(u64, InstanceId)> = graves.map(|(at, latest)| (*at, latest.change.id.clone())).collect();
        for (revision, id) in graves {
            folded.by_revision.remove(&revision);
            folded.by_id.remove(&id);
            folded.floor = folded.floor.max(revision);
        }
    }

    /// Has anybody registered for it, whom nobody has forgotten yet? It may be only watched.
    pub(crate) fn is_known(&self) -> bool {
        !self.folded.read().by_revision.is_empty()
    }

    pub(super) fn is_unused(&self) -> bool {
        !self.is_known() && self.watchers.lock().is_empty()
    }
}

impl Folded {
    fn empty(floor: u64) -> Self {
        Self {
            by_revision: BTreeMap::new(),
            by_id: HashMap::new(),
            counts: Counts::default(),
            fingerprint: Fingerprint::default(),
            floor,
            revision: floor,
            snapshot: None,
        }
    }

    fn fold(&mut self, change: Change) {
        let revision = change.revision;
        if self.by_id.get(&change.id).is_some_and(|at| *at > revision) {
            // Of one instance the last change counts, in whatever order they are told.
            return;
        }
        let before = self.by_id.insert(change.id.clone(), revision).and_then(|at| self.by_revision.remove(&at));
        if let Some(before) = before
            && let (Some(row), Some(fingerprint)) = (before.change.row(), before.fingerprint)
        {
            *self.counts.of(row.listed.presence) -= 1;
            self.fingerprint.subtract(fingerprint);
        }
        let fingerprint = change.row().map(|row| Fingerprint::of_json(&row.json));
        if let (Some(row), Some(fingerprint)) = (change.row(), fingerprint) {
            *self.counts.of(row.listed.presence) += 1;
            self.fingerprint.add(fingerprint);
        }
        self.by_revision.insert(revision, Latest { change, fingerprint, line: OnceLock::new() });
        self.revision = self.revision.max(revision);
    }

    fn forget(&mut self, grave: &Grave) {
        if self.by_revision.get(&grave.revision).is_some_and(|latest| latest.fingerprint.is_none()) {
            self.by_revision.remove(&grave.revision);
            self.by_id.remove(&grave.id);
            self.floor = self.floor.max(grave.revision);
        }
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        latest_rows(&self.by_revision)
    }
}

fn latest_rows(by_revision: &BTreeMap<u64, Latest>) -> impl Iterator<Item = &Row> {
    by_revision.values().filter_map(|latest| latest.change.row())
}

impl Latest {
    /// Written by the first who wants it.
    fn line(&self) -> Bytes {
        let revision = self.change.revision;
        let write = || match &self.change.became {
            Became::Listed(row) => changed(revision, &row.json),
            Became::Gone(why) => line(&WatchFrame::Gone { revision, id: self.change.id.clone(), why: *why }),
        };
        self.line.get_or_init(write).clone()
    }
}

/// A listing, and the watch line that says it: written once, by the first reader, outside of any lock.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) listing: Listing,
    line: OnceLock<Bytes>,
}

impl Snapshot {
    fn new(listing: Listing) -> Self {
        Self { listing, line: OnceLock::new() }
    }

    pub(super) fn empty(service: &str, epoch: u64, revision: u64) -> Self {
        Self::new(Listing { service: service.to_owned(), epoch, revision, instances: Vec::new() })
    }

    /// The listing as the line of a watch stream.
    pub(crate) fn line(&self) -> Bytes {
        self.line.get_or_init(|| line(&WatchFrame::Snapshot(self.listing.clone()))).clone()
    }
}
