//! When to look at which instance next.

use std::collections::BTreeMap;

use mainstay_contracts::registry::InstanceId;
use tokio::time::Instant;

/// A place in the queue: when, and a number that tells places of one instant apart.
pub(super) type Place = (Instant, u64);

/// Instances by the instant at which they may have become silent or gone.
///
/// A beat does not move its instance: it is found to have beaten when its turn comes, and queues again.
/// So a beat costs a look-up, and no more than one place per instance is ever taken.
#[derive(Debug, Default)]
pub(super) struct Due {
    places: BTreeMap<Place, (String, InstanceId)>,
    last: u64,
}

impl Due {
    pub(super) fn queue(&mut self, at: Instant, service: &str, id: &InstanceId) -> Place {
        self.last += 1;
        let place = (at, self.last);
        self.places.insert(place, (service.to_owned(), id.clone()));
        place
    }

    pub(super) fn leave(&mut self, place: Place) {
        self.places.remove(&place);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.places.keys().next().map(|&(at, _)| at)
    }

    /// Takes the first instance whose turn has come by `now`.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(String, InstanceId)> {
        let first = self.places.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}
