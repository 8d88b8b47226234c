//! Open to HalfOpen, by time and by a new incarnation.

use super::*;

#[test]
fn a_new_incarnation_against_time_and_a_late_result_is_one_retest() {
    explore("a_new_incarnation_against_time_and_a_late_result_is_one_retest", Preemptions::Any, || {
        let (breaker, [early], now) = due(Probe::ByItself);
        let (by_time, by_incarnation) = (Arc::clone(&breaker), Arc::clone(&breaker));
        let by_time = spawn(move || by_time.tick(now));
        let by_incarnation = spawn(move || by_incarnation.retest());
        let late = early.record(Outcome::Failure, now);
        let told = [by_time.join().unwrap(), by_incarnation.join().unwrap(), late];
        assert_eq!(told.into_iter().flatten().collect::<Vec<_>>(), [Transition::Retest]);
        assert_eq!(breaker.state(now), BreakerState::HalfOpen);
        assert_settled(&breaker);
        assert_not_stuck(&breaker, now);
    });
}

#[test]
fn a_new_incarnation_against_the_opening() {
    explore("a_new_incarnation_against_the_opening", Preemptions::Any, || {
        let (breaker, now) = closed(1, Probe::ByItself);
        let fatal = breaker.admit(now).unwrap();
        let other = Arc::clone(&breaker);
        let retest = spawn(move || other.retest());
        assert_eq!(fatal.record(Outcome::Failure, now), Some(Transition::Opened));
        let retest = retest.join().unwrap();
        let state = if retest.is_some() { BreakerState::HalfOpen } else { BreakerState::Open };
        assert_eq!(breaker.state(now), state);
        assert_settled(&breaker);
        assert_not_stuck(&breaker, now);
    });
}

#[test]
fn a_slow_opening_does_not_date_the_next_one() {
    explore("a_slow_opening_does_not_date_the_next_one", Preemptions::Any, || {
        let (breaker, now) = closed(1, Probe::ByCall);
        let (fatal, later) = (breaker.admit(now).unwrap(), now + LEASE);
        let other = Arc::clone(&breaker);
        // A new incarnation comes at once, and its probe fails.
        let again = spawn(move || {
            let probe = other.retest().and_then(|_| other.admit(later).ok());
            probe.and_then(|permit| permit.record(Outcome::Failure, later))
        });
        assert_eq!(fatal.record(Outcome::Failure, now), Some(Transition::Opened));
        let opened = if again.join().unwrap().is_some() { later } else { now };
        assert_eq!(breaker.retest_at(), Some(opened + DELAY));
        assert_settled(&breaker);
        assert_not_stuck(&breaker, later);
    });
}

#[test]
fn nothing_is_due_before_its_instant_was_published() {
    explore("nothing_is_due_before_its_instant_was_published", Preemptions::Any, || {
        // Opened for the second time, so that there is an older instant to be mistaken for the new one.
        let (breaker, now) = half_open(Probe::ByCall);
        let probe = breaker.admit(now).unwrap();
        let reader = Arc::clone(&breaker);
        let reader = spawn(move || (reader.tick(now), reader.retest_at()));
        assert_eq!(probe.record(Outcome::Failure, now), Some(Transition::Opened));
        let (told, retest_at) = reader.join().unwrap();
        assert_eq!(told, None, "retested at the instant of the opening");
        assert!(retest_at.is_none_or(|at| at == now + DELAY), "an instant of the opening before");
        assert_eq!((breaker.state(now), breaker.retest_at()), (BreakerState::Open, Some(now + DELAY)));
        assert_settled(&breaker);
        assert_not_stuck(&breaker, now);
    });
}
