//! How much of a service has been seen, and whether it was seen right.
//!
//! This is the list as the registry tells it. Whom the client holds on to nevertheless is the roster's business.

use std::collections::HashMap;
use std::time::Duration;

use mainstay_contracts::registry::{Fingerprint, InstanceId, Listed, Listing, WATCH};
use tokio::time::Instant;

/// After a list that differed, another one is believed to differ by mistake only after this long, then twice as long.
const DOUBT_AGAIN: Duration = Duration::from_secs(30);
const DOUBT_AT_LEAST_EVERY: Duration = Duration::from_secs(10 * 60);

/// Where a watch can go on, and the fingerprint of all that was told until there.
#[derive(Debug)]
pub(super) struct Cursor {
    epoch: u64,
    revision: u64,
    one_by_one: HashMap<InstanceId, Fingerprint>,
    all: Fingerprint,
}

impl Cursor {
    pub(super) fn of(listing: &Listing) -> Self {
        let mut cursor = Self {
            epoch: listing.epoch,
            revision: listing.revision,
            one_by_one: HashMap::with_capacity(listing.instances.len()),
            all: Fingerprint::default(),
        };
        listing.instances.iter().for_each(|listed| cursor.put(listed));
        cursor
    }

    /// What is asked for: all that came after it, or all.
    pub(super) fn target(cursor: Option<&Self>, service: &str) -> String {
        let path = WATCH.replace("{service}", service);
        match cursor {
            Some(Self { epoch, revision, .. }) => format!("{path}?epoch={epoch}&revision={revision}"),
            None => path,
        }
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn is_at(&self, epoch: u64, revision: u64) -> bool {
        (self.epoch, self.revision) == (epoch, revision)
    }

    pub(super) fn changed(&mut self, revision: u64, listed: &Listed) {
        self.seen(revision);
        self.put(listed);
    }

    pub(super) fn gone(&mut self, revision: u64, id: &InstanceId) {
        self.seen(revision);
        if let Some(one) = self.one_by_one.remove(id) {
            self.all.subtract(one);
        }
    }

    /// Everything has been told until this revision. Is it what was understood?
    pub(super) fn agrees(&mut self, revision: u64, fingerprint: Fingerprint) -> bool {
        self.seen(revision);
        self.all == fingerprint
    }

    fn seen(&mut self, revision: u64) {
        self.revision = self.revision.max(revision);
    }

    fn put(&mut self, listed: &Listed) {
        let one = Fingerprint::one(listed);
        if let Some(before) = self.one_by_one.insert(listed.instance.id.clone(), one) {
            self.all.subtract(before);
        }
        self.all.add(one);
    }
}

/// How often a list has differed from its fingerprint since it last agreed.
///
/// Looking anew mends what was missed. It does not mend a registry that sums up otherwise, such as a later one whose
/// instances have a field that is not known here: that must not cost all its clients a snapshot with every bookmark.
#[derive(Debug, Default)]
pub(super) struct Doubt {
    not_before: Option<Instant>,
    pause: Duration,
}

/// What to do about a list that differs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Look anew, and say so.
    First,
    /// Look anew.
    Again,
    /// Go on: it was looked at just now.
    None,
}

impl Doubt {
    pub(super) fn agreed(&mut self) {
        *self = Self::default();
    }

    pub(super) fn differs(&mut self, now: Instant) -> Remedy {
        let remedy = match self.not_before {
            None => Remedy::First,
            Some(at) if now >= at => Remedy::Again,
            Some(_) => return Remedy::None,
        };
        self.pause = (self.pause * 2).clamp(DOUBT_AGAIN, DOUBT_AT_LEAST_EVERY);
        self.not_before = Some(now + self.pause);
        remedy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn listed(id: &str, presence: &str) -> Listed {
        let json =
            format!(r#"{{"id":"{id}","number":1,"address":"127.0.0.1:1","incarnation":9,"presence":"{presence}"}}"#);
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn a_list_that_is_followed_has_the_fingerprint_of_the_whole() {
        let (first, second, silent) = (listed("a", "up"), listed("b", "up"), listed("b", "silent"));
        let instances = vec![first.clone()];
        let mut cursor = Cursor::of(&Listing { service: "ratings".to_owned(), epoch: 7, revision: 3, instances });
        assert!(cursor.agrees(3, Fingerprint::of([&first])));
        cursor.changed(4, &second);
        cursor.changed(5, &silent);
        assert!(cursor.agrees(5, Fingerprint::of([&first, &silent])));
        assert!(!cursor.agrees(5, Fingerprint::of([&first, &second])));
        cursor.gone(6, &first.instance.id);
        cursor.gone(7, &first.instance.id);
        assert!(cursor.agrees(9, Fingerprint::of([&silent])));
        assert!(cursor.is_at(7, 9) && !cursor.is_at(8, 9));
        assert_eq!(Cursor::target(Some(&cursor), "ratings"), "/v1/services/ratings/watch?epoch=7&revision=9");
        assert_eq!(Cursor::target(None, "ratings"), "/v1/services/ratings/watch");
    }

    #[test]
    fn whoever_differs_for_ever_is_looked_at_less_and_less() {
        let (mut doubt, start) = (Doubt::default(), Instant::now());
        assert_eq!(doubt.differs(start), Remedy::First);
        assert_eq!(doubt.differs(start + 29 * SECOND), Remedy::None);
        let looked = (5..3600).step_by(5).filter(|at| doubt.differs(start + *at * SECOND) == Remedy::Again);
        let looked: Vec<_> = looked.collect();
        assert_eq!(looked, [30, 90, 210, 450, 930, 1530, 2130, 2730, 3330]);
        doubt.agreed();
        assert_eq!(doubt.differs(start + 3600 * SECOND), Remedy::First);
    }
}
