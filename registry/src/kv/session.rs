//! What locks are held by.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::{LONGEST, Time};

/// A session, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Terms {
    /// For people.
    pub(crate) name: String,
    /// Where it is, as whoever made it says.
    pub(crate) node: String,
    /// How long it is there without being renewed. For ever, if there is none.
    pub(crate) ttl: Option<Duration>,
    pub(crate) behavior: Behavior,
    /// For how long its keys cannot be locked after its end.
    pub(crate) lock_delay: Duration,
}

/// What becomes of the keys that a session has locked, when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Behavior {
    Release,
    Delete,
}

/// A session that is there, for all who know of it.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: Arc<str>,
    pub(crate) terms: Terms,
    /// The revision it was created at.
    pub(crate) created: u64,
    renewed: AtomicU64,
    /// It has been found too old, or it is being ended.
    over: AtomicBool,
}

impl Session {
    pub(super) fn new(id: Arc<str>, terms: Terms, created: u64, now: Time) -> Self {
        Self { id, terms, created, renewed: AtomicU64::new(now.as_millis()), over: AtomicBool::new(false) }
    }

    /// Has it begin its time anew, without a trace on the disk. Returns whether that counts; if not, whoever changes
    /// sessions knows.
    ///
    /// Sequentially consistent with [`is_over`](Self::is_over): of a renewal and the verdict at one time, at least one
    /// sees the other.
    #[must_use]
    pub(crate) fn renew(&self, now: Time) -> bool {
        self.renewed.fetch_max(now.as_millis(), Ordering::SeqCst);
        !self.over.load(Ordering::SeqCst)
    }

    /// When it is over, if nothing comes in between. Who renews reads a clock that may be late by its longest step, and
    /// must not lose by it.
    pub(super) fn over_at(&self) -> Option<Time> {
        self.terms.ttl.map(|ttl| Time::from_millis(self.renewed.load(Ordering::SeqCst)) + ttl + LONGEST)
    }

    /// Decides whether its time is over: if it is, no renewal counts any more.
    pub(super) fn is_over(&self, now: Time) -> bool {
        self.over.store(true, Ordering::SeqCst);
        let over = self.over_at().is_some_and(|at| at <= now);
        self.over.store(over, Ordering::SeqCst);
        over
    }

    pub(super) fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }
}
