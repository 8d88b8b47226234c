//! The traffic of the last minute, instance by instance, as a row of bars.
//!
//! The SDK counts calls since the start. The Market notes the counts every [`STEP`]; a bar is the
//! difference between two notes, and the last bar the difference to now.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use mainstay::{Address, CallCounts, Snapshot};

use crate::kind::Kind;

/// How much time one bar stands for.
pub(crate) const STEP: Duration = Duration::from_secs(2);

/// How many bars a row has: a minute's worth.
pub(crate) const BARS: usize = 30;

/// What happened in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Bar {
    pub(crate) ok: u64,
    pub(crate) failed: u64,
}

/// Notes of every instance that the clients know.
#[derive(Debug, Default)]
pub(crate) struct Traffic(BTreeMap<Key, Row>);

/// An instance, as a client knows it: one may be of both kinds.
type Key = (Kind, Address);

#[derive(Debug, Default)]
struct Row {
    noted: Bar,
    past: VecDeque<Bar>,
}

impl Traffic {
    /// Ends a step. Instances that are in none of the snapshots any more are forgotten.
    pub(crate) fn note(&mut self, snapshots: &[(Kind, Snapshot)]) {
        let known =
            snapshots.iter().flat_map(|(kind, snapshot)| snapshot.instances.iter().map(move |view| (*kind, view)));
        let counts = known.map(|(kind, view)| ((kind, view.instance.address.clone()), Bar::from(view.calls)));
        self.note_counts(counts.collect());
    }

    /// An instance's bars, oldest first; the last one is the step that has begun.
    pub(crate) fn bars(&self, kind: Kind, address: &Address, calls: CallCounts) -> Vec<Bar> {
        self.bars_until(&(kind, address.clone()), Bar::from(calls))
    }

    fn note_counts(&mut self, counts: BTreeMap<Key, Bar>) {
        self.0.retain(|key, _| counts.contains_key(key));
        for (key, now) in counts {
            let row = self.0.entry(key).or_default();
            row.past.push_back(now.since(row.noted));
            row.noted = now;
            if row.past.len() == BARS {
                row.past.pop_front();
            }
        }
    }

    fn bars_until(&self, key: &Key, now: Bar) -> Vec<Bar> {
        let (noted, past) = self.0.get(key).map_or((Bar::default(), None), |row| (row.noted, Some(&row.past)));
        let past = past.into_iter().flatten().copied();
        let known = past.chain([now.since(noted)]).collect::<Vec<_>>();
        let mut bars = vec![Bar::default(); BARS - known.len()];
        bars.extend(known);
        bars
    }
}

impl Bar {
    /// Counts that went down have begun anew.
    fn since(self, earlier: Bar) -> Bar {
        let since = |now: u64, then: u64| now.checked_sub(then).unwrap_or(now);
        Bar { ok: since(self.ok, earlier.ok), failed: since(self.failed, earlier.failed) }
    }
}

impl From<CallCounts> for Bar {
    fn from(calls: CallCounts) -> Self {
        Self { ok: calls.ok, failed: calls.failed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Key {
        (Kind::Ratings, "http://127.0.0.1:8001".parse().unwrap())
    }

    fn note(traffic: &mut Traffic, ok: u64, failed: u64) {
        traffic.note_counts(BTreeMap::from([(key(), Bar { ok, failed })]));
    }

    #[test]
    fn a_bar_is_what_happened_since_the_last_note() {
        let mut traffic = Traffic::default();
        note(&mut traffic, 4, 0);
        note(&mut traffic, 6, 2);
        let bars = traffic.bars_until(&key(), Bar { ok: 7, failed: 2 });
        assert_eq!(bars.len(), BARS);
        let expected = [(0, 0), (4, 0), (2, 2), (1, 0)].map(|(ok, failed)| Bar { ok, failed });
        assert_eq!(bars[BARS - 4..], expected);
    }

    #[test]
    fn a_row_is_bounded_and_a_forgotten_instance_has_none() {
        let mut traffic = Traffic::default();
        for ok in 0..100 {
            note(&mut traffic, ok, 0);
        }
        assert_eq!(traffic.bars_until(&key(), Bar { ok: 99, failed: 0 }).len(), BARS);
        traffic.note_counts(BTreeMap::new());
        assert!(traffic.0.is_empty());
    }

    #[test]
    fn counts_that_begin_anew_are_not_a_failure() {
        let mut traffic = Traffic::default();
        note(&mut traffic, 40, 4);
        let last = traffic.bars_until(&key(), Bar { ok: 1, failed: 0 })[BARS - 1];
        assert_eq!(last, Bar { ok: 1, failed: 0 });
    }
}
