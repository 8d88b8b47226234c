//! Small programs of two or three threads around the real breaker, permits, roster and keeper, which `loom` runs in
//! every order, and with every value that a weakly ordered machine may show: `scripts/prove models`.
//!
//! ARCHITECTURE.md lists them, and what is not modelled.

mod keeper;
mod late;
mod lost;
mod opening;
mod probing;
mod reading;
mod retest;
mod roster;
mod telling;

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use loom::model::Builder;
use tokio::time::Instant;

use crate::breaker::{Breaker, BreakerState, Outcome, Permit, Probe, Rules, Transition};

const DELAY: Duration = Duration::from_secs(30);
const LEASE: Duration = Duration::from_secs(2);
const BOTH: [Probe; 2] = [Probe::ByItself, Probe::ByCall];

/// How often a thread may be stopped in the middle to let another go on.
#[derive(Clone, Copy)]
enum Preemptions {
    Any,
    AtMost(usize),
}

/// Runs a model in every order within `bound`, and within `LOOM_MAX_PREEMPTIONS` if that is set.
fn explore(name: &str, bound: Preemptions, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    if let Preemptions::AtMost(bound) = bound {
        builder.preemption_bound = Some(builder.preemption_bound.map_or(bound, |asked| asked.min(bound)));
    }
    let bound = builder.preemption_bound.map_or("any".to_owned(), |bound| format!("at most {bound}"));
    let orders = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&orders);
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    let orders = orders.load(Ordering::Relaxed);
    println!("model {name}: {orders} orders, preemptions: {bound}");
    if env::var_os("LOOM_MAX_PREEMPTIONS").is_none() {
        assert!(orders > 1, "there was nothing to try");
    }
}

fn spawn<T: 'static>(thread: impl FnOnce() -> T + 'static) -> loom::thread::JoinHandle<T> {
    loom::thread::spawn(thread)
}

fn rules(failure_limit: u32, probe: Probe) -> Rules {
    Rules { failure_limit, retest_delay: DELAY, probe, probe_lease: LEASE }
}

/// A closed breaker.
fn closed(failure_limit: u32, probe: Probe) -> (Arc<Breaker>, Instant) {
    let now = Instant::now();
    (Breaker::new(rules(failure_limit, probe), now), now)
}

/// A breaker that was opened by one failure, with permits from before; and the instant at which it is due.
fn due<const EARLY: usize>(probe: Probe) -> (Arc<Breaker>, [Permit; EARLY], Instant) {
    let (breaker, now) = closed(1, probe);
    let early = std::array::from_fn(|_| breaker.admit(now).unwrap());
    assert_eq!(breaker.admit(now).unwrap().record(Outcome::Failure, now), Some(Transition::Opened));
    (breaker, early, now + DELAY)
}

/// A breaker in half-open whose probe is free, and the instant it became so.
fn half_open(probe: Probe) -> (Arc<Breaker>, Instant) {
    let (breaker, [], now) = due(probe);
    assert_eq!(breaker.tick(now), Some(Transition::Retest));
    (breaker, now)
}

fn assert_settled(breaker: &Breaker) {
    let permits = breaker.permits();
    assert_eq!(permits.issued, permits.settled(), "{permits:?}");
}

/// From whatever is left: after the delay, and with a probe that succeeds, it is closed.
fn assert_not_stuck(breaker: &Arc<Breaker>, now: Instant) {
    let now = now + DELAY + LEASE;
    let _ = breaker.tick(now);
    if breaker.state(now) != BreakerState::Closed {
        let probe = breaker.admit_probe(now).expect("the probe is free, or lost");
        assert_eq!(probe.record(Outcome::Success, now), Some(Transition::Closed));
    }
    assert_eq!(breaker.state(now), BreakerState::Closed);
}
