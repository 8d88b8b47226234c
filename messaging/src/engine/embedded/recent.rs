//! The ids of messages that went to no kept channel: remembered in memory, as those messages are.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher as _, RandomState};

/// Ids that are remembered.
const MOST: usize = 16_384;

/// By their hashes, whose keys nobody knows: that two ids of these few share one does not happen.
#[derive(Debug, Default)]
pub(super) struct Recent {
    keys: RandomState,
    hashes: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Recent {
    pub(super) fn has(&self, id: &str) -> bool {
        !self.hashes.is_empty() && self.hashes.contains(&self.keys.hash_one(id))
    }

    pub(super) fn remember(&mut self, id: &str) {
        let hash = self.keys.hash_one(id);
        if self.hashes.insert(hash) {
            self.order.push_back(hash);
        }
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.hashes.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_remembered_and_no_more() {
        let mut recent = Recent::default();
        (0..=MOST).for_each(|id| recent.remember(&id.to_string()));
        assert!(!recent.has("0") && recent.has("1") && recent.has(&MOST.to_string()));
        recent.remember("1");
        assert!(recent.has("2"), "known already: nobody has to go");
        assert_eq!((recent.hashes.len(), recent.order.len()), (MOST, MOST));
    }
}
