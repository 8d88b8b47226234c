//! A probe whose lease is over, and which comes back nevertheless.

use super::*;

#[test]
fn of_those_who_take_over_a_lost_probe_one_does() {
    explore("of_those_who_take_over_a_lost_probe_one_does", Preemptions::AtMost(3), || {
        let (breaker, now) = half_open(Probe::ByCall);
        let lost = breaker.admit(now).unwrap();
        let late = now + LEASE;
        let claim = |breaker: Arc<Breaker>| move || breaker.admit(late).ok();
        let other = spawn(claim(Arc::clone(&breaker)));
        let mine = claim(Arc::clone(&breaker))();
        let other = other.join().unwrap();
        assert_eq!(mine.iter().chain(&other).count(), 1);
        drop((mine, other));
        assert_eq!(lost.record(Outcome::Success, late), None);
        assert_eq!(breaker.permits().stale, 1);
        assert_settled(&breaker);
        assert_not_stuck(&breaker, late);
    });
}

#[test]
fn a_lost_probe_that_is_dropped_after_all_makes_room_for_one() {
    explore("a_lost_probe_that_is_dropped_after_all_makes_room_for_one", Preemptions::AtMost(3), || {
        let (breaker, now) = half_open(Probe::ByCall);
        let lost = breaker.admit(now).unwrap();
        let late = now + LEASE;
        let claim = |breaker: Arc<Breaker>| move || breaker.admit(late).ok();
        let others = [spawn(claim(Arc::clone(&breaker))), spawn(claim(Arc::clone(&breaker)))];
        drop(lost);
        let held = others.map(|other| other.join().unwrap());
        assert!(held.iter().flatten().count() <= 1, "two probes are out");
        drop(held);
        assert_settled(&breaker);
        assert_not_stuck(&breaker, late);
    });
}

#[test]
fn the_lease_of_a_lost_probe_against_its_late_result() {
    for outcome in [Outcome::Success, Outcome::Failure] {
        explore(
            &format!("the_lease_of_a_lost_probe_against_its_late_result, {outcome:?}"),
            Preemptions::Any,
            move || {
                let (breaker, now) = half_open(Probe::ByCall);
                let lost = breaker.admit(now).unwrap();
                let late = now + LEASE;
                let result = spawn(move || lost.record(outcome, late));
                let next = breaker.admit_probe(late).ok();
                let was_next = next.is_some();
                let told = next.and_then(|permit| permit.record(Outcome::Success, late));
                let result = result.join().unwrap();
                // Whoever came first turned the breaker, once; to the other, it had moved on.
                assert_eq!((told.is_some(), result.is_some()), (was_next, !was_next));
                let reopened = outcome == Outcome::Failure && !was_next;
                assert_eq!(breaker.state(late), if reopened { BreakerState::Open } else { BreakerState::Closed });
                assert_settled(&breaker);
                assert_not_stuck(&breaker, late);
            },
        );
    }
}
