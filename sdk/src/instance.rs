//! What a client remembers of one instance: for as long as its address is known, through silent, gone and
//! registered again.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use mainstay_contracts::registry::{Instance, Presence};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::breaker::{Breaker, BreakerState, Permit, Rules, Skipped};
use crate::probe::Keeper;
use crate::sync::{ArcSwap, Mutex};
use crate::transport::{Connections, Network};

/// What every call writes stands first, and so in one cache line with the count of references: with ten thousand
/// instances in turn, most of a pick is waiting for memory.
#[repr(C)]
pub(crate) struct InstanceState {
    pub(crate) breaker: Breaker,
    instance: ArcSwap<Instance>,
    presence: Mutex<Standing>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) answers: Answers,
    skips: Mutex<Skips>,
    /// Held by the one background attempt whose caller has left; see `call::Attempt`.
    pub(crate) left_behind: AtomicBool,
    /// Held by the one task that retests and probes.
    pub(crate) keeper: Keeper,
    /// Wakes that task: the breaker or the presence has changed.
    pub(crate) changed: Notify,
}

/// A permit of an instance's breaker, which keeps the instance in mind.
pub(crate) type Admission = Permit<Holder>;

/// Leads from a permit to its instance, so that to hold both costs one reference.
pub(crate) struct Holder(Arc<InstanceState>);

impl Holder {
    pub(crate) fn instance(&self) -> &Arc<InstanceState> {
        &self.0
    }
}

impl Deref for Holder {
    type Target = Breaker;

    fn deref(&self) -> &Breaker {
        &self.0.breaker
    }
}

/// Presence, and since when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) presence: Presence,
    pub(crate) since: Instant,
}

/// How calls ended, as callers saw it. Probes are not calls.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) ok: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) timed_out: AtomicU64,
    pub(crate) left_behind: AtomicU64,
}

/// Calls that went elsewhere while this instance's breaker was not closed.
///
/// Derived from the number of the client's calls, so that skipping costs a caller nothing.
#[derive(Debug, Default)]
struct Skips {
    before: u64,
    since_call: Option<u64>,
}

impl InstanceState {
    pub(crate) fn new(instance: Arc<Instance>, rules: Rules, network: &Network, now: Instant) -> Arc<Self> {
        Arc::new(Self {
            connections: Arc::new(Connections::new(&instance.address, network)),
            instance: ArcSwap::new(instance),
            presence: Mutex::new(Standing { presence: Presence::Up, since: now }),
            breaker: Breaker::closed(rules, now),
            answers: Answers::default(),
            skips: Mutex::default(),
            left_behind: AtomicBool::new(false),
            keeper: Keeper::nobody(),
            changed: Notify::new(),
        })
    }

    /// Asks the breaker to let a call through.
    #[inline]
    pub(crate) fn admit(self: &Arc<Self>, now: Instant) -> Result<Admission, Skipped> {
        self.breaker.admit_for(now, || Holder(Arc::clone(self)))
    }

    /// Asks the breaker for the probe of its half-open state.
    pub(crate) fn admit_probe(self: &Arc<Self>, now: Instant) -> Result<Admission, Skipped> {
        self.breaker.admit_probe_for(now, || Holder(Arc::clone(self)))
    }

    pub(crate) fn instance(&self) -> Arc<Instance> {
        self.instance.load_full()
    }

    pub(crate) fn update(&self, instance: Arc<Instance>) {
        self.instance.store(instance);
    }

    pub(crate) fn standing(&self) -> Standing {
        *self.presence.lock()
    }

    /// Returns what it was before.
    pub(crate) fn set_presence(&self, presence: Presence, now: Instant) -> Presence {
        let mut standing = self.presence.lock();
        let before = standing.presence;
        if before != presence {
            *standing = Standing { presence, since: now };
            self.changed.notify_one();
        }
        before
    }

    pub(crate) fn is_present(&self) -> bool {
        self.standing().presence != Presence::Gone
    }

    /// Starts or stops counting skipped calls, by the breaker and presence after so many calls of the client.
    pub(crate) fn count_skips(&self, now: Instant, calls: u64) {
        let mut skips = self.skips.lock();
        let skipping = self.breaker.state(now) != BreakerState::Closed && self.is_present();
        match (skips.since_call, skipping) {
            (None, true) => skips.since_call = Some(calls),
            (Some(since), false) => {
                skips.before += calls - since;
                skips.since_call = None;
            }
            _ => {}
        }
    }

    pub(crate) fn skipped(&self, calls: u64) -> u64 {
        let skips = self.skips.lock();
        skips.before + skips.since_call.map_or(0, |since| calls.saturating_sub(since))
    }
}

impl Answers {
    pub(crate) fn count(&self, success: bool, timed_out: bool) {
        let count = if success { &self.ok } else { &self.failed };
        count.fetch_add(1, Ordering::Relaxed);
        if timed_out {
            self.timed_out.fetch_add(1, Ordering::Relaxed);
        }
    }
}
