//! Closed to Open.

use super::*;

#[test]
fn many_failures_at_once_open_once() {
    for limit in [1, 2] {
        explore(&format!("many_failures_at_once_open_once, limit {limit}"), Preemptions::AtMost(3), move || {
            let (breaker, now) = closed(limit, Probe::ByItself);
            let fail = |permit: Permit| move || permit.record(Outcome::Failure, now);
            let permits: [Permit; 3] = std::array::from_fn(|_| breaker.admit(now).unwrap());
            let [one, two, three] = permits.map(fail);
            let (one, two) = (spawn(one), spawn(two));
            let told = [three(), one.join().unwrap(), two.join().unwrap()];
            assert_eq!(told.into_iter().flatten().collect::<Vec<_>>(), [Transition::Opened]);
            let permits = breaker.permits();
            assert_eq!((permits.failure, permits.stale), (u64::from(limit), 3 - u64::from(limit)));
            assert_eq!(breaker.retest_at(), Some(now + DELAY));
            assert_settled(&breaker);
        });
    }
}

#[test]
fn a_trip_while_others_are_admitted() {
    for outcome in [Some(Outcome::Success), Some(Outcome::Failure), None] {
        explore(&format!("a_trip_while_others_are_admitted, {outcome:?}"), Preemptions::Any, move || {
            let (breaker, now) = closed(1, Probe::ByCall);
            let fatal = breaker.admit(now).unwrap();
            let another = {
                let breaker = Arc::clone(&breaker);
                spawn(move || breaker.admit(now).ok().and_then(|permit| permit.record(outcome?, now)))
            };
            let told = [fatal.record(Outcome::Failure, now), another.join().unwrap()];
            assert_eq!(told.into_iter().flatten().collect::<Vec<_>>(), [Transition::Opened]);
            assert_eq!(breaker.state(now), BreakerState::Open);
            assert_settled(&breaker);
            assert_not_stuck(&breaker, now);
        });
    }
}

#[test]
fn a_success_between_failures_is_not_lost() {
    explore("a_success_between_failures_is_not_lost", Preemptions::Any, || {
        let (breaker, now) = closed(2, Probe::ByItself);
        assert_eq!(breaker.admit(now).unwrap().record(Outcome::Failure, now), None);
        let (success, failure) = (breaker.admit(now).unwrap(), breaker.admit(now).unwrap());
        let success = spawn(move || success.record(Outcome::Success, now));
        let opened = failure.record(Outcome::Failure, now);
        assert_eq!(success.join().unwrap(), None);
        let (state, failures) = (breaker.state(now), breaker.failures());
        match opened {
            Some(Transition::Opened) => assert_eq!((state, breaker.permits().stale), (BreakerState::Open, 1)),
            // The success came first and made it one in a row, or second and made it none.
            _ => assert_eq!((state, failures), (BreakerState::Closed, 1)),
        }
        assert_settled(&breaker);
    });
}
