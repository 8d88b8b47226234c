//! Telling: transitions are made by leave, one at a time, as a client makes them.

use super::*;
use crate::sync::Mutex;

/// Settles a permit, and tells what turned, as long as it has leave to.
fn settle(mut permit: Permit, told: &Mutex<Vec<Transition>>, outcome: Outcome, now: Instant) {
    if let Some((transition, mut told)) = permit.settle(outcome, now, || told.lock()) {
        told.push(transition);
    }
}

#[test]
fn transitions_are_told_in_their_order() {
    explore("transitions_are_told_in_their_order", Preemptions::Any, || {
        let (breaker, now) = half_open(Probe::ByCall);
        let told = Arc::new(Mutex::new(vec![Transition::Retest]));
        let probe = breaker.admit(now).unwrap();
        let teller = Arc::clone(&told);
        let closes = spawn(move || settle(probe, &teller, Outcome::Success, now));
        // A call may find it closed before that is told, and open it again.
        if let Ok(permit) = breaker.admit(now) {
            settle(permit, &told, Outcome::Failure, now);
        }
        closes.join().unwrap();
        let in_order = [Transition::Retest, Transition::Closed, Transition::Opened];
        assert!(in_order.starts_with(&told.lock()));
        assert_settled(&breaker);
        assert_not_stuck(&breaker, now);
    });
}
