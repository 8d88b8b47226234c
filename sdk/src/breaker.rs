//! One instance's breaker: three states, one event per transition, and a permit for every admission.
//!
//! ```text
//!            failure limit reached                  retest delay over
//!   Closed ────────── OPEN ──────────▶ Open ────────── RETEST ─────────▶ HalfOpen
//!      ▲                                 ▲                                 │   │
//!      │                                 └── OPEN: a live call failed ─────┘   │
//!      └───────────────────── CLOSE: the probe succeeded ────────────────────┘
//! ```
//!
//! A breaker is pure: it does no I/O and owns no clock. Everything that decides is in one atomic word
//! (generation, state, failures in a row), so that admitting and recording never wait for another caller
//! and reading never changes anything. The generation grows with every transition and with every probe that ends; a
//! result that carries an older one is *stale* and changes nothing. That is what the well-known defects have in
//! common (a straggler closes a breaker, two failures open it twice, an old probe closes a new half-open period), and
//! why counters alone were rejected.
//!
//! Instants stand beside the word. Whoever wins a transition publishes its instant and then marks the word
//! *dated*; before that mark nothing is due, so that a slow winner can delay a retest but never hasten it.

mod permit;
mod word;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use mainstay_contracts::Policy;
use tokio::time::Instant;

pub use self::permit::{Outcome, Permit, PermitCounts};
use self::permit::{Standing, Tally};
use self::word::Word;
use crate::sync::{AtomicU64, Ordering};

/// What a breaker lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Every call.
    Closed,
    /// No call, until the retest delay is over.
    Open,
    /// One probe at a time.
    HalfOpen,
}

impl fmt::Display for BreakerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "CLOSED",
            Self::Open => "OPEN",
            Self::HalfOpen => "HALF-OPEN",
        })
    }
}

/// Who tests an instance in half-open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// The SDK by itself, so that no caller is sacrificed. A failed probe leaves the breaker half-open.
    ByItself,
    /// Exactly one live call. Its failure opens the breaker again.
    ByCall,
}

/// What a breaker goes by: made from a [`Policy`], which has checked it.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Failures in a row that open it.
    pub(crate) failure_limit: u32,
    /// How long it stays open.
    pub(crate) retest_delay: Duration,
    /// Who tests the instance in half-open.
    pub(crate) probe: Probe,
    /// After this long a probe that was neither recorded nor dropped counts as lost, and another may go.
    pub(crate) probe_lease: Duration,
}

impl From<&Policy> for Rules {
    fn from(policy: &Policy) -> Self {
        Self {
            failure_limit: policy.failure_limit(),
            retest_delay: policy.retest_delay(),
            probe: if policy.health_path().is_some() { Probe::ByItself } else { Probe::ByCall },
            probe_lease: policy.timeout().saturating_mul(2),
        }
    }
}

/// A change of state: exactly one caller is told of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// To [`BreakerState::Open`]: OPEN.
    Opened,
    /// To [`BreakerState::HalfOpen`]: RETEST.
    Retest,
    /// To [`BreakerState::Closed`]: CLOSE.
    Closed,
}

/// Admission was refused; the instance is to be skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skipped {
    /// When it may be worth asking again, if that is known.
    pub retest_at: Option<Instant>,
}

/// A breaker. See the [module's words](self) for how it works.
///
/// Cancel safe throughout: nothing here waits.
#[repr(C)]
pub struct Breaker {
    word: AtomicU64,
    tally: Tally,
    /// Nanoseconds after `base` at which an open breaker is retested; valid when the word is dated.
    retest_at: AtomicU64,
    /// Nanoseconds after `base` at which the probe under way counts as lost; valid when the word is dated.
    probe_until: AtomicU64,
    base: Instant,
    rules: Rules,
}

impl Breaker {
    /// A closed breaker. `now` is the earliest instant it will ever be told.
    pub fn new(rules: Rules, now: Instant) -> Arc<Self> {
        Arc::new(Self::closed(rules, now))
    }

    pub(crate) fn closed(rules: Rules, now: Instant) -> Self {
        Self {
            rules,
            base: now,
            word: AtomicU64::new(Word::CLOSED.bits()),
            retest_at: AtomicU64::new(0),
            probe_until: AtomicU64::new(0),
            tally: Tally::default(),
        }
    }

    /// The state at `now`. An open breaker is half-open from exactly `opened + retest_delay` on, whether or
    /// not anybody has called [`tick`](Breaker::tick) since. Reading changes nothing.
    pub fn state(&self, now: Instant) -> BreakerState {
        let word = self.load();
        if word.state() == BreakerState::Open && self.is_due(word, now) { BreakerState::HalfOpen } else { word.state() }
    }

    /// When an open breaker is retested; `None` in any other state.
    pub fn retest_at(&self) -> Option<Instant> {
        let word = self.load();
        (word.state() == BreakerState::Open && word.is_dated())
            .then(|| self.base + Duration::from_nanos(self.retest_at.load(Ordering::Acquire)))
    }

    /// Failures in a row so far; 0 unless closed.
    pub fn failures(&self) -> u32 {
        self.load().failures()
    }

    /// What became of the permits.
    pub fn permits(&self) -> PermitCounts {
        self.tally.counts()
    }

    /// Asks to let a call through at `now`.
    ///
    /// In half-open, and with [`Probe::ByCall`], the first to ask gets the probe; everybody else is skipped.
    ///
    /// # Errors
    /// [`Skipped`], with the instant of the next retest if the breaker is open.
    pub fn admit(self: &Arc<Self>, now: Instant) -> Result<Permit, Skipped> {
        self.admit_for(now, || Arc::clone(self))
    }

    /// As [`admit`](Breaker::admit), for whoever `holder` leads to this breaker.
    #[inline]
    pub(crate) fn admit_for<H>(&self, now: Instant, holder: impl FnOnce() -> H) -> Result<Permit<H>, Skipped>
    where
        H: Deref<Target = Self>,
    {
        let word = self.load();
        match word.state() {
            BreakerState::Closed => Ok(Permit::new(holder(), word.generation(), Standing::Call)),
            BreakerState::HalfOpen if self.rules.probe == Probe::ByCall => self.claim_probe(now, holder),
            state => Err(self.skipped(state)),
        }
    }

    #[cold]
    fn skipped(&self, state: BreakerState) -> Skipped {
        Skipped { retest_at: if state == BreakerState::Open { self.retest_at() } else { None } }
    }

    /// Asks for the probe of a half-open breaker: at most one is out at any instant.
    ///
    /// # Errors
    /// [`Skipped`] if the breaker is not half-open or another probe is out.
    pub fn admit_probe(self: &Arc<Self>, now: Instant) -> Result<Permit, Skipped> {
        self.admit_probe_for(now, || Arc::clone(self))
    }

    /// As [`admit_probe`](Breaker::admit_probe), for whoever `holder` leads to this breaker.
    pub(crate) fn admit_probe_for<H>(&self, now: Instant, holder: impl FnOnce() -> H) -> Result<Permit<H>, Skipped>
    where
        H: Deref<Target = Self>,
    {
        match self.load().state() {
            BreakerState::HalfOpen => self.claim_probe(now, holder),
            _ => Err(Skipped { retest_at: self.retest_at() }),
        }
    }

    /// Tells that time has passed: an open breaker whose retest delay is over becomes half-open.
    ///
    /// Returns the transition to the one caller that made it.
    pub fn tick(&self, now: Instant) -> Option<Transition> {
        let word = self.load();
        (word.state() == BreakerState::Open && self.is_due(word, now) && self.swap(word, word.next_half_open()))
            .then_some(Transition::Retest)
    }

    /// Retests an open breaker at once: its instance is a new incarnation.
    ///
    /// Returns the transition to the one caller that made it.
    pub fn retest(&self) -> Option<Transition> {
        let word = self.load();
        (word.state() == BreakerState::Open && word.is_dated() && self.swap(word, word.next_half_open()))
            .then_some(Transition::Retest)
    }

    /// Before a transition, it asks for leave to make it, and gives that back with it: whoever tells of transitions in
    /// their order makes them one at a time, and a result that turns nothing asks for nothing.
    fn record<L>(
        &self,
        generation: u32,
        success: bool,
        now: Instant,
        leave: impl Fn() -> L,
    ) -> Recorded<(Transition, L)> {
        loop {
            let word = self.load();
            if word.generation() != generation {
                return Recorded::Stale;
            }
            let next = match (word.state(), success) {
                (BreakerState::Closed, true) if word.failures() == 0 => return Recorded::Counted(None),
                (BreakerState::Closed, true) => word.with_failures(0),
                (BreakerState::Closed, false) if word.failures() + 1 < self.rules.failure_limit => {
                    word.with_failures(word.failures() + 1)
                }
                (BreakerState::Closed, false) => word.next_open(),
                // In half-open, only a probe carries the generation.
                (BreakerState::HalfOpen, true) => word.next_closed(),
                (BreakerState::HalfOpen, false) if self.rules.probe == Probe::ByCall => word.next_open(),
                (BreakerState::HalfOpen, false) => word.next_half_open(),
                // No permit carries the generation of an open period.
                (BreakerState::Open, _) => return Recorded::Stale,
            };
            let leave = (next.state() != word.state()).then(&leave);
            if self.swap(word, next) {
                let transition = if next.state() == BreakerState::Open {
                    self.date_retest(next, now);
                    Transition::Opened
                } else {
                    Transition::Closed
                };
                return Recorded::Counted(leave.map(|leave| (transition, leave)));
            }
        }
    }

    fn release_probe(&self, generation: u32) {
        let word = self.load();
        if word.generation() == generation {
            // Nobody else moves a word whose probe is out and not lost; if it is lost, its successor holds it.
            self.swap(word, word.next_half_open());
        }
    }

    #[cold]
    fn claim_probe<H>(&self, now: Instant, holder: impl FnOnce() -> H) -> Result<Permit<H>, Skipped>
    where
        H: Deref<Target = Self>,
    {
        let word = self.load();
        let lost = word.is_dated() && self.nanos(now) >= self.probe_until.load(Ordering::Acquire);
        let claimed = match (word.state(), word.is_probing()) {
            (BreakerState::HalfOpen, false) => word.with_probe(),
            (BreakerState::HalfOpen, true) if lost => word.next_half_open().with_probe(),
            _ => return Err(Skipped { retest_at: None }),
        };
        if !self.swap(word, claimed) {
            return Err(Skipped { retest_at: None });
        }
        self.probe_until.store(self.nanos(now + self.rules.probe_lease), Ordering::Release);
        self.swap(claimed, claimed.dated());
        Ok(Permit::new(holder(), claimed.generation(), Standing::Probe))
    }

    fn date_retest(&self, open: Word, now: Instant) {
        self.retest_at.store(self.nanos(now + self.rules.retest_delay), Ordering::Release);
        self.swap(open, open.dated());
    }

    fn is_due(&self, word: Word, now: Instant) -> bool {
        word.is_dated() && self.nanos(now) >= self.retest_at.load(Ordering::Acquire)
    }

    fn nanos(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.base).as_nanos()).unwrap_or(u64::MAX)
    }

    fn load(&self) -> Word {
        Word::from_bits(self.word.load(Ordering::Acquire))
    }

    fn swap(&self, from: Word, to: Word) -> bool {
        self.word.compare_exchange(from.bits(), to.bits(), Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker").field("word", &self.load()).field("permits", &self.permits()).finish_non_exhaustive()
    }
}

/// What recording a result came to.
enum Recorded<T> {
    Counted(Option<T>),
    Stale,
}

#[cfg(test)]
mod tests;
