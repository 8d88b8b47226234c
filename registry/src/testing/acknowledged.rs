//! What the registry said that it had done.

use std::collections::{BTreeMap, BTreeSet};

use mainstay_contracts::Address;
use mainstay_contracts::registry::{Deregister, Deregistered, InstanceId, Listing, Register, Registered};

/// What was acknowledged of one service, and must be so from then on.
///
/// Those that change one instance do so one after the other; different instances have nothing to do with each other.
/// A list is held against what was acknowledged before it was asked for: take a clone first.
#[derive(Debug, Clone, Default)]
pub struct Acknowledged {
    last: BTreeMap<InstanceId, Said>,
    revisions: BTreeSet<u64>,
    epoch: Option<u64>,
}

#[derive(Debug, Clone)]
enum Said {
    There {
        address: Address,
        incarnation: u64,
    },
    /// It was asked to be taken off, and that is not answered yet.
    Leaving,
    Left {
        incarnation: Option<u64>,
    },
}

impl Acknowledged {
    /// A registration was answered.
    ///
    /// # Panics
    /// When the answer names a revision that another instance's has named before, or another epoch.
    #[track_caller]
    pub fn registered(&mut self, call: &Register, answer: &Registered) {
        assert_eq!(answer.epoch, *self.epoch.get_or_insert(answer.epoch), "an epoch goes on");
        let again = matches!(self.last.get(&call.id), Some(Said::There { .. }));
        // Said twice, it may have changed nothing.
        assert!(self.revisions.insert(answer.revision) || again, "{} is another one's revision", answer.revision);
        let said = Said::There { address: call.address.clone(), incarnation: answer.incarnation };
        self.last.insert(call.id.clone(), said);
    }

    /// A deregistration is sent: until it is answered, the instance may be there or not.
    pub fn is_leaving(&mut self, id: &InstanceId) {
        self.last.insert(id.clone(), Said::Leaving);
    }

    /// A deregistration was answered.
    pub fn deregistered(&mut self, call: &Deregister, answer: &Deregistered) {
        self.revisions.insert(answer.revision);
        self.last.insert(call.id.clone(), Said::Left { incarnation: call.incarnation });
    }

    /// How many are registered.
    pub fn len(&self) -> usize {
        self.last.values().filter(|said| matches!(said, Said::There { .. })).count()
    }

    /// Is nobody registered?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The highest revision that was named.
    pub fn revision(&self) -> u64 {
        self.revisions.last().copied().unwrap_or_default()
    }

    /// Holds a list against it. Later incarnations, and instances nobody was answered for, may be there besides.
    ///
    /// # Panics
    /// When somebody is missing, is not what was said last, or is there who has left; or when the list is of an earlier
    /// revision.
    #[track_caller]
    pub fn is_in(&self, listing: &Listing) {
        assert!(listing.revision >= self.revision(), "revision {} after {}", listing.revision, self.revision());
        assert_eq!(listing.epoch, self.epoch.unwrap_or(listing.epoch), "an epoch goes on");
        let listed: BTreeMap<_, _> = listing.instances.iter().map(|listed| (&listed.instance.id, listed)).collect();
        let is_so = |(id, said): &(&InstanceId, &Said)| match (said, listed.get(*id).map(|listed| &listed.instance)) {
            (Said::There { address, incarnation }, Some(instance)) => {
                instance.incarnation > *incarnation
                    || (instance.incarnation == *incarnation && instance.address == *address)
            }
            (Said::There { .. }, None) => false,
            (Said::Left { incarnation }, Some(instance)) => incarnation.is_some_and(|left| instance.incarnation > left),
            (Said::Leaving, _) | (Said::Left { .. }, None) => true,
        };
        let lost: Vec<_> = self.last.iter().filter(|said| !is_so(said)).collect();
        assert!(lost.is_empty(), "acknowledged, and not so: {lost:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: &str, port: u16) -> Register {
        let json = format!(r#"{{"service":"ratings","id":"{id}","address":"127.0.0.1:{port}"}}"#);
        serde_json::from_str(&json).unwrap()
    }

    fn answer(revision: u64, incarnation: u64) -> Registered {
        Registered { epoch: 1, revision, number: 1, incarnation, beat_every_ms: 5000 }
    }

    fn leave(id: &str, incarnation: u64) -> Deregister {
        let json = format!(r#"{{"service":"ratings","id":"{id}","incarnation":{incarnation}}}"#);
        serde_json::from_str(&json).unwrap()
    }

    fn listing(revision: u64, instances: &[(&str, u16, u64)]) -> Listing {
        let instances = instances.iter().map(|(id, port, incarnation)| {
            let rest = r#""number":1,"presence":"up""#;
            let json = format!(r#"{{"id":"{id}","address":"127.0.0.1:{port}","incarnation":{incarnation},{rest}}}"#);
            serde_json::from_str(&json).unwrap()
        });
        Listing { service: "ratings".to_owned(), epoch: 1, revision, instances: instances.collect() }
    }

    /// Of a and b, both at 1; a has left as incarnation 3.
    fn some() -> Acknowledged {
        let mut acknowledged = Acknowledged::default();
        acknowledged.registered(&call("a", 1), &answer(1, 3));
        acknowledged.registered(&call("b", 1), &answer(2, 3));
        acknowledged.deregistered(&leave("a", 3), &Deregistered { revision: 3 });
        acknowledged
    }

    #[test]
    fn what_is_so_is_so() {
        let acknowledged = some();
        assert_eq!((acknowledged.len(), acknowledged.revision()), (1, 3));
        acknowledged.is_in(&listing(3, &[("b", 1, 3)]));
        acknowledged.is_in(&listing(9, &[("a", 2, 4), ("b", 2, 4), ("c", 1, 1)]));
    }

    #[test]
    #[should_panic(expected = "acknowledged, and not so: [(InstanceId(\"b\"), There")]
    fn somebody_is_missing() {
        some().is_in(&listing(4, &[]));
    }

    #[test]
    #[should_panic(expected = "acknowledged, and not so: [(InstanceId(\"b\"), There")]
    fn somebody_is_where_it_was_before() {
        some().is_in(&listing(4, &[("b", 2, 3)]));
    }

    #[test]
    #[should_panic(expected = "acknowledged, and not so: [(InstanceId(\"a\"), Left")]
    fn somebody_is_back_who_has_left() {
        some().is_in(&listing(4, &[("a", 1, 3), ("b", 1, 3)]));
    }

    #[test]
    #[should_panic(expected = "revision 2 after 3")]
    fn a_revision_goes_back() {
        some().is_in(&listing(2, &[("b", 1, 3)]));
    }

    #[test]
    #[should_panic(expected = "1 is another one's revision")]
    fn a_revision_is_given_twice() {
        some().registered(&call("c", 1), &answer(1, 1));
    }
}
