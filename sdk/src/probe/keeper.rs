//! The place of an instance's one keeper.

use crate::sync::{AtomicBool, Ordering};

/// Is there somebody who keeps an instance? At most one does, and while its breaker is not closed, one does.
#[derive(Debug)]
pub(crate) struct Keeper(AtomicBool);

impl Keeper {
    pub(crate) fn nobody() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Becomes the keeper, unless there is one.
    pub(crate) fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }

    /// Leaves, and comes back if there `is_need` of a keeper again and no other has come. Says whether it is back.
    pub(crate) fn leave(&self, is_need: impl FnOnce() -> bool) -> bool {
        // A swap and not a store: whoever opened the breaker meanwhile either sees that nobody keeps it, or is seen
        // by the look that follows.
        self.0.swap(false, Ordering::AcqRel);
        is_need() && self.take()
    }
}
