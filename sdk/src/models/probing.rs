//! Half-open: who is the probe.

use super::*;

#[test]
fn of_those_who_want_the_probe_one_gets_it() {
    for probe in BOTH {
        explore(&format!("of_those_who_want_the_probe_one_gets_it, {probe:?}"), Preemptions::AtMost(3), move || {
            let (breaker, now) = half_open(probe);
            let claim = |breaker: Arc<Breaker>| {
                move || match probe {
                    Probe::ByItself => breaker.admit_probe(now).ok(),
                    Probe::ByCall => breaker.admit(now).ok(),
                }
            };
            let others = [spawn(claim(Arc::clone(&breaker))), spawn(claim(Arc::clone(&breaker)))];
            let mine = claim(Arc::clone(&breaker))();
            let all = others.map(|other| other.join().unwrap());
            assert_eq!(mine.iter().chain(all.iter().flatten()).filter(|permit| permit.is_probe()).count(), 1);
            assert_eq!(breaker.permits().out(), 1);
            drop((mine, all));
            assert_settled(&breaker);
            assert_not_stuck(&breaker, now);
        });
    }
}

#[test]
fn a_dropped_probe_against_claims() {
    explore("a_dropped_probe_against_claims", Preemptions::AtMost(3), || {
        let (breaker, now) = half_open(Probe::ByCall);
        let dropped = breaker.admit(now).unwrap();
        let claim = |breaker: Arc<Breaker>| move || breaker.admit(now).ok();
        let others = [spawn(claim(Arc::clone(&breaker))), spawn(claim(Arc::clone(&breaker)))];
        drop(dropped);
        let held = others.map(|other| other.join().unwrap());
        assert!(held.iter().flatten().count() <= 1);
        if held.iter().all(Option::is_none) {
            assert!(breaker.admit(now).is_ok(), "a probe that was dropped may go again at once");
        }
        drop(held);
        assert_settled(&breaker);
        assert_not_stuck(&breaker, now);
    });
}

#[test]
fn a_failed_probe_against_a_claim() {
    for probe in BOTH {
        explore(&format!("a_failed_probe_against_a_claim, {probe:?}"), Preemptions::Any, move || {
            let (breaker, now) = half_open(probe);
            let failed = breaker.admit_probe(now).unwrap();
            let other = Arc::clone(&breaker);
            let claimed = spawn(move || other.admit_probe(now).ok());
            let told = failed.record(Outcome::Failure, now);
            let claimed = claimed.join().unwrap();
            match probe {
                Probe::ByItself => assert_eq!((told, breaker.state(now)), (None, BreakerState::HalfOpen)),
                Probe::ByCall => {
                    assert_eq!((told, breaker.state(now)), (Some(Transition::Opened), BreakerState::Open));
                    assert!(claimed.is_none());
                }
            }
            drop(claimed);
            assert_settled(&breaker);
            assert_not_stuck(&breaker, now);
        });
    }
}
